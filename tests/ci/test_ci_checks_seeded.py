"""Thirty defects people really write, each put into the same good file and found by `pipewright lint` on its line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.lint import lint_command

GOOD = """\
stages: [build, test, deploy]
workflow:
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS
      when: never
    - if: $CI_COMMIT_BRANCH
build:
  stage: build
  image: gcc:15
  script:
    - make
  artifacts:
    paths: [out]
test:
  image: gcc:15
  needs: [build]
  script:
    - make check
"""
JOB = "job:\n  script: [make]\n"
END = GOOD.count("\n")

SEEDED = [
    pytest.param("job:\n  stage: lint\n  script: [x]\n", 2, "stage lint, which does not exist", id="unknown stage"),
    pytest.param(JOB + "  needs: [nope]\n", 3, "needs nope, which does not exist", id="needs unknown"),
    pytest.param(JOB + "  stage: build\n  needs: [test]\n", 4, "in a later stage", id="needs later"),
    pytest.param(".h:\n  script: [x]\n" + JOB + "  needs: [.h]\n", 5, "hidden, so GitLab never", id="needs hidden"),
    pytest.param("job:\n  stage: test\n", 1, "neither script, run nor trigger", id="no script"),
    pytest.param(JOB + "  extends: .nope\n", 3, "extends .nope, which does not exist", id="extends unknown"),
    pytest.param(JOB + "  rules:\n    - if: ${CI_COMMIT_TAG}\n", 4, "without braces", id="braces in a rule"),
    pytest.param(JOB + '  rules:\n    - if: $CI_COMMIT_BRANCH = "a"\n', 4, "write ==", id="single ="),
    pytest.param(
        JOB + "  cache:\n    key:\n      files: [a, b, c]\n    paths: [d]\n", 5, "3 files make the cache key", id="key"
    ),
    pytest.param(
        JOB + "  needs: [other]\nother:\n  needs: [job]\n  script: [x]\n", 3, "job → other → job", id="needs circle"
    ),
    pytest.param(
        JOB + "  rules:\n    - if: $CI_COMMIT_TAG\nother:\n  needs: [job]\n  script: [x]\n",
        6,
        "whose rules keep it out of the pipeline for a push to a branch",
        id="needs an excluded job",
    ),
    pytest.param(JOB + "  services: postgres:18\n", 3, "GitLab wants a list", id="services as text"),
    pytest.param("job:\n  script:\n    - run:\n        - x\n", 3, "reads it as the key 'run'", id="nested script"),
    pytest.param(JOB + "  artefacts:\n    paths: [a]\n", 1, "'artefacts' was unexpected", id="unknown keyword"),
    pytest.param(
        JOB + "  artifacts:\n    reports:\n      cobertura: c.xml\n", 4, "'cobertura' was unexpected", id="cobertura"
    ),
    pytest.param(JOB + "  coverage: TOTAL\n", 3, "does not match", id="coverage without slashes"),
    pytest.param(JOB + "  when: delayed\n", 3, "delayed", id="delayed without start_in"),
    pytest.param(JOB + "  retry: 5\n", 3, "greater than the maximum of 2", id="retry"),
    pytest.param(JOB + '  image: ""\n', 3, "should be non-empty", id="empty image"),
    pytest.param(JOB + "  parallel:\n    matrix: 3\n", 4, "GitLab wants a list", id="matrix of a number"),
    pytest.param(
        JOB + "  environment:\n    name: a\n    action: begin\n", 5, "which GitLab does not know", id="action"
    ),
    pytest.param("types: [a]\n" + JOB, 1, "types", id="types"),
    pytest.param(JOB + "  interruptible: maybe\n", 3, "true or false", id="interruptible"),
    pytest.param('job:\n  script:\n    - echo "a": b\n', 3, "reads it as the key 'echo \"a\"'", id="echo with a colon"),
    pytest.param("cache:\n  script: [x]\n", 1, "keyword of GitLab", id="reserved name"),
    pytest.param("variables: [A, B]\n", 1, "variables is", id="variables as a list"),
    pytest.param(JOB + "  only: [main]\n  rules:\n    - if: $A\n", 3, "both rules and only", id="only beside rules"),
    pytest.param(JOB + "  timeout: soon\n", 3, "no length of time", id="timeout"),
    pytest.param("job:\n  script:\n    - echo ${{ matrix.os }}\n", 3, "GitHub's syntax", id="GitHub expression"),
]


@pytest.mark.parametrize(("defect", "line", "part"), SEEDED)
def test_a_seeded_defect_is_found_on_its_line_with_a_mend(defect: str, line: int, part: str, tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(GOOD + defect)
    result = CliRunner().invoke(lint_command, [str(file)])
    found = [said for said in result.stdout.splitlines() if part in said]
    assert [said.startswith(f"{file}:{END + line}: ") for said in found] == [True], result.output
    assert " — " in found[0]
    assert result.exit_code == 1


def test_a_push_that_starts_two_pipelines_is_found_too(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(GOOD.replace("    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS\n      when: never\n", ""))
    result = CliRunner().invoke(lint_command, [str(file)])
    assert f"{file}:3: semantics (warning): a push to a branch with an open merge request starts two" in result.stdout


def test_the_file_without_a_defect_passes_in_silence(tmp_path: Path) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(GOOD + JOB)
    result = CliRunner().invoke(lint_command, [str(file)])
    assert (result.exit_code, result.stdout) == (0, "")
