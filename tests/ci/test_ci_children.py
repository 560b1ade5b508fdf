"""Large monorepos get a child pipeline for each part; what starts them, changes them and checks them knows of it."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from bot.ci.asked import apply_operations, read_operations
from bot.ci.changed import recomposed
from bot.ci.checks import check
from bot.ci.children import MANY_UNITS
from bot.cli.lint import lint_command
from bot.domain import CannotError

GO = {"version": "1.27", "test": "go test ./...", "build": "go build ./..."}
NODE = {"package_manager": "npm", "version": "24", "install": "npm ci", "test": "npm test", "lint": "npm run lint"}
MAIN, CHILD = ".gitlab-ci.yml", "services/s0/.gitlab-ci.yml"


@pytest.fixture
def large(composed, unit):
    def compose_of(count: int = MANY_UNITS, **more):
        units = [unit("go", f"services/s{number}", **GO) for number in range(count - 1)]
        return composed(*units, unit("node", "web", **NODE), **more)

    return compose_of


def read(composition, path: str = MAIN):
    return yaml.safe_load(composition.files[path])


def test_below_the_threshold_all_jobs_are_in_one_file(large) -> None:
    assert set(large(MANY_UNITS - 1).files) == {MAIN}


def test_from_the_threshold_on_each_part_has_a_pipeline_of_its_own(large) -> None:
    composition = large()
    assert len(composition.files) == MANY_UNITS + 1
    assert composition.findings == ()
    assert any(f"from {MANY_UNITS} parts on" in sentence for sentence in composition.assumptions)
    child = read(composition, CHILD)
    assert {"test", "build"} < set(child)
    assert child["workflow"] == {"rules": [{"if": '$CI_PIPELINE_SOURCE == "parent_pipeline"'}]}
    assert "rules" not in child["test"]
    assert child[".go"]["before_script"][0] == "cd services/s0"
    assert [row.name for row in composition.jobs if row.file == "web/.gitlab-ci.yml"] == ["lint", "test"]


def test_a_child_is_started_when_its_part_changed_and_is_as_red_as_the_job_that_starts_it(large) -> None:
    starter = read(large())["s0"]
    assert starter["trigger"] == {"include": [{"local": CHILD}], "strategy": "depend"}
    assert starter["rules"][1]["changes"] == ["services/s0/**/*", ".gitlab-ci.yml"]


def test_the_part_at_the_top_stays_in_the_main_pipeline(composed, unit) -> None:
    units = [unit("go", f"s{number}", **GO) for number in range(MANY_UNITS)]
    written = read(composed(unit("node", **NODE), *units))
    assert written["node:test"]["stage"] == "test"
    assert "trigger" in written["s3"]


def test_parts_in_one_folder_share_a_child_and_their_jobs_are_told_apart(large, composed, unit) -> None:
    units = [unit("go", f"services/s{number}", **GO) for number in range(MANY_UNITS)]
    composition = composed(*units, unit("node", "services/s0", **NODE))
    assert {"go:test", "node:test"} < set(read(composition, CHILD))
    assert check(composition.files[CHILD]) == ()


def test_a_file_that_is_there_already_is_not_taken_for_a_child(large) -> None:
    composition = large(paths=("README.md", CHILD))
    assert CHILD not in composition.files
    assert ".gitlab/services-s0.gitlab-ci.yml" in composition.files


def test_an_image_in_a_child_has_a_name_of_its_own(composed, unit) -> None:
    units = [unit("go", f"services/s{number}", **GO, dockerfile="Dockerfile") for number in range(MANY_UNITS)]
    composition = composed(*units)
    assert read(composition, CHILD)["container-image"]["variables"]["IMAGE"] == "$CI_REGISTRY_IMAGE/s0"


def test_the_parts_of_a_merged_pipeline_are_known_by_its_children(large) -> None:
    first = large()
    again = large(existing=first.files[MAIN], paths=tuple(first.files))
    assert again.files == {}
    grown = large(MANY_UNITS + 1, existing=first.files[MAIN], paths=tuple(first.files))
    assert set(grown.files) == {MAIN}
    assert any(name.endswith("build") for name in read(grown))


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        pytest.param({"job": "web:lint"}, "web/.gitlab-ci.yml", id="by the job that starts it"),
        pytest.param({"job": "lint"}, "web/.gitlab-ci.yml", id="by a name that one child has"),
        pytest.param({"job": "test", "file": CHILD}, CHILD, id="by its file"),
        pytest.param({"job": "s0:test"}, CHILD, id="by the job that starts it, among many"),
    ],
)
def test_an_operation_finds_the_job_of_a_child(operation, path, large) -> None:
    files = large().files
    asked = read_operations([{"operation": "set_option", "name": "timeout", "value": "5 minutes", **operation}])
    changed = apply_operations(files, asked).files
    assert set(changed) == {path}
    assert yaml.safe_load(changed[path])[operation["job"].split(":")[-1]]["timeout"] == "5 minutes"


def test_a_job_that_many_children_have_is_asked_for(large) -> None:
    asked = read_operations([{"operation": "remove_job", "job": "test"}])
    with pytest.raises(CannotError, match="no job 'test'"):
        apply_operations(large().files, asked)


def test_a_changed_child_changes_its_own_rows_only(large) -> None:
    composition = large()
    text = composition.files[CHILD].replace("golang:1.27", "golang:1.26")
    after = recomposed(composition, {CHILD: text}, before=composition.files)
    images = {(row.file, row.name): row.image for row in after.jobs}
    assert images[(CHILD, "test")] == "golang:1.26"
    assert images[("services/s1/.gitlab-ci.yml", "test")] == "golang:1.27"
    assert len(after.jobs) == len(composition.jobs)
    assert after.kept == composition.kept


@pytest.mark.parametrize(
    ("child", "said"),
    [
        pytest.param(
            None, ".gitlab-ci.yml:4: semantics: s0 starts a pipeline from c.yml, which is not there", id="gone"
        ),
        pytest.param("a: {stage: nowhere, script: x}\n", "c.yml:1: semantics", id="wrong"),
        pytest.param("a:\n  script: 'fi'\n", "c.yml:2: scripts", id="no shell"),
        pytest.param("a:\n  trigger: {include: .gitlab-ci.yml}\n", "checked, 0 warnings", id="a circle"),
        pytest.param("a:\n  script: x\n", "checked, 0 warnings", id="right"),
    ],
)
def test_lint_looks_at_the_children_too(
    child: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    Path(MAIN).write_text("test:\n  script: x\ns0:\n  trigger:\n    include: [{local: /c.yml}]\n")
    if child is not None:
        Path("c.yml").write_text(child)
    assert said in CliRunner().invoke(lint_command, [MAIN]).output
