"""Rules that neither the schema nor a look at single keys would find: each refused thing on its line."""

import pytest

from bot.ci.checks import check
from bot.ci.checks.durations import seconds
from bot.ci.checks.patterns import pattern_problem
from bot.ci.edit import blocks
from bot.domain import CannotError

A = "a:\n  script: [x]\n"


def chain(count: int) -> str:
    return "".join(f".e{n}:\n  extends: .e{n + 1}\n" for n in range(count)) + f".e{count}:\n  script: [x]\n"


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (A + "  timeout: 5 months\n", 3, "longer than GitLab takes for timeout"),
        (A + "  when: delayed\n  start_in: 2 weeks\n", 4, "longer than GitLab takes for start_in"),
        (A + "  start_in: 5 minutes\n", 3, "start_in without when: delayed"),
        (A + "  rules:\n    - if: $A\n      when: delayed\n", 4, "delayed without start_in"),
        (A + "  rules:\n    - if: $A\n      start_in: 1 day\n", 5, "start_in without when: delayed"),
        ("a:\n  trigger: p/q\n  image: x:1\n", 3, "starts another pipeline, so it cannot have image"),
        (A + "  run: [{name: a, script: b}]\n", 3, "both script and run"),
        (A + "  environment: a b!\n", 3, "an environment cannot be named 'a b!'"),
        (A + "  environment: {name: /prod}\n", 3, "an environment cannot be named '/prod'"),
        (
            A + "  environment: {name: p, on_stop: b}\nb:\n  script: [x]\n  environment: {name: q, action: stop}\n",
            3,
            "stops another environment (q)",
        ),
        (A + "  coverage: /(/\n", 3, "the expression /(/ is not valid"),
        (A + "  only: ['/a(?=b)/']\n", 3, "RE2 cannot look ahead"),
        (A + "  rules:\n    - if: $A =~ /(/\n", 4, "is not valid"),
        ("variables:\n  A: {value: x, options: [y]}\n" + A, 2, "the value of A is not among its options"),
        (A + "b:\n  needs: [a, a]\n  script: [x]\n", 4, "b needs a twice"),
        ("a:\n  stage: .pre\n  script: [x]\n", 2, "never creates a pipeline"),
        ("default:\n  script: [x]\n" + A, 2, "default cannot hold script"),
        ("default:\n  image: a:1\nimage: b:1\n" + A, 3, "both in default and at the top"),
        (chain(12) + "a:\n  extends: .e0\n", 28, "over more than 11 levels"),
        ("a: {script: [x]}\n---\nb: {script: [x]}\n", 3, "2 YAML documents"),
        ("a: {script: [x]}\n---\nb: {script: [x]}\n---\nc: {script: [x]}\n", 5, "3 YAML documents"),
        ("spec:\n  inputs:\n    a:\n---\nx:\n  script: ['echo $[[ inputs.b ]]']\n", 6, "does not declare it"),
        ("spec:\n  inputs:\n    a:\n      type: wat\n---\nx:\n  script: [x]\n", 3, "of the type wat"),
        ("a: &a [*a]\n", 1, "a part of"),
    ],
)
def test_what_gitlab_refuses_is_an_error_on_its_line_with_a_mend(text: str, line: int, part: str) -> None:
    found = [finding for finding in check(text) if part in finding.message]
    assert [(finding.line, finding.is_error, bool(finding.mend)) for finding in found] == [(line, True, True)]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("variables:\n  a-b: x\n" + A, 2, "no shell can read"),
        (A + "  cache: {key: a}\n", 3, "keeps nothing"),
        (A + "  rules:\n    - changes: [/src/**]\n", 4, "paths begin at the top"),
        (A + "  rules:\n    - exists: [./Dockerfile]\n", 4, "Write Dockerfile"),
    ],
)
def test_what_does_nothing_is_a_warning(text: str, line: int, part: str) -> None:
    found = [finding for finding in check(text) if part in f"{finding.message} {finding.mend}"]
    assert [(finding.line, finding.is_error) for finding in found] == [(line, False)]


