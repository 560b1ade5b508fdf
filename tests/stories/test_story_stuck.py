"""Pipelines that do not get on: people are told once what it waits for, and who can mend that how."""

from datetime import timedelta

import pytest

from bot.sandbox import git_store
from bot.sandbox.state import Issue, Pipeline, Runner
from tests.world.missed import look
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town

TAGGED = "test:\n  image: python:3.12\n  tags: [gpu, big]\n  script: [make test]\n"


def drafted(story: Story, *, minutes: float) -> tuple[Issue, Pipeline]:
    """Let a draft be made whose pipeline began so long ago, and does not end."""
    issue = story.issue()
    operation = {"operation": "set_variable", "variables": ["A=1"]}
    story.town.ollama.say(action("edit_pipeline", operations=[operation]), action("final", text="Done."))
    has_pipeline = git_store.read(story.project.git_dir, "main", ".gitlab-ci.yml") is not None
    story.comment(issue, "@pipewright please set A" if has_pipeline else "@pipewright generate")
    story.until(lambda: bool(story.project.pipelines) and "Here is the draft" in story.answer(issue))
    run = story.project.pipelines[-1]
    with story.world.lock:
        run.created_at -= timedelta(minutes=minutes)
    return issue, run


def told(story: Story, issue: Issue) -> list[str]:
    """Return what the bot said in notes of its own about a pipeline that does not get on."""
    return [note.body for note in story.answers(issue) if note.body.startswith(("⏳ The", "⏸ The"))]


def without_runners(town: Town, runners: list[Runner], files: dict[str, str] | None = None) -> Story:
    story = town.story({**PYTHON, **(files or {})})
    story.project.runners[:] = runners
    return story


def test_a_pipeline_without_any_runner_is_told_once_with_the_mend(town: Town) -> None:
    story = without_runners(town, [])
    issue, _ = drafted(story, minutes=20)
    story.settle()
    for _ in range(3):
        look(story)
    assert len(told(story, issue)) == 1
    assert "has been waiting for a while: no runner is online for this project" in told(story, issue)[0]
    assert "Settings › CI/CD › Runners" in told(story, issue)[0]


def test_nobody_is_told_while_there_is_time(town: Town) -> None:
    story = without_runners(town, [])
    issue, _ = drafted(story, minutes=10)
    story.settle()
    look(story)
    assert told(story, issue) == []


def test_tags_that_no_runner_has_are_named_with_their_job(town: Town) -> None:
    story = without_runners(town, [Runner(), Runner(tags=("gpu",))], {".gitlab-ci.yml": TAGGED})
    issue, _ = drafted(story, minutes=20)
    story.settle()
    look(story)
    assert "`test` asks for a runner with the tags `gpu`, `big`" in told(story, issue)[0]


def test_where_the_bot_may_not_look_at_runners_it_says_where_to_look(town: Town) -> None:
    story = without_runners(town, [])
    with story.world.lock:
        story.project.members[town.bot.id] = 30
    issue, _ = drafted(story, minutes=20)
    story.settle()
    look(story)
    assert "I may not look at this project's runners" in told(story, issue)[0]


def test_a_pipeline_that_runs_for_hours_is_told_once_and_how_to_stop_it(story: Story) -> None:
    with story.jobs_held():
        issue, run = drafted(story, minutes=200)
        story.until(lambda: run.status == "running")
        look_while_held(story)
        look_while_held(story)
        assert len(told(story, issue)) == 1
        assert "has been running for a long time" in told(story, issue)[0]
        assert "@pipewright cancel" in told(story, issue)[0]
    story.settle()


def heard_of(story: Story, status: str) -> bool:
    """Tell whether the bot has been through with what GitLab said of a pipeline's state."""
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute(
            "select 1 from orders where project_id = %s and state = 'done' and result = %s", (story.project.id, status)
        ).fetchone()
    return row is not None


def look_while_held(story: Story) -> None:
    """The jobs are held, so nothing comes to rest: only the bot's own work is waited for."""
    from bot.handlers.sweep import sweep
    from bot.store import orders

    services, queue = story.town.parts.services, story.town.parts.queue
    with services.pool.connection() as connection:
        connection.execute("update pipelines set swept_at = now()")
        connection.execute(
            "update pipelines set swept_at = now() - interval '1 day' where project_id = %s", (story.project.id,)
        )
    sweep(services, queue.accept)

    def is_done() -> bool:
        with services.pool.connection() as connection:
            return orders.waiting(connection)[0] == 0

    story.until(is_done)


def test_a_pipeline_that_waits_for_a_person_says_for_which_job(town: Town) -> None:
    by_hand = "ask:\n  script: [make]\n  when: manual\n  allow_failure: false\n"
    story = town.story({**PYTHON, ".gitlab-ci.yml": by_hand})
    issue, run = drafted(story, minutes=20)
    story.settle()
    assert run.status == "manual"
    look(story)
    look(story)
    assert len(told(story, issue)) == 1
    assert "waits for you: `ask` has to be started by hand" in told(story, issue)[0]


def test_one_that_went_on_meanwhile_is_not_told(town: Town) -> None:
    story = without_runners(town, [])
    issue, run = drafted(story, minutes=20)
    story.settle()

    def go_on(method: str, at: str) -> None:
        if method == "GET" and at.endswith(f"/pipelines/{run.id}"):
            run.status = "success"

    story.world.before_call.append(go_on)
    try:
        look(story)
    finally:
        story.world.before_call.remove(go_on)
    assert told(story, issue) == []


@pytest.mark.parametrize("status", ["waiting_for_resource", "preparing"])
def test_other_ways_of_waiting_are_told_too(town: Town, status: str) -> None:
    story = without_runners(town, [Runner()])
    with story.jobs_held():
        issue, run = drafted(story, minutes=20)
        story.until(lambda: heard_of(story, "running"))
        with story.world.lock:
            run.status = status
        look_while_held(story)
        assert ("resource group" in told(story, issue)[0]) is (status == "waiting_for_resource")
        with story.world.lock:
            run.status = "running"
    story.settle()
