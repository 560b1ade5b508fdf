"""An existing pipeline only gets what it lacks."""

import pytest
import yaml

from bot.domain import CannotError, Wishes

FACTS = {
    "package_manager": "pip",
    "version": "3.13",
    "manifest": "requirements.txt",
    "install": "pip install -r requirements.txt",
    "test": "pytest",
    "test_tool": "pytest",
    "lint": "ruff check .",
    "lint_tool": "ruff",
}

NOTHING = Wishes()


@pytest.fixture
def extended(composed, unit):
    def extended_by(existing: str, wishes: Wishes = NOTHING, **facts: object):
        return composed(unit("python", **(FACTS | facts)), existing=existing, wishes=wishes)

    return extended_by


def test_missing_jobs_come_at_the_end_and_the_rest_stays_to_the_byte(extended) -> None:
    existing = "# ours\nstages: [build, deploy] # two\n\ncompile:   # all\n  stage: build\n  script: [make]\n"
    composition = extended(existing)
    text = composition.files[".gitlab-ci.yml"]
    assert text.replace("[lint, build, test, deploy]", "[build, deploy]").startswith(existing)
    assert set(yaml.safe_load(text)) == {"stages", "compile", ".python", "lint", "test"}
    assert composition.kept == ("compile",)
    assert [row.name for row in composition.jobs] == ["lint", "test"]
    assert [finding for finding in composition.findings if finding.is_error] == []


def test_without_stages_of_its_own_the_file_keeps_the_default_ones(extended) -> None:
    jobs = yaml.safe_load(extended("ship:\n  stage: deploy\n  script: [x]\n").files[".gitlab-ci.yml"])
    assert jobs["lint"]["stage"] == "test"
    assert "stages" not in jobs


@pytest.mark.parametrize(
    ("job", "purpose"),
    [
        ("unit-tests:\n  script: [x]\n", "test"),
        ("pytest:\n  script: [x]\n", "test"),
        ("quality:\n  stage: test\n  script: [x]\n", "test"),
        ("run-it:\n  stage: build\n  script: [pytest --junitxml=junit.xml]\n", "test"),
        ("check-style:\n  stage: build\n  script: [x]\n", "lint"),
    ],
)
def test_what_is_there_already_is_not_added_again(job, purpose, extended) -> None:
    assert purpose not in [row.name for row in extended(job).jobs]


def test_a_name_that_only_looks_like_tests_covers_nothing(extended) -> None:
    assert "test" in [row.name for row in extended("deploy-latest:\n  stage: deploy\n  script: [x]\n").jobs]


def test_a_complete_pipeline_is_left_alone(extended) -> None:
    composition = extended("lint:\n  script: [x]\ntest:\n  script: [x]\n")
    assert composition.files == {}
    assert any("nothing was added" in sentence for sentence in composition.assumptions)


def test_new_jobs_do_not_inherit_what_was_meant_for_others(extended) -> None:
    jobs = yaml.safe_load(
        extended("before_script: [bundle]\nship:\n  stage: deploy\n  script: [x]\n").files[".gitlab-ci.yml"]
    )
    assert "before_script" not in jobs["test"]["inherit"]["default"]


def test_a_taken_name_is_avoided(extended) -> None:
    text = (
        "variables: {A: b}\n.python:\n  image: python:3.9\nship:\n  stage: deploy\n  extends: .python\n  script: [x]\n"
    )
    composition = extended(text)
    jobs = yaml.safe_load(composition.files[".gitlab-ci.yml"])
    assert jobs[".python"] == {"image": "python:3.9"}
    assert jobs["test"]["extends"] == ".python-added"
    assert [finding for finding in composition.findings if finding.is_error] == []


def test_scans_are_included_beside_other_includes(extended) -> None:
    text = "include:\n  - local: a.yml\ntest:\n  script: [x]\nlint:\n  script: [x]\n"
    found = yaml.safe_load(extended(text, Wishes(extras=("security",))).files[".gitlab-ci.yml"])
    assert found["include"][0] == {"local": "a.yml"}
    assert {"template": "Jobs/SAST.gitlab-ci.yml"} in found["include"]


def test_an_include_that_cannot_be_extended_is_told(extended) -> None:
    composition = extended("include:\n  local: a.yml\n", Wishes(extras=("security",)))
    assert any("could not include" in sentence for sentence in composition.assumptions)


def test_without_workflow_rules_a_new_job_starts_no_second_pipeline(extended) -> None:
    jobs = yaml.safe_load(
        extended("ship:\n  stage: deploy\n  script: [x]\n", dockerfile="Dockerfile").files[".gitlab-ci.yml"]
    )
    assert jobs["container-image"]["rules"][0]["when"] == "never"


@pytest.mark.parametrize(("text", "line"), [("job:\n\tscript: x\n", 2), ("a: [\n", 2), ("a:\n  - b\n c\n", 3)])
def test_invalid_yaml_is_refused_with_its_line(text, line, extended) -> None:
    with pytest.raises(CannotError, match=rf"not valid YAML.*\(line {line}\)"):
        extended(text)
