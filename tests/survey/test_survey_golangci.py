"""golangci-lint in a release that reads both its configuration and what the chosen Go compiles."""

import pytest

from bot.domain import Snapshot
from bot.survey.report import survey

WORKFLOW = """\
on: push
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/setup-go@v6
        with: {go-version: "%s"}
      - uses: golangci/golangci-lint-action@v9
        with: {version: %s}
"""


@pytest.mark.parametrize(
    ("go", "named", "release"),
    [
        ("1.27", "v2.8.0", "v2/cmd/golangci-lint@v2.15.0"),
        ("1.26", "v2.8", "v2/cmd/golangci-lint@v2.15.0"),
        ("1.26", "v2.11.3", "v2/cmd/golangci-lint@v2.11.3"),
        ("1.27", "v2.15.0", "v2/cmd/golangci-lint@v2.15.0"),
        ("1.27", "v1.64.8", "golangci-lint/cmd/golangci-lint@v1.64.8"),
    ],
)
def test_a_release_older_than_the_go_is_replaced(go: str, named: str, release: str) -> None:
    files = {
        "go.mod": "module example.com/a\n\ngo 1.24\n",
        "a.go": "package a\n",
        ".github/workflows/ci.yml": WORKFLOW % (go, named),
    }
    (unit,) = survey(Snapshot(paths=tuple(sorted(files)), texts=files)).units
    (install,) = [fact for fact in unit.facts if fact.name == "lint_install"]

    assert install.value.endswith(release)
    assert ("cannot read" in install.because) == (not release.endswith(named))
