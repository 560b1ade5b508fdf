"""Stories with a model that does anything at all, for a person who may do everything.

200 turns here; `make monkey` takes 10 000.
"""

import os
import sys
from typing import cast

import pytest

from bot.llm.ollama import OllamaModel
from tests.world.monkey import Monkey
from tests.world.town import Story, Town

TURNS = int(os.environ.get("PIPEWRIGHT_MONKEY_TURNS", "200"))
FIRST_SEED = int(os.environ.get("PIPEWRIGHT_MONKEY_SEED", "1"))
ORDERS_IN_A_PROJECT = 25
MOST_TURNS_OF_AN_ORDER = 20  # eight turns, each of which may be asked twice, and a retry
WORDS = "@pipewright please change whatever you like in our pipeline, and add what is missing"


def test_a_model_that_does_anything_at_all_merges_nothing_and_writes_only_into_its_draft(town: Town) -> None:
    turns, projects, changes = 0, 0, 0
    town.ollama.say()
    try:
        while turns < TURNS:
            projects += 1
            taken, changed = _rampage(town.story(), TURNS - turns, seed=FIRST_SEED + projects)
            turns, changes = turns + taken, changes + changed
    finally:
        town.ollama.improvise = None
    sys.stdout.write(f"\n{turns} turns in {projects} projects; {changes} changes of drafts, nothing was merged\n")


def _rampage(story: Story, turns: int, seed: int) -> tuple[int, int]:
    """Let it work on some orders about one draft; return how many turns it took and how often the draft changed."""
    story.push("people-s", "notes.txt", "by hand")
    request = story.drafted()
    issue = story.project.issues[0]
    before = {branch: story.head(branch) for branch in ("main", "people-s")}
    model = cast(OllamaModel, story.town.parts.services.model)
    places = (request.source_branch, *before)
    story.town.ollama.improvise = Monkey(seed, f"{story.world.base_url}/{story.project.path}", places)
    taken, heads = 0, [story.head(request.source_branch)]
    for number in range(ORDERS_IN_A_PROJECT):
        model.mode = "native" if number % 2 else "constrained"
        asked = len(story.town.ollama.requests)
        story.comment(issue, WORDS, by=story.maintainer)
        story.settle()
        used = len(story.town.ollama.requests) - asked
        assert 1 <= used <= MOST_TURNS_OF_AN_ORDER
        assert len(story.answers(issue)) == number + 2, "every order ends in one answer"
        assert "went wrong on my side" not in story.answer(issue)
        _require_unharmed(story, before)
        taken += used
        heads += [head] if (head := story.head(request.source_branch)) != heads[-1] else []
        if taken >= turns:
            break
    model.mode = "constrained"
    assert _carried_out(story) > 0, "some of it was carried out"
    return taken, len(heads) - 1


def _carried_out(story: Story) -> int:
    sql = (
        "select count(*) from messages m join conversations c on c.id = m.conversation_id"
        " where c.project_id = %s and m.role = 'tool'"
        " and m.tool_name <> '' and m.content not like 'That did not work%%'"
    )
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute(sql, (story.project.id,)).fetchone()
    return int(row[0]) if row else 0


def _require_unharmed(story: Story, before: dict[str, str]) -> None:
    assert {branch: story.head(branch) for branch in before} == before
    assert all(request.state == "opened" for request in story.project.merge_requests)
    assert all(request.title.startswith("Draft: ") for request in story.project.merge_requests)
    assert all(request.approvals == [] and request.auto_merge_by is None for request in story.project.merge_requests)
    assert all(request.source_branch.startswith("pipewright/") for request in story.project.merge_requests)
    assert all(issue.state == "opened" for issue in story.project.issues)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_monkey_does_the_same(seed: int) -> None:
    request = {"format": {"properties": {"action": {"enum": ["a", "b"]}, "text": {"type": "string"}}}}
    one, other = Monkey(seed, "x", ()), Monkey(seed, "x", ())
    assert [one(request) for _ in range(50)] == [other(request) for _ in range(50)]
