"""What a house's pipelines agree on, and how a new one follows it."""

import pytest
import yaml

from bot.ci.conventions import conventions_of, habit_of, joined, sketch
from bot.ci.follow import from_mirror, in_house_order, stage_names
from bot.ci.images import mirror_of, mirrored
from bot.ci.wishes import read_wishes
from bot.domain import Conventions, Survey

UV = {"package_manager": "uv", "version": "3.13", "lockfile": "uv.lock", "test": "uv run pytest", "test_tool": "pytest"}
JOB = "test:\n  script: [x]\n"
TAGGED = "default:\n  tags: [docker]\n" + JOB
MIRRORED = "test:\n  image: hub.acme.io/m/python:3.13\n  services: [hub.acme.io/m/postgres:18]\n  script: [x]\n"


@pytest.mark.parametrize(
    ("pipelines", "tags", "because"),
    [
        pytest.param([TAGGED], ("docker",), "seen in 1 of 1 pipeline of group a", id="the only one"),
        pytest.param([TAGGED] * 4 + [JOB], ("docker",), "seen in 4 of 5 pipelines of group a", id="most"),
        pytest.param([TAGGED, JOB], (), "", id="half is not most"),
        pytest.param([TAGGED, "default: {tags: [vm]}\n" + JOB], (), "", id="they differ"),
        pytest.param([], (), "", id="none"),
        pytest.param(["[", "word", ""], (), "", id="no pipelines"),
        pytest.param([TAGGED, "["], ("docker",), "seen in 1 of 1", id="one that is none does not count"),
    ],
)
def test_what_most_pipelines_do_is_a_convention(pipelines: list[str], tags: tuple[str, ...], because: str) -> None:
    found = conventions_of(pipelines, "group a")
    assert found.tags == tags
    assert because in found.because.get("tags", "")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        pytest.param("a: {script: [x], tags: [vm]}\nb: {script: [x], tags: [vm]}\n", "tags", ("vm",), id="every job"),
        pytest.param("a: {script: [x], tags: [vm]}\nb: {script: [x]}\n", "tags", None, id="one job only"),
        pytest.param("default: {tags: [$RUNNER]}\n" + JOB, "tags", None, id="a variable"),
        pytest.param("stages: [check, ship]\n" + JOB, "stages", ("check", "ship"), id="stages"),
        pytest.param("stages: nonsense\n" + JOB, "stages", None, id="no stages"),
        pytest.param("default: {image: acme/ci:1}\n" + JOB, "default_image", "acme/ci:1", id="image"),
        pytest.param("image: {name: acme/ci:1}\n" + JOB, "default_image", "acme/ci:1", id="image at the top"),
        pytest.param(MIRRORED, "mirror", "hub.acme.io/m", id="two images behind one prefix"),
        pytest.param("a: {image: reg.acme.io/ci/python:3, script: [x]}\n", "mirror", None, id="a house's own image"),
        pytest.param(MIRRORED + "b: {image: node:24, script: [x]}\n", "mirror", None, id="not always"),
        pytest.param(
            "a: {image: '$CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX/node:24', script: [x]}\n",
            "mirror",
            "$CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX",
            id="GitLab's dependency proxy",
        ),
    ],
)
def test_a_habit_is_read_from_a_pipeline(text: str, field: str, value: object) -> None:
    habit = habit_of(text)
    assert habit is not None
    assert getattr(habit, field) == value


@pytest.mark.parametrize(
    ("image", "mirror", "behind"),
    [
        ("python:3.13", "hub.acme.io/m", "hub.acme.io/m/python:3.13"),
        ("moby/buildkit:v1", "hub.acme.io/m", "hub.acme.io/m/moby/buildkit:v1"),
        ("python:3.13", "harbor.acme.io/hub/library", "harbor.acme.io/hub/library/python:3.13"),
        ("moby/buildkit:v1", "harbor.acme.io/hub/library", "harbor.acme.io/hub/moby/buildkit:v1"),
        ("ghcr.io/astral-sh/uv:1", "hub.acme.io/m", "ghcr.io/astral-sh/uv:1"),
        ("localhost/x:1", "hub.acme.io/m", "localhost/x:1"),
        ("$IMAGE", "hub.acme.io/m", "$IMAGE"),
        ("python:3.13", "", "python:3.13"),
    ],
)
def test_a_mirror_stands_before_images_of_docker_hub_only(image: str, mirror: str, behind: str) -> None:
    assert mirrored(image, mirror) == behind


@pytest.mark.parametrize(
    "image", ["python:3.13", "ghcr.io/x/python:3", "acme/python", "reg.acme.io/a/tool:1", "a.b/$X/node"]
)
def test_other_images_tell_of_no_mirror(image: str) -> None:
    assert mirror_of(image) is None


def test_stages_keep_the_houses_names_and_order() -> None:
    house = ("package", "verify", "unit-tests", "style")
    assert stage_names(["lint", "test", "build", "image"], house) == {
        "lint": "style",
        "test": "unit-tests",
        "build": "package",
    }
    assert in_house_order(["style", "unit-tests", "package", "image"], house) == [
        "package", "image", "unit-tests", "style",
    ]  # fmt: skip


def test_the_first_convention_wins_and_the_second_fills_what_is_open() -> None:
    first = conventions_of([TAGGED], "group a")
    second = conventions_of(["default: {tags: [vm], image: acme/ci:1}\n" + JOB], "the templates")
    both = joined(first, second)
    assert (both.tags, both.default_image) == (("docker",), "acme/ci:1")
    assert "group a" in both.because["tags"]
    assert "the templates" in both.because["default_image"]


