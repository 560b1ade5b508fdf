"""The model, each of whose turns is told to the traces."""

from collections.abc import Sequence

from bot import tracing
from bot.domain import ChatMessage, ModelTurn, ToolSpec
from bot.llm.chat import ChatModel, Watch


class TracedModel:
    """A model that behaves like the one inside it."""

    def __init__(self, inside: ChatModel) -> None:
        self._inside = inside
        self.name, self.window = inside.name, inside.window

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch) -> ModelTurn:
        """Return the next turn."""
        with tracing.part("model turn", "client", model=self.name):
            return self._inside.chat(messages, tools, watch)

    def warm_up(self, *, may_fetch: bool) -> None:
        """Load the model before anybody waits for it."""
        self._inside.warm_up(may_fetch=may_fetch)

    def is_up(self) -> bool:
        """Tell whether the model can be reached now."""
        return self._inside.is_up()

    def silent_hosts(self) -> int:
        """Return how many of its hosts cannot be used now."""
        return self._inside.silent_hosts()
