"""An Ollama whose words are written beforehand, on loopback, with the real one's wire format and refusals.

A script is a list of turns: text the model "says" or a message with calls (both streamed when asked so, else folded as
Ollama folds them), a `Stream` written piece by piece, or a `Wire` for a whole HTTP answer. Faithful to Ollama 0.33:
which path sends calls in which chunk, what is refused with which words, one request at a time, reloads, loads that a
hang-up aborts.
"""

import json
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from tests.world.tool_parser import ToolParser

MODEL = "llama3.1:8b"
_WINDOW = 4096  # without options, on less than 23 GiB of VRAM
_STAMP = "2026-08-21T18:48:22.123456789Z"
_LOAD_TIME = ("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap")
_TYPES: dict[str, type | tuple[type, ...]] = {"num_ctx": int, "num_predict": int, "seed": int, "stop": list}

Json = dict[str, Any]


@dataclass
class Wire:
    """A whole answer: status and body; status 0 drops the connection."""

    status: int
    body: str
    delay_seconds: float = 0.0
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stream:
    """An answer piece by piece: objects are lines, bytes are sent as they are, a number is a silence in seconds.

    It `ends` well, torn (without the last chunk), by a reset, or not at all (silent, until the client goes).
    """

    pieces: list[Json | bytes | float]
    ends: Literal["well", "torn", "reset", "silent"] = "well"


@dataclass
class Raw:
    """What the model itself writes, token by token: Ollama's own parser makes of it what it makes."""

    tokens: list[str]


Turn = str | Json | Stream | Raw | Wire


# --- the notation of what goes over the wire ---


def C(words: str) -> Json:  # noqa: N802
    """A piece of content."""
    return _chunk({"role": "assistant", "content": words})


def T(index: int | None, name: str, arguments: Any) -> Json:  # noqa: N802
    """A call in a chunk of its own; servers before 0.12 send neither index nor id."""
    function = {"index": index, "name": name, "arguments": arguments}
    call: Json = {"id": "call_k3x9q0ab", "function": function}
    if index is None:
        del function["index"], call["id"]
    return _chunk({"role": "assistant", "content": "", "tool_calls": [call]})


def H(words: str) -> Json:  # noqa: N802
    """A piece of thought."""
    return _chunk({"role": "assistant", "content": "", "thinking": words})


def F(reason: str = "stop", words: str = "", **counts: int) -> Json:  # noqa: N802
    """The last chunk."""
    known = {"total_duration": 4883583458, "load_duration": 1334875, "prompt_eval_count": 326}
    known |= {"prompt_eval_duration": 342546000, "eval_count": 28, "eval_duration": 535599000}
    return _chunk({"role": "assistant", "content": words}, done=True) | {"done_reason": reason} | known | counts


def M(error: str) -> Json:  # noqa: N802
    """An error after the stream has begun."""
    return {"error": error}


def E(status: int, error: str) -> Wire:  # noqa: N802
    """An error instead of an answer."""
    return Wire(status, json.dumps({"error": error}))


def _chunk(message: Json, *, done: bool = False) -> Json:
    return {"model": MODEL, "created_at": _STAMP, "message": message, "done": done}


def action(name: str, text: str = "", **arguments: Any) -> str:
    """Return an action object as the constrained mode asks for."""
    return json.dumps({"a_reason": "because", "action": name, **arguments, "text": text})


def calling(*calls: tuple[str, Any]) -> Json:
    """Return a message that calls tools."""
    called = [
        {"id": f"call_k3x9q0a{number}", "function": {"index": number, "name": name, "arguments": given}}
        for number, (name, given) in enumerate(calls)
    ]
    return {"role": "assistant", "content": "", "tool_calls": called}


# --- the server ---