def test_a_fragment_of_a_template_can_be_read_without_rendering() -> None:
    text = sketch(
        "{# ours #}\n{% if a %}\n{{ job('x') }}:\n  tags: [docker]\n  script: [{{ fact('test') }}]\n{% endif %}\n"
    )
    habit = habit_of(text)
    assert habit is not None
    assert habit.tags == ("docker",)


HOUSE = Conventions(
    tags=("docker", "linux"),
    mirror="hub.acme.io/m",
    stages=("verify", "check", "ship"),
    default_image="acme/ci:1",
    because={"tags": "tags [docker, linux], seen in 4 of 5 pipelines of group acme", "mirror": "mirror hub.acme.io/m"},
)


def test_a_new_pipeline_follows_its_house_and_says_so(composed, unit) -> None:
    composition = composed(
        unit("python", **UV, lint="ruff check", lint_tool="ruff", service="postgres:18"), conventions=HOUSE
    )
    data = yaml.safe_load(composition.files[".gitlab-ci.yml"])
    assert data["default"]["tags"] == ["docker", "linux"]
    assert data["stages"] == ["check"] or set(data["stages"]) <= {"verify", "check", "lint", "test"}
    assert [row.image for row in composition.jobs][-1].startswith("hub.acme.io/m/python:3.13")
    assert "hub.acme.io/m/postgres:18" in composition.files[".gitlab-ci.yml"]
    told = [line for line in composition.assumptions if line.startswith("follows house convention: ")]
    assert told[0].endswith("tags [docker, linux], seen in 4 of 5 pipelines of group acme")
    assert not [finding for finding in composition.findings if finding.is_error]


def test_an_existing_file_keeps_its_stages_and_its_tags(composed, unit) -> None:
    existing = "stages: [ship]\nship:\n  stage: ship\n  tags: [own]\n  script: [./ship]\n"
    composition = composed(unit("python", **UV), existing=existing, conventions=HOUSE)
    data = yaml.safe_load(composition.files[".gitlab-ci.yml"])
    assert "check" not in data["stages"]
    assert "docker" not in composition.files[".gitlab-ci.yml"]


def test_jobs_added_to_a_file_without_tags_get_the_houses(composed, unit) -> None:
    composition = composed(unit("python", **UV), existing="ship:\n  script: [./ship]\n", conventions=HOUSE)
    data = yaml.safe_load(composition.files[".gitlab-ci.yml"])
    assert data["test"]["tags"] == ["docker", "linux"]
    assert "tags" not in data["ship"]


def test_where_nothing_is_known_the_houses_image_is_the_best_guess(catalog) -> None:
    from bot.ci.assignment import Assignment
    from bot.ci.compose import compose

    composition = compose(Assignment(survey=Survey(units=()), paths=("notes.txt",), conventions=HOUSE), catalog)
    assert [row.image for row in composition.jobs] == ["acme/ci:1"]


def test_without_conventions_nothing_is_said(composed, unit) -> None:
    composition = composed(unit("python", **UV))
    assert "tags" not in yaml.safe_load(composition.files[".gitlab-ci.yml"])["default"]
    assert not [line for line in composition.assumptions if "convention" in line]


def test_a_dockerfile_takes_its_images_from_the_mirror_too(composed, unit) -> None:
    facts = {"version": "1.27", "test": "go test ./...", "deployable": "yes", "start": "go run .", "port": "8000"}
    text = composed(unit("go", **facts), conventions=HOUSE).files["Dockerfile"]
    assert "\nFROM hub.acme.io/m/golang:1.27 AS build\n" in text
    assert "\nFROM gcr.io/distroless/static-debian13:nonroot\n" in text
    assert "\nCOPY --from=build /out/app /app\n" in text


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("FROM node:24-slim", "FROM hub/m/node:24-slim"),
        ("FROM --platform=linux/amd64 node:24 AS a", "FROM --platform=linux/amd64 hub/m/node:24 AS a"),
        ("FROM node:24 AS Base\nFROM base", "FROM hub/m/node:24 AS Base\nFROM base"),
        ("COPY --from=composer:2.10 /a /b", "COPY --from=hub/m/composer:2.10 /a /b"),
        ("COPY --from=0 /a /b", "COPY --from=0 /a /b"),
        ("FROM scratch", "FROM scratch"),
        ("FROM ghcr.io/a/b:1", "FROM ghcr.io/a/b:1"),
        ("FROM node:$VERSION", "FROM hub/m/node:$VERSION"),
        ("FROM $BASE", "FROM $BASE"),
        ("# FROM node", "# FROM node"),
    ],
)
def test_only_images_are_taken_from_the_mirror(line: str, moved: str) -> None:
    assert from_mirror(line, "hub/m") == moved
    assert from_mirror(line, "") == line


def test_a_matrix_takes_its_images_from_the_mirror(composed, unit) -> None:
    facts = {"version": "3.13", "version_floor": "3.11", "package_manager": "pip", "test": "pytest"}
    composition = composed(unit("python", **facts), conventions=HOUSE, wishes=read_wishes("with a matrix"))
    assert "image: hub.acme.io/m/python:$VERSION" in composition.files[".gitlab-ci.yml"]
