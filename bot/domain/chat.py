"""Talk with the model."""

from typing import Literal

from msgspec import Struct


class ToolSpec(Struct, frozen=True, kw_only=True):
    """A function the model may ask for. `parameters` is a flat JSON schema object, written by hand."""

    name: str
    description: str
    parameters: dict[str, object]


class ToolCall(Struct, frozen=True, kw_only=True):
    """The model's wish to call a tool."""

    name: str
    arguments: dict[str, object]


class ChatMessage(Struct, frozen=True, kw_only=True):
    """One message of a chat with the model; `tool_name` says whose result a `tool` message holds.

    A call of the tool "" stands for what was no call at all, and the result of "" for our complaint about it.
    `is_nudge` marks words of ours in the person's place.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_name: str | None = None
    is_nudge: bool = False


class ModelTurn(Struct, frozen=True, kw_only=True):
    """One answer of the model, with what it cost. Counts are tokens, `seconds` is wall time.

    With a `complaint` (words for the model) the text is of no use. `is_recovered` says that the call was written as
    text; `is_cut` that the output limit cut the text, `is_prompt_cut` that the server cut what we sent.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    complaint: str = ""
    is_recovered: bool = False
    is_cut: bool = False
    is_prompt_cut: bool = False
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
