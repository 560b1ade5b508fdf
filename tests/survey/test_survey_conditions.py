"""Conditions of steps in GitHub's expressions: what holds on Linux before anything failed, by rows of a matrix."""

import pytest

from bot.survey.other_ci.conditions import holds

ROW = {
    "os": "ubuntu-latest",
    "node": "24",
    "lint": "true",
    "docs": "false",
    "python-version": "3.14",
    "job.os": "Linux",
}


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "always()",
        "${{ always() && steps.install.outcome == 'success' }}",
        "success() || failure()",
        "!cancelled()",
        "matrix.lint",
        "!matrix.docs",
        "matrix.missing == ''",
        "matrix.os == 'Ubuntu-Latest'",
        "matrix.os != 'windows-latest' && !(matrix.node == 22 && matrix.os == 'ubuntu-latest')",
        "(matrix.node == 22 || matrix.node == 24) && runner.os == 'Linux'",
        "matrix.node >= 18",
        "matrix.python-version == '3.14' && matrix.job.os == 'linux'",
        "startsWith(matrix.os, 'ubuntu') && !contains(matrix.os, 'arm')",
        "endsWith(matrix.os, 'latest')",
        "steps.cache.outputs.cache-hit != 'true'",
        "github.event_name == 'push' || matrix.node == 24",
        "'it''s' == 'it''s'",
        "${{ matrix.lint }} && ${{ !matrix.docs }}",
        "(" * 40 + "matrix.lint" + ")" * 40,
    ],
)
def test_what_is_known_to_hold_holds(condition: str) -> None:
    assert holds(condition, ROW)


@pytest.mark.parametrize(
    "condition",
    [
        "failure()",
        "matrix.docs",
        "matrix.missing",
        "!(matrix.node == 24 && matrix.os == 'ubuntu-latest')",
        "matrix.os == 'windows-latest'",
        "matrix.node < 18",
        "matrix.os >= 18",
        "github.event_name == 'push'",
        "!(github.event_name == 'push')",
        "github.event_name == 'push' && always()",
        "env.DEPLOY",
        "secrets.TOKEN != ''",
        "contains(needs.*.result, 'failure')",
        "contains(toJSON(github.event.commits.*.message), '[skip ci]')",
        "hashFiles('package.json')",
        "steps.release.outputs.created",
        "matrix.node == ",
        "(matrix.lint",
        "matrix.lint)",
        "matrix.lint && ~",
        "startsWith(matrix.os 'ubuntu')",
        "|| matrix.lint",
        "(" * 100_000,
        "!" * 5_000 + "matrix.lint",
        "(" * 41 + "matrix.lint" + ")" * 41,
        "matrix.lint && " * 100_000 + "matrix.lint",
    ],
)
def test_what_does_not_hold_is_unknown_or_cannot_be_read_does_not_hold(condition: str) -> None:
    assert not holds(condition, ROW)


def test_without_a_matrix_of_systems_a_step_runs_on_linux() -> None:
    assert holds("matrix.os == 'ubuntu-latest'", {})
    assert holds("contains(matrix.os, 'ubuntu')", {})
