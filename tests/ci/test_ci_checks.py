"""The ladder's table: a bad file, the rung that catches it, the line, and what it says."""

import pytest

from bot.ci.checks import check, new_among
from bot.ci.checks.conditions import syntax_problem

JOB = "job:\n  script: [make]\n"


def said(text: str) -> list[tuple[str, int | None, str]]:
    return [(finding.rung, finding.line, finding.message) for finding in check(text) if finding.is_error]


def warned(text: str) -> list[tuple[str, int | None, str]]:
    return [(finding.rung, finding.line, finding.message) for finding in check(text) if not finding.is_error]


@pytest.mark.parametrize(
    ("text", "rung", "line", "part"),
    [
        pytest.param("job:\n\tscript: x\n", "yaml", 2, "tab", id="tab"),
        pytest.param("job: [\n", "yaml", 2, "not valid YAML", id="open bracket"),
        pytest.param("- a\n", "yaml", 1, "does not hold jobs", id="list"),
        pytest.param("", "yaml", 1, "does not hold jobs", id="empty"),
        pytest.param(JOB + "job:\n  script: [x]\n", "yaml", 3, "given twice", id="duplicate job"),
        pytest.param("job:\n  script: [a]\n  script: [b]\n", "yaml", 3, "given twice", id="duplicate key"),
        pytest.param("job:\n  script: [x]\n  retry: 5\n", "schema", 3, "retry", id="retry"),
        pytest.param("job:\n  script: [x]\n  artefacts: {}\n", "schema", 1, "artefacts", id="unknown key"),
        pytest.param("job:\n  script: [x]\n  services: postgres\n", "schema", 3, "a list", id="services as text"),
        pytest.param("job:\n  script: [x]\n  when: sometimes\n", "schema", 3, "does not know", id="when"),
        pytest.param(".a:\n  script: [x]\n", "semantics", 1, "no visible jobs", id="only hidden jobs"),
        pytest.param("image:\n  script: [x]\n", "semantics", 1, "keyword", id="reserved name"),
        pytest.param("job:\n  stage: test\n", "semantics", 1, "neither script", id="no script"),
        pytest.param("job:\n  script: [x]\n  trigger: a/b\n", "semantics", 1, "both script and trigger", id="both"),
        pytest.param("job:\n  extends: .b\n  script: [x]\n", "semantics", 2, "extends .b, which", id="extends unknown"),
        pytest.param(
            ".a:\n  extends: .b\n.b:\n  extends: .a\n" + JOB,
            "semantics",
            2,
            "extends itself in a circle",
            id="extends circle",
        ),
        pytest.param(JOB + "  stage: lint\n", "semantics", 3, "stage lint, which does not exist", id="stage"),
        pytest.param("stages: [a]\n" + JOB, "semantics", 2, "default stage test is not among", id="default stage"),
        pytest.param(
            JOB + "  needs: [other]\n", "semantics", 3, "needs other, which does not exist", id="needs unknown"
        ),
        pytest.param(".h:\n  script: [x]\n" + JOB + "  needs: [.h]\n", "semantics", 5, "hidden", id="needs hidden"),
        pytest.param(JOB + "  needs: [job]\n", "semantics", 3, "needs itself", id="needs itself"),
        pytest.param(
            "b:\n  stage: build\n  needs: [t]\n  script: [x]\nt:\n  script: [x]\n",
            "semantics",
            3,
            "needs t, which is in a later stage",
            id="needs later",
        ),
        pytest.param(
            "b:\n  stage: build\n  dependencies: [t]\n  script: [x]\nt:\n  script: [x]\n",
            "semantics",
            3,
            "takes artifacts from t, which is in a later stage",
            id="dependencies later",
        ),
        pytest.param(
            "a:\n  needs: [b]\n  script: [x]\nb:\n  needs: [c]\n  script: [x]\nc:\n  needs: [a]\n  script: [x]\n",
            "semantics",
            2,
            "a → b → c → a",
            id="needs circle",
        ),
        pytest.param(
            "n:\n  script: [x]\n  rules: [{when: never}]\n" + JOB + "  needs: [n]\n",
            "semantics",
            6,
            "whose rules keep it out",
            id="needs what never runs",
        ),
        pytest.param(
            "a:\n  script: [x]\nb:\n  script: [x]\nc:\n  needs: [a]\n  dependencies: [b]\n  script: [x]\n",
            "semantics",
            7,
            "but does not need it",
            id="dependencies outside needs",
        ),
        pytest.param(JOB + "  rules: [{if: $A}]\n  only: [main]\n", "semantics", 4, "both rules and only", id="only"),
        pytest.param(JOB + "  rules:\n    - if: ${A}\n", "semantics", 4, "without braces", id="braces"),
        pytest.param(JOB + '  rules:\n    - if: $A = "b"\n', "semantics", 4, "write ==", id="single ="),
        pytest.param(JOB + '  script:\n    - echo "a": b\n', "semantics", 4, "reads it as", id="line read as key"),
        pytest.param("job:\n  script:\n    - true\n", "semantics", 3, "no text", id="boolean line"),
        pytest.param(
            "job:\n  script:\n    - !reference [.x, script]\n", "semantics", 3, "points at nothing", id="reference"
        ),
        pytest.param(
            "job:\n  script:\n    - !reference [job, script]\n",
            "semantics",
            3,
            "points at itself",
            id="reference circle",
        ),
        pytest.param(JOB + "  timeout: soon\n", "semantics", 3, "no length of time", id="timeout"),
        pytest.param(
            JOB + "  artifacts: {paths: [a], expire_in: 1 fortnight}\n", "semantics", 3, "fortnight", id="expire_in"
        ),
        pytest.param("variables:\n  T: glpat-abcdefghijklmnopqrst\n" + JOB, "policy", 2, "a GitLab token", id="token"),
        pytest.param(JOB + "  variables: {K: AKIAIOSFODNN7EXAMPLE}\n", "policy", 3, "an AWS", id="aws key"),
        pytest.param(
            "job:\n  script:\n    - |\n      -----BEGIN RSA PRIVATE KEY-----\n", "policy", 4, "private", id="key"
        ),
        pytest.param(
            "job:\n  script: ['git clone https://me:hunter22@h/x']\n", "policy", 2, "a password", id="password"
        ),
    ],
)
def test_a_bad_file_is_caught_on_its_rung_at_its_line(text, rung, line, part) -> None:
    found = [(at, number) for at, number, message in said(text) if part in message]
    assert (rung, line) in found, said(text)
    assert all(finding.mend for finding in check(text))


