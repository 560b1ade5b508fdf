"""The stand-in as a server on loopback: API and pages over HTTP, webhooks and pipelines in the background."""

import json
import logging
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.sandbox import git_store, merging
from bot.sandbox.faults import Fault, Plan
from bot.sandbox.oauth import provider
from bot.sandbox.pages import views
from bot.sandbox.rest import router
from bot.sandbox.rest.call import Answer
from bot.sandbox.stale import StaleReads
from bot.sandbox.state import MergeRequest, World

log = logging.getLogger("sandbox")

_API = "/api/v4"
_MOST_BYTES = 300 * 1024 * 1024


class Sandbox:
    """A GitLab to play with. `world` may be changed directly while `world.lock` is held.

    `root` is the path below which it runs, such as `/gitlab`; with a `certificate` (PEM, key included) it speaks TLS.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        run_jobs: bool = False,
        job_seconds: float = 0.05,
        root: str = "",
        certificate: Path | None = None,
    ) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.world = World(data_dir, run_jobs=run_jobs, job_seconds=job_seconds)
        self.faults = self.world.faults
        self.stale = StaleReads()
        self.calls: list[str] = []
        self._workers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="sandbox")
        self._server = _Server((host, port), _Handler)
        self._server.sandbox = self
        self._root = root
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            self._server.socket = _tls(certificate).wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://{host}:{self._server.server_address[1]}{root}"
        self.world.base_url = self.url
        self.world.in_background = self._in_background
        self.world.after_pipeline.append(lambda run: merging.after_pipeline(self.world, run))

    def start(self) -> "Sandbox":
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="sandbox-http").start()
        return self

    def stop(self) -> None:
        """Stop answering; whatever runs in the background ends first."""
        self._server.shutdown()
        self._server.server_close()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def serve_forever(self) -> None:
        """Answer until interrupted."""
        self._server.serve_forever()

    def follow(self, plan: Plan) -> None:
        """Let everything of a plan go wrong from now on."""
        with self.world.lock:
            self.world.unsettled_reads, self.world.hooks_switch_off = plan.unsettled_reads, plan.hooks_switch_off
        self.stale.reads = plan.stale_reads
        self.faults.add(*plan.calls, *plan.deliveries)

    def fail(self, method: str, pattern: str, status: int | None = None, /, **more: Any) -> None:
        """Let the next matching call fail; see `Fault`."""
        self.faults.add(Fault(method, pattern, status, **more))

    def wait_idle(self, seconds: float = 60.0) -> bool:
        """Wait until no webhook and no pipeline is under way."""
        return self.wait_until(lambda: self.world.busy == 0, seconds)

    def wait_until(self, holds: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Wait until something is true of the world; False when time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.world.lock:
                if holds():
                    return True
            time.sleep(0.01)
        return False

    def changed_files(self, request: MergeRequest) -> list[str]:
        """Return the paths a merge request changes."""
        return git_store.changed_files(request.project.git_dir, request.target_branch, request.source_branch)

    def _in_background(self, work: Callable[[], None]) -> None:
        with self.world.lock:
            self.world.busy += 1
        self._workers.submit(self._work, work)

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("the stand-in failed in the background")
            raise
        finally:
            with self.world.lock:
                self.world.busy -= 1

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Answer one request; None means that the connection is dropped."""
        if not target.startswith(self._root + "/"):
            return Answer(404, b"<html>404 Not Found</html>", {"Content-Type": "text/html"})
        target = target.removeprefix(self._root)
        parts = urlsplit(target)
        if parts.path.startswith("/oauth/"):
            return self._oauth(method, parts.path, headers, _form(parts.query), body)
        if not parts.path.startswith(("/api/v4/", "/api/graphql")):
            return views.answer(self.world, method, parts.path, headers, _form(parts.query), _form(body.decode()))
        return self._faulty(method, parts.path, lambda: self._lagging(method, target, headers, body))

    def _faulty(self, method: str, path: str, carry_out: Callable[[], Answer]) -> Answer | None:
        """Answer a call, or do with it what a fault says."""
        self.calls.append(f"{method} {path}")
        fault = self.faults.take(method, path)
        if fault is None:
            return carry_out()
        time.sleep(fault.seconds)
        answered = carry_out() if fault.status is None or fault.after_effect else None
        if fault.status == 0:
            return None
        if answered is not None and fault.status is None:
            return replace(answered, is_cut=fault.cut)
        headers = {"Content-Type": "application/json", **fault.headers}
        return Answer(fault.status or 500, fault.text.encode(), headers, is_cut=fault.cut)

    def _lagging(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer as things are, or for a while as they were before the last change."""
        parts = urlsplit(target)
        asked = f"{headers.get('PRIVATE-TOKEN') or headers.get('Authorization')} {target}"
        old = self.stale.answer(asked) if method == "GET" else None
        if old is not None:
            return old
        answered = self._api(method, parts.path, parts.query, headers, body)
        if method == "GET":
            self.stale.remember(asked, answered)
        elif not parts.path.endswith(("/graphql", "/lint")):
            self.stale.changed(parts.path)
        return answered

    def _oauth(
        self, method: str, path: str, headers: Mapping[str, str], query: dict[str, Any], body: bytes
    ) -> Answer | None:
        form = _form(body.decode("utf-8", "replace"))
        return self._faulty(method, path, lambda: provider.answer(self.world, method, path, headers, query, form))

    def _api(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            params = {**_form(query), **_body(headers, body)}
        except ValueError:
            return Answer(400, {"error": "The request body is not valid JSON"})
        before = len(self.world.unknown_routes)
        answer = router.answer(self.world, method, path.removeprefix(_API), headers, params)
        for route in self.world.unknown_routes[before:]:
            log.warning("unknown route: %s — the stand-in cannot do this", route)
        return answer


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _form(query: str) -> dict[str, Any]:
    """Read a query or a form; `name[]` gives a list."""
    values = parse_qs(query, keep_blank_values=True)
    return {key.removesuffix("[]"): value if key.endswith("[]") else value[-1] for key, value in values.items()}


def _body(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return _form(body.decode())
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    sandbox: Sandbox

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Hands requests over. The standard library's server leaves `%2F` in paths alone, as routing needs it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > _MOST_BYTES:
            self.send_error(413)
            return
        headers = {
            key.title() if key.lower() != "private-token" else "PRIVATE-TOKEN": value
            for key, value in self.headers.items()
        }
        answer = self.server.sandbox.answer(self.command, self.path, headers, self.rfile.read(size))
        if answer is None:
            self.close_connection = True
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        content = b"" if answer.status == 204 else content
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if answer.is_cut else content)
        self.close_connection = self.close_connection or answer.is_cut

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the time by GitLab's clock, which may be wrong."""
        return super().date_time_string(
            (timestamp or time.time()) + self.server.sandbox.world.clock_ahead.total_seconds()
        )

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names the library wants

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: only unknown routes are worth a line."""
