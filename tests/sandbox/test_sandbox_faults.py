"""Faults: each kind really happens, as often as it was asked for, and a plan says what is wrong with it."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.sandbox.faults import DeliveryFault, Fault, Plan, read_plan
from bot.sandbox.state import Hook
from tests.sandbox.conftest import Place
from tests.sandbox.test_sandbox_hooks import EVERYTHING, Receiver

STATUSES = (401, 403, 404, 405, 409, 422, 429, 500, 502, 503)


@pytest.fixture(autouse=True)
def nothing_fails_afterwards(place: Place) -> Iterator[None]:
    yield
    place.sandbox.follow(Plan())
    place.sandbox.faults.clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    threading.Thread(target=opened.server.serve_forever, args=(0.02,), daemon=True).start()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture
def hook(place: Place, receiver: Receiver) -> Hook:
    made = place.api.post("/hooks", url=receiver.url, **EVERYTHING).json()
    return next(one for one in place.project.hooks if one.id == made["id"])


def said(receiver: Receiver) -> list[str]:
    return [note["object_attributes"]["note"] for note in receiver.named("Note Hook")]


def note_bodies(place: Place, issue: str) -> list[str]:
    return [note["body"] for note in place.api.get(issue + "/notes").json()]


# --- calls ---


@pytest.mark.parametrize("status", STATUSES)
def test_a_call_is_refused_without_its_effect(place: Place, issue: str, status: int) -> None:
    place.sandbox.fail("POST", "/notes$", status, headers={"Retry-After": "7"})
    answer = place.api.post(issue + "/notes", body="x")
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert note_bodies(place, issue) == []
    assert place.api.post(issue + "/notes", body="x").status_code == 201, "once was asked for"


@pytest.mark.parametrize("status", [0, 500, 502, 503])
def test_a_call_takes_effect_and_its_answer_is_lost(place: Place, issue: str, status: int) -> None:
    place.sandbox.fail("POST", "/notes$", status, after_effect=True)
    if status:
        assert place.api.post(issue + "/notes", body="x").status_code == status
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            place.api.post(issue + "/notes", body="x")
    assert note_bodies(place, issue) == ["x"]


def test_an_answer_breaks_off_in_the_middle_of_its_body(place: Place, issue: str) -> None:
    place.sandbox.fail("POST", "/notes$", cut=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        place.api.post(issue + "/notes", body="x")
    assert note_bodies(place, issue) == ["x"]


def test_an_answer_takes_its_time(place: Place, issue: str) -> None:
    place.sandbox.fail("GET", "/notes$", seconds=0.3)
    started = time.monotonic()
    assert place.api.get(issue + "/notes").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_a_fault_waits_for_its_call_and_ends_with_its_count(place: Place, issue: str) -> None:
    place.sandbox.fail("*", "/notes$", 503, skip=1, times=2)
    statuses = [place.api.get(issue + "/notes").status_code for _ in range(4)]
    assert statuses == [200, 503, 503, 200]


def test_a_fault_without_end_lasts_until_everything_is_cleared(place: Place, issue: str) -> None:
    place.sandbox.fail("GET", "/notes$", 503, times=0)
    assert {place.api.get(issue + "/notes").status_code for _ in range(5)} == {503}
    place.sandbox.faults.clear()
    assert place.api.get(issue + "/notes").status_code == 200


def test_an_outage_ends_so_many_seconds_after_the_first_call_it_met(place: Place, issue: str) -> None:
    place.sandbox.fail("GET", "/notes$", 503, times=0, lasts=0.2)
    assert place.api.get(issue + "/notes").status_code == 503
    deadline = time.monotonic() + 60
    while place.api.get(issue + "/notes").status_code == 503:
        assert time.monotonic() < deadline, "it never ends"


# --- what is read after a change ---


def test_reads_answer_for_a_while_as_before_a_change(place: Place, issue: str) -> None:
    place.sandbox.follow(Plan(stale_reads=2))
    assert note_bodies(place, issue) == []
    place.api.post(issue + "/notes", body="x")
    assert [note_bodies(place, issue) for _ in range(3)] == [[], [], ["x"]]


def test_what_was_never_read_before_is_not_old(place: Place, issue: str) -> None:
    place.sandbox.follow(Plan(stale_reads=2))
    place.api.post(issue + "/notes", body="x")
    assert note_bodies(place, issue) == ["x"]


def test_a_merge_request_is_checked_for_as_many_reads_as_the_plan_says(place: Place) -> None:
    place.sandbox.follow(Plan(unsettled_reads=4))
    place.push("topic", "x.txt", "x\n")
    opened = place.api.post("/merge_requests", source_branch="topic", target_branch="main", title="A topic").json()
    path = f"/merge_requests/{opened['iid']}"
    seen = [place.api.get(path).json()["detailed_merge_status"] for _ in range(5)]
    assert seen[-1] == "mergeable"
    assert set(seen[:2]) <= {"preparing", "checking"}


# --- deliveries ---


def test_a_delivery_is_lost_and_nobody_is_told(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    place.sandbox.faults.add(DeliveryFault("note", "lost"))
    for body in ("one", "two"):
        place.api.post(issue + "/notes", body=body)
    assert place.sandbox.wait_idle()
    assert said(receiver) == ["two"]
    assert hook.failures == 0


def test_failed_deliveries_switch_the_hook_off(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    assert place.sandbox.wait_idle()
    place.sandbox.faults.add(DeliveryFault("note", "failed", times=4))
    for body in ("one", "two", "three", "four", "five"):
        place.api.post(issue + "/notes", body=body)
    assert place.sandbox.wait_idle()
    assert (said(receiver), hook.alert_status) == ([], "temporarily_disabled")


def test_where_the_flag_is_off_failures_switch_nothing_off(
    place: Place, receiver: Receiver, hook: Hook, issue: str
) -> None:
    assert place.sandbox.wait_idle()
    place.sandbox.follow(Plan(deliveries=[DeliveryFault("note", "failed", times=9)], hooks_switch_off=False))
    for _ in range(10):
        place.api.post(issue + "/notes", body="x")
    assert place.sandbox.wait_idle()
    assert (len(said(receiver)), hook.alert_status) == (1, "executable")


def test_a_doubled_delivery_has_the_same_name_twice(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    place.sandbox.faults.add(DeliveryFault("note", "doubled"))
    place.api.post(issue + "/notes", body="x")
    assert place.sandbox.wait_idle()
    names = [head["Idempotency-Key"] for head, _ in receiver.seen if head["X-Gitlab-Event"] == "Note Hook"]
    assert len(names) == 2
    assert len(set(names)) == 1


@pytest.mark.parametrize("does", ["late", "overtaken"])
def test_a_delivery_comes_after_the_one_that_follows_it(
    place: Place, receiver: Receiver, hook: Hook, issue: str, does: str
) -> None:
    place.sandbox.faults.add(DeliveryFault("note", does, seconds=0.5 if does == "late" else 30.0))  # type: ignore[arg-type]
    for body in ("one", "two"):
        place.api.post(issue + "/notes", body=body)
    assert place.sandbox.wait_until(lambda: len(said(receiver)) == 2)
    assert said(receiver) == ["two", "one"]
    hook.overtaken.clear()


def test_what_nothing_overtakes_comes_when_its_time_is_over(
    place: Place, receiver: Receiver, hook: Hook, issue: str
) -> None:
    place.sandbox.faults.add(DeliveryFault("note", "overtaken", seconds=0.1))
    place.api.post(issue + "/notes", body="alone")
    assert place.sandbox.wait_idle()
    assert said(receiver) == ["alone"]


# --- plans ---

PLAN = """
calls:
  - {method: POST, pattern: /merge_requests$, status: 502, after_effect: true}
  - {method: "*", pattern: ., seconds: 0.5, times: 0}
  - {method: PUT, pattern: /merge$, status: 429, headers: {Retry-After: "2"}}