@dataclass
class ScriptedOllama:
    """The server with its script; `requests` holds the chat requests it got, `wrongs` what no client may do.

    `refused` are those that did not fit into the model's window.
    """

    models: list[str] = field(default_factory=lambda: [MODEL])
    script: list[Turn] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    refused: list[Json] = field(default_factory=list)
    is_down: bool = False
    improvise: Callable[[Json], "Turn"] | None = None
    path: Literal["rendered", "native"] = "rendered"
    without_tools: bool = False
    load_seconds: float = 0.0
    loads: int = 0
    loads_begun: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._loaded: tuple[Any, ...] | None = None
        self._under_way: set[_Handler] = set()
        self._runner = threading.Lock()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.ollama = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "ScriptedOllama":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def say(self, *turns: Turn) -> None:
        """Forget what was asked, and say these next; afterwards the model babbles."""
        self.script, self.requests, self.is_down = list(turns), [], False
        self.wrongs, self.refused = [], []

    def answer(self, request: Json, handler: "_Handler") -> None:
        """Answer a chat request; one after another, as OLLAMA_NUM_PARALLEL=1 has it."""
        refusal = self._refusal(request)
        if refusal is not None:
            handler.send_whole(refusal)
            return
        with self._lock:
            self._under_way.add(handler)
            self.most_at_once = max(self.most_at_once, len(self._under_way))
        try:
            with self._runner:
                self._run(request, handler)
        finally:
            self.is_over(handler)

    def is_over(self, handler: "_Handler") -> None:
        """Count an answer no longer: whoever has its last words may ask again before the handler is done."""
        with self._lock:
            self._under_way.discard(handler)

    def _run(self, request: Json, handler: "_Handler") -> None:
        if not self._load(request, handler):
            return
        if not request.get("messages"):
            reason = "unload" if request.get("keep_alive") == 0 else "load"
            handler.send_whole(Wire(200, json.dumps(_loaded(request, reason))))
            return
        self.requests.append(request)
        turn = self._next_that_fits(request)
        if isinstance(turn, Wire):
            handler.send_whole(turn)
            return
        if isinstance(turn, Raw):
            turn = _as_parsed(request, turn)
        stream = turn if isinstance(turn, Stream) else Stream(list(self._pieces(request, turn)))
        if request.get("stream", True):
            handler.send_stream(stream)
        else:
            handler.send_folded(stream, has_tools=bool(request.get("tools")))

    def _next_that_fits(self, request: Json) -> "Turn":
        refusal = _too_long(request)
        if refusal is None:
            return self._next(request)
        self.refused.append(request)
        return refusal

    def _next(self, request: Json) -> "Turn":
        if self.script:
            return self.script.pop(0)
        return self.improvise(request) if self.improvise else "Lorem ipsum dolor sit amet."

    def _load(self, request: Json, handler: "_Handler") -> bool:
        """Load the model when it is not, or other load-time options are wanted; a hang-up aborts that."""
        wanted = (
            request["model"].lower(),
            request.get("shift"),
            *(request.get("options", {}).get(k) for k in _LOAD_TIME),
        )
        if wanted == self._loaded:
            return True
        self.loads_begun += 1
        ends = time.monotonic() + self.load_seconds
        while time.monotonic() < ends:
            if handler.is_left():
                return False
            time.sleep(0.01)
        self._loaded = wanted
        self.loads += 1
        return True

    def show(self, request: Json) -> Wire:
        """Answer what one may know of a model."""
        model = str(request.get("model") or "")
        if model.lower() not in self.models:
            return E(404, f"model '{model}' not found")
        can = ["completion"] if self.without_tools else ["completion", "tools"]
        return Wire(200, json.dumps({"capabilities": can, "model_info": {}, "details": {}}))

    def pull(self, request: Json) -> Stream:
        """Fetch a model, as Ollama tells of it."""
        self.models.append(request["model"])
        layer = {"status": "pulling 667b0c1932bc", "digest": "sha256:667b0c1932bc", "total": 4_920_734_272}
        fetched = [{**layer, "completed": done} for done in (1_000_000_000, 4_920_734_272)]
        words = [{"status": each} for each in ("verifying sha256 digest", "writing manifest", "success")]
        return Stream([{"status": "pulling manifest"}, *fetched, *words])

    def _refusal(self, request: Json) -> Wire | None:
        model = request.get("model")
        if not model:
            return E(400, "model is required")
        if model.lower() not in self.models:
            return E(404, f"model '{model}' not found")
        if request.get("think"):
            return E(400, f'"{model}" does not support thinking')
        if request.get("tools") and self.without_tools:
            return E(400, f"registry.ollama.ai/library/{model} does not support tools")
        if request.get("tools") and request.get("format"):
            self.wrongs.append("tools and format in one request")
        for name, kind in _TYPES.items():
            if not isinstance(request.get("options", {}).get(name, kind()), kind):  # type: ignore[operator]
                return E(500, f'option "{name}" must be of type {"array" if kind is list else "integer"}')
        keep_alive = request.get("keep_alive", 0)
        if isinstance(keep_alive, str) and keep_alive.lstrip("-").isdigit():
            return E(400, f'time: missing unit in duration "{keep_alive}"')
        return next((wrong for message in request.get("messages", []) if (wrong := _wrong_message(message))), None)

    def _pieces(self, request: Json, turn: str | Json) -> Iterator[Json]:
        """Cut an answer as Ollama does: words as they come, then each call (rendered) or all at the end (native)."""
        message: Json = {"content": turn} if isinstance(turn, str) else turn
        content = message.get("content", "")
        if message.get("thinking"):
            yield H(message["thinking"])
        third = max(1, math.ceil(len(content) / 3))
        yield from (C(content[at : at + third]) for at in range(0, len(content), third))
        calls = message.get("tool_calls", [])
        last = F(prompt_eval_count=_prompt_tokens(request))
        if self.path == "native":
            last["message"] = {**last["message"], **({"tool_calls": calls} if calls else {})}
        else:
            yield from (_chunk({"role": "assistant", "content": "", "tool_calls": [call]}) for call in calls)
        yield last

    def tags(self) -> Json:
        """List the models."""
        details = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"]}
        details |= {"parameter_size": "8.0B", "quantization_level": "Q4_K_M"}
        rows = [
            {"name": name, "model": name, "modified_at": _STAMP, "size": 1, "digest": "a" * 64, "details": details}
            for name in self.models
        ]
        return {"models": rows}


