"""Which way of asking for tools suits which model."""

from collections.abc import Sequence
from typing import Literal

from bot.llm.ollama import WINDOW, Asking, Mode, OllamaModel, OnTurn

# Families whose template shows the tools at every turn and which know when not to call one. llama3.1:8b does
# neither: asked through constrained action objects the same weights choose right far more often.
_NATIVE = ("qwen3", "gpt-oss", "granite4", "devstral", "ministral", "mistral-small")

Setting = Literal["auto", "constrained", "native"]


def mode_for(model: str, setting: Setting = "auto") -> Mode:
    """Return how a model is asked for tools."""
    if setting != "auto":
        return setting
    family = model.rsplit("/", 1)[-1].lower()
    return "native" if family.startswith(_NATIVE) else "constrained"


def open_model(
    urls: Sequence[str], model: str, setting: Setting, *, window: int = WINDOW, on_turn: OnTurn | None = None
) -> OllamaModel:
    """Return the model; nothing is sent yet."""
    asking = Asking(mode=mode_for(model, setting), may_fall=setting == "auto", window=window)
    return OllamaModel(tuple(urls), model, asking, on_turn=on_turn)
