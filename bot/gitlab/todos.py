"""The to-do list of the bot's account: who named it, whatever became of the webhook (docs.gitlab.com/api/todos)."""

from typing import Any

from bot.gitlab import read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import Todo

_MENTIONS = ("mentioned", "directly_addressed")
_KINDS = frozenset({"Issue", "MergeRequest"})


class Todos:
    """Reads and clears the list."""

    transport: Transport

    def todos(self) -> tuple[Todo, ...]:
        """Return the mentions that wait (a hundred of each kind at a time), oldest first.

        GitLab keeps one for each target, and takes it off itself as soon as the account comments or reacts there. What
        else it puts there, such as each draft whose pipeline failed, nobody ever takes off.
        """
        rows = [row for action in _MENTIONS for row in self._waiting(action) if row["target_type"] in _KINDS]
        return tuple(read.todo(row) for row in sorted(rows, key=lambda row: int(row["id"])))

    def _waiting(self, action: str) -> list[dict[str, Any]]:
        query = {"state": "pending", "action": action, "per_page": 100}
        rows: list[dict[str, Any]] = self.transport.read_json("/todos", query)
        return rows

    def finish_todo(self, todo_id: int) -> None:
        """Take an entry off the list; one that is gone already is fine."""
        try:
            self.transport.write("post", "/todos/{todo}/mark_as_done", {}, todo=todo_id)
        except RefusedError as refused:
            if refused.status != 404:
                raise