def _as_parsed(request: Json, raw: Raw) -> Stream:
    """Let Ollama's parser at the words; without tools in the request it stays out of the way."""
    parser = ToolParser([one["function"]["name"] for one in request.get("tools", [])])
    pieces: list[Json | bytes | float] = []
    number = 0
    for token in raw.tokens:
        for piece in parser.feed(token) if request.get("tools") else [token]:
            pieces.append(C(piece) if isinstance(piece, str) else T(number, *piece))
            number += isinstance(piece, tuple)
    return Stream([*pieces, F("stop", parser.rest(), prompt_eval_count=_prompt_tokens(request))])


def _too_long(request: Json) -> Wire | None:
    """Refuse what does not fit into the window, as llama-server does where Ollama may not cut it."""
    tokens, window = _prompt_tokens(request), request.get("options", {}).get("num_ctx", _WINDOW)
    if request.get("truncate", True) or tokens < window:
        return None
    text = f"request ({tokens} tokens) exceeds the available context size ({window} tokens), try increasing it"
    error = {"code": 400, "message": text, "type": "exceed_context_size_error"}
    return E(400, json.dumps({"error": {**error, "n_prompt_tokens": tokens, "n_ctx": window}}))


def _loaded(request: Json, reason: str) -> Json:
    message = {"role": "assistant", "content": ""}
    return {"model": request["model"], "created_at": _STAMP, "message": message, "done": True, "done_reason": reason}


def _wrong_message(message: Json) -> Wire | None:
    if not isinstance(message.get("content", ""), str):
        return E(400, "json: cannot unmarshal array into Go struct field Message.messages.content of type string")
    for call in message.get("tool_calls", []):
        if not isinstance(call["function"]["arguments"], dict):
            return E(400, "json: cannot unmarshal string into Go struct field")
    return None


def _prompt_tokens(request: Json) -> int:
    """As the real one counts: what was rendered, a quarter of its characters."""
    written = sum(len(str(one.get("content", ""))) for one in request["messages"])
    return math.ceil((written + len(json.dumps(request.get("tools", [])))) / 4)


def folded(pieces: list[Json], *, has_tools: bool) -> Wire:
    """Make one answer of a stream's objects, as Ollama does for `stream: false`: an error is a 500 then."""
    error = next((piece["error"] for piece in pieces if "error" in piece), None)
    if error is not None:
        return E(500, error)
    messages = [piece["message"] for piece in pieces]
    message: Json = {"role": "assistant", "content": "".join(one.get("content", "") for one in messages)}
    thoughts = "".join(one.get("thinking", "") for one in messages)
    calls = [call for one in messages for call in one.get("tool_calls", [])]
    message |= ({"thinking": thoughts} if thoughts else {}) | ({"tool_calls": calls} if calls and has_tools else {})
    return Wire(200, _json({**(pieces[-1] if pieces else _chunk({})), "message": message}))


def _json(value: Json) -> str:
    """As Go writes it: <, > and & escaped, U+0085 raw."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    ollama: ScriptedOllama

    def __init__(self, *args: Any) -> None:
        self.ended = threading.Event()
        super().__init__(*args)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        pages = {"/api/tags": json.dumps(self.server.ollama.tags()), "/api/version": '{"version":"0.33.0"}'}
        self.send_whole(Wire(200, pages[self.path]) if self.path in pages else _NOT_FOUND)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/api/show":
            self.send_whole(self.server.ollama.show(json.loads(body)))
            return
        if self.path == "/api/pull":
            self.send_stream(self.server.ollama.pull(json.loads(body)))
            return
        if self.path != "/api/chat" or self.server.ollama.is_down:
            self.send_whole(_NOT_FOUND)
            return
        self.server.ollama.answer(json.loads(body), self)

    def is_left(self) -> bool:
        """Tell whether the client hung up."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def send_whole(self, answer: Wire) -> None:
        time.sleep(answer.delay_seconds)
        if answer.status == 0 or self.server.ollama.is_down:
            self.close_connection = True
            return
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.server.ollama.is_over(self)
        self.wfile.write(content)

    def send_folded(self, stream: Stream, *, has_tools: bool) -> None:
        """Without streaming nothing is sent before the end, so what breaks the stream breaks the whole answer."""
        if stream.ends in ("reset", "torn"):
            self._break_off(is_reset=stream.ends == "reset")
        elif stream.ends == "silent":
            self._keep_silent()
        else:
            objects = [piece for piece in stream.pieces if isinstance(piece, dict)]
            self.send_whole(folded(objects, has_tools=has_tools))

    def send_stream(self, stream: Stream) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in stream.pieces:
            if isinstance(piece, float | int):
                time.sleep(piece)
            else:
                if isinstance(piece, dict) and piece.get("done"):
                    self.server.ollama.is_over(self)
                self._send_chunk(piece if isinstance(piece, bytes) else _json(piece).encode() + b"\n")
        if stream.ends == "well":
            self.wfile.write(b"0\r\n\r\n")
        elif stream.ends == "silent":
            self._keep_silent()
        else:
            self._break_off(is_reset=stream.ends == "reset")

    def _send_chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _keep_silent(self) -> None:
        while not self.is_left() and not self.server.ended.wait(0.02):
            pass
        self.close_connection = True

    def _break_off(self, *, is_reset: bool) -> None:
        self.close_connection = True
        if is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


_NOT_FOUND = Wire(404, "404 page not found", content_type="text/plain")
