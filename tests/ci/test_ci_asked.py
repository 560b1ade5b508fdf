"""Flat operations on files: what each does, what it refuses with which words, and that nothing else ever changes."""

from difflib import unified_diff
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.asked import DOCKER, NAMES, WHEN, Outcome, apply_operations, read_operations
from bot.ci.asked.lookup import image_name, image_of, visible
from bot.ci.checks import check
from bot.ci.checks.document import read_document
from bot.domain import CannotError
from tests.world.customisations import DOCKERFILE, EXISTING, IGNORE

CI = ".gitlab-ci.yml"
FILES = {CI: EXISTING, "Dockerfile": DOCKERFILE, ".dockerignore": IGNORE}


def applied(*operations: dict[str, Any], files: dict[str, str] = FILES) -> Outcome:
    return apply_operations(files, read_operations(operations))


def changed(*operations: dict[str, Any], text: str = EXISTING) -> str:
    """Return the lines that differ in the pipeline afterwards."""
    after = applied(*operations, files={**FILES, CI: text}).files[CI]
    lines = list(unified_diff(text.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return "\n".join(line for line in lines if not line.startswith("@@"))


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({"operation": "fly"}, "there is no 'fly'"),
        ({"operation": "add_job", "script": ["x"]}, "add_job needs job"),
        ({"operation": "add_job", "job": "x"}, "add_job needs script or like"),
        ({"operation": "set_image", "job": "test"}, "set_image needs image or value"),
        ({"operation": "run_when", "job": "test", "when": ["sometimes"]}, "not understood"),
        ({"operation": "set_image", "job": "test", "image": "a:1", "yaml": "x"}, "not understood"),
        ({"operation": "set_image", "job": "tset", "image": "a:1"}, "its jobs are lint, test, build, deploy"),
        ({"operation": "set_variable", "variables": ["A"]}, "NAME=value"),
        ({"operation": "set_variable", "variables": ["1A=x"]}, "NAME=value"),
        ({"operation": "remove_variable", "name": "NOPE"}, "not there"),
        ({"operation": "remove_job", "job": "test"}, "build still needs test"),
        ({"operation": "rename_job", "job": "test", "value": "build"}, "already a job"),
        ({"operation": "remove_script", "job": "lint", "script": ["nothing"]}, "pip install ruff | ruff check ."),
        ({"operation": "remove_script", "job": "deploy", "script": ["deploy.sh"]}, "nothing would be left"),
        ({"operation": "remove_service", "job": "test", "services": ["mysql"]}, "it has redis:7"),
        ({"operation": "set_versions", "job": "deploy", "values": []}, "needs values"),
        ({"operation": "set_needs", "job": "build", "needs": ["nope"]}, "no job 'nope'"),
        ({"operation": "remove_stage", "stage": "test"}, "the jobs test are in the stage"),
        ({"operation": "add_stage", "stage": "test"}, "already a stage"),
        ({"operation": "set_option", "job": "test", "name": "retry", "value": "often"}, "a number"),
        ({"operation": "set_option", "job": "test", "name": "colour", "value": "red"}, "no option 'colour'"),
        ({"operation": "set_option", "job": "all", "name": "parallel", "value": "2"}, "only be set for one job"),
        ({"operation": "remove_include", "value": "x.yml"}, "not included"),
        ({"operation": "skip_when", "job": "test", "when": ["always"]}, "needs a condition"),
        ({"operation": "docker_base", "image": "a:1", "name": "nope"}, "no stage 'nope'"),
        ({"operation": "set_option", "job": "test", "name": "retry", "value": "²"}, "a number"),
        ({"operation": "set_option", "job": "test", "name": "parallel", "value": "1" * 5_000}, "a number"),
        ({"operation": "docker_port", "value": "http"}, "no port"),
        ({"operation": "docker_port", "value": "²"}, "no port"),
        ({"operation": "docker_port", "value": "\u0663"}, "no port"),
        ({"operation": "docker_copy", "value": "a"}, "where to"),
        ({"operation": "docker_base", "image": "python:3.13-slim"}, "already"),
        ({"operation": "docker_packages", "values": ["libpq5"]}, "already"),
        ({"operation": "docker_ignore", "paths": [".git"]}, "ignored already"),
        ({"operation": "docker_run", "script": ["x"], "file": "api/Dockerfile"}, "no api/Dockerfile"),
        ({"operation": "set_image", "job": "build", "image": "python:3.13"}, "nothing would change"),
    ],
)
def test_what_cannot_be_done_says_why(operation: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotError) as refused:
        applied(operation)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "found"),
    [("Test", "test"), ("unit", None), ("deplo", "deploy"), ("the lint", None), ("LINT", "lint"), ("e", None)],
)
def test_a_job_is_found_by_nearly_its_name_and_never_by_chance(name: str, found: str | None) -> None:
    operation = {"operation": "set_option", "job": name, "name": "timeout", "value": "1h"}
    if found is None:
        with pytest.raises(CannotError, match="its jobs are"):
            applied(operation)
        return
    jobs = yaml.safe_load(applied(operation).files[CI])
    assert [job for job, body in jobs.items() if isinstance(body, dict) and "timeout" in body] == [found]


