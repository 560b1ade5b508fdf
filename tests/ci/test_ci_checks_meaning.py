"""What the schema cannot know: traps of YAML, when jobs run, what they count on, limits, and what nobody uses."""

import pytest

from bot.ci.checks import check
from bot.ci.checks.conditions import Some, evaluate

JOB = "job:\n  script: [make]\n"
REQUESTS = '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n'


def told(text: str, *, are_errors: bool) -> list[tuple[int | None, str]]:
    return [(finding.line, finding.message) for finding in check(text) if finding.is_error is are_errors]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        pytest.param("on:\n  script: [x]\n" + JOB, 1, "the key on means true", id="Norway as a name"),
        pytest.param("variables:\n  DAY: 2026-01-02\n" + JOB, 2, "a date in YAML", id="date"),
        pytest.param("a: " + "[" * 101 + "]" * 101 + "\n" + JOB, 1, "nested deeper than 100", id="depth"),
        pytest.param("workflow:\n  rules:\n    - when: never\n" + JOB, 2, "no pipeline is ever created", id="never"),
        pytest.param("j" * 256 + ":\n  script: [x]\n", 1, "longer than 255", id="long name"),
        pytest.param(
            JOB + f"  parallel:\n    matrix:\n      - A: {list(range(15))}\n        B: {list(range(15))}\n",
            3,
            "runs 225 times",
            id="matrix",
        ),
        pytest.param(JOB + f"  cache: {[{'paths': ['a']}] * 5}\n", 3, "5 caches", id="caches"),
        pytest.param(
            JOB + f"  rules:\n    - changes: {[str(n) for n in range(51)]}\n", 4, "51 patterns", id="patterns"
        ),
        pytest.param(JOB + f"  needs: {[f'j{n}' for n in range(51)]}\n", 3, "needs 51 jobs", id="needs"),
        pytest.param(
            "m:\n  script: [x]\n  parallel:\n    matrix: [{A: [b, c]}]\n"
            + JOB
            + "  needs:\n    - job: m\n      parallel:\n        matrix: [{A: d}]\n",
            9,
            "A: d, which its matrix does not make",
            id="need of a matrix job",
        ),
        pytest.param(JOB + "  environment: {name: a, on_stop: b}\n", 3, "b, which does not exist", id="on_stop"),
        pytest.param(
            JOB + "  environment: {name: a, on_stop: b}\nb:\n  script: [x]\n", 3, "does not stop", id="no stop action"
        ),
        pytest.param(
            "c:\n  trigger:\n    include:\n      - {artifact: a.yml, job: gone}\n", 4, "of gone, which", id="child"
        ),
        pytest.param(
            "r:\n  script: [x]\n  rules:\n    - if: $CI_COMMIT_TAG\n" + JOB + "  needs: [r]\n",
            7,
            "keep it out of the pipeline for a push to a branch",
            id="needs a job for tags",
        ),
        pytest.param(
            "r:\n  script: [x]\n  rules:\n    - if: $CI_COMMIT_TAG\n"
            + JOB
            + "  rules:\n    - if: $CI_COMMIT_TAG\n    - if: $CI_COMMIT_BRANCH\n      needs: [r]\n",
            10,
            "keep it out of the pipeline for a push to a branch",
            id="the rule that matches needs a job for tags",
        ),
    ],
)
def test_what_gitlab_refuses_is_an_error(text: str, line: int, part: str) -> None:
    errors = told(text, are_errors=True)
    assert line in [at for at, message in errors if part in message], errors


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        pytest.param("variables:\n  PYTHON_VERSION: 3.10\n" + JOB, 2, "jobs get 3.1", id="float"),
        pytest.param("variables:\n  GIT_MODE: 0644\n" + JOB, 2, "jobs get 420", id="octal"),
        pytest.param("variables:\n  CI_DEBUG: no\n" + JOB, 2, "jobs get false", id="Norway"),
        pytest.param("variables:\n  DB_PORTS: 54:32\n" + JOB, 2, "number of seconds", id="clock"),
        pytest.param("variables:\n  GIT_N: 1_000\n" + JOB, 2, "jobs get 1000", id="underscore"),
        pytest.param("variables:\n  GIT_N: 0x1F\n" + JOB, 2, "jobs get 31", id="hex"),
        pytest.param(JOB + "  parallel:\n    matrix:\n      - V: [3.10]\n", 5, "jobs get 3.1", id="float in a matrix"),
        pytest.param(
            ".b: &b\n  stage: test\njob:\n  stage: build\n  script: [x]\n  <<: *b\n", 6, "stands above <<", id="merge"
        ),
        pytest.param(JOB + "  rules:\n    - when: never\n", 3, "job never runs", id="never"),
        pytest.param(
            JOB + '  rules:\n    - if: $CI_PIPELINE_SOURCE == "merge_request"\n',
            3,
            "job never runs",
            id="no such source",
        ),
        pytest.param(
            "workflow:\n  rules:\n" + REQUESTS + JOB + "  rules:\n    - if: $CI_COMMIT_TAG\n",
            6,
            "job never runs",
            id="against the workflow",
        ),
        pytest.param(
            JOB + "  rules:\n    - if: $CI_COMMIT_TAG\n    - if: $CI_COMMIT_TAG && $CI_COMMIT_BRANCH\n",
            5,
            "rule 2 of job ($CI_COMMIT_TAG && $CI_COMMIT_BRANCH) can never be true",
            id="contradiction",
        ),
        pytest.param(
            JOB + "  rules:\n    - when: manual\n      allow_failure: true\n    - if: $CI_COMMIT_TAG\n",
            6,
            "never reached",
            id="after a rule for all",
        ),
        pytest.param(
            "a:\n  script: [x]\n" + JOB + "  needs: [{job: a, artifacts: true}]\n", 5, "makes none", id="no artifacts"
        ),
        pytest.param("a:\n  stage: build\n  script: [x]\n" + JOB + "  dependencies: [a]\n", 6, "makes none", id="deps"),
        pytest.param("pages:\n  script: [x]\n", 1, "nothing to publish", id="pages"),
        pytest.param(JOB + "  artifacts: {paths: [/tmp/a]}\n", 3, "outside the project", id="artifact outside"),
        pytest.param(".unused:\n  script: [x]\n" + JOB, 1, "no job uses it", id="hidden job"),
        pytest.param("variables:\n  COLOUR: red\n" + JOB, 2, "reads the variable COLOUR", id="variable"),
        pytest.param(
            JOB + "  rules:\n" + REQUESTS + "    - if: $CI_COMMIT_BRANCH\n", 3, "two pipelines", id="two pipelines"
        ),
    ],
)
def test_what_has_no_effect_or_another_one_is_a_warning(text: str, line: int, part: str) -> None:
    warnings = told(text, are_errors=False)
    assert line in [at for at, message in warnings if part in message], warnings


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            'variables:\n  GIT_A: "3.10"\n  GIT_B: 2.0\n  GIT_C: 10\n  GIT_D: true\n' + JOB, id="plain values"
        ),
        pytest.param(".b: &b\n  stage: test\njob:\n  <<: *b\n  stage: build\n  script: [x]\n", id="merged first"),
        pytest.param(".b:\n  v: &b\n    A: $A\njob:\n  variables: *b\n  script: [x]\n", id="used by alias"),
        pytest.param(".b:\n  script: [x]\njob:\n  script: [!reference [.b, script]]\n", id="used by reference"),
        pytest.param("variables:\n  COLOUR: red\njob:\n  script: ['echo ${COLOUR}']\n", id="variable that is read"),
        pytest.param("variables:\n  COLOUR: red\njob:\n  script: [env]\n", id="everything is read"),
        pytest.param("variables:\n  PAINT_COLOUR: red\njob:\n  script: [paint]\n", id="variable of a tool"),
        pytest.param("m:\n  trigger: {include: a.yml}\nvariables:\n  COLOUR: red\n", id="handed to a child pipeline"),
        pytest.param(JOB + '  rules:\n    - if: $CI_COMMIT_BRANCH == "main"\n', id="a branch by name"),
        pytest.param(JOB + "  rules:\n    - if: $MINE == 'yes'\n", id="a variable of one's own"),
        pytest.param(
            "r:\n  script: [x]\n  rules:\n    - if: $MINE\n" + JOB + "  needs: [r]\n", id="needs what may be there"
        ),
        pytest.param(
            "r:\n  script: [x]\n  rules:\n    - if: $CI_COMMIT_TAG\n"
            + JOB
            + "  needs: [r]\n  rules:\n    - if: $CI_COMMIT_TAG\n",
            id="needs a job with the same rules",
        ),
        pytest.param(
            "r:\n  script: [x]\n  rules:\n    - if: $CI_COMMIT_TAG\n"
            + "b:\n  script: [x]\n  rules:\n    - if: $CI_COMMIT_BRANCH\n"
            + JOB
            + "  rules:\n    - if: $CI_COMMIT_TAG\n      needs: [r]\n    - if: $CI_COMMIT_BRANCH\n      needs: [b]\n",
            id="each rule with its own needs",
        ),
        pytest.param(
            "r:\n  script: [x]\n  rules:\n    - if: $CI_COMMIT_TAG\n"
            + JOB
            + "  needs: [r]\n  rules:\n    - if: $CI_COMMIT_TAG\n    - if: $CI_COMMIT_BRANCH\n      needs: []\n",
            id="a rule without the needs of the job",
        ),
        pytest.param(
            "m:\n  script: [x]\n  parallel:\n    matrix: [{A: [b, c], D: [e]}]\n"
            + JOB
            + "  needs: [{job: m, parallel: {matrix: [{A: b}]}}]\n",
            id="part of a matrix",
        ),
        pytest.param("job:\n  script: ['docker ps --format {{.ID}} ${A}']\n", id="braces of a Go template"),
    ],
)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert check(text) == ()


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("$SET", True),
        ("$NULL", False),
        ("$MAYBE", None),
        ("$NULL == null", True),
        ("$SET == null", False),
        ('$SET == "a"', True),
        ('$SET != "a"', False),
        ("$SET =~ /^A/i", True),
        ("$SET !~ /^A/", True),
        ("$NULL =~ /x/", False),
        ("$BRANCH == $BRANCH", True),
        ("$BRANCH == $OTHER", False),
        ('$BRANCH == "main"', None),
        ("$BRANCH =~ /^v/", None),
        ("$MAYBE && $NULL", False),
        ("$MAYBE || $SET", True),
        ("$MAYBE || $NULL", None),
        ("$NULL && $SET || $SET", True),
        ("$NULL && ($SET || $SET)", False),
        ("${SET}", None),
        ("$SET =~ $MAYBE", None),
        ("$SET =~ /(/", None),
    ],
)
def test_a_condition_comes_to_yes_no_or_it_depends(condition: str, value: bool | None) -> None:
    known = {"SET": "a", "NULL": None, "BRANCH": Some("one"), "OTHER": Some("two")}
    assert evaluate(condition, known) is value
