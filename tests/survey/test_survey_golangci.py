"""golangci-lint in a release that reads both its configuration and what the chosen Go compiles."""

import pytest
import yaml

from bot.ci.assignment import Assignment
from bot.ci.catalog import default_templates_dir, load_catalog
from bot.ci.compose import compose
from bot.domain import Snapshot, Survey
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
        ("1.27", "v1.55", "golangci-lint/cmd/golangci-lint@v1.64.8"),
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
    assert ("cannot read" in install.because) == (release.endswith("v2.15.0") and named != "v2.15.0")


CONFIG_V1 = "linters:\n  enable:\n    - staticcheck\n"


def _repository(floor: str, config: str = CONFIG_V1) -> Snapshot:
    files = {
        "go.mod": f"module example.com/a\n\ngo {floor}\n",
        "a.go": "package a\n",
        "a_test.go": "package a\n",
        ".golangci.yml": config,
    }
    return Snapshot(paths=tuple(sorted(files)), texts=files)


def _written(found: Survey) -> str:
    return compose(Assignment(survey=found), load_catalog(default_templates_dir())).files[".gitlab-ci.yml"]


def test_a_configuration_of_version_1_gets_the_last_release_on_a_go_that_it_reads() -> None:
    found = survey(_repository("1.21"))
    (unit,) = found.units
    jobs = _written(found)
    lint = yaml.safe_load(jobs)["lint"]

    assert unit.first("version") == "1.27"
    assert lint["image"] == "golang:1.26"
    assert lint["script"] == ["golangci-lint run --timeout=10m"]
    assert "golangci-lint@v1.64.8" in lint["before_script"][-1]
    assert yaml.safe_load(jobs)[".go"]["image"] == "golang:1.27"
    assert "# golangci-lint 1, whose configuration this is, cannot read" in jobs


@pytest.mark.parametrize("config", ['version: "2"\n', "version: 2\n", '{"version": "2"}'])
def test_a_configuration_of_version_2_stays_on_the_chosen_go(config: str) -> None:
    lint = yaml.safe_load(_written(survey(_repository("1.21", config))))["lint"]

    assert "image" not in lint
    assert "golangci-lint@v2.15.0" in lint["before_script"][-1]


def test_where_no_release_reads_both_the_check_is_left_out_and_the_way_out_told() -> None:
    found = survey(_repository("1.27"))

    assert "lint" not in yaml.safe_load(_written(found))
    assert any("golangci-lint migrate" in remark for remark in found.remarks)