@pytest.mark.parametrize(
    ("text", "rung", "line", "part"),
    [
        pytest.param("image: python:latest\n" + JOB, "policy", 1, "names no version", id="latest"),
        pytest.param(JOB + "  image: registry.example:5000/tool\n", "policy", 3, "names no version", id="untagged"),
        pytest.param(JOB + "  services: [redis]\n", "policy", 3, "redis", id="service"),
        pytest.param(JOB + "  services: ['docker:29-dind']\n", "policy", 3, "privileged", id="dind"),
        pytest.param(JOB + "  image: gcr.io/kaniko-project/executor:debug\n", "policy", 3, "archived", id="kaniko"),
        pytest.param("job:\n  script: ['curl -s https://x/i | bash']\n", "policy", 2, "run unseen", id="curl to shell"),
        pytest.param("include:\n  - remote: http://x/y.yml\n" + JOB, "policy", 2, "plain http", id="http include"),
        pytest.param(
            "variables:\n  DEPLOY_TOKEN: abc123xyz789\n" + JOB, "policy", 2, "looks like a secret", id="secret name"
        ),
        pytest.param(JOB + "  rules: [{when: manual}]\n", "semantics", 3, "stays blocked", id="manual blocks"),
        pytest.param(JOB + "  rules: [{when: on_success}]\n", "semantics", 3, "two pipelines", id="twice by a job"),
        pytest.param(
            "workflow:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n    - if: $CI_COMMIT_BRANCH\n"
            + JOB,
            "semantics",
            2,
            "two pipelines",
            id="twice by workflow",
        ),
    ],
)
def test_what_gitlab_accepts_but_a_person_would_not_is_a_warning(text, rung, line, part) -> None:
    assert (rung, line) in [(at, number) for at, number, message in warned(text) if part in message]
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(JOB, id="smallest"),
        pytest.param("include: a.yml\n.x:\n  script: [a]\n", id="jobs may come from an include"),
        pytest.param(
            "include: a.yml\n" + JOB + "  extends: .far\n  stage: odd\n  needs: [there]\n", id="names may too"
        ),
        pytest.param(".b:\n  script: [x]\njob:\n  extends: .b\n", id="script from extends"),
        pytest.param(".b: &b\n  script: [x]\njob:\n  <<: *b\n", id="script from an anchor"),
        pytest.param(".b:\n  script: [x]\njob:\n  script: [!reference [.b, script]]\n", id="reference"),
        pytest.param("job:\n  script:\n    - [a, b]\n", id="nested lines"),
        pytest.param(JOB + "  needs: [{job: other, optional: true}]\n", id="optional need"),
        pytest.param("m:\n  parallel: 2\n  script: [x]\n" + JOB + "  needs: [m]\n", id="need of a parallel job"),
        pytest.param(JOB + "  needs: [{pipeline: $UP, job: x}]\n", id="need of another pipeline"),
        pytest.param(JOB + "  stage: .pre\nother:\n  script: [x]\n", id="stage .pre"),
        pytest.param(JOB + "  artifacts: {paths: [a], expire_in: never}\n", id="kept for ever"),
        pytest.param(JOB + "  artifacts: {paths: [a], expire_in: 3 mins 4 sec}\n", id="two units"),
        pytest.param(JOB + "  timeout: 1h 30m\n", id="short units"),
        pytest.param("spec:\n  inputs:\n    s:\n---\njob:\n  stage: $[[ inputs.s ]]\n  script: [x]\n", id="inputs"),
        pytest.param("pages:\n  script: [x]\n  artifacts: {paths: [public]}\n", id="pages"),
        pytest.param("job:\n  trigger: group/project\n", id="trigger"),
        pytest.param("image: $IMAGE\n" + JOB, id="image from a variable"),
        pytest.param("image: a@sha256:0123\n" + JOB, id="image by digest"),
        pytest.param("variables:\n  POSTGRES_PASSWORD: postgres\n" + JOB, id="harmless password"),
        pytest.param("variables:\n  API_TOKEN: $VAULT_TOKEN\n" + JOB, id="token from elsewhere"),
    ],
)
def test_a_good_file_gets_neither_error_nor_warning(text) -> None:
    assert check(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        '$CI_COMMIT_BRANCH == "main"',
        "$A",
        "$A && $B || $C",
        '($A == "x" || $B) && $C != null',
        "$A =~ /^v\\d+\\/x$/i",
        "$A !~ $PATTERN",
        "'x' == $A",
        '$A == "a b && c"',
        "  $A  ",
    ],
)
def test_conditions_gitlab_accepts(text) -> None:
    assert syntax_problem(text) == ""


