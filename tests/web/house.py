"""The web alone, over real HTTP beside a stand-in: what the door lets in and what it does not."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import time as clock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import uvicorn

from bot.domain import Person
from bot.main import listen
from bot.sandbox import seed
from bot.sandbox.oauth.records import add_application, end, register
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Project, Token, User
from bot.settings import read_settings
from bot.store.pool import Pool, open_pool
from bot.tasks import Queue, Work
from bot.web.app import create_app
from bot.web.door.sessions import csrf_of
from bot.web.front import Front
from bot.web.parts import WebParts


@dataclass
class House:
    """A running web and its stand-in, with people to sign in as. `time`: its clock, and how late it takes it to be."""

    sandbox: Sandbox
    pool: Pool
    address: str
    app: Front
    people: dict[str, User]
    project: Project
    time: list[float]
    settings: dict[str, str]
    clients: list[httpx.Client] = field(default_factory=list)

    def browser(self) -> httpx.Client:
        """Return a browser with no cookies, which shows redirects instead of following them."""
        return self.browser_at(self.address)

    def browser_at(self, address: str) -> httpx.Client:
        opened = httpx.Client(base_url=address, trust_env=False, timeout=60)
        self.clients.append(opened)
        return opened

    def consent(self, address: str, username: str) -> str:
        """Choose somebody on the stand-in's page; return where it sends the browser back."""
        return self._decide(address, {"user": username})

    def deny(self, address: str) -> str:
        return self._decide(address, {"_method": "delete"})

    def _decide(self, address: str, choice: dict[str, str]) -> str:
        page = httpx.get(address, trust_env=False, timeout=60)
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text.split("<button")[0]))
        assert dict(parse_qsl(urlsplit(address).query)) == fields
        answer = httpx.post(f"{self.sandbox.url}/oauth/authorize", data=fields | choice, trust_env=False, timeout=60)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def sign_in(self, browser: httpx.Client, username: str) -> None:
        arrived = browser.get(self.consent(browser.get("/sign-in/gitlab").headers["location"], username))
        assert arrived.status_code == 303, arrived.text

    def signed_in(self, username: str) -> httpx.Client:
        browser = self.browser()
        self.sign_in(browser, username)
        return browser

    def token(self, username: str, *scopes: str) -> str:
        with self.sandbox.world.lock:
            return seed.add_token(self.sandbox.world, self.people[username], *scopes).value

    def csrf(self, browser: httpx.Client) -> str:
        return csrf_of(browser.cookies["pipewright"])

    def last_token(self) -> Token:
        return register(self.sandbox.world).consents[-1].token

    def age_tokens(self) -> None:
        """Let the stand-in's tokens be two hours old, for both sides."""
        for consent in register(self.sandbox.world).consents:
            assert consent.token.expires_at is not None
            consent.token.expires_at -= timedelta(hours=2)
        self.time[1] += 7200

    def revoke_all(self) -> None:
        for consent in register(self.sandbox.world).consents:
            end(consent)

    def pass_time(self, seconds: float) -> None:
        """Move the clock; how often people came is counted by PostgreSQL's, so that is moved the other way."""
        self.time[0] += seconds
        with self.pool.connection() as connection:
            connection.execute("update visits set due = due - make_interval(secs => %s)", (seconds,))

    def use_up(self) -> None:
        """Let everybody who was here have come as often as they may, and a minute more."""
        with self.pool.connection() as connection:
            connection.execute("update visits set due = now() + interval '90 seconds'")

    def forget_everything(self) -> None:
        """Let more time pass than anything is remembered."""
        self.pass_time(61)


@contextmanager
def open_house(database: str, folder: Path, *, work: Work | None = None, **more: str) -> Iterator[House]:
    """Run the web on a fresh database beside a stand-in with a project and people of every kind.

    Orders are taken in and lie there, unless `work` says what becomes of them.
    """
    with ExitStack() as stack:
        sandbox = Sandbox(folder).start()
        stack.callback(sandbox.stop)
        people = {name: seed.add_user(sandbox.world, name) for name in ("max", "mia", "rob", "gina", "sam")}
        roles = {people[name]: level for name, level in (("max", 40), ("mia", 30), ("rob", 20), ("gina", 10))}
        project = seed.add_project(sandbox.world, "team/app", {"README.md": "app"}, roles)
        listening = listen("127.0.0.1", 0)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        application = add_application(sandbox.world, f"{address}/sign-in/callback", "read_api")
        given = {
            "GITLAB_URL": sandbox.url,
            "GITLAB_TOKEN": "unused",
            "WEBHOOK_SECRET": "secret",
            "PUBLIC_URL": address,
            "OAUTH_CLIENT_ID": application.uid,
            "OAUTH_CLIENT_SECRET": application.secret,
        }
        pool = open_pool(database)
        stack.callback(pool.close)
        time = [1000.0, 0.0]
        queue = Queue(str(pool.conninfo), pool, work)
        if work is not None:
            _work(stack, queue)
        app = create_app(_parts({**given, **more}, pool, queue, time))
        _serve(stack, app, listening)
        house = House(sandbox, pool, address, app, people, project, time, {**given, **more})
        stack.callback(lambda: [client.close() for client in house.clients])
        yield house


@contextmanager
def another_web(house: House) -> Iterator[httpx.Client]:
    """Run a second web process, as far as the house can tell: it shares nothing but the database."""
    with ExitStack() as stack:
        pool = open_pool(str(house.pool.conninfo))
        stack.callback(pool.close)
        listening = listen("127.0.0.1", 0)
        _serve(
            stack,
            create_app(_parts(house.settings, pool, Queue(str(pool.conninfo), pool, None), house.time)),
            listening,
        )
        yield house.browser_at(f"http://127.0.0.1:{listening.getsockname()[1]}")


def _parts(given: dict[str, str], pool: Pool, queue: Queue, time: list[float]) -> WebParts:
    settings = read_settings({f"PIPEWRIGHT_{name}": value for name, value in given.items()}, env_file=None)
    return WebParts(
        settings=settings,
        queue=queue,
        pool=pool,
        bot=Person(id=99, username="pipewright"),
        mention_names=("pipewright",),
        clock=lambda: time[0],
        now=lambda: clock() + time[1],
    )


def _work(stack: ExitStack, queue: Queue) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=queue.run_worker, args=(2, stop))
    thread.start()
    stack.callback(thread.join)
    stack.callback(stop.set)


def _serve(stack: ExitStack, app: Front, listening: Any) -> None:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    stack.callback(thread.join)
    stack.callback(setattr, server, "should_exit", True)
