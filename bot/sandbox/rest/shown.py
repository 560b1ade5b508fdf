"""GraphQL's `project(fullPath:){issue(iid:)}` and its like for merge requests: null for what one may not see."""

import re

from bot.sandbox import rights
from bot.sandbox.rest.call import Answer, Call
from bot.sandbox.rest.shapes import date
from bot.sandbox.state import Note, Noteable, NoteableKind

PATTERN = re.compile(r"(\w+):project\(fullPath:\$(\w+)\)\{(issue|mergeRequest)\(iid:\$(\w+)\)\{iid\}\}")
_KINDS: dict[str, NoteableKind] = {"issue": "issue", "mergeRequest": "merge_request"}
_MOST_COMPLEX = 250


def answer(call: Call, query: str, variables: dict[str, object]) -> Answer:
    """Answer each alias."""
    asked = PATTERN.findall(query)
    if len(asked) * 4 > _MOST_COMPLEX:
        text = f"Query has complexity of {len(asked) * 4}, which exceeds max complexity of {_MOST_COMPLEX}"
        return Answer(200, {"errors": [{"message": text}]})
    data = {
        alias: _project(call, str(variables.get(path)), field, str(variables.get(iid)))
        for alias, path, field, iid in asked
    }
    return Answer(200, {"data": data})


def edited(call: Call, wanted: str) -> Answer:
    """Answer `note(id:){lastEditedAt}` (app/graphql/types/notes/base_note_interface.rb)."""
    found = next(
        (
            note
            for project in call.world.projects.values()
            for of in (*project.issues, *project.merge_requests)
            for note in of.notes
            if f"gid://gitlab/Note/{note.id}" == wanted and _sees(call, of, note)
        ),
        None,
    )
    return Answer(200, {"data": {"note": {"lastEditedAt": date(found.edited_at)} if found else None}})


def _sees(call: Call, of: Noteable, note: Note) -> bool:
    is_open = not note.is_internal or rights.level(of.project, call.user) >= 15
    return is_open and rights.may_see(of.project, call.user) and rights.may_see_noteable(of, call.user)


def _project(call: Call, path: str, field: str, iid: str) -> dict[str, dict[str, str] | None] | None:
    project = None if path.isdigit() else call.world.project_at(path)
    if project is None or not rights.may_see(project, call.user):
        return None
    found = project.noteable(_KINDS[field], int(iid)) if iid.isdigit() else None
    is_shown = found is not None and rights.may_see_noteable(found, call.user)
    return {field: {"iid": iid} if is_shown else None}
