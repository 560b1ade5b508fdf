"""The to-do list of the bot's account: who named it, whatever became of the webhook (docs.gitlab.com/api/todos)."""

from bot.gitlab import read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import Todo

_MENTIONS = frozenset({"mentioned", "directly_addressed"})
_KINDS = frozenset({"Issue", "MergeRequest"})


class Todos:
    """Reads and clears the list."""

    transport: Transport

    def todos(self) -> tuple[Todo, ...]:
        """Return the mentions that wait (a hundred at a time), oldest first.

        GitLab keeps one for each target, and takes it off itself as soon as the account comments or reacts there.
        """
        rows = self.transport.read_json("/todos", {"state": "pending", "per_page": 100})
        mentions = [row for row in rows if row["action_name"] in _MENTIONS and row["target_type"] in _KINDS]
        return tuple(read.todo(row) for row in reversed(mentions))

    def finish_todo(self, todo_id: int) -> None:
        """Take an entry off the list; one that is gone already is fine."""
        try:
            self.transport.write("post", "/todos/{todo}/mark_as_done", {}, todo=todo_id)
        except RefusedError as refused:
            if refused.status != 404:
                raise
