"""What a chat model is to the rest of the program."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain import ChatMessage, ModelTurn, ToolSpec


class StoppedError(Exception):
    """Whoever asked does not want the answer any more."""


class TooLongError(Exception):
    """The prompt does not fit into the model's window. Counts are tokens, 0 where the server did not say."""

    def __init__(self, tokens: int = 0, window: int = 0) -> None:
        super().__init__(f"{tokens} tokens for a window of {window}")
        self.tokens = tokens
        self.window = window


def _unheard(_text: str) -> None:
    return None


def _nothing() -> None:
    return None


def _never() -> bool:
    return False


@dataclass
class Watch:
    """What whoever asks wants to hear of meanwhile, and how long they wait.

    `until` is a moment of `time.monotonic()`. `on_text` gets the answer's words as they come; `on_waiting` is called
    once when another order has the model. `repairs` counts answers in a row that were no use. `host` is the one that
    answered last: its cache knows the conversation.
    """

    until: float = math.inf
    on_text: Callable[[str], None] = _unheard
    on_waiting: Callable[[], None] = _nothing
    is_stopped: Callable[[], bool] = _never
    repairs: int = 0
    host: str = ""

    def seconds_left(self) -> float:
        """Return how much longer whoever asks waits."""
        return self.until - time.monotonic()

    def check(self) -> None:
        """Raise StoppedError when the answer is not wanted any more."""
        if self.is_stopped():
            raise StoppedError


class ChatModel(Protocol):
    """Answers a conversation with words or with wishes for tools."""

    name: str
    window: int

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch) -> ModelTurn:
        """Return the next turn.

        Raises UnreachableError when the model does not answer, TooLongError and StoppedError.
        """

    def warm_up(self, *, may_fetch: bool) -> None:
        """Load the model before anybody waits for it; fetch it first where it is missing and that is allowed."""

    def is_up(self) -> bool:
        """Tell whether the model can be reached now."""

    def silent_hosts(self) -> int:
        """Return how many of its hosts cannot be used now."""
