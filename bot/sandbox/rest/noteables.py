"""Issues, notes, discussions and reactions."""

from bot.sandbox import acts
from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, checked_description, checked_title, paged
from bot.sandbox.rights import level, message
from bot.sandbox.state import Note, Noteable

_LONGEST_NOTE = 1_000_000
# A part of GitLab's list, so that a name it would not know is not taken here either.
EMOJI = frozenset(
    "thumbsup thumbsdown eyes rocket tada white_check_mark heavy_check_mark heart confused x warning tools smile "
    "smiley laughing cry open_mouth clap pray wave fire bug bulb zap star hourglass hourglass_flowing_sand robot "
    "question exclamation no_entry construction lock key memo ok_hand raised_hands 100 "
    "thumbsup_tone1 thumbsup_tone2 thumbsup_tone3 thumbsup_tone4 thumbsup_tone5".split()
)


def issue(call: Call) -> Answer:
    """Show an issue."""
    call.ids["kind"] = "issues"
    return Answer(200, shapes.issue(call.world, call.noteable))


def create_issue(call: Call) -> Answer:
    """Open an issue."""
    call.require("title")
    call.need_open()
    opened = acts.open_issue(
        call.world,
        call.project,
        call.user,
        checked_title(call),
        checked_description(call) or "",
        is_confidential=call.flag("confidential"),
    )
    return Answer(201, shapes.issue(call.world, opened))


def _seen(call: Call, of: Noteable) -> list[Note]:
    sees_internal = level(of.project, call.user) >= 15
    return [note for note in of.notes if sees_internal or not note.is_internal]


def notes(call: Call) -> Answer:
    """List notes, the newest first unless asked otherwise."""
    of = call.noteable
    rows = sorted(_seen(call, of), key=lambda note: (note.created_at, note.id), reverse=call.text("sort") != "asc")
    return paged(call, rows, lambda note: shapes.note(call.world, of, note))


def note(call: Call) -> Answer:
    """Show a note."""
    return Answer(200, shapes.note(call.world, call.noteable, call.note))


def create_note(call: Call) -> Answer:
    """Write a note; one of nothing but commands gives 202 and is not kept."""
    call.need_open()
    body = _body(call)
    of, internal = call.noteable, call.flag("internal") or call.flag("confidential")
    if internal and level(of.project, call.user) < 15:
        raise message(403, "403 Forbidden")
    return _written(call, of, acts.comment(call.world, of, call.user, body, is_internal=internal))


def reply(call: Call) -> Answer:
    """Answer in a thread; an internal thread stays internal."""
    call.need_open()
    body, of = _body(call), call.noteable
    thread = call.ids["discussion"]
    if not any(note.discussion_id == thread for note in _seen(call, of)):
        raise message(404, "404 Discussion Not Found")
    return _written(call, of, acts.comment(call.world, of, call.user, body, discussion_id=thread))


def _body(call: Call) -> str:
    call.require("body")
    body = str(call.params["body"])
    if not body.strip():
        raise message(400, {"note": ["can't be blank"]})
    if len(body) > _LONGEST_NOTE:
        raise message(400, {"note": [f"is too long (maximum is {_LONGEST_NOTE} characters)"]})
    return body


def _written(call: Call, of: Noteable, result: Note | dict[str, object]) -> Answer:
    if isinstance(result, Note):
        return Answer(201, shapes.note(call.world, of, result))
    return Answer(202, result)


def edit_note(call: Call) -> Answer:
    """Change a note; its author and Maintainers may."""
    call.need_open()
    of, changed = call.noteable, call.note
    if changed.author.id != call.user.id and level(of.project, call.user) < 40:
        raise message(403, "403 Forbidden")
    acts.edit(call.world, of, changed, _body(call), by=call.user)
    return Answer(200, shapes.note(call.world, of, changed))


def delete_note(call: Call) -> Answer:
    """Delete a note."""
    of, gone = call.noteable, call.note
    if gone.author.id != call.user.id and level(of.project, call.user) < 40:
        raise message(403, "403 Forbidden")
    of.notes.remove(gone)
    return Answer(204)


def discussions(call: Call) -> Answer:
    """List the threads."""
    of = call.noteable
    threads: dict[str, list[Note]] = {}
    for one in _seen(call, of):
        threads.setdefault(one.discussion_id, []).append(one)
    return paged(
        call,
        list(threads.items()),
        lambda row: {
            "id": row[0],
            "individual_note": len(row[1]) == 1 and row[1][0].kind is None,
            "notes": [shapes.note(call.world, of, one) for one in row[1]],
        },
    )


def _target(call: Call) -> Note | None:
    return call.note if "note" in call.ids else None


def awards(call: Call) -> Answer:
    """List reactions."""
    of, on = call.noteable, _target(call)
    return paged(call, on.awards if on else of.awards, lambda one: shapes.award(call.world, of, on, one))


def create_award(call: Call) -> Answer:
    """React; GitLab answers 404 for a second time and for emoji it does not know."""
    call.require("name")
    if call.project.is_archived:
        raise message(404, "404 Award Emoji Not Found")
    of, on = call.noteable, _target(call)
    name = str(call.params["name"])
    if name not in EMOJI:
        raise message(404, "404 Award Emoji Name is not a valid emoji name Not Found")
    award = acts.react(call.world, of, on, call.user, name)
    return Answer(201, shapes.award(call.world, of, on, award))


def delete_award(call: Call) -> Answer:
    """Take a reaction back."""
    of, on = call.noteable, _target(call)
    wanted = call.number("award")
    found = next((one for one in (on.awards if on else of.awards) if one.id == wanted), None)
    if found is None:
        raise message(404, "404 Not found")
    if found.user.id != call.user.id:
        raise message(401, "401 Unauthorized")
    acts.unreact(call.world, of, on, found)
    return Answer(204)