@pytest.mark.parametrize(
    ("operation", "lines"),
    [
        (
            {"operation": "set_image", "job": "all", "image": "python:3.14"},
            "-  image: python:3.13-slim\n+  image: python:3.14\n-  image: python:3.13\n+  image: python:3.14",
        ),
        ({"operation": "set_option", "job": "all", "name": "interruptible", "value": "yes"}, "+  interruptible: true"),
        (
            {"operation": "set_option", "job": "test", "name": "coverage", "value": r"TOTAL.*\d+%"},
            r"+  coverage: /TOTAL.*\d+%/",
        ),
        ({"operation": "set_stage", "job": "lint", "stage": "test"}, "-  stage: lint\n+  stage: test"),
        (
            {"operation": "add_stage", "stage": "qa", "name": "build"},
            "-stages: [lint, test, build, deploy]\n+stages: [lint, test, qa, build, deploy]",
        ),
        ({"operation": "remove_stage", "stage": "qa"}, None),
        (
            {"operation": "add_script", "job": "build", "script": ["ls dist"]},
            "-  script: |\n-    pip install build\n-    python -m build\n"
            "+  script:\n+    - |\n+      pip install build\n+      python -m build\n+    - ls dist",
        ),
        (
            {"operation": "add_script", "job": "test", "name": "after_script", "script": ["ls"]},
            "+  after_script:\n+    - ls",
        ),
        (
            {"operation": "run_when", "job": "deploy", "when": ["always"]},
            '-    rules:\n-        - if: $CI_COMMIT_BRANCH == "main"',
        ),
        (
            {"operation": "skip_when", "job": "deploy", "when": ["nightly"]},
            '+        - if: $CI_PIPELINE_SOURCE == "schedule"\n+          when: never',
        ),
        (
            {"operation": "set_pipelines", "when": ["merge_requests", "branches"]},
            '+\n+workflow:\n+  rules:\n+    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'
            "+    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS\n+      when: never\n+    - if: $CI_COMMIT_BRANCH",
        ),
        ({"operation": "set_tags", "values": ["arm"]}, "-  tags: [docker]\n+  tags: [arm]"),
    ],
)
def test_an_operation_changes_these_lines(operation: dict[str, Any], lines: str | None) -> None:
    if lines is None:
        with pytest.raises(CannotError):
            applied(operation)
        return
    assert changed(operation) == lines


def test_a_new_nightly_job_lets_schedules_in_where_the_workflow_keeps_them_out() -> None:
    text = 'workflow:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n\ntest:\n  script: [make]\n'
    lines = changed({"operation": "add_job", "job": "long", "script": ["make long"], "when": ["nightly"]}, text=text)
    assert lines.startswith('+    - if: $CI_PIPELINE_SOURCE == "schedule"\n+\n+long:')


