"""Quick actions: what GitLab cuts out of a comment before anybody sees it, and what it does with it."""

import pytest

from bot.sandbox import quick_actions
from tests.sandbox.conftest import Place

CUT = {
    "alone": ("/close", ""),
    "any case": ("/CLOSE", ""),
    "with words": ("/label ~ci please", ""),
    "after text": ("LGTM\n/approve", "LGTM"),
    "before text": ("/approve\nLGTM", "LGTM"),
    "trailing blanks": ("/close  ", ""),
    "after a closed fence": ("```\ncode\n```\n/close", "```\ncode\n```"),
    "after HTML in a closed fence": ("```\n<div>\n```\n/close", "```\n<div>\n```"),
    "after a fence whose code shows a fence": ("```\n```python\n```\n/close", "```\n```python\n```"),
    "after a quote and a blank line": ("> hm\n\n/close", "> hm"),
    "after an inline tag": ("<b>now</b> then\n/close", "<b>now</b> then"),
    "after a lone tag inside a paragraph": ("so\n<b>\n/close", "so\n<b>"),
    "below a list": ("- one\n/close", "- one"),
    "an issue's command on a merge request, and the other way round": ("/draft\n/duplicate #1", ""),
}
LEFT = {
    "behind a mention": "@bot /approve",
    "indented": " /close",
    "in code": "`/close`",
    "in a fence": "```\n/close\n```",
    "in a longer fence": "````\n```\n/close\n````",
    "in a fence of tildes": "~~~\n/close\n~~~",
    "in a fence nobody closed": "```\n/close",
    "in a quote": "> /close",
    "directly below a quote": "> hm\n/close",
    "in an HTML block": "<div>\n/close\n</div>",
    "an unknown name": "/approved",
    "an unknown name with words": "/pipeline ok",
    "a path": "/close/the/door",
    "glued to words": "/close,",
}


@pytest.mark.parametrize("name", CUT)
def test_a_command_is_cut_out(name: str) -> None:
    text, left = CUT[name]
    kept, commands = quick_actions.extract(text)
    assert (kept, bool(commands)) == (left, True)


@pytest.mark.parametrize("name", LEFT)
def test_what_is_no_command_stays(name: str) -> None:
    assert quick_actions.extract(LEFT[name]) == (LEFT[name], [])


def test_a_shrug_is_replaced_and_no_command() -> None:
    text, commands = quick_actions.extract("/shrug so what")
    assert text.startswith("so what ¯")
    assert commands == []


def test_words_behind_a_command_are_its_argument() -> None:
    assert quick_actions.extract("/Title  Better words ") == ("", [("title", "Better words")])


# --- the table of what a comment does, on an issue and on a merge request ---


def events(place: Place, name: str) -> int:
    return sum(delivery.headers["X-Gitlab-Event"] == name for delivery in place.project.hooks[0].deliveries)


@pytest.fixture
def told(place: Place) -> Place:
    """A project with a webhook, whose deliveries are counted."""
    place.api.post("/hooks", url="http://127.0.0.1:9/", note_events=True, merge_requests_events=True)
    return place


def test_an_approval_by_comment_alone_is_no_note_but_an_approval(told: Place) -> None:
    request = told.open()
    answer = told.api.post(f"/merge_requests/{request.iid}/notes", body="/approve")
    assert (answer.status_code, answer.json()["summary"]) == (202, ["Approved the current merge request."])
    assert "id" not in answer.json()
    assert [note.body for note in request.notes if not note.is_system] == []
    assert [user.username for user, _ in request.approvals] == [told.people["max"].username]
    assert events(told, "Note Hook") == 0
    assert told.project.hooks[0].deliveries[-1].body.count(b'"action": "approved"') == 1


@pytest.mark.parametrize("who", ["rob", "gina"])
def test_who_may_not_approve_is_told_so_and_nothing_is_kept(told: Place, who: str) -> None:
    told.project.visibility = "internal"
    request = told.open()
    before = events(told, "Merge Request Hook")
    answer = told.as_(who).post(f"/merge_requests/{request.iid}/notes", body="/approve")
    assert (answer.status_code, answer.json()["summary"]) == (202, ["Could not apply approve command."])
    assert (request.notes, request.approvals) == ([], [])
    assert events(told, "Merge Request Hook") == before


def test_a_second_approval_by_comment_does_nothing(told: Place) -> None:
    request = told.open()
    told.api.post(f"/merge_requests/{request.iid}/approve")
    answer = told.api.post(f"/merge_requests/{request.iid}/notes", body="/approve")
    assert answer.json()["summary"] == ["Could not apply approve command."]


def test_an_approval_below_words_keeps_the_words_only(told: Place) -> None:
    request = told.open()
    answer = told.api.post(f"/merge_requests/{request.iid}/notes", body="LGTM\n/approve")
    assert (answer.status_code, answer.json()["body"]) == (201, "LGTM")
    assert len(request.approvals) == 1
    assert events(told, "Note Hook") == 1


def test_an_approval_on_an_issue_is_lost_without_any_hook(told: Place, issue: str) -> None:
    answer = told.api.post(issue + "/notes", body="/approve")
    assert (answer.status_code, answer.json()["summary"]) == (202, ["Could not apply approve command."])
    assert told.api.get(issue + "/notes").json() == []
    assert told.project.hooks[0].deliveries == []


def test_a_mention_on_the_same_line_is_a_note_and_no_approval(told: Place) -> None:
    request = told.open()
    answer = told.api.post(f"/merge_requests/{request.iid}/notes", body="@bot /approve")
    assert (answer.status_code, answer.json()["body"]) == (201, "@bot /approve")
    assert request.approvals == []


# --- the bot's own words are carried out too ---


def test_commands_in_the_description_of_a_new_merge_request_are_carried_out(place: Place) -> None:
    request = place.open(description="Words\n/title Other words")
    assert (request.description, request.title) == ("Words", "Other words")


def test_commands_in_the_description_of_an_issue_are_carried_out(place: Place) -> None:
    opened = place.api.post("/issues", title="Old", description="/close").json()
    assert (opened["state"], opened["description"]) == ("closed", "")


def test_commands_in_a_changed_description_are_carried_out(place: Place) -> None:
    request = place.open()
    answer = place.api.put(f"/merge_requests/{request.iid}", description="Words\n/close")
    assert (answer.json()["state"], answer.json()["description"]) == ("closed", "Words")


def test_a_note_edited_to_nothing_but_a_command_is_gone(place: Place, issue: str) -> None:
    note = place.api.post(issue + "/notes", body="Words").json()["id"]
    place.api.put(f"{issue}/notes/{note}", body="/close")
    assert place.api.get(issue + "/notes").json() == []
    assert place.api.get(issue).json()["state"] == "closed"


@pytest.mark.parametrize(
    ("before", "command", "after"),
    [
        ("Draft: feat: it", "/ready", "feat: it"),
        ("[Draft] it", "/ready", "it"),
        ("feat: it", "/ready", "feat: it"),
        ("feat: it", "/draft", "Draft: feat: it"),
        ("Draft: it", "/draft", "Draft: it"),
    ],
)
def test_draft_and_ready_change_the_title(place: Place, before: str, command: str, after: str) -> None:
    request = place.open(title=before)
    place.api.post(f"/merge_requests/{request.iid}/notes", body=command)
    assert request.title == after


def test_a_guest_closes_no_merge_request(place: Place) -> None:
    place.project.visibility = "internal"
    request = place.open()
    answer = place.as_("gina").post(f"/merge_requests/{request.iid}/notes", body="/close")
    assert answer.json()["summary"] == ["Could not apply close command."]
    assert request.state == "opened"
