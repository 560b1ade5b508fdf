"""What goes wrong with Ollama, and what is to be done about it: one table from its words to a duty.

The words are Ollama's own (server/routes.go, llm/llama_server.go of 0.33); statuses alone tell little, for nearly
everything is a 500.
"""

import json
import re
from enum import Enum
from typing import Any

from bot.domain import UnreachableError


class Duty(Enum):
    """What a fault asks for."""

    FATAL = "another host or an administrator"
    AGAIN = "two more tries"
    ONCE = "one more try"
    BUSY = "two more tries, later"
    BABBLED = "a word to the model"
    TOO_LONG = "a shorter prompt"
    NO_TOOLS = "no tools in the request"
    NO_THINKING = "no word on thinking in the request"
    NO_GRAMMAR = "a simpler grammar"


class FaultError(UnreachableError):
    """One failed request. `advice` is for people and holds nothing a stranger wrote; `detail` is for the log."""

    def __init__(self, duty: Duty, advice: str, detail: str = "", *, tokens: int = 0, window: int = 0) -> None:
        super().__init__("Ollama", advice)
        self.duty = duty
        self.advice = advice
        self.detail = detail[:500]
        self.tokens = tokens
        self.window = window


_TOO_LITTLE_MEMORY = "it cannot load the model, most likely for lack of memory; a smaller model or window would do"
_CRASHED = "the model crashed while it answered; its host may be short of memory"
_RULES: tuple[tuple[str, Duty, str], ...] = (
    (r"token repeat limit reached", Duty.BABBLED, "the model repeated itself"),
    (r"error parsing tool call|invalid tool call arguments", Duty.BABBLED, "the model wrote a call nobody can read"),
    (r"exceed_context_size_error|exceeds the available context size", Duty.TOO_LONG, "the conversation is too long"),
    (r"prompt is longer than the context length", Duty.TOO_LONG, "the conversation is too long"),
    (r"does not support tools", Duty.NO_TOOLS, "the model knows no tools"),
    (r"does not support thinking", Duty.NO_THINKING, "the model does not think aloud"),
    (r"failed to parse grammar|create sampling context|^invalid format:", Duty.NO_GRAMMAR, "it takes no such grammar"),
    (r"does not support (?:chat|generate)", Duty.FATAL, "the configured model cannot chat; another one is needed"),
    (r"^option \"", Duty.FATAL, "it does not understand an option of ours"),
    (r"missing unit in duration|invalid duration", Duty.FATAL, "it does not understand how long to keep the model"),
    (r"^model is required|^invalid model name|use either :local or :cloud", Duty.FATAL, "the model's name is no name"),
    (r"terminated: exit status|unable to allocate|requires more system memory", Duty.FATAL, _TOO_LITTLE_MEMORY),
    (r"timed out waiting for llama-server", Duty.FATAL, "it could not load the model in five minutes"),
    (r"runner has unexpectedly stopped|error was encountered while running the model", Duty.ONCE, _CRASHED),
    (r"server busy|maximum pending requests", Duty.BUSY, "it is busy with other requests"),
)
_MODEL_MISSING = re.compile(r"^model ['\"].*['\"] not found")
_REQUEST_TOKENS = re.compile(r"request \((\d+) tokens\) exceeds the available context size \((\d+) tokens\)")


def refused(status: int, body: bytes, model: str) -> FaultError:
    """Return what an answer with an error status means."""
    text = error_text(body)
    if 300 <= status < 400:
        return FaultError(Duty.FATAL, "its address leads in a circle", f"{status}")
    if status == 401:
        return FaultError(Duty.FATAL, "it asks for credentials that I don't have", "401")
    if status == 403:
        advice = "it refuses the name it is called by: set OLLAMA_HOST, or let the proxy send Host: localhost"
        return FaultError(Duty.FATAL, advice, "403")
    if status == 404:
        return _missing(text, model)
    if status in (502, 504) or (status == 503 and "busy" not in text):
        return FaultError(Duty.AGAIN, "the proxy before it says that it is away", f"{status} {text}")
    known = told(text)
    if known is not None:
        return known
    duty = Duty.ONCE if status >= 500 else Duty.FATAL
    return FaultError(duty, f"it answered with the status {status}", f"{status} {text}")


def _missing(text: str, model: str) -> FaultError:
    if _MODEL_MISSING.match(text):
        return FaultError(Duty.FATAL, f"it has no model {model!r}. Run: ollama pull {model}", text)
    return FaultError(Duty.FATAL, "what answers at its address is not Ollama", f"404 {text}")


def told(text: str) -> FaultError | None:
    """Return what an error of these words means, wherever it stood; None for unknown words."""
    for pattern, duty, advice in _RULES:
        if re.search(pattern, text):
            tokens, window = _counts(text)
            return FaultError(duty, advice, text, tokens=tokens, window=window)
    return None


def mid_stream(error: object) -> FaultError:
    """Return what an error line in a stream means: the status was 200 already."""
    text = error_text(json.dumps({"error": error}).encode())
    return told(text) or FaultError(Duty.ONCE, _CRASHED, text)


def error_text(body: bytes) -> str:
    """Return an error's words; since 0.30 they may be the JSON of the runner's own error."""
    text = body.decode("utf-8", "replace").strip()
    for _ in range(3):
        read = _read(text)
        if isinstance(read, dict) and "error" in read:
            text = read["error"] if isinstance(read["error"], str) else json.dumps(read["error"])
        elif isinstance(read, dict) and isinstance(read.get("message"), str):
            return f"{read.get('type', '')}: {read['message']}".removeprefix(": ")
        else:
            break
    return text


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _counts(text: str) -> tuple[int, int]:
    found = _REQUEST_TOKENS.search(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
