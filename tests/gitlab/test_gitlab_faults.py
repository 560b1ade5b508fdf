"""What the client makes of a GitLab that refuses, is busy, ill or silent: the right error, no second effect."""

import json
import socket
from collections.abc import Callable

import pytest

from bot.claim import claimed
from bot.domain import CannotError, LostError, Noteable, SafeText, UnreachableError
from bot.gitlab.answers import RefusedError
from bot.gitlab.client import GitLab
from tests.world.wire import HUNG_UP, SILENT, Wire, WireServer

ISSUE = Noteable(kind="issue", iid=1)
TEXT = SafeText("Here is the draft.")
PROJECT = {"id": 7, "path_with_namespace": "team/app", "web_url": "https://gitlab.test/team/app"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = "<html><body>502 Bad Gateway</body></html>"
NOTE = {"id": 3, "body": TEXT.markdown, "author": {"id": 99, "username": "pipewright"}}
GOOD_PROJECT, GOOD_NOTE = Wire(body=json.dumps(PROJECT)), Wire(201, json.dumps(NOTE))


def refusal(status: int, message: object) -> Wire:
    return Wire(status, json.dumps({"message": message}))


def impatient(wires: WireServer, waits: list[float]) -> GitLab:
    """Give up on silence soon, but not before a slow machine gives the answer that follows it."""
    return GitLab(wires.url, "glpat-of-a-test", timeout=(5.0, 2.0), sleep=waits.append)


def read(gitlab: GitLab) -> object:
    return gitlab.project(7)


def write(gitlab: GitLab) -> object:
    return gitlab.create_note(7, ISSUE, TEXT, is_internal=False)


def methods(wires: WireServer) -> list[str]:
    return [asked.method for asked in wires.asked]


# --- refusals: told at once, never repeated ---

REFUSALS = [
    pytest.param(refusal(400, "400 Bad request - name is missing"), 400, "name is missing", id="400"),
    pytest.param(refusal(401, "401 Unauthorized"), 401, "does not accept my token", id="401"),
    pytest.param(refusal(403, "403 Forbidden"), 403, "role Maintainer", id="403"),
    pytest.param(
        Wire(403, '{"error":"insufficient_scope","error_description":"x","scope":"api"}'),
        403,
        "insufficient_scope",
        id="403 for a token without the scope",
    ),
    pytest.param(refusal(405, "405 Method Not Allowed"), 405, "405", id="405"),
    pytest.param(refusal(409, ["Another open merge request exists"]), 409, "Another open merge request", id="409"),
    pytest.param(refusal(422, {"base": ["too long"]}), 422, "too long", id="422"),
    pytest.param(Wire(403, PAGE, HTML), 403, "a web page instead of an answer", id="403 of a proxy"),
    pytest.param(Wire(418, "short and stout"), 418, "short and stout", id="plain text"),
    pytest.param(Wire(400, "[1]"), 400, "[1]", id="a list"),
    pytest.param(Wire(400, ""), 400, "400", id="nothing"),
]


@pytest.mark.parametrize("act", [read, write])
@pytest.mark.parametrize(("wire", "status", "words"), REFUSALS)
def test_a_refusal_is_told_and_not_repeated(
    gitlab: GitLab,
    wires: WireServer,
    waits: list[float],
    act: Callable[[GitLab], object],
    wire: Wire,
    status: int,
    words: str,
) -> None:
    wires.script = [wire]
    with pytest.raises(RefusedError) as refused:
        act(gitlab)
    assert refused.value.status == status
    assert words in str(refused.value)
    assert "<html>" not in str(refused.value)
    assert (len(wires.asked), waits) == (1, [])


def test_a_project_that_is_not_shown_is_said_so(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [refusal(404, "404 Project Not Found")]
    with pytest.raises(CannotError, match="Is my account a member"):
        gitlab.project(7)


def test_what_is_missing_is_nothing_where_nothing_is_an_answer(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [refusal(404, "404 Not Found")]
    assert gitlab.read_file(7, "main", "a.txt") is None
    assert gitlab.branch_head(7, "ci") is None
    assert gitlab.tree(7, "main") == ()


def test_a_write_that_is_sent_elsewhere_names_the_right_address(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [Wire(301, "", {"Location": "https://gitlab.example.test/api/v4/projects/7/issues/1/notes"})]
    with pytest.raises(CannotError, match=r"https://gitlab\.example\.test/.* PIPEWRIGHT_GITLAB_URL"):
        write(gitlab)
    assert methods(wires) == ["POST"]


# --- busy: waited for as long as GitLab asks ---


@pytest.mark.parametrize("act", [read, write])
@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        pytest.param({"Retry-After": "7"}, 7.0, id="as long as it asks"),
        pytest.param({"Retry-After": "Wed, 25 Nov 2026 07:28:00 GMT"}, 0.3, id="a date is not understood"),
        pytest.param({}, 0.3, id="without a word"),
    ],
)
def test_a_busy_gitlab_is_left_alone_and_asked_again(
    gitlab: GitLab,
    wires: WireServer,
    waits: list[float],
    act: Callable[[GitLab], object],
    asked: dict[str, str],
    waited: float,
) -> None:
    busy = Wire(429, "Retry later\n", {"Content-Type": "text/plain", **asked})
    wires.script = [busy, GOOD_PROJECT if act is read else GOOD_NOTE]
    act(gitlab)
    assert (waits, len(wires.asked)) == ([waited], 2)


@pytest.mark.parametrize("act", [read, write])
@pytest.mark.parametrize(("status", "asked", "kept"), [(429, "60", 60), (429, "86400", 3600), (503, "45", 45)])
def test_who_asks_for_a_long_wait_is_not_asked_again_meanwhile(
    gitlab: GitLab, wires: WireServer, act: Callable[[GitLab], object], status: int, asked: str, kept: int
) -> None:
    wires.script = [Wire(status, "Retry later\n", {"Retry-After": asked})]
    with pytest.raises(UnreachableError) as busy:
        act(gitlab)
    posts_or_reads = [one for one in wires.asked if one.method == ("GET" if act is read else "POST")]
    assert (len(posts_or_reads), busy.value.retry_after) == (1, kept)


@pytest.mark.parametrize("act", [read, write])
def test_a_gitlab_that_stays_busy_had_no_effect(
    gitlab: GitLab, wires: WireServer, waits: list[float], act: Callable[[GitLab], object]
) -> None:
    wires.script = [Wire(429, "Retry later\n")]
    with pytest.raises(UnreachableError) as silent:
        act(gitlab)
    assert not silent.value.effect_possible
    assert (len(wires.asked), waits) == (4, [0.3, 1.0, 3.0])


def test_a_locked_resource_is_tried_again(gitlab: GitLab, wires: WireServer, waits: list[float]) -> None:
    wires.script = [refusal(409, "409 Conflict: Resource lock"), GOOD_NOTE]
    assert write(gitlab) == 3
    assert waits == [0.3]


# --- ill or silent: reads are repeated, writes are looked for ---

ILLNESSES = [
    pytest.param(Wire(500, '{"message":"500 Internal Server Error"}'), id="500"),
    pytest.param(Wire(502, PAGE, HTML), id="502 of a proxy"),
    pytest.param(Wire(503, ""), id="503"),
    pytest.param(Wire(504, PAGE, HTML), id="504"),
    pytest.param(HUNG_UP, id="the connection dropped"),
    pytest.param(Wire(body=json.dumps(PROJECT), sent=20), id="a body cut off"),
    pytest.param(Wire(500, "x" * 100, sent=20), id="an error cut off"),
]


@pytest.mark.parametrize("wire", ILLNESSES)
def test_a_read_is_repeated_until_it_is_answered(
    gitlab: GitLab, wires: WireServer, waits: list[float], wire: Wire
) -> None:
    wires.script = [wire, wire, GOOD_PROJECT]
    assert gitlab.project(7).path == "team/app"
    assert waits == [0.3, 1.0]


@pytest.mark.parametrize("wire", ILLNESSES)
def test_a_read_that_is_never_answered_had_no_effect(gitlab: GitLab, wires: WireServer, wire: Wire) -> None:
    wires.script = [wire]
    with pytest.raises(UnreachableError) as silent:
        gitlab.project(7)
    assert (silent.value.part, silent.value.effect_possible) == ("GitLab", False)
    assert len(wires.asked) == 4


@pytest.mark.parametrize("wire", ILLNESSES)
def test_a_lint_is_repeated_for_it_changes_nothing(gitlab: GitLab, wires: WireServer, wire: Wire) -> None:
    wires.script = [wire, Wire(body='{"valid":true,"errors":[],"warnings":[]}')]
    assert gitlab.lint(7, "test: {script: x}", "main").is_valid
    assert methods(wires) == ["POST", "POST"]


@pytest.mark.parametrize("wire", ILLNESSES)
def test_a_write_without_an_answer_is_found_where_it_was_done(gitlab: GitLab, wires: WireServer, wire: Wire) -> None:
    other = NOTE | {"id": 2, "body": "something else"}
    wires.script = [wire, Wire(body=json.dumps([other, NOTE]))]
    assert write(gitlab) == 3
    assert methods(wires) == ["POST", "GET"]


@pytest.mark.parametrize("wire", ILLNESSES)
def test_a_write_without_an_answer_is_not_repeated_where_it_was_not_done(
    gitlab: GitLab, wires: WireServer, wire: Wire
) -> None:
    wires.script = [wire, Wire(body="[]")]
    with pytest.raises(UnreachableError) as silent:
        write(gitlab)
    assert silent.value.effect_possible
    assert methods(wires) == ["POST", "GET"]


def test_a_read_that_takes_too_long_is_asked_again(wires: WireServer, waits: list[float]) -> None:
    wires.script = [SILENT, GOOD_PROJECT]
    assert impatient(wires, waits).project(7).id == 7
    assert waits == [0.3]


def test_a_write_that_takes_too_long_is_looked_for(wires: WireServer, waits: list[float]) -> None:
    wires.script = [SILENT, Wire(body=json.dumps([NOTE]))]
    assert write(impatient(wires, waits)) == 3
    assert methods(wires) == ["POST", "GET"]


@pytest.mark.parametrize("act", [read, write])
def test_where_nobody_listens_nothing_can_have_happened(waits: list[float], act: Callable[[GitLab], object]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gitlab = GitLab(f"http://127.0.0.1:{unused.getsockname()[1]}", "t", sleep=waits.append)
        with pytest.raises(UnreachableError) as silent:
            act(gitlab)
    assert not silent.value.effect_possible
    assert waits == [0.3, 1.0, 3.0]


@pytest.mark.parametrize("page", [PAGE, "", "null and void", '{"id": 7'])
def test_what_is_no_json_is_no_answer(gitlab: GitLab, wires: WireServer, page: str) -> None:
    wires.script = [Wire(body=page, headers=HTML)]
    with pytest.raises(UnreachableError, match="no JSON") as silent:
        gitlab.project(7)
    assert not silent.value.effect_possible
    assert "<html>" not in str(silent.value)


def test_a_write_answered_by_a_web_page_may_have_been_done(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [Wire(body=PAGE, headers=HTML), Wire(body=json.dumps([NOTE]))]
    assert write(gitlab) == 3
    assert methods(wires) == ["POST", "GET"]


def test_every_call_is_counted_with_its_route_and_status(wires: WireServer) -> None:
    counted: list[tuple[str, int]] = []
    gitlab = GitLab(
        wires.url, "t", sleep=lambda _: None, on_call=lambda route, status, _: counted.append((route, status))
    )
    wires.script = [HUNG_UP, Wire(500), GOOD_PROJECT]
    gitlab.project(7)
    route = "GET /projects/{project}"
    assert counted == [(route, 0), (route, 500), (route, 200)]


def test_names_in_a_path_are_encoded(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [GOOD_PROJECT]
    gitlab.find_project("team/über app")
    assert wires.asked[0].path == "/api/v4/projects/team%2F%C3%BCber%20app"


# --- who may write at all ---


def test_for_an_order_that_another_may_have_by_now_gitlab_is_read_but_not_changed(wires: WireServer) -> None:
    def lost() -> None:
        raise LostError("cut off meanwhile")

    wires.script = [GOOD_PROJECT]
    gitlab = impatient(wires, [])
    with claimed(lost):
        assert read(gitlab)
        with pytest.raises(LostError):
            write(gitlab)
    assert methods(wires) == ["GET"]


def test_before_a_change_is_tried_again_it_is_made_sure_once_more_that_the_order_is_ours(wires: WireServer) -> None:
    asked: list[int] = []

    def lost_while_it_waited() -> None:
        asked.append(len(wires.asked))
        if wires.asked:
            raise LostError("cut off meanwhile")

    wires.script = [Wire(429, "{}", {"Retry-After": "1"}), GOOD_NOTE]
    with claimed(lost_while_it_waited), pytest.raises(LostError):
        write(impatient(wires, []))
    assert (asked, methods(wires)) == ([0, 1], ["POST"])
