"""Stories of what a group learns from its own merged pipelines, and of what never leaves it."""

import itertools

import pytest
import yaml

from bot.store import examples
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town

HOUSE = """\
stages: [verify, ship]

default:
  tags: [docker]

ship:
  stage: ship
  script:
    - ./ship.sh
"""
GROUPS = itertools.count(1)


@pytest.fixture
def group() -> str:
    """A top-level group that no other story uses."""
    return f"acme{next(GROUPS)}"


def merged(town: Town, path: str, files: dict[str, str] | None = None, **options: str) -> Story:
    """Tell the story of a project until its draft is merged and the pipeline after it has passed."""
    story = town.story({**PYTHON, ".gitlab-ci.yml": HOUSE, **(files or {})}, path=path, **options)
    request = story.drafted()
    story.react(request)
    story.settle()
    assert request.state == "merged"
    assert [run.status for run in story.project.pipelines if run.ref == "main"][-1] == "success"
    return story


def drafted(town: Town, path: str, **options: str) -> Story:
    """Tell the story of a Python project without CI until its draft is open."""
    story = town.story(PYTHON, path=path, **options)
    story.drafted()
    return story


def tags(story: Story) -> object:
    return yaml.safe_load(story.file(".gitlab-ci.yml"))["default"].get("tags")


def learned(town: Town, group: str) -> list[str]:
    with town.parts.services.pool.connection() as connection:
        return [example.project_path for example in examples.of_group(connection, group, 50)]


def test_the_next_project_of_a_group_follows_its_conventions_and_says_so(town: Town, group: str) -> None:
    merged(town, f"{group}/app")
    following = drafted(town, f"{group}/team/next")
    data = yaml.safe_load(following.file(".gitlab-ci.yml"))
    assert data["default"]["tags"] == ["docker"]
    sentence = f"follows house convention: tags [docker], seen in 1 of 1 pipeline of group {group}"
    assert sentence in following.request.description
    assert sentence in following.answer(following.project.issues[0])
    assert following.project.pipelines[0].status == "success"


def test_another_group_never_sees_them(town: Town, group: str) -> None:
    merged(town, f"{group}/app")
    for other in (f"{group}-too/app", f"{group}x/app", f"other-{group}/{group}/app"):
        stranger = drafted(town, other)
        assert tags(stranger) is None
        assert "convention" not in stranger.request.description


def test_a_merged_pipeline_is_found_for_the_model_in_its_own_group_only(town: Town, group: str) -> None:
    merged(town, f"{group}/app")
    turns = (action("search_templates", query="ship it"), action("final", text="Like the other one."))
    inside = town.story(PYTHON, path=f"{group}/second")
    town.ollama.say(*turns)
    inside.ask("@pipewright how do the others ship?")
    assert f"merged pipeline of {group}/app at " in str(town.ollama.requests[-1]["messages"])
    outside = town.story(PYTHON, path=f"not-{group}/app")
    town.ollama.say(*turns)
    outside.ask("@pipewright how do the others ship?")
    said = str(town.ollama.requests[-1]["messages"])
    assert "merged pipeline of" not in said
    assert "ship.sh" not in said


def test_a_confidential_conversation_teaches_nothing(town: Town, group: str) -> None:
    story = town.story({**PYTHON, ".gitlab-ci.yml": HOUSE}, path=f"{group}/app")
    story.ask("@pipewright generate", of=story.issue("Secret plan", is_confidential=True))
    story.react(story.request)
    story.settle()
    assert story.request.state == "merged"
    assert learned(town, group) == []
    assert tags(drafted(town, f"{group}/next")) is None


def test_a_pipeline_that_fails_after_the_merge_teaches_nothing(town: Town, group: str) -> None:
    story = town.story({**PYTHON, ".gitlab-ci.yml": HOUSE}, path=f"{group}/app")
    request = story.drafted()
    with story.jobs_held():
        story.react(request)
        story.until(lambda: request.state == "merged")
        with story.world.lock:
            from bot.sandbox.ci import engine

            for run in story.project.pipelines:
                if run.ref == "main":
                    engine.cancel(story.world, run)
    story.settle()
    assert learned(town, group) == []


def test_a_private_pipeline_does_not_shape_a_public_project(town: Town, group: str) -> None:
    merged(town, f"{group}/app")
    assert tags(drafted(town, f"{group}/open", visibility="public")) is None
    assert tags(drafted(town, f"{group}/closed")) == ["docker"]


def test_a_project_that_moves_to_another_group_takes_its_example_with_it(town: Town, group: str) -> None:
    moving = merged(town, f"{group}/app")
    with town.sandbox.world.lock:
        moving.project.path = f"rival-{group}/app"
    assert tags(drafted(town, f"{group}/next")) is None
    assert learned(town, group) == []
    assert tags(drafted(town, f"rival-{group}/next")) == ["docker"]


def test_a_group_that_takes_the_name_of_another_inherits_nothing(town: Town, group: str) -> None:
    moving = merged(town, f"{group}/app")
    with town.sandbox.world.lock:
        moving.project.path = f"{group}-renamed/app"
    newcomer = drafted(town, f"{group}/app")
    assert tags(newcomer) is None
    assert tags(drafted(town, f"{group}-renamed/next")) == ["docker"]


def test_a_deleted_project_is_forgotten(town: Town, group: str) -> None:
    gone = merged(town, f"{group}/app")
    with town.sandbox.world.lock:
        del town.sandbox.world.projects[gone.project.id]
    assert tags(drafted(town, f"{group}/next")) is None
    assert learned(town, group) == []


def test_the_newest_merged_pipeline_of_a_project_counts_once(town: Town, group: str) -> None:
    story = merged(town, f"{group}/app")
    merged(town, f"{group}/other", {".gitlab-ci.yml": HOUSE.replace("docker", "vm")})
    merged(town, f"{group}/third")
    assert len(learned(town, group)) == 3
    assert story.project.path in learned(town, group)
    following = drafted(town, f"{group}/next")
    assert tags(following) == ["docker"]
    assert "seen in 2 of 3 pipelines" in following.request.description