def test_a_workflow_that_lets_schedules_in_stays_as_it_is() -> None:
    text = "workflow:\n  rules:\n    - if: $CI_COMMIT_BRANCH\n\ntest:\n  script: [make]\n"
    assert "workflow" not in changed(
        {"operation": "add_job", "job": "long", "script": ["make long"], "when": ["nightly"]}, text=text
    )
    assert changed(
        {"operation": "add_job", "job": "long", "script": ["make long"], "when": ["nightly"]}, text=text
    ).startswith("+\n+long:")


@pytest.mark.parametrize(
    ("base", "rules"),
    [
        (
            '  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n      when: manual\n',
            [{"if": '$CI_COMMIT_BRANCH == "main"', "when": "manual"}],
        ),
        (
            "  when: manual\n",
            [
                {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"', "when": "never"},
                {"when": "manual", "allow_failure": True},
            ],
        ),
    ],
)
@pytest.mark.parametrize("inherited", ["extends: .late", "<<: *late"])
def test_a_job_that_is_kept_out_of_some_pipelines_stays_in_the_others_as_its_base_says(
    base: str, rules: list[Any], inherited: str
) -> None:
    text = f".late: &late\n{base}\nrelease:\n  {inherited}\n  script: [make]\n"
    operation = {"operation": "skip_when", "job": "release", "when": ["tags"]}
    after = applied(operation, files={CI: text}).files[CI]
    assert yaml.safe_load(after)["release"]["rules"] == [{"if": "$CI_COMMIT_TAG", "when": "never"}, *rules]


def test_a_job_whose_base_is_not_seen_is_not_given_rules_that_hide_those_of_the_base() -> None:
    text = "include: /base.yml\n\nrelease:\n  extends: .late\n  script: [make]\n"
    with pytest.raises(CannotError, match="in a file that is included"):
        applied({"operation": "skip_when", "job": "release", "when": ["tags"]}, files={CI: text})


@pytest.mark.parametrize(
    ("operation", "lines"),
    [
        ({"operation": "set_script", "job": "test", "script": ["make all"]}, "+  script:\n+    - make all"),
        (
            {"operation": "add_script", "job": "test", "script": ["make all"]},
            "+  script:\n+    - make\n+    - make all",
        ),
        (
            {"operation": "set_variable", "job": "test", "variables": ["A=b"]},
            "+  variables:\n+    DB: postgres\n+    A: b",
        ),
    ],
)
def test_what_an_anchor_brings_is_written_out_where_it_changes(operation: dict[str, Any], lines: str) -> None:
    text = ".base: &base\n  variables: {DB: postgres}\n  script:\n    - make\n\ntest:\n  <<: *base\n"
    assert changed(operation, text=text) == lines


def test_a_line_is_never_added_to_the_words_of_a_reference() -> None:
    text = ".base:\n  script: [make]\n\ntest:\n  script: !reference [.base, script]\n"
    with pytest.raises(CannotError, match="refers to another job"):
        applied({"operation": "add_script", "job": "test", "script": ["ls"]}, files={CI: text})


@pytest.mark.parametrize(
    "text",
    [
        ".base: &base\n  services: [redis:7, postgres:15]\n\ntest:\n  <<: *base\n  script: [make]\n",
        ".base:\n  services: [redis:7, postgres:15]\n\ntest:\n  extends: .base\n  script: [make]\n",
        "default:\n  services: [redis:7, postgres:15]\n\ntest:\n  script: [make]\n",
        ".base:\n  services: [redis:7, postgres:15]\n\n"
        "test:\n  services: !reference [.base, services]\n  script: [make]\n",
    ],
)
def test_a_service_in_another_version_takes_the_place_of_the_inherited_one_and_the_others_stay(text: str) -> None:
    operation = {"operation": "add_service", "job": "test", "services": ["postgres:16"]}
    after = applied(operation, files={CI: text}).files[CI]
    assert read_document(after).jobs["test"]["services"] == ["redis:7", "postgres:16"]
    assert "DATABASE_URL" not in after


def test_a_renamed_job_keeps_its_name_wherever_another_pipeline_is_meant_and_nowhere_else() -> None:
    text = """\
.waits: &waits
  needs: [build]

build:
  script: [make]
  environment: {name: review, on_stop: build}

check:
  <<: *waits
  script:
    - !reference [ 'build', script ]
    - !reference [.build, script]

publish:
  needs:
    - project: our/library
      job: build
      ref: main
      artifacts: true
    - pipeline: $UPSTREAM
      job: build
    - job: build
      optional: true
  rules:
    - if: $CI_COMMIT_TAG
      needs: [build]
  trigger:
    include:
      - artifact: child.yml
        job: build
"""
    after = applied({"operation": "rename_job", "job": "build", "value": "compile"}, files={CI: text}).files[CI]
    elsewhere = ("project: our/library\n      job: build", "pipeline: $UPSTREAM\n      job: build")
    expected = text.replace("'build'", "build").replace(".build", ".BUILD")
    for each in elsewhere:
        expected = expected.replace(each, each.replace("build", "BUILD"))
    assert after == expected.replace("build", "compile").replace("BUILD", "build")


def test_a_job_that_only_another_project_s_namesake_is_needed_of_may_go() -> None:
    text = (
        "build:\n  script: [make]\n\ntest:\n  needs: [{project: our/library, job: build, ref: main}]\n  script: [x]\n"
    )
    after = applied({"operation": "remove_job", "job": "build"}, files={CI: text}).files[CI]
    assert list(yaml.safe_load(after)) == ["test"]


@pytest.mark.parametrize(
    "text",
    [
        "test:\n  script: [x]\n\nweb:\n  image: node:24\n  script: [x]\n",
        "image: python:3.13\n\ntest:\n  script: [x]\n\nweb:\n  image: node:24\n  script: [x]\n",
        "default:\n  image: {name: python:3.13}\n\ntest:\n  script: [x]\n",
        ".base: &base\n  image: &old python:3.13\n\n"
        "test:\n  <<: *base\n  script: [x]\n\nweb:\n  image: *old\n  script: [x]\n",
    ],
)
def test_an_image_for_all_jobs_is_that_of_every_job(text: str) -> None:
    after = applied({"operation": "set_image", "job": "all", "image": "python:3.14"}, files={CI: text}).files[CI]
    assert [image_name(image_of(after, name)) for name in visible(read_document(after))] == [
        "python:3.14" for _ in visible(read_document(text))
    ]
    assert not [finding.message for finding in check(after) if finding.is_error]


def test_a_job_with_an_image_of_its_own_copies_no_setup_by_itself() -> None:
    text = applied({"operation": "add_job", "job": "js", "image": "node:24", "script": ["pytest"]}).files[CI]
    assert set(yaml.safe_load(text)["js"]) == {"stage", "image", "script"}


def test_like_without_a_script_copies_the_whole_job() -> None:
    jobs = yaml.safe_load(applied({"operation": "add_job", "job": "again", "like": "test"}).files[CI])
    assert jobs["again"] == jobs["test"]


def test_references_and_anchors_stay_references() -> None:
    text = ".base: &base\n  image: alpine:3.22\n\none:\n  <<: *base\n"
    text += "  script:\n    - !reference [.base, script]\n    - x\n"
    added = changed({"operation": "add_job", "job": "two", "like": "one"}, text=text)
    assert "+    - !reference [.base, script]" in added
    with pytest.raises(CannotError):
        applied({"operation": "add_script", "job": "two", "script": ["y"]}, files={CI: text})


def test_the_line_endings_of_the_file_are_kept() -> None:
    windows = EXISTING.replace("\n", "\r\n")
    for operation in (
        {"operation": "add_job", "job": "more", "like": "test"},
        {"operation": "set_option", "job": "lint", "name": "timeout", "value": "1h"},
        {"operation": "rename_job", "job": "test", "value": "tests"},
    ):
        after = applied(operation, files={CI: windows}).files[CI]
        assert "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ("alpine:3.22", "RUN apk add --no-cache git"),
        ("registry.access.redhat.com/ubi9/ubi-minimal:9.6", "RUN microdnf install -y git && microdnf clean all"),
        ("debian:trixie-slim", "    && apt-get install -y --no-install-recommends git \\"),
    ],
)
def test_packages_are_installed_the_way_of_the_base(base: str, line: str) -> None:
    files = {CI: EXISTING, "Dockerfile": f'FROM {base}\nUSER 10001\nCMD ["x"]\n'}
    text = applied({"operation": "docker_packages", "values": ["git"]}, files=files).files["Dockerfile"]
    assert line in text.splitlines()
    assert text.index(line) < text.index("USER")


