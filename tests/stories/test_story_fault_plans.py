"""An order from the comment to the merge, under each fault of a plan: it ends as if nothing had failed."""

from collections.abc import Callable, Iterator

import pytest

from bot.sandbox.faults import DeliveryFault, Fault, Plan
from tests.world.ending import Ending, differences, held
from tests.world.town import Story, Town

# Every way on which the bot writes from the comment to the merge, once each.
WRITES = (
    ("POST", "/issues/1/notes/[0-9]+/award_emoji$"),
    ("POST", "/issues/1/notes$"),
    ("POST", "/repository/branches$"),
    ("POST", "/merge_requests$"),
    ("POST", "/repository/commits$"),
    ("PUT", "/issues/1/notes/[0-9]+$"),
    ("PUT", "/merge_requests/1$"),
    ("PUT", "/merge_requests/1/merge$"),
)
# Each of these costs a whole new try of the order, which comes later each time.
SOME = (("POST", "/repository/commits$"), ("PUT", "/merge_requests/1/merge$"))
READS = (
    ("GET", "/repository/tree$"),
    ("GET", "/merge_requests/1$"),
    ("GET", "/protected_branches$"),
    ("GET", "/members/all/[0-9]+$"),
    ("GET", "/repository/files/.*$"),
    ("POST", "/ci/lint$"),
)

Planned = Callable[[int], Plan]


def on(ways: tuple[tuple[str, str], ...], status: int | None = None, **more: object) -> Planned:
    """Let each of these calls of a project fail once."""
    return lambda project: Plan(
        calls=[Fault(method, f"/projects/{project}{path}", status, **more) for method, path in ways]  # type: ignore[arg-type]
    )


def deliveries(does: str, **more: float) -> Planned:
    return lambda _: Plan(deliveries=[DeliveryFault("*", does, times=0, **more)])  # type: ignore[arg-type]


LOCKED = '{"message":"Resource lock"}'
PLANS: dict[str, Planned] = {
    "every write is busy and says for how long": on(WRITES, 429, headers={"Retry-After": "0"}),
    "every write says 429 and nothing else": on(WRITES, 429, text="Retry later\n"),
    "every write finds a lock": on(WRITES, 409, text=LOCKED),
    **{f"some writes are answered {status} before their effect": on(SOME, status) for status in (500, 503)},
    "every write is answered 502 after its effect": on(WRITES, 502, after_effect=True),
    "some writes are hung up on before their effect": on(SOME, 0),
    "every write is hung up on after its effect": on(WRITES, 0, after_effect=True),
    "every answer to a write breaks off": on(WRITES, cut=True),
    "every read is hung up on": on(READS, 0),
    "every read is answered 503": on(READS, 503, headers={"Retry-After": "0"}),
    "every answer to a read breaks off": on(READS, cut=True),
    "every call takes its time": on((("*", "(/|$)"),), seconds=0.02, times=0),
    "reads lag behind writes": lambda _: Plan(stale_reads=2),
    "a merge request is checked for long": lambda _: Plan(unsettled_reads=3),
    "webhooks come twice": deliveries("doubled"),
    "webhooks come late": deliveries("late", seconds=0.1),
    "each second webhook is overtaken": deliveries("overtaken", seconds=0.1),
}


def merged(story: Story) -> Ending:
    """Ask, approve what comes, and see what GitLab holds in the end."""
    issue = story.issue()
    story.comment(issue, "@pipewright generate")
    story.until(lambda: "passed ✅" in story.answer(issue))
    story.react(story.request)
    story.until(lambda: story.request.state == "merged" and "on `main` passed" in story.answer(issue))
    story.settle()
    return held(story.project)


@pytest.fixture(scope="module")
def wanted(town: Town) -> Ending:
    return merged(town.story())


@pytest.fixture
def faulty(town: Town) -> Iterator[Callable[[Planned], Story]]:
    def begin(planned: Planned) -> Story:
        story = town.story()
        town.sandbox.follow(planned(story.project.id))
        return story

    yield begin
    town.sandbox.follow(Plan())
    town.sandbox.faults.clear()


@pytest.mark.parametrize("name", PLANS)
def test_an_order_ends_the_same_when(name: str, wanted: Ending, faulty: Callable[[Planned], Story]) -> None:
    story = faulty(PLANS[name])
    assert differences(wanted, merged(story)) == []


@pytest.mark.parametrize("status", [401, 403, 404, 405, 422])
@pytest.mark.parametrize(("method", "path"), list(WRITES[2:5]))
def test_a_refusal_is_told_and_asking_again_brings_the_draft(story: Story, method: str, path: str, status: int) -> None:
    story.sandbox.fail(method, f"/projects/{story.project.id}{path}", status)
    issue = story.issue()
    assert "I can't do that" in story.ask("@pipewright generate", of=issue)
    assert "Here is the draft" in story.ask("@pipewright generate", of=issue)
    assert [request.state for request in story.project.merge_requests].count("opened") == 1
    assert story.project.pipelines[-1].status == "success"
