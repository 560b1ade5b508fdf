"""The scripts of jobs are held against the shell: which lines they are, what is said of them, that ours are clean."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import linters
from bot.ci.checks import check
from bot.ci.checks.document import read_document
from bot.ci.checks.shell import check_shell, read_shellcheck, scripts_of
from bot.ci.wishes import read_wishes
from bot.cli.lint import lint_command
from tests.ci.test_ci_templates import ASKED, TYPICAL

ROW = '{"file":"%s","line":2,"endLine":2,"column":1,"level":"%s","code":2068,"message":"Quote it."}'
STACKS = sorted(name for name in TYPICAL if name not in ASKED and TYPICAL[name][0] != "generic")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("a:\n  script:\n    - true\n    - echo 'x\n", 4, "matching `''", id="an item"),
        pytest.param("a:\n  script:\n    - |\n      true\n      fi\n", 5, "`fi'", id="a block"),
        pytest.param("a:\n  script: |\n    true\n    done\n", 4, "`done'", id="one block"),
        pytest.param("a:\n  script: 'if'\n", 2, "end of file", id="one word"),
        pytest.param("a:\n  script: [\"true\", 'echo (']\n", 2, "`newline'", id="in one line"),
        pytest.param(".a:\n  script:\n    - >-\n      if true;\n      then\n", 3, "end of file", id="folded"),
        pytest.param("default:\n  before_script:\n    - ')'\n", 3, "`)'", id="the default"),
        pytest.param("before_script:\n  - ')'\na: {script: x}\n", 2, "`)'", id="the top"),
    ],
)
def test_bash_objects_at_the_line_of_the_file(text: str, line: int, said: str) -> None:
    found = check_shell(text, "ci.yml", linters.bash)
    assert [(each.rung, each.path, each.line, each.is_error) for each in found] == [("scripts", "ci.yml", line, True)]
    assert said in found[0].message
    assert found[0].mend


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  script:\n    - echo $[[ inputs.name | expand_vars ]]\n",
        "a:\n  script:\n    - !reference [.b, script]\n    - echo x\n.b: {script: [x]}\n",
        "a:\n  script: !reference [.b, script]\n.b: {script: [x]}\n",
        "a:\n  tags: [windows]\n  script: ['if (1) { x }']\n",
        "a:\n  image: mcr.microsoft.com/windows/servercore:ltsc2025\n  script: ['if (1) { x }']\n",
        "default:\n  tags: [windows]\na:\n  script: ['if (1) { x }']\n",
        "image: mcr.microsoft.com/windows/servercore:ltsc2025\na:\n  script: ['if (1) { x }']\n",
        ".w: {tags: [saas-windows-medium-amd64]}\na:\n  extends: .w\n  script: ['if (1) { x }']\n",
        'a:\n  script:\n    - if ($env:A) { Write-Host "x" }\n',
        "a:\n  trigger: group/project\n",
        "a:\n  script: [[echo x, [echo y]], echo z]\n",
        "a: [\n",
        "",
    ],
)
def test_what_is_no_shell_of_this_file_is_not_judged(text: str) -> None:
    assert check_shell(text, "ci.yml", linters.bash) == ()


def test_nothing_of_a_script_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    assert check_shell(f"a:\n  script: ['touch {marker}', '$(touch {marker})', ')']\n", "ci.yml", linters.bash)
    assert not marker.exists()


def test_what_shellcheck_says_becomes_findings_of_the_right_script() -> None:
    text = "a:\n  script:\n    - one\n    - two\nb:\n  script: |\n    one\n    $@\n"
    scripts = scripts_of(read_document(text), text)
    report = f"[{ROW % (1, 'error')},{ROW % (0, 'warning')},{ROW % (0, 'info')},{ROW % (7, 'error')}]"
    found = list(read_shellcheck(report, scripts))
    assert [(each.line, each.is_error) for each in found] == [(8, True), (4, False)]
    assert found[0].message == "b:script: SC2068: Quote it."
    assert "SC2068" in found[0].mend
    assert list(read_shellcheck("it broke", scripts)) == []


def test_lint_reads_the_scripts_of_included_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    Path(".gitlab-ci.yml").write_text("include: more.yml\ntest:\n  script: [make]\n")
    Path("more.yml").write_text("docs:\n  script:\n    - make docs; done\n")
    result = CliRunner().invoke(lint_command, [".gitlab-ci.yml"])
    assert "more.yml:3: scripts: docs:script: syntax error near unexpected token `done'" in result.output
    assert result.exit_code == 1


@pytest.fixture
def shellcheck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    assert '"code":1072' in (linters.shellcheck(["if\n"]) or "")


@pytest.mark.usefixtures("shellcheck")
@pytest.mark.parametrize("name", STACKS)
def test_every_stack_with_every_extra_has_scripts_without_findings(name: str, composed, unit) -> None:
    ecosystem, facts = TYPICAL[name]
    for wanted in ("", " and ".join(ASKED.values())):
        text = composed(unit(ecosystem, **facts), wishes=read_wishes(wanted)).files[".gitlab-ci.yml"]
        assert check(text) == ()
        assert check_shell(text, name, linters.bash, linters.shellcheck) == ()