def test_a_base_without_a_package_manager_is_named() -> None:
    files = {CI: EXISTING, "Dockerfile": "FROM gcr.io/distroless/python3:nonroot\n"}
    with pytest.raises(CannotError, match="no package manager"):
        applied({"operation": "docker_packages", "values": ["git"]}, files=files)


def test_what_stands_in_a_here_document_is_no_instruction() -> None:
    files = {CI: EXISTING, "Dockerfile": 'FROM alpine:3.22\nRUN <<EOT\nEXPOSE 8000\nEOT\nEXPOSE 8000\nCMD ["x"]\n'}
    text = applied({"operation": "docker_port", "value": "9000"}, files=files).files["Dockerfile"]
    assert text == 'FROM alpine:3.22\nRUN <<EOT\nEXPOSE 8000\nEOT\nEXPOSE 9000\nCMD ["x"]\n'


def test_a_port_is_set_where_an_exposure_names_none() -> None:
    files = {CI: EXISTING, "Dockerfile": 'FROM alpine:3.22\nEXPOSE\nCMD ["x"]\n'}
    text = applied({"operation": "docker_port", "value": "9000"}, files=files).files["Dockerfile"]
    assert "EXPOSE 9000\n" in text


def test_nothing_is_kept_when_one_operation_of_several_fails() -> None:
    with pytest.raises(CannotError, match="operation 2"):
        applied({"operation": "docker_port", "value": "1"}, {"operation": "remove_job", "job": "none"})


