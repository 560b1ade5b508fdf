"""One run of a story: a stand-in, a scripted model, a database, and the bot as two processes that can be killed."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from bot.sandbox import seed
from bot.sandbox.rest.call import Answer
from bot.sandbox.server import Sandbox
from tests.crash.boundaries import Boundaries, Boundary
from tests.crash.postgres_proxy import PostgresProxy
from tests.crash.zygote import Process, Zygote
from tests.secrets.leaks import Text, in_database, in_gitlab
from tests.world.scripted_ollama import Json, ScriptedOllama, Turn
from tests.world.town import SECRET

TAKEOVER_SECONDS = 2
PATIENCE_SECONDS = 180.0
STOP_SECONDS = 120.0
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass
class Ground:
    """What all runs share: a PostgreSQL with a migrated `template`, a Chroma server, a folder, the forking process."""

    conninfo: str
    chroma_url: str
    folder: Path
    zygote: Zygote

    @property
    def socket_path(self) -> Path:
        folder = next(part[5:] for part in self.conninfo.split() if part.startswith("host="))
        return Path(folder) / ".s.PGSQL.5432"


class WatchedSandbox(Sandbox):
    """A stand-in that says before and after each change that it is asked for."""

    boundaries: Boundaries

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        path = target.split("?", 1)[0]
        if method == "GET" or not path.startswith("/api/v4/") or path.endswith("/ci/lint"):
            return super().answer(method, target, headers, body)
        name = f"{method} " + "/".join(part for part in path.split("/")[3:] if not part.isdigit())
        number = self.boundaries.enter("worker", "GitLab", name)
        if self.boundaries.strikes(Boundary("worker", "GitLab", name, number, "before")):
            return None
        answered = super().answer(method, target, headers, body)
        if self.boundaries.strikes(Boundary("worker", "GitLab", name, number, "after")):
            return None
        return answered


@dataclass
class WatchedOllama(ScriptedOllama):
    """A model that says the same whenever it is asked the same, as often as that may be."""

    boundaries: Boundaries = field(default_factory=lambda: Boundaries(None, lambda _: None))

    def answer(self, request: Json, handler: Any) -> None:
        if not request.get("messages"):
            super().answer(request, handler)
            return
        number = self.boundaries.enter("worker", "model", "a turn")
        if self.boundaries.strikes(Boundary("worker", "model", "a turn", number, "before")):
            handler.close_connection = True
            return
        with suppress(OSError):
            super().answer(request, handler)
        self.boundaries.strikes(Boundary("worker", "model", "a turn", number, "after"))


def said_by_script(script: Mapping[str, list[str]]) -> Callable[[Json], Turn]:
    """Say the n-th line of the script whose key was asked, where n turns were taken already."""

    def say(request: Json) -> Turn:
        words = [str(one.get("content", "")) for one in request["messages"]]
        asked = max(script, key=lambda key: max((at for at, text in enumerate(words) if key in text), default=-1))
        since = max(at for at, text in enumerate(words) if asked in text)
        taken = sum(_is_action(one) for one in request["messages"][:])
        del since
        return script[asked][min(taken, len(script[asked]) - 1)]

    return say


def _is_action(message: Json) -> bool:
    if message["role"] != "assistant":
        return False
    if message.get("tool_calls"):
        return True
    with suppress(ValueError):
        return "action" in json.loads(message.get("content", ""))
    return False


class Bot:
    """The web process and the worker; whichever is killed is started again, as any supervisor does."""

    def __init__(
        self, ground: Ground, folder: Path, environment: dict[str, str], boundaries: Boundaries, *, is_whole: bool
    ) -> None:
        self._ground, self._folder, self._environment, self._is_whole = ground, folder, environment, is_whole
        self.proxies = {name: PostgresProxy(ground.socket_path, name, boundaries) for name in ("web", "worker")}
        self.processes: dict[str, Process] = {}
        self.killed: set[str] = set()
        self.starts = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The processes: web and worker, or one that does all with embedded parts only."""
        return ("whole",) if self._is_whole else ("web", "worker")

    def start(self, name: str) -> None:
        self.starts += 1
        words = {"web": ["serve", "--no-worker"], "worker": ["worker"], "whole": ["serve"]}[name]
        environment = self._environment if self._is_whole else self._with_database(self.proxies[name].port)
        self.processes[name] = self._ground.zygote.start(words, environment, self._folder / f"{name}.log")

    def _with_database(self, port: int) -> dict[str, str]:
        way = (
            f"host=127.0.0.1 port={port} user=pipewright dbname={self._folder.name} sslmode=disable gssencmode=disable"
        )
        return {**self._environment, "PIPEWRIGHT_DATABASE_URL": way}

    def kill(self, name: str) -> None:
        self.killed.add(name)
        self.processes[name].kill()

    def look_after(self) -> None:
        """Start again what was killed; what died of itself is an error."""
        for name, process in list(self.processes.items()):
            if not process.is_dead:
                continue
            assert name in self.killed, f"the {name} ended by itself: {process.tail()}"
            self.killed.discard(name)
            self.start(name)

    def stop(self) -> None:
        """Stop in good order."""
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        for name, process in self.processes.items():
            if not process.wait(STOP_SECONDS):
                process.kill()
                raise AssertionError(f"the {name} does not stop: {process.tail()}")

    def clear_away(self) -> None:
        for process in self.processes.values():
            process.kill()
        for proxy in self.proxies.values():
            proxy.stop()


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


