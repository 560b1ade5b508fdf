"""`templates check`: what an author hears before anybody gets the template."""

import re
import textwrap
from pathlib import Path

import pytest

from bot import survey
from bot.ci.catalog import default_templates_dir
from tests.cli.conftest import run

COBOL = {
    "template.yml": """
        name: cobol
        description: Compiles COBOL.
        known_by: [cobol]
        applies_to: {ecosystem: [cobol]}
        provides: [test]
    """,
    "jobs.yml.j2": """
        test:
          stage: test
          image: registry.example.com/cobol:3.2
          script:
            - cobc -x main.cob
            - ./main --self-test
    """,
}


def written(folder: Path, files: dict[str, str]) -> Path:
    (folder / "cobol").mkdir()
    for name, text in files.items():
        (folder / "cobol" / name).write_text(textwrap.dedent(text).lstrip())
    return folder


def test_a_sound_template_is_tried_and_shown(tmp_path: Path) -> None:
    result = run("templates", "check", written(tmp_path, COBOL), "--show")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("✓ cobol: for ecosystem=cobol it takes part in .gitlab-ci.yml: test\n")
    assert "cobc -x main.cob" in result.stdout


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param({"template.yml": "name: fortran\ndescription: x\n"}, "not like its folder", id="name"),
        pytest.param({"template.yml": "name: cobol\ndescription: x\n"}, "would apply to everything", id="no facts"),
        pytest.param({"jobs.yml.j2": "test:\n  {% if %}\n"}, "jobs.yml.j2 line 2", id="jinja"),
        pytest.param({"jobs.yml.j2": "test:\n  image: {{ nothing }}\n"}, "'nothing' is undefined", id="unknown name"),
        pytest.param(
            {"jobs.yml.j2": 'test:\n  image: {{ pinned_image("alpine/hlm") }}\n'},
            "nothing is pinned as `alpine/hlm`",
            id="image",
        ),
        pytest.param({"jobs.yml.j2": 'test:\n  image: a:{{ pin("uvx") }}\n'}, "nothing is pinned as `uvx`", id="pin"),
        pytest.param({"jobs.yml.j2": "test:\n  image: a:1\n  scrpt: [make]\n"}, "can do nothing", id="semantics"),
        pytest.param(
            {"template.yml": "name: cobol\ndescription: x\napplies_to: {ecosystm: [cobol]}\n"},
            "the fact `ecosystm`, which no repository has: is `ecosystem` meant?",
            id="misspelt fact",
        ),
        pytest.param(
            {"jobs.yml.j2": 'test:\n  image: a:1\n  script: [make]\n{% if has("lnt_tool", "x") %}\n{% endif %}\n'},
            "the fact `lnt_tool`, which no repository has: is `lint_tool` meant?",
            id="misspelt fact in a fragment",
        ),
        pytest.param({"jobs.yml.j2": ""}, "it writes no jobs", id="empty"),
        pytest.param(
            {"jobs.yml.j2": "{% if has('nothing') %}\ntest: {}\n{% endif %}\n"}, "it writes no jobs", id="no fact"
        ),
        pytest.param({"jobs.yml.j2": "test:\n  image: a:1\n  script: ['if then']\n"}, ".gitlab-ci.yml:", id="scripts"),
        pytest.param(
            {"template.yml": "name: cobol\ndescription: x\nrole: extra\n"}, "nobody can ask for it", id="never asked"
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, files: dict[str, str], says: str) -> None:
    result = run("templates", "check", written(tmp_path, COBOL | files))
    assert result.exit_code == 1
    assert result.stdout.startswith("✗ cobol: ")
    assert says in result.stdout


def test_a_template_that_writes_without_end_is_stopped(tmp_path: Path) -> None:
    """Two loops, one in the other, would go on for hours and fill the memory."""
    loops = "{% for i in range(100000) %}\n{% for j in range(100000) %}\n    - make\n{% endfor %}\n{% endfor %}\n"
    endless = {"jobs.yml.j2": "test:\n  image: a:1\n  script:\n" + loops}
    result = run("templates", "check", written(tmp_path, COBOL | endless))
    assert result.exit_code == 1
    assert "jobs.yml.j2 does not render: it writes more than 1,000,000 characters" in result.stdout


def test_what_is_risky_is_told_without_refusing(tmp_path: Path) -> None:
    risky = {"jobs.yml.j2": "test:\n  image: a:1\n  script: ['curl https://x.example | sh']\n"}
    result = run("templates", "check", written(tmp_path, COBOL | risky))
    assert result.exit_code == 0, result.output
    assert "policy (warning)" in result.stdout


def test_a_folder_without_templates_is_said(tmp_path: Path) -> None:
    result = run("templates", "check", tmp_path)
    assert result.exit_code == 1
    assert "holds no template" in result.stderr


def test_every_fact_of_the_survey_may_be_asked_for(tmp_path: Path) -> None:
    """Those that no shipped template asks for are called no misspelling of another."""
    texts = [path.read_text() for path in (Path(survey.__file__).parent).rglob("*.py")]
    facts = {name for text in texts for name in re.findall(r'\.add\(\s*"([a-z_]+)"', text)}
    assert len(facts) > 40
    asking = "".join(f'{{{{ fact("{name}") and "" }}}}' for name in sorted(facts))
    jobs = textwrap.dedent(COBOL["jobs.yml.j2"]).rstrip() + asking + "\n"
    result = run("templates", "check", written(tmp_path, COBOL | {"jobs.yml.j2": jobs}))
    assert result.exit_code == 0, result.stdout


def test_every_shipped_template_passes() -> None:
    result = run("templates", "check", default_templates_dir())
    assert result.exit_code == 0, result.output
