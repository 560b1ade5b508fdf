"""The reference is the program's own word: it cannot drift from it, and it leaves nothing out."""

import re
from pathlib import Path

import click
import msgspec
import pytest
import yaml

from bot.ci.metadata import Metadata
from bot.cli import main
from bot.cli.reference import reference
from bot.proposals.command import NAMES
from bot.proposals.policy import Policy, read_policy
from bot.settings import PREFIX, Settings

TOP = Path(__file__).parents[2]
PAGES = sorted(
    [*(TOP / "docs").glob("*.md"), TOP / "README.md", TOP / "SECURITY.md", TOP / ".env.example"]
    + [path for path in (TOP / "deploy").rglob("*") if path.is_file()]
)

SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((TOP / "bot").rglob("*.py")))


def commands(group: click.Group, path: str = "pipewright") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found |= (
            commands(command, f"{path} {name}") if isinstance(command, click.Group) else {f"{path} {name}": command}
        )
    return found


def test_the_page_is_what_the_program_says() -> None:
    written = (TOP / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == reference(main), "`make docs` writes docs/reference.md anew"


def test_it_names_every_command_with_every_option() -> None:
    page = reference(main)
    for path, command in commands(main).items():
        section = page.split(f"### `{path}")[1].split("\n### ")[0]
        for option in (each for each in command.params if isinstance(each, click.Option) and not each.hidden):
            assert option.opts[0] in section, (path, option.opts)


def test_it_names_every_setting() -> None:
    page = reference(main)
    assert [name for name in Settings.model_fields if f"| `{name.upper()}` |" not in page] == []


def test_nothing_is_left_unexplained() -> None:
    unexplained = [path for path, command in commands(main).items() if not command.help]
    unexplained += [
        f"{path} {option.opts[0]}"
        for path, command in commands(main).items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    unexplained += [name for name, field in Settings.model_fields.items() if not field.description]
    assert unexplained == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_what_a_page_calls_a_setting_is_one(page: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}([A-Z][A-Z_]*[A-Z])\b", page.read_text(encoding="utf-8")))
    assert named - {name.upper() for name in Settings.model_fields} == set()


@pytest.mark.parametrize("page", [page for page in PAGES if page.suffix == ".md"], ids=lambda path: path.name)
def test_what_a_page_calls_a_command_is_one(page: Path) -> None:
    known = commands(main)
    named = re.findall(
        r"(?:`|^|\s)(?<!-n )pipewright ([a-z]+(?: [a-z]+)?)", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    unknown = [
        words
        for words in named
        if f"pipewright {words}" not in known and not any(words.split()[0] == path.split()[1] for path in known)
    ]
    assert unknown == []


def test_the_rules_of_a_project_are_shown_with_what_holds_where_nothing_is_set() -> None:
    page = (TOP / "docs" / "projects.md").read_text(encoding="utf-8")
    shown = page.split("```yaml\n")[1].split("```")[0]
    assert read_policy(shown) == Policy()
    rules = yaml.safe_load(shown)
    parts = {name: value for name, value in msgspec.to_builtins(Policy()).items() if isinstance(value, dict)}
    assert set(rules) == set(Policy.__struct_fields__)
    assert {name: set(rules[name]) for name in parts} == {name: set(value) for name, value in parts.items()}


def test_every_key_of_a_template_is_explained() -> None:
    table = (TOP / "docs" / "templates.md").read_text(encoding="utf-8").split("## template.yml")[1]
    explained = {
        name for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)
    }
    assert explained == set(Metadata.__struct_fields__)


def test_every_order_people_write_stands_in_the_readme() -> None:
    table = (TOP / "README.md").read_text(encoding="utf-8").split("## What one can say")[1].split("\n## ")[0]
    rows = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    assert [name for name in NAMES if not re.search(rf"\b{name}\b", rows)] == []


def test_every_message_to_look_up_is_one_that_the_program_says() -> None:
    page = (TOP / "docs" / "administration.md").read_text(encoding="utf-8").split("## Troubleshooting by message")[1]
    messages = re.findall(r"^\| `(.+?) ?…?`", page, re.MULTILINE)
    assert len(messages) > 5
    assert [words for words in messages if words not in SOURCE] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.suffix == ".md"], ids=lambda path: path.name)
def test_what_a_page_calls_a_metric_is_told(page: Path) -> None:
    named = set(re.findall(r"\bpipewright_[a-z_]+\b", page.read_text(encoding="utf-8")))
    assert [name for name in named if f'"{name}"' not in SOURCE] == []
