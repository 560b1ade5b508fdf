"""From survey to files: what is chosen, what is said about it, what is refused."""

import shutil
import time
from pathlib import Path

import pytest
import yaml

from bot.ci.assignment import Assignment
from bot.ci.catalog import default_templates_dir, load_catalog
from bot.ci.compose import compose
from bot.ci.spare import compose_with_spares
from bot.domain import CannotError, Fact, Survey, Unit, Wishes

UV = {"package_manager": "uv", "version": "3.13", "lockfile": "uv.lock", "test": "uv run pytest", "test_tool": "pytest"}


def test_an_empty_repository_is_refused(catalog) -> None:
    with pytest.raises(CannotError, match="empty"):
        compose(Assignment(survey=Survey(units=())), catalog)


def test_an_unknown_repository_gets_the_placeholder(catalog) -> None:
    composition = compose(
        Assignment(survey=Survey(units=(), remarks=("nothing was recognised",)), paths=("notes.txt",)), catalog
    )
    assert [row.name for row in composition.jobs] == ["fill-in"]
    assert "nothing was recognised" in composition.assumptions


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [("test:\n  image: cobol:3\n  script: [cobc]\n", ["test"]), ("", ["fill-in"])],
    ids=["writes", "writes nothing"],
)
def test_an_organisation_may_know_what_an_unknown_repository_is(tmp_path: Path, jobs: str, expected: list[str]) -> None:
    """As the worked example of docs/templates.md has it."""
    folder = tmp_path / "cobol"
    folder.mkdir()
    (folder / "template.yml").write_text("name: cobol\ndescription: x\napplies_to: {ecosystem: [generic]}\n")
    (folder / "jobs.yml.j2").write_text(jobs)
    composition = compose(
        Assignment(survey=Survey(units=()), paths=("main.cob",)), load_catalog(default_templates_dir(), tmp_path)
    )
    assert [row.name for row in composition.jobs] == expected


def test_the_placeholder_does_not_join_what_is_known(composed, unit) -> None:
    composition = composed(unit("python", "api", **UV), unit("generic", "docs"))
    assert [row.name for row in composition.jobs] == ["api:test"]


def test_sources_cite_the_template_with_its_hash(composed, unit, catalog) -> None:
    source = composed(unit("python", **UV)).sources[0]
    assert source.template == "python-uv"
    assert source.content_hash == catalog.find("python-uv").content_hash
    assert "package_manager is uv" in source.why


def test_the_job_table_says_what_each_job_does_and_why(composed, unit) -> None:
    row = composed(unit("python", **UV)).jobs[0]
    assert (row.name, row.stage, row.image) == ("test", "test", "python:3.13-slim")
    assert row.does.startswith("The tests")
    assert row.why == "the test says so"


def test_guesses_are_told_as_assumptions(catalog) -> None:
    guess = Fact(name="test", value="pytest", because="there are test files", confidence=0.5)
    unit = Unit(root="", ecosystem="python", facts=(Fact(name="package_manager", value="pip", because="x"), guess))
    composition = compose(Assignment(survey=Survey(units=(unit,)), paths=("a",)), catalog)
    assert "test is pytest, because there are test files" in composition.assumptions


def test_units_of_one_folder_name_are_told_apart(composed, unit) -> None:
    composition = composed(unit("python", "a/api", **UV), unit("python", "b/api", **UV))
    assert [row.name for row in composition.jobs] == ["a-api:test", "b-api:test"]


def test_jobs_stand_in_the_order_of_their_stages(composed, unit) -> None:
    facts = {"lint": "ruff check", "build": "uv build", "install": "uv sync"}
    composition = composed(unit("python", **UV, **facts, deployable="yes", start="flask run"))
    assert [row.stage for row in composition.jobs] == ["lint", "test", "build", "image"]
    assert yaml.safe_load(composition.files[".gitlab-ci.yml"])["stages"] == ["lint", "test", "build", "image"]


def test_retrieval_only_breaks_a_tie(tmp_path, unit) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "template.yml").write_text(f"name: {name}\ndescription: d\napplies_to: {{ecosystem: [go]}}\n")
        (folder / "jobs.yml.j2").write_text(f"{name}:\n  script: [x]\n")
    catalog = load_catalog(default_templates_dir(), tmp_path)
    survey = Survey(units=(unit("go", test="go test ./..."),))
    ranked = compose(Assignment(survey=survey, paths=("a",), retrieved=("two", "one", "go")), catalog)
    assert ranked.sources[0].template == "two"


