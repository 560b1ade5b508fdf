"""What a chat model is to the rest of the program."""

from collections.abc import Sequence
from typing import Protocol

from bot.domain import ChatMessage, ModelTurn, ToolSpec


class ChatModel(Protocol):
    """Answers a conversation with words or with wishes for tools."""

    name: str

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> ModelTurn:
        """Return the next turn; raises UnreachableError when the model does not answer."""

    def is_up(self) -> bool:
        """Tell whether the model can be reached now."""
