"""An outgoing proxy is used where the environment says so, by every way to GitLab, and never for the model."""

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.domain import UnreachableError
from bot.gitlab.answers import SilenceError
from bot.gitlab.client import GitLab
from bot.gitlab.sign_in import SignIn
from bot.llm.choose import open_model
from bot.sandbox import seed
from bot.sandbox.oauth.records import add_application
from bot.sandbox.server import Sandbox
from tests.world.certificates import vouched_for
from tests.world.scripted_ollama import ScriptedOllama
from tests.world.tunnels import Tunnels

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy(ThreadingHTTPServer):
    """Passes on what it is asked for, to the one server there is, and remembers for whom."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(behind)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def _pass_on(self) -> None:
        target = urlsplit(self.path)
        self.server.asked.append(f"{target.netloc}{target.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        onward = http.client.HTTPConnection(self.server.behind.netloc, timeout=60)
        onward.request(self.command, f"{target.path}?{target.query}", body, dict(self.headers))
        answer = onward.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type") or "")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _pass_on  # noqa: N815 - the names the library wants

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    opened = Sandbox(tmp_path).start()
    yield opened
    opened.stop()


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[Proxy]:
    opened = Proxy(sandbox.url)
    threading.Thread(target=opened.serve_forever, args=(0.05,), daemon=True).start()
    yield opened
    opened.shutdown()
    opened.server_close()


def test_gitlab_is_reached_through_the_proxy(sandbox: Sandbox, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
    gitlab = GitLab("http://gitlab.test", seed.add_token(sandbox.world, bot).value)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert gitlab.version() == "19.0.0"
    assert gitlab.whereabouts([1]) == {}  # GraphQL, which goes another way through the library
    assert proxy.asked == ["gitlab.test/api/v4/version", "gitlab.test/api/graphql"]


def test_so_is_signing_in(sandbox: Sandbox, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    known = add_application(sandbox.world, "http://bot.test/sign-in/callback", "read_api")
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    SignIn("http://gitlab.test", known.uid, known.secret, "http://bot.test/sign-in/callback", None).check()
    assert proxy.asked == ["gitlab.test/oauth/token"]


def test_what_no_proxy_names_is_reached_directly(
    sandbox: Sandbox, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert GitLab(sandbox.url, seed.add_token(sandbox.world, bot).value).version() == "19.0.0"
    assert proxy.asked == []


def test_a_proxy_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match="ProxyError") as raised:
        GitLab("http://gitlab.test", "glpat-x", sleep=lambda _: None).version()
    assert isinstance(raised.value, SilenceError)
    assert raised.value.why == "proxy"


def test_the_model_is_never_asked_through_a_proxy(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people wrote goes to the administrator's own Ollama and to nobody between."""
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    ollama = ScriptedOllama().start()
    try:
        assert open_model((ollama.url,), "llama3.1:8b", "auto").is_up()
    finally:
        ollama.stop()
    assert proxy.asked == []


@dataclass(frozen=True)
class Office:
    """A GitLab at https://gitlab.test, with a certificate of the office's own authority, behind the office's proxy."""

    sandbox: Sandbox
    ca_file: str
    tunnels: Tunnels

    def gitlab(self, *, ca_file: str | None) -> GitLab:
        bot = seed.add_user(self.sandbox.world, "pipewright", is_bot=True)
        token = seed.add_token(self.sandbox.world, bot).value
        return GitLab("https://gitlab.test", token, ca_file=ca_file, sleep=lambda _: None)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    ca_file, host_file = vouched_for(tmp_path, "gitlab.test")
    sandbox = Sandbox(tmp_path / "gitlab", certificate=host_file).start()
    tunnels = Tunnels(urlsplit(sandbox.url).port or 0, login="bot:s3cret").start()
    yield Office(sandbox, str(ca_file), tunnels)
    tunnels.stop()
    sandbox.stop()


def test_gitlab_with_tls_is_reached_through_a_tunnel_which_reads_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://bot:s3cret@{office.tunnels.address}")
    gitlab = office.gitlab(ca_file=office.ca_file)
    assert gitlab.version() == "19.0.0"
    assert gitlab.whereabouts([1]) == {}  # GraphQL, which goes another way through the library
    assert set(office.tunnels.asked) == {"gitlab.test:443"}
    assert office.tunnels.seen
    assert b"glpat-" not in office.tunnels.seen
    assert b"/api/v4" not in office.tunnels.seen


def test_so_is_signing_in_with_tls(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    back = "http://bot.test/sign-in/callback"
    known = add_application(office.sandbox.world, back, "read_api")
    monkeypatch.setenv("HTTPS_PROXY", f"http://bot:s3cret@{office.tunnels.address}")
    SignIn("https://gitlab.test", known.uid, known.secret, back, office.ca_file).check()
    assert office.tunnels.asked == ["gitlab.test:443"]


def test_a_tunnel_proves_nothing_about_who_is_at_its_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://bot:s3cret@{office.tunnels.address}")
    with pytest.raises(UnreachableError, match="SSLError") as raised:
        office.gitlab(ca_file=None).version()
    assert isinstance(raised.value, SilenceError)
    assert raised.value.why == "certificate"
    assert office.sandbox.calls == []


def test_a_proxy_that_wants_another_password_is_named(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://bot:wrong-word@{office.tunnels.address}")
    with pytest.raises(UnreachableError) as raised:
        office.gitlab(ca_file=office.ca_file).version()
    assert isinstance(raised.value, SilenceError)
    assert raised.value.why == "proxy"
    assert "wrong-word" not in str(raised.value)
    assert office.sandbox.calls == []
