"""Whatever is sent to the webhook, the answer is one of a few honest ones, and only orders are stored."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from bot.domain import Person
from bot.settings import read_settings
from bot.store.pool import Pool
from bot.tasks import Queue
from bot.web.app import WebParts, create_app
from tests.fuzz.conftest import examples

SECRET = "a-secret-of-the-fuzzer"
BOT = Person(id=99, username="pipewright-bot")

# Values that are wrong in ways that matter: too large for a column, not storable, of another type, endless.
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, float("inf"), "", "\x00", "\ud800", "9" * 5000]),
    st.text(max_size=30),
    st.sampled_from(["@pipewright help", "@pipewright generate", "note", "Note", "Issue", "award", "create", "open"]),
)
JSON = st.recursive(
    ODD, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3)
)
KINDS = ["note", "issue", "emoji", "merge_request", "pipeline", "push", "", "work_item"]
KEYS = [
    "id", "iid", "note", "action", "noteable_type", "author_id", "created_at", "system", "internal", "discussion_id",
    "type", "description", "title", "name", "awardable_type", "awardable_id", "oldrev", "last_commit", "sha", "ref",
    "status", "source_branch", "confidential", "path_with_namespace", "web_url", "username", "state",
]  # fmt: skip
SHA = "a" * 40


def sound(kind: str) -> dict[str, Any]:
    """A payload that is understood, to be spoilt."""
    note = {"id": 7, "note": "@pipewright help", "action": "create", "noteable_type": "Issue", "discussion_id": "d"}
    return {
        "object_kind": kind,
        "event_type": "award" if kind == "emoji" else kind,
        "user": {"id": 5, "username": "ada"},
        "project": {"id": 7, "path_with_namespace": "team/app", "web_url": "https://gitlab.test/team/app"},
        "object_attributes": note
        | {"iid": 3, "created_at": "2026-05-17 17:06:20 UTC", "description": "@pipewright help", "name": "thumbsup"}
        | {"awardable_type": "Issue", "awardable_id": 1, "oldrev": SHA, "last_commit": {"id": SHA}, "sha": SHA}
        | ({"action": "open"} if kind == "issue" else {"action": "update"} if kind == "merge_request" else {}),
        "issue": {"id": 301, "iid": 17, "title": "Please add CI", "confidential": False},
    }


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    payload = sound(draw(st.sampled_from(KINDS)))
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.sampled_from(["object_attributes", "user", "project", "issue"]))
        value = draw(JSON)
        if draw(st.integers(0, 5)) == 0 or not isinstance(payload[where], dict):
            payload[where] = value
        else:
            payload[where][draw(st.sampled_from(KEYS))] = value
    text = json.dumps(payload).encode()
    cut = draw(st.integers(0, 9))
    return text[: draw(st.integers(0, len(text)))] if cut == 0 else text


BODIES = spoilt() | st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())
NAMES = st.sampled_from(
    "Idempotency-Key webhook-id webhook-signature webhook-timestamp X-Gitlab-Event Content-Type".split()
    + "X-Gitlab-Instance Accept Content-Encoding X-Forwarded-For Cookie Authorization".split()
)
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
HEADERS = st.dictionaries(NAMES, WORDS | st.sampled_from(["v1,", "v1,AAAA", "1" * 400, "-1", "1e9"]), max_size=4)


@pytest.fixture
def client(pool: Pool) -> Iterator[TestClient[Any]]:
    given_settings = {
        "GITLAB_URL": "https://gitlab.test",
        "GITLAB_TOKEN": "t",
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_SIGNING_TOKEN": "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }
    settings = read_settings({f"PIPEWRIGHT_{key}": value for key, value in given_settings.items()}, env_file=None)
    queue = Queue(str(pool.conninfo), pool, None)
    parts = WebParts(settings=settings, queue=queue, pool=pool, bot=BOT, mention_names=("pipewright",))
    with TestClient(create_app(parts), raise_server_exceptions=False) as opened:
        yield opened


def test_no_delivery_breaks_the_webhook(client: TestClient[Any], pool: Pool) -> None:
    told: set[int] = set()

    @examples(300)
    @given(BODIES, HEADERS, st.sampled_from([SECRET, SECRET, SECRET, "", "wrong", "\xfc"]))
    def send(body: bytes, headers: dict[str, str], token: str) -> None:
        sent = [
            (name.encode(), value.encode("latin-1")) for name, value in {**headers, "X-Gitlab-Token": token}.items()
        ]
        answer = client.post("/webhooks/gitlab", content=body, headers=sent)
        told.add(answer.status_code)
        assert answer.status_code in (200, 202, 400, 401), answer.text
        if token != SECRET:
            assert answer.status_code == 401

    send()
    assert told == {200, 202, 400, 401}, "the fuzzer reaches every kind of answer"
    with pool.connection() as connection:
        stored = connection.execute("select count(*) from orders where state = 'queued'").fetchone()
        waiting = connection.execute("select count(*) from procrastinate_jobs where status = 'todo'").fetchone()
    assert stored is not None
    assert stored == waiting
    assert stored[0] > 0
