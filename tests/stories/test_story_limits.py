"""Stories of too much: floods from one person, in one project, in one discussion, between programs."""

import re
from collections.abc import Iterator

import pytest

from bot.sandbox import seed
from bot.sandbox.state import Issue
from bot.store import orders
from tests.stories.conftest import open_town
from tests.world.program import Program, good, problem
from tests.world.town import Story, Town

HELP = "@pipewright help"


@pytest.fixture(scope="module")
def strict(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A bot that soon has enough, with one worker slot, so that the line it keeps can be seen."""
    limits = {"orders_per_person": "4", "orders_per_discussion": "6", "orders_per_project": "9"}
    folder = tmp_path_factory.mktemp("strict")
    with open_town(postgres, folder, "strict", **limits, order_characters="300", worker_concurrency="1") as opened:
        yield opened


@pytest.fixture
def strict_story(strict: Town) -> Story:
    return strict.story()


def results(story: Story) -> list[str]:
    with story.town.parts.services.pool.connection() as connection:
        rows = connection.execute(
            "select result from orders where project_id = %s order by created_at, id", (story.project.id,)
        ).fetchall()
    return [str(row[0]) for row in rows]


def marks(issue: Issue) -> list[list[str]]:
    return [[award.name for award in note.awards] for note in issue.notes if "@pipewright" in note.body]


def test_one_person_is_told_once_that_it_is_too_much_and_when_to_go_on(strict_story: Story) -> None:
    story = strict_story
    places = [story.issue(f"Issue {number}") for number in range(7)]
    for issue in places:
        story.comment(issue, HELP)
    story.settle()
    assert sorted(results(story)) == ["help"] * 4 + ["limited"] * 3
    answers = [story.answer(issue) for issue in places]
    told = [answer for answer in answers if "as many as I take from one person" in answer]
    assert len(told) == 1
    assert re.search(r"repeat it after \d\d:\d\d:\d\d UTC", told[0])
    silent = [issue for issue, answer in zip(places, answers, strict=True) if not answer]
    assert [marks(issue) for issue in silent] == [[["hourglass"]], [["hourglass"]]]


def test_others_are_answered_while_one_person_is_left_out(strict_story: Story) -> None:
    story = strict_story
    issue = story.issue()
    for _ in range(5):
        story.comment(issue, HELP)
    story.settle()
    assert "This is" not in story.ask(HELP, by=story.maintainer)
    assert results(story) == ["help"] * 4 + ["limited", "help"]


def test_a_discussion_and_a_project_have_their_own_rates(strict_story: Story) -> None:
    story = strict_story
    crowd = (story.developer, story.maintainer, story.reporter)
    first, second = story.issue("One"), story.issue("Two")
    for issue, rounds in ((first, 7), (second, 4)):
        for number in range(rounds):
            story.comment(issue, HELP, by=crowd[number % 3])
            story.settle()
    assert results(story) == [*["help"] * 6, "limited", *["help"] * 3, "limited"]
    assert "as many as I take in one discussion" in story.answer(first)
    assert "as many as I take in one project" in story.answer(second)


def test_what_strangers_were_refused_does_not_shut_a_project_out(strict: Town) -> None:
    story = strict.story(visibility="public")
    for number in range(3):
        with story.world.lock:
            stranger = seed.add_user(story.world, f"stranger{story.project.id}x{number}")
        for _ in range(4):
            story.comment(story.issue(), "@pipewright status", by=stranger)
    story.settle()
    assert results(story) == ["refused"] * 12
    story.ask(HELP)
    assert results(story)[-1] == "help"


def test_a_new_window_takes_orders_again(strict_story: Story) -> None:
    story = strict_story
    issue = story.issue()
    for _ in range(5):
        story.comment(issue, HELP)
    story.settle()
    with story.town.parts.services.pool.connection() as connection:  # ten minutes later
        connection.execute(
            "update orders set created_at = created_at - interval '11 minutes' where project_id = %s",
            (story.project.id,),
        )
    story.comment(issue, HELP)
    story.settle()
    assert results(story)[-1] == "help"


def test_free_words_that_nobody_can_weigh_are_refused_and_a_command_above_a_long_log_is_not(
    strict_story: Story,
) -> None:
    story = strict_story
    answer = story.ask("@pipewright what do you make of this? " + "word " * 80)
    assert "your order has" in answer
    assert "300 at most" in answer
    log = "```\n" + "line of a log\n" * 60 + "```"
    assert "I write CI pipelines" in story.ask(f"@pipewright help\n\n{log}")


def test_an_order_below_what_is_read_is_not_passed_over_in_silence(strict_story: Story) -> None:
    above = "A long story.\n\n" * 1500
    assert "your order has" in strict_story.ask(above + "@pipewright generate")
    assert strict_story.ask(above + "> as I said: @pipewright generate") == ""


def test_two_programs_that_answer_one_another_stop_after_a_few_turns(
    town: Town, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with open_town(postgres, tmp_path_factory.mktemp("turns"), "turns", turns_in_a_row="3") as opened:
        story = opened.story()
        issue = story.issue()
        for _ in range(6):  # a program writes as soon as it is answered
            story.comment(issue, HELP)
            story.settle()
        assert results(story) == ["help"] * 3 + ["limited"] * 3
        assert "I pause here for this account" in story.answer(issue)
        assert len(story.answers(issue)) == 4
        assert marks(issue)[-1] == ["hourglass"]
        assert "I write CI" in story.ask(HELP, of=issue, by=story.maintainer)
        assert "I write CI" in story.ask(HELP)


def test_refused_reactions_are_answered_ten_times_at_most(story: Story) -> None:
    request = story.drafted()
    before = len(story.answers(request))
    for _ in range(13):
        story.react(request, by=story.reporter)
        story.settle()
        story.unreact(request, by=story.reporter)
        story.settle()
    assert len(story.answers(request)) - before == 10


def test_a_flood_in_one_project_keeps_no_other_waiting(strict: Town) -> None:
    flooded, other = strict.story(), strict.story()
    issues = [flooded.issue(f"Issue {number}") for number in range(20)]
    quiet = other.issue()
    pool = strict.parts.services.pool
    for number in range(200):
        flooded.comment(issues[number % 20], HELP)
    flooded.until(lambda: len(results(flooded)) == 200)
    other.comment(quiet, HELP)
    other.settle()
    with pool.connection() as connection:
        row = connection.execute(
            "select count(*) from orders a, orders b where a.project_id = %s and b.project_id = %s"
            " and a.finished_at > b.created_at and a.finished_at < b.finished_at",
            (flooded.project.id, other.project.id),
        ).fetchone()
        assert orders.waiting(connection)[0] == 0
    assert row is not None
    assert row[0] <= 20  # of 200; without turns it would be all that wait
    assert results(other) == ["help"]


def test_a_program_that_composes_too_much_is_told_429_and_when_to_go_on(strict_story: Story) -> None:
    story = strict_story
    mia, body = Program(story, story.developer), {"repo_url": story.project.path}
    for _ in range(4):
        good(mia.post("/pipeline/generate", body))
    for path in ("/pipeline/generate", "/pipeline/commit"):
        refused = mia.post(path, body)
        told = problem(refused, 429)
        assert "as many as I take from one person" in told["detail"]
        assert (told["result"], refused.headers["retry-after"]) == ("limited", "60")
    assert (story.project.merge_requests, results(story)[-2:]) == ([], ["limited"] * 2)
    good(Program(story, story.maintainer).post("/pipeline/generate", body))
