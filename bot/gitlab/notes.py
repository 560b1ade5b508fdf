"""Issues, notes and reactions."""

from bot.domain import Noteable, SafeText, UnreachableError
from bot.gitlab import read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import AwardEmoji, Note, NoteableDetails

_FOLDERS = {"issue": "issues", "merge_request": "merge_requests"}

_EDITED = "query($i:NoteID!){note(id:$i){lastEditedAt}}"

_PAGE = 100
# Nobody gives fifty thousand reactions; whoever makes a script do so shall not keep us reading for ever.
_MOST_PAGES = 500


class Notes:
    """What people and the bot say and show on issues and merge requests."""

    transport: Transport

    def noteable(self, project_id: int, noteable: Noteable) -> NoteableDetails:
        """Return an issue or merge request."""
        json = self.transport.read_json(
            "/projects/{project}/" + _FOLDERS[noteable.kind] + "/{iid}", project=project_id, iid=noteable.iid
        )
        return NoteableDetails(
            title=json["title"],
            description=json.get("description") or "",
            state=json["state"],
            is_confidential=bool(json.get("confidential")),
            web_url=json["web_url"],
            author=read.person(json["author"]),
        )

    def notes(self, project_id: int, noteable: Noteable, *, most: int = _PAGE) -> tuple[Note, ...]:
        """Return the newest notes, newest first; a hundred at most."""
        query = {"sort": "desc", "order_by": "created_at", "per_page": most}
        rows = self.transport.read_json(_notes(noteable), query, project=project_id, iid=noteable.iid)
        return tuple(read.note(row) for row in rows)

    def note(self, project_id: int, noteable: Noteable, note_id: int) -> Note | None:
        """Return one note as it stands now; None when it is gone, or not of this issue or merge request."""
        route = _notes(noteable) + "/{note}"
        try:
            return read.note(self.transport.read_json(route, project=project_id, iid=noteable.iid, note=note_id))
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return None

    def was_edited(self, note: Note) -> bool:
        """Tell whether somebody edited a note, as only GraphQL says; where it says nothing, that counts as if."""
        if not note.is_touched:
            return False
        body = {"query": _EDITED, "variables": {"i": f"gid://gitlab/Note/{note.id}"}}
        found = (self.transport.ask(f"{self.transport.url}/api/graphql", body).get("data") or {}).get("note")
        return found is None or found.get("lastEditedAt") is not None

    def create_note(
        self,
        project_id: int,
        noteable: Noteable,
        text: SafeText,
        *,
        is_internal: bool,
        discussion_id: str | None = None,
    ) -> int:
        """Write a note and return its id; in the thread `discussion_id` when one is given.

        When the answer was lost, the newest notes are read: one with our very text is ours.
        """
        body: dict[str, object] = {"body": text.markdown}
        route = _notes(noteable)
        if discussion_id is not None:  # a reply inherits whether its thread is internal
            route = "/projects/{project}/" + _FOLDERS[noteable.kind] + "/{iid}/discussions/{discussion}/notes"
        elif is_internal:
            body["internal"] = True
        try:
            json = self.transport.write(
                "post", route, body, project=project_id, iid=noteable.iid, discussion=discussion_id
            )
        except UnreachableError as lost:
            if not lost.effect_possible:
                raise
            written = (
                note.id for note in self.notes(project_id, noteable) if note.body.strip() == text.markdown.strip()
            )
            found = next(written, None)
            if found is None:
                raise
            return found
        return int(json["id"])

    def edit_note(self, project_id: int, noteable: Noteable, note_id: int, text: SafeText) -> bool:
        """Replace a note's text; False when somebody deleted the note.

        Doing so twice changes nothing, so a lost answer is simply asked for again.
        """
        try:
            self._put_note(project_id, noteable, note_id, text)
        except UnreachableError:
            self._put_note(project_id, noteable, note_id, text)
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return False
        return True

    def _put_note(self, project_id: int, noteable: Noteable, note_id: int, text: SafeText) -> None:
        route, body = _notes(noteable) + "/{note}", {"body": text.markdown}
        self.transport.write("put", route, body, project=project_id, iid=noteable.iid, note=note_id)

    def react(self, project_id: int, noteable: Noteable, note_id: int | None, emoji: str) -> None:
        """Award an emoji; GitLab answers 404 when it is there already."""
        try:
            self.transport.write(
                "post", _awards(noteable, note_id), {"name": emoji}, project=project_id, iid=noteable.iid, note=note_id
            )
        except RefusedError as refused:
            if refused.status != 404:
                raise

    def reactions(self, project_id: int, noteable: Noteable, note_id: int | None) -> tuple[AwardEmoji, ...]:
        """Return the reactions that stand now: all of them, for the one that approves may be the last."""
        rows = self.transport.read_rows(
            _awards(noteable, note_id), most_pages=_MOST_PAGES, project=project_id, iid=noteable.iid, note=note_id
        )
        return tuple(read.award(row) for row in rows)


def _notes(noteable: Noteable) -> str:
    return "/projects/{project}/" + _FOLDERS[noteable.kind] + "/{iid}/notes"


def _awards(noteable: Noteable, note_id: int | None) -> str:
    on = "" if note_id is None else "/notes/{note}"
    return "/projects/{project}/" + _FOLDERS[noteable.kind] + "/{iid}" + on + "/award_emoji"
