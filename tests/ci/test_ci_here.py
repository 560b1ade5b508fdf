"""What is known of GitLab and its runners decides about tags, how images are built, and which scans are offered."""

import pytest
import yaml

from bot import linters
from bot.ci.checks import check
from bot.ci.checks.shell import check_shell
from bot.ci.wishes import read_wishes
from bot.domain import Conventions, Runner, Surroundings

GO = {"version": "1.27", "test": "go test ./..."}
SERVER = {**GO, "dockerfile": "Dockerfile"}


def read(composition):
    return yaml.safe_load(composition.files[".gitlab-ci.yml"])


def said(composition) -> str:
    return "\n".join(composition.assumptions)


@pytest.mark.parametrize(
    ("runners", "tags", "told"),
    [
        pytest.param(None, None, "", id="not shown"),
        pytest.param((), None, "no runner is online", id="none"),
        pytest.param((Runner(scope="instance", executors=("docker",)),), None, "", id="takes all"),
        pytest.param(
            (
                Runner(scope="group", tags=("big", "linux"), takes_untagged=False, executors=("docker",)),
                Runner(scope="project", tags=("linux",), takes_untagged=False, executors=("kubernetes",)),
                Runner(scope="project", tags=("mac",), takes_untagged=False, executors=("shell",)),
            ),
            ["linux"],
            "jobs are tagged linux, because no runner of this project takes jobs without tags",
            id="all want tags",
        ),
        pytest.param(
            (Runner(scope="project", executors=("shell",)),), None, "runners of this project (shell)", id="only shells"
        ),
        pytest.param(
            (Runner(scope="project", tags=("a",), takes_untagged=False),), ["a"], "jobs are tagged a", id="not known"
        ),
    ],
)
def test_jobs_get_the_tags_that_some_runner_takes(runners, tags, told, composed, unit) -> None:
    composition = composed(unit("go", **GO), surroundings=Surroundings(runners=runners))
    assert read(composition)["default"].get("tags") == tags
    assert told in said(composition)
    assert ("runner" in said(composition)) is bool(told)
    assert composition.findings == ()


def test_the_rules_of_the_project_win_over_the_house(composed, unit) -> None:
    house = Conventions(tags=("house",), because={"tags": "tags [house], seen in 3 of 3 pipelines"})
    own = composed(unit("go", **GO), conventions=house, surroundings=Surroundings(tags=("own",)))
    assert read(own)["default"]["tags"] == ["own"]
    assert "`.pipewright.yml` says so" in said(own)
    assert "house" not in said(own)


def test_tags_of_the_house_that_no_runner_has_are_told(composed, unit) -> None:
    house = Conventions(tags=("gone",), because={"tags": "seen"})
    around = Surroundings(runners=(Runner(scope="instance", tags=("linux",), executors=("docker",)),))
    composition = composed(unit("go", **GO), conventions=house, surroundings=around)
    assert read(composition)["default"]["tags"] == ["gone"]
    assert "no runner that is online for this project has the tags gone" in said(composition)


@pytest.mark.parametrize("wish", ["", "with review apps"])
def test_privileged_runners_build_images_with_docker(wish, composed, unit) -> None:
    composition = composed(
        unit("go", **SERVER), wishes=read_wishes(wish), surroundings=Surroundings(is_privileged=True)
    )
    jobs = read(composition)
    job = jobs["review-image" if wish else "container-image"]
    assert job["services"] == [{"name": "docker:29-dind", "alias": "docker"}]
    assert "docker build --pull --file Dockerfile" in job["script"][0]
    assert "buildkit" not in composition.files[".gitlab-ci.yml"]
    assert 'volumes = ["/certs/client", "/cache"]' in said(composition)
    text = composition.files[".gitlab-ci.yml"]
    assert {finding.message.partition(" works only")[0] for finding in check(text)} == {"docker:29-dind"}
    assert check_shell(text, "ci.yml", linters.bash) == ()


def test_without_knowing_the_image_is_built_without_privileges_and_the_setting_is_told(composed, unit) -> None:
    composition = composed(unit("go", **SERVER))
    assert read(composition)["container-image"]["image"]["name"].startswith("moby/buildkit")
    assert "seccomp:unconfined" in said(composition)
    assert "runners: {privileged: true}" in said(composition)
    pods = Surroundings(runners=(Runner(scope="group", executors=("kubernetes",)),))
    assert "config.toml" not in said(composed(unit("go", **SERVER), surroundings=pods))


def test_docker_pushes_what_buildkit_would(composed, unit) -> None:
    job = read(composed(unit("go", **SERVER), surroundings=Surroundings(is_privileged=True)))["container-image"]
    assert [rule.get("variables", {}).get("PUSH_AS") for rule in job["rules"]] == [
        "$IMAGE:$CI_COMMIT_REF_SLUG",
        "$IMAGE:$CI_COMMIT_SHA $IMAGE:latest",
        None,
    ]
    assert job["variables"]["PUSH_AS"] == ""


@pytest.mark.parametrize(
    ("wish", "around", "told"),
    [
        ("dependency scanning", Surroundings(tier="free"), "needs GitLab Ultimate, and this one is Free; ask for a"),
        ("dependency scanning", Surroundings(tier="premium"), "needs GitLab Ultimate, and this one is Premium"),
        (
            "container scanning",
            Surroundings(version="14.9.1-ee"),
            "needs GitLab 15.0, and this one has the version",
        ),
        ("dependency scanning", Surroundings(tier="ultimate", version="19.1.0-ee"), ""),
        ("dependency scanning", Surroundings(), ""),
        ("sast", Surroundings(tier="free", version="18.2.0"), ""),
    ],
)
def test_scans_are_offered_only_where_gitlab_has_them(wish, around, told, composed, unit) -> None:
    composition = composed(unit("go", **SERVER), wishes=read_wishes(f"add {wish}"), surroundings=around)
    assert ("include" in read(composition)) is not bool(told)
    assert told in said(composition)
