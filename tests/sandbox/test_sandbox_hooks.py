"""Webhooks: who is told of what, in GitLab's shape, signed, and given up like GitLab does."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import hooks
from bot.sandbox.state import Hook, now
from tests.sandbox.conftest import CI, Place

KEY = base64.b64encode(b"k" * 32).decode()
EVERYTHING = dict.fromkeys(
    (
        "note_events",
        "confidential_note_events",
        "issues_events",
        "confidential_issues_events",
        "merge_requests_events",
        "pipeline_events",
        "emoji_events",
    ),
    True,
)


class Receiver:
    """Takes deliveries and answers with `status`."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append((dict(self.headers.items()), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def named(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(body) for headers, body in self.seen if headers["X-Gitlab-Event"] == name]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    threading.Thread(target=opened.server.serve_forever, args=(0.02,), daemon=True).start()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture
def hook(place: Place, receiver: Receiver) -> Hook:
    """A webhook with both kinds of secrets that hears everything."""
    more = {"token": "open\nsesame", "signing_token": "whsec_" + KEY}
    made = place.api.post("/hooks", url=receiver.url, **EVERYTHING, **more).json()
    return next(one for one in place.project.hooks if one.id == made["id"])


def settled(place: Place) -> None:
    assert place.sandbox.wait_idle()


# --- the request ---


def test_a_delivery_carries_both_proofs_and_gitlabs_headers(
    place: Place, receiver: Receiver, hook: Hook, issue: str
) -> None:
    settled(place)
    headers, body = receiver.seen[0]
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Gitlab-Token"] == "opensesame", "line breaks are removed"
    assert headers["X-Gitlab-Instance"] == place.sandbox.url
    assert headers["User-Agent"] == f"GitLab/{place.world.version}"
    lower = {name.lower(): value for name, value in headers.items()}
    assert lower["webhook-id"] == lower["idempotency-key"]
    signed = f"{lower['webhook-id']}.{lower['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert lower["webhook-signature"] == "v1," + digest


def test_a_hook_never_tells_its_secrets(place: Place, hook: Hook) -> None:
    shown = place.api.get("/hooks").json()[0]
    assert (shown["token_present"], shown["signing_token_present"]) == (True, True)
    assert "sesame" not in json.dumps(shown)
    assert KEY not in json.dumps(shown)


def test_another_address_forgets_the_secret_token(place: Place, hook: Hook) -> None:
    known = f"/hooks/{hook.id}"
    assert place.api.put(known, url=hook.url, push_events=False).json()["token_present"] is True
    assert place.api.put(known, url=hook.url + "?other").json()["token_present"] is False
    assert place.api.put(known, url=hook.url + "?third", token="t").json()["token_present"] is True


def test_an_older_version_ignores_the_signing_token_without_a_word(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.world, "version", "18.11.2")
    made = place.api.post("/hooks", url="http://127.0.0.1:9/", signing_token="whsec_" + KEY)
    assert (made.status_code, made.json()["signing_token_present"]) == (201, False)


def test_a_resent_delivery_has_the_same_key_and_body_and_a_fresh_id(
    place: Place, receiver: Receiver, hook: Hook, issue: str
) -> None:
    settled(place)
    hooks.resend(place.world, hook, hook.deliveries[0])
    settled(place)
    (first, body), (second, again) = receiver.seen
    assert (first["Idempotency-Key"], body) == (second["Idempotency-Key"], again)
    assert first["X-Gitlab-Event"] == second["X-Gitlab-Event"]
    assert first["X-Gitlab-Webhook-Uuid"] != second["X-Gitlab-Webhook-Uuid"]


def test_two_events_have_two_keys(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    place.api.post(issue + "/notes", body="x")
    settled(place)
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.seen}) == 2


def test_a_failed_delivery_is_not_repeated(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    settled(place)
    receiver.status = 500
    place.api.post(issue + "/notes", body="x")
    settled(place)
    assert (len(receiver.seen), hook.failures) == (2, 1)


@pytest.mark.parametrize("status", [200, 204, 302])
def test_success_and_redirection_both_count_as_taken(
    place: Place, receiver: Receiver, hook: Hook, issue: str, status: int
) -> None:
    settled(place)
    hook.failures, receiver.status = 3, status
    place.api.post(issue + "/notes", body="x")
    settled(place)
    assert hook.failures == 0


def test_four_failures_in_a_row_switch_a_hook_off_for_a_minute(
    place: Place, receiver: Receiver, hook: Hook, issue: str
) -> None:
    settled(place)
    receiver.status = 401
    for expected in ("executable", "executable", "executable", "temporarily_disabled", "temporarily_disabled"):
        place.api.post(issue + "/notes", body="x")
        settled(place)
        assert place.api.get("/hooks").json()[0]["alert_status"] == expected
    assert len(receiver.seen) == 1 + 4, "the fifth was never sent"
    hook.disabled_until, receiver.status = now() - timedelta(seconds=1), 200
    place.api.post(issue + "/notes", body="back")
    settled(place)
    assert place.api.get("/hooks").json()[0]["alert_status"] == "executable"


@pytest.mark.parametrize(("failures", "minutes"), [(3, 0), (4, 1), (5, 2), (7, 8), (15, 24 * 60), (30, 24 * 60)])
def test_each_further_failure_doubles_the_pause_up_to_a_day(failures: int, minutes: int) -> None:
    hook = Hook(1, "http://127.0.0.1:9/", failures=failures - 1)
    before = now()
    hook.count(succeeded=False)
    pause = (hook.disabled_until or before) - before
    assert timedelta(minutes=minutes) <= pause <= timedelta(minutes=minutes, seconds=30)


def test_the_fortieth_failure_switches_off_for_good() -> None:
    hook = Hook(1, "http://127.0.0.1:9/", failures=39)
    hook.count(succeeded=False)
    hook.disabled_until = None
    assert hook.alert_status == "disabled"


def test_a_receiver_that_hangs_up_is_a_failure(place: Place, issue: str) -> None:
    place.api.post("/hooks", url="http://127.0.0.1:9/", note_events=True)
    place.api.post(issue + "/notes", body="x")
    settled(place)
    assert (place.project.hooks[0].failures, place.project.hooks[0].deliveries[0].status) == (1, 0)


# --- who is told of what ---


def test_a_hook_hears_only_what_it_asked_for(place: Place, receiver: Receiver) -> None:
    place.api.post("/hooks", url=receiver.url, note_events=True)
    iid = place.api.post("/issues", title="x").json()["iid"]
    secret = place.api.post("/issues", title="y", confidential=True).json()["iid"]
    place.api.post(f"/issues/{iid}/notes", body="said")
    place.api.post(f"/issues/{iid}/notes", body="among us", internal=True)
    place.api.post(f"/issues/{secret}/notes", body="secret")
    place.api.put(f"/issues/{iid}/notes/{place.project.issues[0].notes[0].id}", body="said better")
    settled(place)
    said = sorted(payload["object_attributes"]["note"] for payload in receiver.named("Note Hook"))
    assert said == ["said", "said better"]
    assert len(receiver.seen) == 2


def test_confidential_things_come_under_names_of_their_own(place: Place, receiver: Receiver, hook: Hook) -> None:
    secret = place.api.post("/issues", title="y", confidential=True).json()["iid"]
    place.api.post(f"/issues/{secret}/notes", body="x")
    place.api.post(f"/issues/{secret}/notes", body="/close")
    settled(place)
    kinds = sorted((headers["X-Gitlab-Event"], json.loads(body)["event_type"]) for headers, body in receiver.seen)
    issue, note = ("Confidential Issue Hook", "confidential_issue"), ("Confidential Note Hook", "confidential_note")
    assert kinds == [issue, issue, note]


def test_nobody_is_told_of_what_gitlab_itself_notes(place: Place, receiver: Receiver, hook: Hook) -> None:
    request = place.open()
    place.api.post(f"/merge_requests/{request.iid}/approve")
    settled(place)
    assert [note.is_system for note in request.notes] == [True]
    assert receiver.named("Note Hook") == []


def test_an_edit_names_the_author_whoever_edited(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    note = place.as_("mia").post(issue + "/notes", body="x").json()["id"]
    settled(place)
    place.as_("max").put(f"{issue}/notes/{note}", body="y")
    settled(place)
    last = receiver.named("Note Hook")[-1]
    assert last["object_attributes"]["action"] == "update"
    assert last["user"]["username"] == place.people["mia"].username


def test_an_edit_that_changes_nothing_tells_nobody(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    note = place.api.post(issue + "/notes", body="x").json()["id"]
    place.api.put(f"{issue}/notes/{note}", body="x")
    settled(place)
    assert len(receiver.named("Note Hook")) == 1


def test_the_steps_of_a_merge_request_are_told(place: Place, receiver: Receiver, hook: Hook) -> None:
    steps: list[tuple[str, Any]] = []

    def step() -> None:
        settled(place)
        attributes = receiver.named("Merge Request Hook")[-1]["object_attributes"]
        steps.append((attributes["action"], attributes.get("oldrev")))

    request = place.open()
    address = f"/merge_requests/{request.iid}"
    step()
    before = request.last_sha
    place.push("topic", "more", "x")
    step()
    place.api.put(address, title="Other")
    step()
    place.api.post(address + "/approve")
    step()
    place.api.post(address + "/unapprove")
    step()
    place.api.put(address, state_event="close")
    step()
    place.api.put(address, state_event="reopen")
    step()
    place.settled(request.iid)
    place.api.put(address + "/merge")
    step()
    plain = [(name, None) for name in ("update", "approved", "unapproved", "close", "reopen", "merge")]
    assert steps == [("open", None), ("update", before), *plain]


def test_reactions_given_and_taken_back_are_told(place: Place, receiver: Receiver, hook: Hook, issue: str) -> None:
    note = place.api.post(issue + "/notes", body="x").json()["id"]
    given = place.as_("mia").post(f"{issue}/notes/{note}/award_emoji", name="thumbsup").json()["id"]
    settled(place)
    place.as_("mia").delete(f"{issue}/notes/{note}/award_emoji/{given}")
    settled(place)
    told = receiver.named("Emoji Hook")
    assert [payload["event_type"] for payload in told] == ["award", "revoke"]
    assert {payload["user"]["username"] for payload in told} == {place.people["mia"].username}
    assert {payload["note"]["id"] for payload in told} == {note}
    assert all("issue" in payload for payload in told)


def test_a_pipeline_of_a_merge_request_goes_by_its_branch(place: Place, receiver: Receiver, hook: Hook) -> None:
    place.push("main", ".gitlab-ci.yml", "workflow: {rules: [{if: '$CI_MERGE_REQUEST_IID'}]}\n" + CI)
    request = place.open()
    assert place.sandbox.wait_until(lambda: bool(place.project.pipelines) and place.world.busy == 0)
    told = receiver.named("Pipeline Hook")
    assert {payload["object_attributes"]["ref"] for payload in told} == {"topic"}
    assert {payload["merge_request"]["iid"] for payload in told} == {request.iid}
    assert place.api.get("/pipelines").json()[0]["ref"] == f"refs/merge-requests/{request.iid}/head"
    assert {payload["object_attributes"]["status"] for payload in told} >= {"pending", "running", "success"}


def test_a_webhook_into_a_local_network_is_refused_without_the_reason(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place.world, "allows_local_hooks", False)
    for url in ("http://127.0.0.1:8080/hook", "http://10.0.0.7/hook", "ftp://ci.example/hook", "nonsense"):
        answer = place.api.post("/hooks", url=url)
        assert (answer.status_code, answer.json()) == (422, {"error": "Invalid url given"}), url
    assert place.api.post("/hooks", url="https://ci.example/hook").status_code == 201


# --- the shape, compared with GitLab's own examples ---

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "data" / "webhook-payloads" / "docs"

# What the examples have and nothing here reads: fields of old versions, of paid editions and of work items.
LEFT_OUT = {
    "assignee",
    "assignee_id",
    "branch_name",
    "closed_at",
    "discussion_locked",
    "due_date",
    "duplicated_to_id",
    "escalation_policy",
    "escalation_status",
    "first_contribution",
    "head_pipeline_id",
    "health_status",
    "human_time_change",
    "human_time_estimate",
    "human_total_time_spent",
    "last_edited_at",
    "last_edited_by_id",
    "merge_error",
    "merge_params",
    "milestone_id",
    "moved_to_id",
    "position",
    "prepared_at",
    "relative_position",
    "source_pipeline",
    "time_change",
    "time_estimate",
    "total_time_spent",
    "updated_by_id",
    "weight",
}
COMPARED = {
    "Note Hook": ("note_issue.json", ("user", "project", "object_attributes", "issue", "repository")),
    "Issue Hook": ("issue.json", ("user", "project", "object_attributes", "repository")),
    "Merge Request Hook": ("merge_request.json", ("user", "project", "object_attributes", "repository")),
    "Emoji Hook": ("emoji_award_on_issue_note.json", ("user", "project", "object_attributes", "note", "issue")),
    "Pipeline Hook": ("pipeline_full_fields.json", ("user", "project", "object_attributes", "merge_request", "commit")),
}


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the folder of recorded payloads is not here")
def test_payloads_have_the_keys_of_gitlabs_examples_and_no_others_on_top(
    place: Place, receiver: Receiver, hook: Hook, issue: str
) -> None:
    place.push("main", ".gitlab-ci.yml", "workflow: {rules: [{if: '$CI_MERGE_REQUEST_IID'}]}\n" + CI)
    note = place.api.post(issue + "/notes", body="x").json()["id"]
    place.api.post(f"{issue}/notes/{note}/award_emoji", name="thumbsup")
    place.open()
    assert place.sandbox.wait_until(lambda: bool(place.project.pipelines) and place.world.busy == 0)
    lacking, made_up = {}, {}
    for name, (file, parts) in COMPARED.items():
        example, ours = json.loads((PAYLOADS / file).read_text()), receiver.named(name)[0]
        lacking[name] = {
            f"{part}.{key}" for part in parts for key in set(example[part]) - set(ours[part]) if key not in LEFT_OUT
        } | (set(example) - set(ours) - LEFT_OUT)
        made_up[name] = set(ours) - set(example)
    assert {name: keys for name, keys in lacking.items() if keys} == {}
    assert {name: keys for name, keys in made_up.items() if keys} == {}
