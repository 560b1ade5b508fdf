"""An Ollama whose words are written beforehand, on loopback, with the real one's wire format and refusals.

A script is a list of turns: text the model "says", or a `Wire` for a whole HTTP answer (a fault).
"""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "llama3.1:8b"
_STAMP = "2026-08-21T18:48:22.123456789Z"


@dataclass
class Wire:
    """A whole answer: status and body; status 0 drops the connection."""

    status: int
    body: str
    delay_seconds: float = 0.0


def action(name: str, text: str = "", **arguments: str) -> str:
    """Return an action object as the constrained mode asks for."""
    return json.dumps({"a_reason": "because", "action": name, **arguments, "text": text})


@dataclass
class ScriptedOllama:
    """The server with its script; `requests` holds the chat requests it got."""

    models: list[str] = field(default_factory=lambda: [MODEL])
    script: list[str | dict[str, Any] | Wire] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    is_down: bool = False

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.ollama = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "ScriptedOllama":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def say(self, *turns: str | dict[str, Any] | Wire) -> None:
        """Forget what was asked, and say these next; afterwards the model babbles."""
        self.script, self.requests, self.is_down = list(turns), [], False

    def chat(self, request: dict[str, Any]) -> Wire:
        """Answer a chat request."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        self.requests.append(request)
        turn = self.script.pop(0) if self.script else "Lorem ipsum dolor sit amet."
        if isinstance(turn, Wire):
            return turn
        message: dict[str, Any] = {"role": "assistant", "content": turn} if isinstance(turn, str) else turn
        return Wire(200, json.dumps(self._final(request, message)))

    def _refusal(self, request: dict[str, Any]) -> Wire | None:
        model = request.get("model")
        if not model:
            return Wire(400, '{"error":"model is required"}')
        if model.lower() not in self.models:
            return Wire(404, json.dumps({"error": f"model '{model}' not found"}))
        if request.get("think"):
            return Wire(400, json.dumps({"error": f'"{model}" does not support thinking'}))
        for message in request.get("messages", []):
            for call in message.get("tool_calls", []):
                if not isinstance(call["function"]["arguments"], dict):
                    return Wire(400, '{"error":"json: cannot unmarshal string into Go struct field"}')
        return None

    def _final(self, request: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
        prompt = sum(len(str(one.get("content", ""))) for one in request.get("messages", []))
        return {
            "model": request["model"],
            "created_at": _STAMP,
            "message": message,
            "done": True,
            "done_reason": "stop",
            "total_duration": 4883583458,
            "load_duration": 1334875,
            "prompt_eval_count": -(-prompt // 4),
            "prompt_eval_duration": 342546000,
            "eval_count": 28,
            "eval_duration": 535599000,
        }

    def tags(self) -> dict[str, Any]:
        """List the models."""
        details = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"]}
        details |= {"parameter_size": "8.0B", "quantization_level": "Q4_K_M"}
        rows = [
            {"name": name, "model": name, "modified_at": _STAMP, "size": 1, "digest": "a" * 64, "details": details}
            for name in self.models
        ]
        return {"models": rows}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    ollama: ScriptedOllama


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        pages = {"/api/tags": json.dumps(self.server.ollama.tags()), "/api/version": '{"version":"0.33.0"}'}
        self._send(Wire(200, pages[self.path]) if self.path in pages else Wire(404, "404 page not found"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_chat = self.path == "/api/chat" and not self.server.ollama.is_down
        self._send(self.server.ollama.chat(json.loads(body)) if is_chat else Wire(404, "404 page not found"))

    def _send(self, answer: Wire) -> None:
        time.sleep(answer.delay_seconds)
        if answer.status == 0 or self.server.ollama.is_down:
            self.close_connection = True
            return
        content = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""