class Scene:
    """Everything of one run; a context that leaves nothing behind."""

    def __init__(
        self,
        ground: Ground,
        target: Boundary | None = None,
        *,
        script: Mapping[str, list[str]],
        is_whole: bool = False,
        **settings: str,
    ) -> None:
        self.ground, self._stack = ground, ExitStack()
        self.name = "c" + uuid4().hex
        self.folder = ground.folder / self.name
        self.folder.mkdir()
        self.boundaries = Boundaries(target, self._kill)
        self.database = ground.conninfo.replace("dbname=postgres", f"dbname={self.name}")
        self._settings, self._is_whole = settings, is_whole
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self.sandbox = WatchedSandbox(self.folder / "gitlab", job_seconds=0.01)
        self.sandbox.boundaries = self.boundaries
        self.ollama = WatchedOllama(boundaries=self.boundaries)
        self.ollama.improvise = said_by_script(script) if script else None
        self.account = seed.add_user(self.sandbox.world, "pipewright", is_bot=True)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.bot = Bot(ground, self.folder, self._environment(), self.boundaries, is_whole=is_whole)

    def _environment(self) -> dict[str, str]:
        token = seed.add_token(self.sandbox.world, self.account)
        values = {
            "GITLAB_URL": self.sandbox.url,
            "GITLAB_TOKEN": token.value,
            "WEBHOOK_SECRET": SECRET,
            "CHROMA_URL": "" if self._is_whole else self.ground.chroma_url,
            "OLLAMA_URL": self.ollama.url,
            "DATA_DIR": str(self.folder / "bot"),
            "LISTEN_PORT": str(self.port),
            "SWEEP_SECONDS": "1",
            "ORDERS_PER_PERSON": "0",  # no person is as quick as a story
            "ORDERS_PER_PROJECT": "0",
            "ORDERS_PER_DISCUSSION": "0",
            "TURNS_IN_A_ROW": "0",
            "TAKEOVER_SECONDS": str(TAKEOVER_SECONDS),
            **{key.upper(): value for key, value in self._settings.items()},
        }
        return {f"PIPEWRIGHT_{key}": value for key, value in values.items()}

    def _kill(self, process: str) -> None:
        self.bot.kill(process)

    def __enter__(self) -> "Scene":
        with psycopg.connect(self.ground.conninfo, autocommit=True) as connection:
            connection.execute(f'create database "{self.name}" template template strategy file_copy'.encode())
        self.sandbox.start()
        self.ollama.start()
        for name in self.bot.names:
            self.bot.start(name)
        self.until(self.answers, "the bot answers")
        return self

    def __exit__(self, *_: object) -> None:
        self.bot.clear_away()
        self.sandbox.world.jobs_may_end.set()  # a story that failed may have left them held
        self.ollama.stop()
        self.sandbox.stop()
        if self._connection is not None:
            self._connection.close()
        with psycopg.connect(self.ground.conninfo, autocommit=True) as connection:
            connection.execute(f'drop database "{self.name}" with (force)'.encode())

    def answers(self) -> bool:
        """Tell whether the web can be reached."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask over one connection, opened anew where the server went away meanwhile."""
        if self._connection is not None:
            with suppress(psycopg.OperationalError):
                return self._connection.execute(sql.encode()).fetchall()
        self._connection = psycopg.connect(self.database, autocommit=True)
        return self._connection.execute(sql.encode()).fetchall()

    @property
    def secrets(self) -> set[str]:
        """Return what nobody may read anywhere."""
        return {SECRET, *self.sandbox.world.tokens}

    def left_behind(self) -> Iterator[Text]:
        """Yield everything in GitLab and in the database, and every line of the log."""
        yield from in_gitlab(self.sandbox.world, self.account)
        yield from in_database(self.database)
        for name in self.bot.processes:
            yield Text(f"log of the {name}", (self.folder / f"{name}.log").read_text(errors="replace"), is_ours=True)

    def is_done(self) -> bool:
        """Tell whether no order is under way."""
        return self.rows("select count(*) from orders where state in ('queued', 'running')") == [(0,)]

    def is_quiet(self) -> bool:
        """Tell whether no webhook, no pipeline and no order is under way."""
        return not self.sandbox.world.busy and self.is_done() and not self.sandbox.world.busy

    def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until something is true, starting again meanwhile what was killed."""
        deadline, pause = time.monotonic() + seconds, 0.02
        while time.monotonic() < deadline:
            self.bot.look_after()
            with self.sandbox.world.lock:
                is_so = holds()
            if is_so:
                return
            time.sleep(pause)
            pause = min(pause * 1.2, _LONGEST_PAUSE_SECONDS)
        raise AssertionError(f"this did not come true: {what}")