@pytest.mark.parametrize(
    "text",
    [
        A + "  timeout: 1 month\n",
        A + "  timeout: 3h 30m\n",
        A + "  when: delayed\n  start_in: 1 week\n",
        A + "  rules:\n    - if: $CI_COMMIT_BRANCH\n      when: delayed\n      start_in: 30 minutes\n",
        "a:\n  trigger: {project: p/q, strategy: depend}\n  variables: {A: b}\n  allow_failure: true\n",
        A + "  environment: {name: review/$CI_COMMIT_REF_SLUG, url: 'https://x.y'}\n",
        A + "  coverage: '/^TOTAL.+?(\\d+(?:\\.\\d+)?)%$/'\n",
        A + "  rules:\n    - if: $CI_COMMIT_TAG =~ /^v\\d+(\\.\\d+){2}$/i\n",
        "variables:\n  A: {value: x, options: [x, y], description: z}\na:\n  script: [echo $A]\n",
        "a:\n  parallel: {matrix: [{V: [p, q]}]}\n  script: [echo $V]\nb:\n  needs:\n"
        "    - job: a\n      parallel: {matrix: [{V: p}]}\n    - job: a\n      parallel: {matrix: [{V: q}]}\n"
        "  script: [x]\n",
        chain(9) + "a:\n  extends: .e0\n",
        "spec:\n  inputs:\n    a:\n      type: array\n---\nx:\n  script: ['echo $[[ inputs.a ]]']\n",
        "---\n" + A + "...\n",
        ".r: {rules: [{if: $CI_COMMIT_TAG}], if: $CI_COMMIT_BRANCH}\n"
        "workflow:\n  rules:\n    - !reference [.r, rules]\n    - if: $CI_COMMIT_BRANCH\n"
        "a:\n  rules:\n    - if: !reference [.r, if]\n      when: manual\n      allow_failure: true\n  script: [x]\n",
        ".p: {parallel: 3, script: [x]}\na:\n  extends: .p\n  parallel:\n",
        ".a: &a {script: [x]}\nb:\n  <<: *a\nc:\n  <<: *a\n",
        pytest.param(
            ".a: &a\n  - x\n.b: &b\n  - *a\n  - y\nc:\n  script:\n    - *b\n    - [z, [u, [v]]]\n", id="lists in lists"
        ),
    ],
)
def test_what_gitlab_accepts_is_left_alone(text: str) -> None:
    assert check(text) == ()


def test_a_file_that_its_aliases_blow_up_is_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for number in range(8):
        bomb += f"{chr(98 + number)}: &{chr(98 + number)} [{','.join(['*' + chr(97 + number)] * 9)}]\n"
    (found,) = check(bomb)
    assert (found.line, found.is_error, found.mend) == (1, True, "Write the values out, with fewer aliases.")
    assert "more than 200000 values" in found.message


@pytest.mark.parametrize("text", ["a: " + "[" * 20_000, "a:\n  b: " + "{a: " * 20_000, "- " * 20_000])
def test_endless_nesting_is_an_error_and_not_the_end_of_the_process(text: str) -> None:
    assert [(finding.rung, finding.is_error) for finding in check(text)] == [("yaml", True)]
    with pytest.raises(CannotError, match="nested deeper"):
        blocks(text)


@pytest.mark.parametrize(
    ("pattern", "is_good"),
    [
        (r"^v\d+$", True), (r"(?i)abc", True), (r"(?<name>a)", True), (r"(?P<name>a)", True), (r"[[:alpha:]]+", True),
        (r"\p{L}+\z", True), (r"a\++", True), (r"(?s:a.b)", True), (r"\x{10FFFF}", True), (r"[(?=]", True),
        (r"[^|]*\|[^|]*\s+([\d.]+)", True),
        (r"(", False), (r"a)", False), (r"(?!a)", False), (r"(?<=a)b", False), (r"(a)\1", False), (r"a++", False),
        (r"[a", False), (r"*a", False),
    ],
)  # fmt: skip
def test_an_expression_is_judged_as_re2_reads_it(pattern: str, is_good: bool) -> None:
    assert (pattern_problem(pattern) == "") is is_good


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("1h 30m", 5400), ("1 week and 2 days", 777_600), ("0.5 hours", 1800), ("1 mo", 2_592_000)],
)
def test_lengths_of_time_come_to_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected
