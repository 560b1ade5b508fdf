"""What the reader of webhooks makes of a delivery: one fact, or nothing."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from bot.domain import (
    Event,
    Mention,
    MergeRequestChanged,
    Noteable,
    Person,
    PipelineChanged,
    ProjectRef,
    Reaction,
)
from bot.gitlab.webhook import is_authentic, mentions, read_webhook
from tests.gitlab.payloads import (
    ADA,
    BEFORE,
    BOT,
    HEAD,
    ISSUE,
    NAMES,
    REQUEST,
    Json,
    by,
    emoji,
    issue,
    merge_request,
    note,
    pipeline,
)

PROJECT = ProjectRef(id=7, path="team/app", web_url="https://gitlab.test/team/app")
ON_ISSUE, ON_REQUEST = Noteable(kind="issue", iid=17), Noteable(kind="merge_request", iid=3)
GENERATE = "@pipewright generate"


def read(payload: object) -> Event | None:
    return read_webhook(payload, bot=BOT, mention_names=NAMES)


def mention(of: Noteable = ON_ISSUE, *, title: str = ISSUE["title"], **changes: object) -> Mention:
    known = {"text": GENERATE, "note_id": 1244, "noteable_title": title} | changes
    return Mention(project=PROJECT, noteable=of, author=ADA, **known)  # type: ignore[arg-type]


def reaction(of: Noteable = ON_ISSUE, **changes: object) -> Reaction:
    known = {"emoji": "thumbsup", "is_award": True, "note_id": 1245} | changes
    return Reaction(project=PROJECT, noteable=of, author=ADA, **known)  # type: ignore[arg-type]


def changed(
    action: str, *, oldrev: str | None = None, head: str | None = HEAD, author: Person = ADA
) -> MergeRequestChanged:
    return MergeRequestChanged(
        project=PROJECT,
        iid=3,
        action=action,  # type: ignore[arg-type]
        author=author,
        source_branch="ci",
        head_sha=head,
        oldrev=oldrev,
    )


def without(payload: Json, key: str) -> Json:
    return {name: value for name, value in payload.items() if name != key}


def note_without(key: str) -> Json:
    return note() | {"object_attributes": without(note()["object_attributes"], key)}


ON = {"merge_request": REQUEST}
TITLE = REQUEST["title"]

FACTS = [
    pytest.param(note(), mention(), id="a note on an issue"),
    pytest.param(note(on=ON), mention(ON_REQUEST, title=TITLE), id="a note on a merge request"),
    pytest.param(
        note("hi @PipeWright-Bot, help"), mention(text="hi @PipeWright-Bot, help"), id="by the account's name"
    ),
    pytest.param(note_without("action"), mention(), id="a note as GitLab sent it before 16.11"),
    pytest.param(note(type="DiscussionNote"), mention(discussion_id="d15c"), id="a note in a thread"),
    pytest.param(
        note(on=ON, type="DiffNote"), mention(ON_REQUEST, title=TITLE, discussion_id="d15c"), id="a note on a line"
    ),
    pytest.param(note(internal=True), mention(is_internal=True), id="an internal note"),
    pytest.param(note(event_type="confidential_note"), mention(is_internal=True), id="a confidential note"),
    pytest.param(
        note(on={"issue": ISSUE | {"confidential": True}}),
        mention(is_internal=True),
        id="a note on a confidential issue",
    ),
    pytest.param(issue(), mention(note_id=None), id="a description"),
    pytest.param(issue(confidential=True), mention(note_id=None, is_internal=True), id="a confidential description"),
    pytest.param(
        issue(event_type="confidential_issue"), mention(note_id=None, is_internal=True), id="a confidential issue"
    ),
    pytest.param(emoji(), reaction(), id="a reaction to a note"),
    pytest.param(emoji("revoke"), reaction(is_award=False), id="a reaction taken back"),
    pytest.param(
        emoji(awardable_type="MergeRequest", awardable_id=401, on=ON),
        reaction(ON_REQUEST, note_id=None),
        id="a reaction to a merge request",
    ),
    pytest.param(
        emoji(awardable_type="Issue", awardable_id=301, on={"issue": ISSUE}),
        reaction(note_id=None),
        id="a reaction to an issue",
    ),
    pytest.param(emoji(name="rocket"), reaction(emoji="rocket"), id="any emoji: what it means is judged later"),
    pytest.param(merge_request("approved"), changed("approved"), id="approved"),
    pytest.param(merge_request("approval"), changed("approved"), id="approved with rules left to meet"),
    pytest.param(merge_request("unapproved"), changed("unapproved"), id="approval taken back"),
    pytest.param(merge_request("unapproval"), changed("unapproved"), id="approval taken back with rules left to meet"),
    pytest.param(merge_request("merge"), changed("merge"), id="merged"),
    pytest.param(merge_request("close"), changed("close"), id="closed"),
    pytest.param(merge_request("reopen"), changed("reopen"), id="opened again"),
    pytest.param(merge_request("update", oldrev=BEFORE), changed("update", oldrev=BEFORE), id="pushed"),
    pytest.param(merge_request("close", last_commit=None), changed("close", head=None), id="closed without commits"),
    pytest.param(by(BOT, merge_request("merge")), changed("merge", author=BOT), id="merged by the bot itself"),
    pytest.param(
        pipeline(),
        PipelineChanged(project=PROJECT, pipeline_id=31, ref="ci", sha=HEAD, status="success"),
        id="a pipeline",
    ),
    pytest.param(
        by(BOT, pipeline(status="running", sha="c" * 64)),
        PipelineChanged(project=PROJECT, pipeline_id=31, ref="ci", sha="c" * 64, status="running"),
        id="a pipeline the bot started, of a SHA-256 repository",
    ),
]


@pytest.mark.parametrize(("payload", "expected"), FACTS)
def test_a_delivery_states_one_fact(payload: Json, expected: Event) -> None:
    assert read(payload) == expected


OTHER_BOTS = ("project_12_bot", "project_12_bot_4ffca233d8298ea1", "group_3_bot_9a", "service_account_x1", "ghost")

NOTHING = [
    pytest.param(note("please help"), id="a note without a mention"),
    pytest.param(note("mail ci@pipewright.example"), id="an address"),
    pytest.param(note("@pipewrights are many"), id="a longer name"),
    pytest.param(note("ask @pipewright/people"), id="a group's name"),
    pytest.param(note(""), id="an empty note"),
    pytest.param(note(system=True), id="a system note"),
    pytest.param(note(action="update"), id="an edited note"),
    pytest.param(by(BOT, note()), id="a note of the bot"),
    *(pytest.param(by(Person(id=50, username=name), note()), id=f"a note of {name}") for name in OTHER_BOTS),
    pytest.param(note(on={"commit": {"id": HEAD}}), id="a note on a commit"),
    pytest.param(note(on={"snippet": {"id": 3}}), id="a note on a snippet"),
    pytest.param(note(None), id="a note without text"),
    pytest.param(note(id="1244"), id="an id that is no number"),
    pytest.param(note(id=2**63), id="an id beyond 64 bits"),
    pytest.param(note(id=True), id="an id that is a truth value"),
    pytest.param(without(note(), "user"), id="a note of nobody"),
    pytest.param(without(note(), "project"), id="a note of no project"),
    pytest.param(issue("no name"), id="a description without a mention"),
    pytest.param(issue(action="update"), id="a changed description"),
    pytest.param(issue(action="reopen"), id="an issue opened again"),
    pytest.param(issue(author_id=6), id="an issue opened by another than its author"),
    pytest.param(by(BOT, issue()), id="an issue of the bot"),
    pytest.param(by(BOT, emoji()), id="a reaction of the bot"),
    pytest.param(emoji("created"), id="an unknown act on an emoji"),
    pytest.param(emoji(awardable_type="Snippet", on={"project_snippet": {"id": 1}}), id="a reaction to a snippet"),
    pytest.param(emoji(awardable_id=None), id="a reaction to no note"),
    pytest.param(emoji(name=None), id="a reaction without a name"),
    pytest.param(merge_request("open"), id="an opened merge request"),
    pytest.param(merge_request("update"), id="a changed title"),
    pytest.param(merge_request("update", oldrev="main"), id="a push from no sha"),
    pytest.param(merge_request(None), id="a merge request without an act"),
    pytest.param(merge_request(iid="3"), id="a merge request by text"),
    pytest.param(pipeline(sha="main"), id="a pipeline of no sha"),
    pytest.param(pipeline(status=None), id="a pipeline without a status"),
    pytest.param({"object_kind": "build", "build_id": 1, "project_id": 7}, id="a job hook"),
    pytest.param(note() | {"object_kind": "work_item"}, id="a kind we do not know"),
    pytest.param(note() | {"object_attributes": ["x"]}, id="attributes that are a list"),
    pytest.param([note()], id="a list of deliveries"),
    pytest.param("note", id="a word"),
    pytest.param(None, id="null"),
]


@pytest.mark.parametrize("payload", NOTHING)
def test_what_gives_no_order_is_nothing(payload: object) -> None:
    assert read(payload) is None


@pytest.mark.parametrize(
    ("text", "names_the_bot"),
    [
        ("@pipewright", True),
        ("Thanks, @pipewright!", True),
        ("(@pipewright)", True),
        ("@pipewright.", True),
        ("@pipewright: generate", True),
        ("@PIPEWRIGHT", True),
        ("> @pipewright", True),
        ("@pipewright.dev", False),
        ("@pipewright_2", False),
        ("@pipewright-2", False),
        ("a@pipewright", False),
        ("@@pipewright", False),
        ("https://gitlab.test/@pipewright", False),
        ("pipewright", False),
    ],
)
def test_a_mention_is_the_whole_name(text: str, names_the_bot: bool) -> None:
    assert mentions(text, NAMES) is names_the_bot


def test_without_a_name_nobody_is_mentioned() -> None:
    assert not mentions("@ hello", ())


# --- recorded payloads ---

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "webhook-payloads"
here = pytest.mark.skipif(not RECORDED.is_dir(), reason="the folder of recorded payloads is not here")
# Before GitLab 14 a hook named no user id: such a delivery orders nothing.
EXPECTED: dict[str, type[Event] | None] = {
    "composite/emoji_award_on_bot_issue_note": Reaction,
    "composite/emoji_award_on_merge_request": Reaction,
    "composite/emoji_revoke_on_bot_issue_note": Reaction,
    "composite/merge_request_approved": MergeRequestChanged,
    "composite/merge_request_merge": MergeRequestChanged,
    "composite/merge_request_update_marked_ready": None,
    "composite/merge_request_update_new_push": MergeRequestChanged,
    "composite/note_issue_confidential_create": Mention,
    "composite/note_issue_mention_create": Mention,
    "composite/note_mr_approve_with_text_create": Mention,
    "composite/note_mr_edited_update": None,
    "composite/note_mr_thread_reply_create": Mention,
    "docs/emoji_award_on_issue_note": Reaction,
    "docs/issue": None,
    "docs/job": None,
    "docs/merge_request": None,
    "docs/note_issue": None,
    "docs/pipeline_full_fields": PipelineChanged,
    "docs/push": None,
    "real-captures/issue_comment_create": None,
    "real-captures/pull_request_merge": None,
    "real-captures/pull_request_review_ready": None,
}


def read_recorded(path: Path) -> Event | None:
    return read_webhook(json.loads(path.read_text()), bot=BOT, mention_names=("pipeline-bot",))


@here
@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_payload_states_what_its_name_says(name: str) -> None:
    event = read_recorded(RECORDED / f"{name}.json")
    assert type(event) is (EXPECTED[name] or type(None))


@here
def test_a_recorded_confidential_note_is_internal() -> None:
    event = read_recorded(RECORDED / "composite" / "note_issue_confidential_create.json")
    assert isinstance(event, Mention)
    assert event.is_internal


@here
def test_no_recorded_payload_raises_however_it_is_maimed() -> None:
    paths = sorted(RECORDED.glob("**/*.json"))
    assert len(paths) >= len(EXPECTED)
    for path in paths:
        payload = json.loads(path.read_text())
        for key in payload:
            for value in (None, [], "x", 0, -1, {}, {"id": "x"}):
                read(payload | {key: value})


# --- authenticity ---

KEY = b"k" * 32
SIGNING_TOKEN = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_790_000_000.0
BODY = b'{"object_kind":"note"}'


def signature(body: bytes = BODY, *, key: bytes = KEY, at: float = NOW, identity: str = "d-1") -> str:
    signed = f"{identity}.{int(at)}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed(value: str, *, at: object = int(NOW), **more: str) -> dict[str, str]:
    return {"webhook-id": "d-1", "webhook-timestamp": str(at), "webhook-signature": value, **more}


TOKEN = {"x-gitlab-token": "open sesame"}

GENUINE = [
    pytest.param(signed(signature()), id="signed"),
    pytest.param(signed(signature(at=NOW - 299), at=int(NOW - 299)), id="signed almost five minutes ago"),
    pytest.param(signed(signature(at=NOW + 299), at=int(NOW + 299)), id="signed by a clock ahead"),
    pytest.param(signed(f"v1,AAAA {signature()}"), id="signed with an old and the new key"),
    pytest.param(signed(f"v2,AAAA {signature()} v1a,BBBB"), id="signed in several versions"),
    pytest.param(TOKEN, id="with the token"),
]
FORGED = [
    pytest.param(signed(signature(b"{}")), id="signed for another body"),
    pytest.param(signed(signature(key=b"x" * 32)), id="signed with another key"),
    pytest.param(signed(signature(identity="d-2")), id="signed for another delivery"),
    pytest.param(signed(signature(at=NOW - 301), at=int(NOW - 301)), id="signed more than five minutes ago"),
    pytest.param(signed(signature(at=NOW + 301), at=int(NOW + 301)), id="signed in the future"),
    pytest.param(signed(signature(), at=int(NOW) + 1), id="with another time than the signed one"),
    pytest.param(signed(signature(), at="now"), id="with a time that is no number"),
    pytest.param(signed(signature(), at=""), id="without a time"),
    pytest.param(signed(signature().removeprefix("v1,")), id="with a signature of no version"),
    pytest.param(signed(signature().replace("v1,", "v2,")), id="with a signature of an unknown version"),
    pytest.param(signed(""), id="with an empty signature"),
    pytest.param(signed("v1,ümlaut"), id="with a signature that is no base64"),
    pytest.param(signed("v1,AAAA", **TOKEN), id="with the right token under a wrong signature"),
    pytest.param({"x-gitlab-token": "open sesam"}, id="with a wrong token"),
    pytest.param({"x-gitlab-token": ""}, id="with an empty token"),
    pytest.param({"x-gitlab-token": "öffne dich"}, id="with a token in another alphabet"),
    pytest.param({}, id="with nothing"),
]


def is_let_in(
    headers: dict[str, str], *, secret: str | None = "open sesame", token: str | None = SIGNING_TOKEN
) -> bool:
    return is_authentic(headers, BODY, secret=secret, signing_token=token, now=NOW)


@pytest.mark.parametrize("headers", GENUINE)
def test_a_genuine_delivery_is_let_in(headers: dict[str, str]) -> None:
    assert is_let_in(headers)


@pytest.mark.parametrize("headers", FORGED)
def test_a_forged_delivery_is_turned_away(headers: dict[str, str]) -> None:
    assert not is_let_in(headers)


def test_a_token_counts_for_nothing_where_only_signatures_are_expected() -> None:
    assert not is_let_in(TOKEN, secret=None)


def test_an_older_hook_with_a_token_is_let_in_where_no_signature_is_expected() -> None:
    assert is_let_in(TOKEN, token=None)
    assert not is_let_in({"x-gitlab-token": ""}, token=None, secret="")


def test_a_signing_token_that_is_no_key_lets_nobody_in() -> None:
    assert not is_let_in(signed(signature()), token="whsec_not base64!")