def test_what_is_said_of_names_cannot_leave_its_code() -> None:
    said = applied({"operation": "set_variable", "variables": ["A=`/merge` @all\n\n/close"]}).said[0]
    assert said == "set `A='/merge' @all /close` for every job"


def test_a_file_of_another_server_is_flagged_and_one_of_gitlab_is_not() -> None:
    remote = applied({"operation": "add_include", "value": "https://example.com/ci.yml"})
    assert remote.files[CI].count("  - remote: https://example.com/ci.yml") == 1
    assert [finding.rung for finding in remote.findings] == ["policy"]
    assert "another server" in remote.findings[0].message
    assert applied({"operation": "add_include", "value": "Jobs/SAST.gitlab-ci.yml"}).findings == ()


_WORDS = st.sampled_from(
    ["test", "lint", "deploy", "all", "default", "x", "PATH", "3.12", "a b", "- c: d", "'", '"', "#", ":", "é"]
)
_LISTS = st.lists(_WORDS, max_size=3)
_ANY = st.fixed_dictionaries(
    {"operation": st.sampled_from(NAMES)},
    optional={
        **dict.fromkeys(("job", "name", "value", "image", "stage", "like"), _WORDS),
        **dict.fromkeys(("script", "services", "values", "needs", "paths"), _LISTS),
        "variables": st.lists(st.builds("{}={}".format, st.sampled_from(["A", "B_1"]), _WORDS), max_size=2),
        "when": st.lists(st.sampled_from(WHEN), max_size=2),
    },
)


@given(st.lists(_ANY, min_size=1, max_size=3))
def test_whatever_is_asked_the_file_stays_one_or_the_asking_is_refused(operations: list[dict[str, Any]]) -> None:
    try:
        outcome = applied(*operations)
    except CannotError:
        return
    read_document(outcome.files.get(CI, EXISTING))
    assert len(outcome.said) >= 1
    docker = {one["operation"] for one in operations} <= set(DOCKER)
    assert not docker or CI not in outcome.files