def test_a_template_of_an_organisation_replaces_the_shipped_one(tmp_path, unit, catalog) -> None:
    folder = tmp_path / "python-uv"
    folder.mkdir()
    (folder / "template.yml").write_text(
        "name: python-uv\ndescription: ours\napplies_to: {ecosystem: [python], package_manager: [uv]}\n"
    )
    (folder / "jobs.yml.j2").write_text(
        "{{ job('ours') }}:\n  image: corp/python:{{ fact('version') }}\n  script: [tox]\n"
    )
    own = load_catalog(default_templates_dir(), tmp_path)
    composition = compose(
        Assignment(survey=Survey(units=(unit("python", **UV, deployable="yes", start="x"),)), paths=("a",)), own
    )
    assert [(row.name, row.image) for row in composition.jobs] == [("ours", "corp/python:3.13")]
    assert set(composition.files) == {".gitlab-ci.yml"}
    assert own.find("python-uv").content_hash != catalog.find("python-uv").content_hash  # type: ignore[union-attr]


ODD = "applies_to: {ecosystem: [odd]}\n"


def own_template(folder: Path, name: str, metadata: str, jobs: str | bytes = "a:\n  script: [x]\n") -> Path:
    """Write a template of an organisation below the folder, and return the folder."""
    (folder / name).mkdir(parents=True)
    (folder / name / "template.yml").write_text(metadata)
    (folder / name / "jobs.yml.j2").write_bytes(jobs if isinstance(jobs, bytes) else jobs.encode())
    return folder


@pytest.mark.parametrize(
    ("metadata", "jobs", "said"),
    [
        pytest.param("name: x\n", "", "x/template.yml cannot be read", id="no description"),
        pytest.param("name: y\ndescription: d\n", "", "x/template.yml is named 'y', not like", id="another name"),
        pytest.param("name: x\ndescription: d\nsurprise: 1\n", "", "x/template.yml cannot be read", id="unknown key"),
        pytest.param("name: [\n", "", "x/template.yml cannot be read", id="no YAML"),
        pytest.param("name: x\ndescription: d\n", "", "names no fact", id="applies to everything"),
        pytest.param(f"name: x\ndescription: d\n{ODD}", "a: {{", "x/jobs.yml.j2 line 1", id="no Jinja"),
        pytest.param(f"name: x\ndescription: d\n{ODD}", b"\xff\xfe", "x/jobs.yml.j2 is no UTF-8", id="no text"),
    ],
)
def test_a_broken_template_of_an_organisation_is_named_and_left_out(metadata, jobs, said, tmp_path) -> None:
    catalog = load_catalog(default_templates_dir(), own_template(tmp_path, "x", metadata, jobs))
    (complaint,) = catalog.skipped
    assert said in complaint
    assert str(tmp_path) in complaint
    assert catalog.find("x") is None


def test_shared_files_are_no_template_whatever_they_are_called(tmp_path) -> None:
    catalog = load_catalog(default_templates_dir(), own_template(tmp_path, "_shared", "what we share", ""))
    assert catalog.skipped == ()
    assert catalog.find("_shared") is None
    assert catalog.find("python-uv") is not None


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        pytest.param("a: {{ nothing }}\n", "does not render", id="undefined name"),
        pytest.param("a: {{ 1 // 0 }}\n", "does not render", id="division by zero"),
        pytest.param("{% for a in range(10 ** 9) %}{% endfor %}\n", "does not render", id="endless"),
        pytest.param("a: [\n", "writes no jobs", id="no YAML"),
        pytest.param("just words\n", "writes no jobs", id="no mapping"),
        pytest.param("a: word\n", "writes no jobs", id="no job"),
        pytest.param("a:\n  stage: nowhere\n  scripts: [x]\n", "does not pass the checks", id="fails the checks"),
    ],
)
def test_a_template_that_breaks_when_it_is_used_gives_way_to_the_shipped_one(jobs, said, tmp_path, unit) -> None:
    metadata = "name: python-uv\ndescription: ours\napplies_to: {ecosystem: [python], package_manager: [uv]}\n"
    catalog = load_catalog(default_templates_dir(), own_template(tmp_path, "python-uv", metadata, jobs))
    composition = compose_with_spares(Assignment(survey=Survey(units=(unit("python", **UV),)), paths=("a",)), catalog)
    assert [(source.template, source.origin) for source in composition.sources] == [("python-uv", "")]
    assert "pytest" in composition.files[".gitlab-ci.yml"]
    assert said in composition.assumptions[0]
    assert composition.assumptions[0].startswith("left out: ")


