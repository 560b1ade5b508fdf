"""The webhook's door, with a real PostgreSQL behind it."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from psycopg_pool import ConnectionPool

from bot.domain import CannotError, Person
from bot.settings import Settings, read_settings
from bot.store.pool import Pool
from bot.tasks import Queue
from bot.web.app import WebParts, create_app
from bot.web.front import Front
from bot.web.outside import Outside

SECRET = "open sesame"
SIGNING_TOKEN = "whsec_" + base64.b64encode(b"k" * 32).decode()
BOT = Person(id=99, username="pipewright-bot")


def note(text: str = "@pipewright generate", **changes: Any) -> dict[str, Any]:
    """A note hook as GitLab sends it, shortened to what the documentation promises."""
    attributes = {
        "id": 1244,
        "note": text,
        "noteable_type": "Issue",
        "author_id": 5,
        "created_at": "2026-05-17 17:06:20 UTC",
        "system": False,
        "internal": False,
        "action": "create",
        "discussion_id": "a1b2",
        "type": None,
    }
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": {"id": 5, "name": "Ada", "username": "ada", "email": "[REDACTED]"},
        "project_id": 7,
        "project": {"id": 7, "path_with_namespace": "team/app", "web_url": "https://gitlab.test/team/app"},
        "object_attributes": attributes | changes,
        "issue": {"id": 301, "iid": 17, "title": "Please add CI", "confidential": False},
    }


def emoji(act: str) -> dict[str, Any]:
    return {
        "object_kind": "emoji",
        "event_type": act,
        "user": {"id": 5, "username": "ada"},
        "project": {"id": 7, "path_with_namespace": "team/app"},
        "object_attributes": {
            "id": 7,
            "name": "thumbsup",
            "awardable_type": "Note",
            "awardable_id": 1245,
            "created_at": "2026-05-17 17:07:00 UTC",
        },
        "note": {"id": 1245},
        "issue": {"id": 301, "iid": 17},
    }


def settings(**values: str) -> Settings:
    given = {
        "GITLAB_URL": "https://gitlab.test",
        "GITLAB_TOKEN": "t",
        "WEBHOOK_SECRET": SECRET,
        "METRICS_TOKEN": "numbers",
    } | values
    return read_settings({f"PIPEWRIGHT_{name}": value for name, value in given.items()}, env_file=None)


def parts(pool: Pool, chosen: Settings) -> WebParts:
    queue = Queue(str(pool.conninfo), pool, None)
    return WebParts(settings=chosen, queue=queue, pool=pool, bot=BOT, mention_names=("pipewright", BOT.username))


def opened(app: Front) -> TestClient[Any]:
    client = TestClient(app)
    client.headers["Authorization"] = "Bearer numbers"
    return client


@pytest.fixture
def client(pool: Pool) -> Iterator[TestClient[Any]]:
    with opened(create_app(parts(pool, settings()))) as client:
        yield client


def send(client: TestClient[Any], payload: Any, **headers: str) -> Any:
    known = {"X-Gitlab-Token": SECRET, "X-Gitlab-Event": "Note Hook"}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return client.post("/webhooks/gitlab", content=body, headers={**known, **given})


def count_orders(pool: Pool) -> int:
    with pool.connection() as connection:
        row = connection.execute("select count(*) from orders").fetchone()
    return int(row[0]) if row else 0


def test_a_mention_is_queued(client: TestClient[Any], pool: Pool) -> None:
    answer = send(client, note())
    assert (answer.status_code, answer.json()) == (202, {"status": "queued"})
    assert count_orders(pool) == 1


def test_a_wrong_token_is_turned_away_and_nothing_stored(client: TestClient[Any], pool: Pool) -> None:
    answer = send(client, note(), X_Gitlab_Token="wrong")
    assert answer.status_code == 401
    assert "PIPEWRIGHT_WEBHOOK_SECRET" in answer.json()["error"]
    assert count_orders(pool) == 0


def test_a_missing_token_is_turned_away(client: TestClient[Any]) -> None:
    assert client.post("/webhooks/gitlab", json=note()).status_code == 401


def signed(body: bytes, at: float) -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.new(b"k" * 32, f"d-1.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": "d-1",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


@pytest.mark.parametrize(
    ("age", "tampered", "status"),
    [
        pytest.param(0, b"", 202, id="good"),
        pytest.param(0, b" ", 401, id="body changed"),
        pytest.param(3600, b"", 401, id="an hour old"),
    ],
)
def test_a_signature_must_fit_the_body_and_be_fresh(pool: Pool, age: int, tampered: bytes, status: int) -> None:
    body = json.dumps(note()).encode()
    with opened(create_app(parts(pool, settings(WEBHOOK_SIGNING_TOKEN=SIGNING_TOKEN)))) as client:
        headers = signed(body, time.time() - age)
        assert client.post("/webhooks/gitlab", content=body + tampered, headers=headers).status_code == status


def test_while_a_secret_is_rotated_the_old_one_counts_too(pool: Pool) -> None:
    rotating = settings(WEBHOOK_SECRET="new", WEBHOOK_SECRET_OLD=SECRET)
    with opened(create_app(parts(pool, rotating))) as client:
        assert send(client, note()).status_code == 202
        assert send(client, note(id=1246), X_Gitlab_Token="new").status_code == 202
        assert send(client, note(id=1247), X_Gitlab_Token="neither").status_code == 401


def test_while_a_signing_token_is_rotated_the_old_one_counts_too(pool: Pool) -> None:
    body = json.dumps(note()).encode()
    other = "whsec_" + base64.b64encode(b"n" * 32).decode()
    rotating = settings(WEBHOOK_SIGNING_TOKEN=other, WEBHOOK_SIGNING_TOKEN_OLD=SIGNING_TOKEN)
    with opened(create_app(parts(pool, rotating))) as client:
        assert client.post("/webhooks/gitlab", content=body, headers=signed(body, time.time())).status_code == 202


def test_the_old_secret_does_not_excuse_a_wrong_signature(pool: Pool) -> None:
    body = json.dumps(note()).encode()
    rotating = settings(WEBHOOK_SECRET="new", WEBHOOK_SECRET_OLD=SECRET, WEBHOOK_SIGNING_TOKEN=SIGNING_TOKEN)
    with opened(create_app(parts(pool, rotating))) as client:
        headers = signed(body, time.time()) | {"X-Gitlab-Token": SECRET}
        assert client.post("/webhooks/gitlab", content=body + b" ", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{not json", id="no json"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="no utf-8"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'{"a": 1e999}', id="no number"),
    ],
)
def test_broken_json_is_named(client: TestClient[Any], body: bytes) -> None:
    answer = send(client, body)
    assert answer.status_code == 400
    assert "not the JSON" in answer.json()["error"]


@pytest.mark.parametrize("payload", [[], "text", 3, None, {}, {"object_kind": "note"}, {"object_kind": ["note"]}])
def test_json_of_any_other_shape_is_ignored(client: TestClient[Any], payload: Any) -> None:
    answer = send(client, payload)
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})


def test_a_text_that_cannot_be_stored_is_refused(client: TestClient[Any], pool: Pool) -> None:
    assert send(client, note("@pipewright \x00")).status_code == 400
    assert count_orders(pool) == 0


def test_a_body_over_the_limit_is_refused(client: TestClient[Any]) -> None:
    answer = send(client, note("@pipewright " + "x" * 5_000_001))
    assert answer.status_code == 413
    assert answer.json() == {"error": "The body is too large."}


def test_a_body_over_the_limit_is_refused_also_when_its_length_is_not_announced(client: TestClient[Any]) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b'{"a": "' + b"x" * 1_000_000] * 6

    headers = {"X-Gitlab-Token": SECRET}
    assert client.post("/webhooks/gitlab", content=pieces(), headers=headers).status_code == 413


@pytest.mark.parametrize(
    "address", ["/webhooks/gitlab/", "//webhooks/gitlab", "/webhooks//gitlab", "/webhooks/gitlab//"]
)
def test_an_address_with_slashes_too_many_takes_deliveries_too(
    client: TestClient[Any], pool: Pool, address: str
) -> None:
    url, headers = f"http://testserver.local{address}", {"X-Gitlab-Token": SECRET}
    assert client.post(url, json=note(), headers=headers).status_code == 202
    assert client.post(url, json=note(), headers={"X-Gitlab-Token": "wrong"}).status_code == 401
    assert count_orders(pool) == 1


@pytest.mark.parametrize("address", ["/webhooks", "/webhooks/gitlab/more", "/more/webhooks/gitlab"])
def test_another_address_takes_nothing(client: TestClient[Any], pool: Pool, address: str) -> None:
    answer = client.post(address, json=note(), headers={"X-Gitlab-Token": SECRET})
    assert answer.status_code == 404
    assert count_orders(pool) == 0


def test_a_delivery_in_pieces_is_put_together(client: TestClient[Any], pool: Pool) -> None:
    body = json.dumps(note()).encode()

    def pieces() -> Iterator[bytes]:
        yield from (body[:100], b"", body[100:])

    assert client.post("/webhooks/gitlab", content=pieces(), headers={"X-Gitlab-Token": SECRET}).status_code == 202
    assert count_orders(pool) == 1


def test_a_delivery_that_is_cut_off_is_stored_by_nobody(pool: Pool) -> None:
    app = create_app(parts(pool, settings()))
    body, told = json.dumps(note()).encode(), []
    messages = iter([{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        told.append(message)

    headers = [(b"host", b"bot.test"), (b"x-gitlab-token", SECRET.encode())]
    where = {"type": "http", "method": "POST", "path": "/webhooks/gitlab", "root_path": "", "query_string": b""}
    asyncio.run(app({**where, "headers": headers}, receive, send))  # type: ignore[arg-type,typeddict-item]
    assert told[0]["status"] == 400
    assert count_orders(pool) == 0


def test_every_answer_to_a_delivery_has_the_headers_of_safety(client: TestClient[Any], dead_pool: Pool) -> None:
    with opened(create_app(parts(dead_pool, settings()))) as away:
        answers = [
            send(client, note()),
            send(client, note()),
            send(client, note(), X_Gitlab_Token="wrong"),
            send(client, b"{"),
            send(client, b"x" * 5_000_001),
            send(away, note()),
            client.get("/webhooks/gitlab"),
        ]
    assert [answer.status_code for answer in answers] == [202, 200, 401, 400, 413, 503, 405]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"].startswith("application/json")


def test_a_visitors_cookie_neither_helps_nor_hinders_a_delivery(client: TestClient[Any]) -> None:
    client.cookies.set("pipewright_session", "somebody")
    assert send(client, note()).status_code == 202
    assert send(client, note(id=7), X_Gitlab_Token="wrong").status_code == 401


def test_a_comment_of_a_megabyte_is_taken(client: TestClient[Any]) -> None:
    assert send(client, note("@pipewright " + "x" * 1_000_000)).status_code == 202


def test_the_same_delivery_twice_is_one_order(client: TestClient[Any], pool: Pool) -> None:
    send(client, note(), idempotency_key="k1")
    answer = send(client, note(), idempotency_key="k1")
    assert (answer.status_code, answer.json()) == (200, {"status": "duplicate"})
    assert count_orders(pool) == 1


def test_one_note_through_two_hooks_is_one_order(client: TestClient[Any]) -> None:
    send(client, note(), idempotency_key="of the project")
    assert send(client, note(), idempotency_key="of the group").json() == {"status": "duplicate"}


def test_a_reaction_given_back_and_given_again_is_three_orders(client: TestClient[Any]) -> None:
    send(client, note())
    again = emoji("award")
    again["object_attributes"]["id"] = 8
    answers = [send(client, payload).json()["status"] for payload in (emoji("award"), emoji("revoke"), again)]
    assert answers == ["queued", "queued", "queued"]


def test_two_notes_are_two_orders(client: TestClient[Any]) -> None:
    send(client, note())
    assert send(client, note(id=1245)).json() == {"status": "queued"}


def test_a_note_without_a_mention_is_ignored(client: TestClient[Any]) -> None:
    assert send(client, note("nothing for you")).json() == {"status": "ignored"}


def test_a_reaction_nobody_waits_for_is_ignored(client: TestClient[Any]) -> None:
    assert send(client, emoji("award")).json() == {"status": "ignored"}


PAYLOADS = sorted((Path(__file__).parents[2].parent / "shared" / "data" / "webhook-payloads").glob("**/*.json"))


@pytest.mark.skipif(not PAYLOADS, reason="the folder of recorded payloads is not here")
def test_every_recorded_payload_gets_a_2xx(client: TestClient[Any]) -> None:
    for path in PAYLOADS:
        payload = json.loads(path.read_text())
        for variant in (payload, payload | {"object_attributes": None}, payload | {"project": {"id": 0}}):
            assert send(client, variant).status_code in {200, 202}, path.name


@pytest.fixture
def dead_pool() -> Iterator[Pool]:
    dead: Pool = ConnectionPool("host=127.0.0.1 port=1 user=x dbname=x", timeout=0.2, open=False, min_size=1)
    dead.open(wait=False)
    yield dead
    dead.close(timeout=1)


def test_while_the_database_is_down_gitlab_is_told_to_come_back(dead_pool: Pool) -> None:
    with opened(create_app(parts(dead_pool, settings()))) as client:
        answer = send(client, note())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "PostgreSQL" in answer.json()["error"]


def test_while_the_database_is_down_readiness_says_so_and_life_goes_on(dead_pool: Pool) -> None:
    with opened(create_app(parts(dead_pool, settings()))) as client:
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert "PostgreSQL" in ready.json()["failing"]
        assert client.get("/health/live").status_code == 200
        assert "pipewright_database_up 0" in client.get("/metrics").text


def test_without_any_secret_the_web_does_not_start(pool: Pool) -> None:
    with pytest.raises(CannotError, match="PIPEWRIGHT_WEBHOOK_SECRET"):
        create_app(parts(pool, settings(WEBHOOK_SECRET="")))


def test_ready_when_everything_is_there(client: TestClient[Any], pool: Pool) -> None:
    with pool.connection() as connection:
        connection.execute("insert into procrastinate_workers default values")
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_without_a_worker_deliveries_are_taken_in_and_it_is_said_that_orders_wait(
    client: TestClient[Any], pool: Pool
) -> None:
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert "sign of life ever" in ready.json()["silent"]["worker"]
    with pool.connection() as connection:
        connection.execute("insert into procrastinate_workers (last_heartbeat) values (now() - interval '2 minutes')")
    assert "for 120 seconds" in client.get("/health/ready").json()["silent"]["worker"]


def test_what_is_silent_outside_is_named_and_looked_at_in_the_background(pool: Pool) -> None:
    asked = threading.Event()

    def look() -> str:
        asked.set()
        return "does not answer"

    outside = Outside({"GitLab": look, "Ollama": lambda: None}, every_seconds=0)
    with opened(create_app(replace(parts(pool, settings()), outside=outside))) as client:
        client.get("/health/ready")
        assert asked.wait(60)
        deadline = time.monotonic() + 60
        while "GitLab" not in client.get("/health/ready").json()["silent"]:
            assert time.monotonic() < deadline
        assert client.get("/health/ready").json()["silent"]["GitLab"] == "does not answer"
        assert client.get("/health/ready").status_code == 200


def test_metrics_count_deliveries_orders_and_calls(pool: Pool) -> None:
    known = parts(pool, settings())
    known.metrics.count_gitlab_call('GET /projects/{project}/"x"', 200, 0.5)
    with opened(create_app(known)) as client:
        send(client, note())
        send(client, note(), X_Gitlab_Token="wrong")
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'pipewright_deliveries_total{result="queued"} 1',
        'pipewright_deliveries_total{result="unauthorized"} 1',
        'pipewright_orders{state="queued"} 1',
        "pipewright_queue_length 1",
        'pipewright_gitlab_calls_total{route="GET /projects/{project}/\\"x\\"",status="200"} 1',
    ):
        assert line in answer.text.splitlines()


def test_the_api_describes_itself(client: TestClient[Any]) -> None:
    described = client.get("/schema").json()
    assert "/webhooks/gitlab" in described["paths"]


def test_an_unknown_address_of_the_api_answers_json(client: TestClient[Any]) -> None:
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, list(answer.json())) == (404, ["type", "title", "status", "detail"])