@pytest.mark.parametrize(
    "text",
    ["", "${A}", '$A = "b"', "$A and $B", "$A == ", "== $A", "($A", "$A)", "$A $B", '$A == "b', "$A > 3", "main", "()"],
)
def test_conditions_gitlab_refuses(text) -> None:
    assert syntax_problem(text)


def test_findings_come_by_line_and_never_repeat_a_secret() -> None:
    text = "image: x\njob:\n  needs: [y]\n  variables: {A: glpat-abcdefghijklmnopqrst}\n  script: [z]\n"
    found = check(text)
    assert [finding.line for finding in found] == sorted(finding.line or 0 for finding in found)
    assert "abcdefghij" not in str(found)


def test_a_file_larger_than_gitlab_reads_is_refused() -> None:
    assert "2 MB" in check("#" * 2_000_001)[0].message


def test_the_path_is_told() -> None:
    assert check("a: [", path="ci/x.yml")[0].path == "ci/x.yml"


def test_what_stood_in_a_file_before_is_not_new_where_it_only_moved() -> None:
    before = "a:\n  script: [x]\n  script: [y]\n"
    after = "stages: [test]\n" + before + "b:\n  stage: gone\n  script: [x]\n"
    assert ["gone" in finding.message for finding in new_among(check(after), check(before))] == [True]