def test_shared_files_of_an_organisation_that_break_are_left_out_too(tmp_path, unit) -> None:
    shared = tmp_path / "_shared"
    shared.mkdir()
    (shared / "head.yml.j2").write_text("stages: {{ nothing }}\n")
    catalog = load_catalog(default_templates_dir(), tmp_path)
    composition = compose_with_spares(Assignment(survey=Survey(units=(unit("python", **UV),)), paths=("a",)), catalog)
    assert "pytest" in composition.files[".gitlab-ci.yml"]
    assert "_shared/head.yml.j2 does not render" in composition.assumptions[0]


def test_a_shipped_template_that_is_broken_is_an_error(tmp_path, unit) -> None:
    shipped = tmp_path / "shipped"
    shutil.copytree(default_templates_dir() / "_shared", shipped / "_shared")
    own_template(shipped, "x", f"name: x\ndescription: d\n{ODD}", "a: {{ nothing }}\n")
    with pytest.raises(CannotError, match=r"x/jobs.yml.j2 does not render"):
        compose_with_spares(
            Assignment(survey=Survey(units=(unit("odd", test="x"),)), paths=("a",)), load_catalog(shipped)
        )


def test_a_fitting_template_of_an_organisation_beats_a_closer_shipped_one(tmp_path, unit) -> None:
    metadata = "name: our-python\ndescription: ours\napplies_to: {ecosystem: [python]}\n"
    catalog = load_catalog(default_templates_dir(), own_template(tmp_path, "our-python", metadata))
    composition = compose(
        Assignment(survey=Survey(units=(unit("python", **UV),)), paths=("a",), retrieved=("python-uv", "our-python")),
        catalog,
    )
    assert [(source.template, source.origin) for source in composition.sources] == [("our-python", str(tmp_path))]
    go = compose(Assignment(survey=Survey(units=(unit("go", test="go test ./..."),)), paths=("a",)), catalog)
    assert [source.template for source in go.sources] == ["go"]


def test_a_missing_template_folder_is_told(tmp_path) -> None:
    with pytest.raises(CannotError, match="does not exist"):
        load_catalog(tmp_path / "nowhere")


def test_a_version_that_was_asked_for_wins(composed, unit) -> None:
    composition = composed(unit("python", **UV), wishes=Wishes(versions={"python": "3.12"}))
    assert composition.jobs[0].image == "python:3.12-slim"


def test_parts_that_were_not_wanted_are_left_out(composed, unit) -> None:
    composition = composed(unit("python", **UV, lint="ruff check"), wishes=Wishes(without=("lint",)))
    assert [row.name for row in composition.jobs] == ["test"]


def test_a_library_gets_no_dockerfile(composed, unit) -> None:
    assert set(composed(unit("python", **UV)).files) == {".gitlab-ci.yml"}


def test_a_dockerfile_that_exists_is_built_and_not_written(composed, unit) -> None:
    given = unit("python", **UV, deployable="yes", start="flask run")
    composition = composed(given, paths=("Dockerfile",))
    assert set(composition.files) == {".gitlab-ci.yml"}
    assert "container-image" in [row.name for row in composition.jobs]


def test_without_docker_there_is_neither_dockerfile_nor_image(composed, unit) -> None:
    given = unit("python", **UV, deployable="yes", start="flask run")
    composition = composed(given, wishes=Wishes(dockerfile=False))
    assert set(composition.files) == {".gitlab-ci.yml"}
    assert [row.name for row in composition.jobs] == ["test"]


def test_composing_is_quick_once_the_templates_are_compiled(unit) -> None:
    survey = Survey(units=(unit("python", **UV, deployable="yes", start="flask run"),))
    compose(Assignment(survey=survey, paths=("a",)), load_catalog(default_templates_dir()))
    begin = time.process_time()
    compose(Assignment(survey=survey, paths=("a",)), load_catalog(default_templates_dir()))
    assert time.process_time() - begin < 0.15