deliveries:
  - {event: note, does: lost}
  - {event: "*", does: late, seconds: 3, times: 0}
unsettled_reads: 5
stale_reads: 1
hooks_switch_off: false
"""


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.yml")
    assert [fault.status for fault in plan.calls] == [502, None, 429]
    assert plan.deliveries == [DeliveryFault("note", "lost"), DeliveryFault("*", "late", times=0, seconds=3)]
    assert (plan.unsettled_reads, plan.stale_reads, plan.hooks_switch_off) == (5, 1, False)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("calls: [{method: GET, pattern: ., statsu: 500}]", "unknown field `statsu` - at `$.calls[0]`"),
        ("calls: [{method: GET, pattern: '(', status: 500}]", "is no regular expression"),
        ("calls: [{method: GET, pattern: .}]", "needs `status`, `cut` or `seconds`"),
        ("deliveries: [{event: note, does: vanish}]", "Invalid enum value 'vanish'"),
        ("stale_reads: many", "Expected `int`, got `str`"),
        ("- not\n- a plan", "Expected `object`, got `array`"),
        ("calls: [", "while parsing"),
    ],
)
def test_a_wrong_plan_is_refused_with_the_place_of_the_mistake(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "plan.yml").write_text(text)
    with pytest.raises(ValueError, match=r".") as refused:
        read_plan(tmp_path / "plan.yml")
    assert complaint in str(refused.value)


def test_the_text_of_a_fault_is_what_is_answered(place: Place, issue: str) -> None:
    place.sandbox.faults.add(Fault("GET", "/notes$", 400, text=json.dumps({"message": "no"})))
    assert place.api.get(issue + "/notes").json() == {"message": "no"}
