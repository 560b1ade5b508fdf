"""`pipewright lint` on more than one file: folders, included files, Dockerfiles."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.ci.checks import check
from bot.ci.checks.includes import included_paths, matching
from bot.ci.dockerfile import read_hadolint
from bot.cli.lint import lint_command

INCLUDED = "include:\n  - local: /ci/*.yml\n"
BASE = ".base:\n  script: [make]\n"
JOB = "job:\n  extends: .base\n"


def lint(*files: Path) -> tuple[int, str]:
    result = CliRunner().invoke(lint_command, [str(file) for file in files])
    return result.exit_code, result.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ci").mkdir()
    return tmp_path


def test_a_job_may_extend_one_of_an_included_file(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text(INCLUDED + JOB)
    (project / "ci/base.yml").write_text(BASE)
    assert lint(project) == (0, "")


def test_a_name_that_no_included_file_holds_is_found(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text(INCLUDED + JOB.replace(".base", ".bass"))
    (project / "ci/base.yml").write_text(BASE)
    code, said = lint(project)
    assert f"{project}/.gitlab-ci.yml:4: semantics: job extends .bass, which does not exist" in said
    assert code == 1


def test_a_mistake_in_an_included_file_is_told_with_that_file(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text(INCLUDED + JOB)
    (project / "ci/base.yml").write_text(BASE + "deploy:\n  script: [x]\n  needs: [gone]\n")
    code, said = lint(project)
    assert f"{project}/ci/base.yml:5: semantics: deploy needs gone, which does not exist" in said
    assert code == 1


def test_files_are_followed_through_files_and_circles_end(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text("include: ci/a.yml\n" + JOB)
    (project / "ci/a.yml").write_text("include: [ci/b.yml, .gitlab-ci.yml]\n")
    (project / "ci/b.yml").write_text(BASE)
    assert lint(project) == (0, "")


def test_an_included_file_that_is_missing_is_an_error(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text("include:\n  - local: gone.yml\njob:\n  script: [x]\n")
    code, said = lint(project)
    assert f"{project}/.gitlab-ci.yml:2: semantics: the file gone.yml is included, but it is not there" in said
    assert code == 1


def test_an_included_file_that_is_no_yaml_is_an_error(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text(INCLUDED + "job:\n  script: [x]\n")
    (project / "ci/base.yml").write_text("a: b\nc: [\n")
    code, said = lint(project)
    assert f"{project}/ci/base.yml:3: yaml: not valid YAML" in said
    assert code == 1


def test_names_may_come_from_files_that_are_not_at_hand() -> None:
    text = "include:\n  - project: a/b\n    file: c.yml\n  - local: a.yml\n" + JOB
    assert check(text, files={"a.yml": "other:\n  script: [x]\n"}) == ()


def test_the_whole_is_known_only_without_rules_and_inputs_on_an_include() -> None:
    text = "include:\n  - local: a.yml\n    rules: [{if: $A}]\njob:\n  script: [x]\n  needs: [gone]\n"
    assert check(text, files={"a.yml": BASE}) == ()
    assert check(text.replace("    rules: [{if: $A}]\n", ""), files={"a.yml": BASE})


def test_later_files_win_over_earlier_ones_and_the_first_file_over_all() -> None:
    files = {"a.yml": "job:\n  stage: nowhere\n", "b.yml": "job:\n  script: [x]\n"}
    assert check("include: [a.yml, b.yml]\njob:\n  stage: test\n", files=files) == ()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/a.yml", ["a.yml"]),
        ("*.yml", ["a.yml"]),
        ("ci/**.yml", ["ci/b.yml", "ci/d/c.yml"]),
        ("**/*.yml", ["a.yml", "ci/b.yml", "ci/d/c.yml"]),
        ("ci/*.yml", ["ci/b.yml"]),
    ],
)
def test_patterns_mean_what_gitlab_means(pattern: str, found: list[str]) -> None:
    assert matching(pattern, dict.fromkeys(["a.yml", "ci/b.yml", "ci/d/c.yml", "a.yaml"], "")) == found


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("include: a.yml\n", ("a.yml",)),
        ("include: [/a.yml, {local: b.yml}, {remote: 'https://x/c.yml'}, 'https://x/d.yml']\n", ("a.yml", "b.yml")),
        ("include: $FILE\n", ()),
        ("a: [", ()),
    ],
)
def test_only_local_includes_are_followed(text: str, paths: tuple[str, ...]) -> None:
    assert included_paths(text) == paths


def test_a_folder_stands_for_its_pipeline_and_its_dockerfile(project: Path) -> None:
    (project / ".gitlab-ci.yml").write_text("job:\n  script: [x]\n")
    (project / "Dockerfile").write_text("FROM python\nUSER 1\n")
    code, said = lint(project)
    assert f"{project}/Dockerfile:1: policy: the base image python is not pinned" in said
    assert code == 1


def test_a_folder_without_either_is_an_error(tmp_path: Path) -> None:
    assert lint(tmp_path)[0] == 1


def test_what_hadolint_says_becomes_findings() -> None:
    row = '{"line":3,"column":1,"level":"%s","code":"DL3008","message":"Pin versions","file":"-"}'
    found = read_hadolint(f"[{row % 'warning'},{row % 'error'},{row % 'info'}]")
    assert [(finding.line, finding.is_error) for finding in found] == [(3, False), (3, True)]
    assert found[0].message == "DL3008: Pin versions"
    assert "DL3008" in found[0].mend
    assert read_hadolint("it broke") == ()


@pytest.mark.parametrize("answer", ['[{"line":1,"code":"DL3001","level":"error","message":"No"}]', "not JSON"])
def test_hadolint_is_asked_where_it_is_installed(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hadolint"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a:1\nUSER 1\n")
    assert ("DL3001: No" in lint(file)[1]) is answer.startswith("[")
