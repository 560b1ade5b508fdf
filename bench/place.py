"""Where the bot is measured: a PostgreSQL of its own with fsync on, the GitLab stand-in, the bot's processes."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from bot.cli.rotating import new
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import User
from bot.store.embedded import EmbeddedPostgres

TOP = Path(__file__).parents[1]
_START_SECONDS = 120.0
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Place:
    """One PostgreSQL, one stand-in, and a folder for what processes say."""

    folder: Path
    sandbox: Sandbox
    bot: User
    conninfo: str
    signing_token: str

    def environment(self, **more: str) -> dict[str, str]:
        """Return the bot's environment, as in production but for the outside parts that nobody needs here."""
        settings = {
            "GITLAB_URL": self.sandbox.url,
            "GITLAB_TOKEN": seed.add_token(self.sandbox.world, self.bot).value,
            "WEBHOOK_SIGNING_TOKEN": self.signing_token,
            "DATABASE_URL": self.conninfo,
            "DATA_DIR": str(self.folder / "bot"),
            "CHROMA_URL": NOWHERE,
            "OLLAMA_URL": NOWHERE,
            "NOTES_PER_MINUTE": "0",
            "SWEEP_SECONDS": "0",
            **more,
        }
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PIPEWRIGHT_")}
        return {**kept, "PYTHONPATH": str(TOP), **{f"PIPEWRIGHT_{key}": value for key, value in settings.items()}}

    @contextmanager
    def process(
        self, command: Sequence[str], environment: Mapping[str, str], python: str = sys.executable
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a module in a process, and end it as a deployment would."""
        with (self.folder / "processes.log").open("ab") as log:
            full = [python, "-m", *command]
            process = subprocess.Popen(full, cwd=self.folder, env=dict(environment), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)

    @contextmanager
    def web(self, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """Run a web process; yield it and its port once it is ready."""
        port = free_port()
        environment = self.environment(LISTEN_PORT=str(port), **more)
        with self.process(["bot", "serve", "--no-worker"], environment) as process:
            self.wait_for(f"http://127.0.0.1:{port}/health/ready")
            yield process, port

    def wait_for(self, address: str) -> None:
        """Wait until something answers with a 2xx."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=5):
                return
            time.sleep(0.02)
        said = (self.folder / "processes.log").read_text(errors="replace")[-2000:]
        raise click.ClickException(f"nothing answers at {address}: {said}")


@contextmanager
def place() -> Iterator[Place]:
    """Open a place, and clear it away."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipewright-bench-")))
        folder.chmod(0o755)
        postgres = EmbeddedPostgres(folder / "state")
        conninfo = postgres.start()
        stack.callback(postgres.stop)
        sandbox = Sandbox(folder / "gitlab").start()
        stack.callback(sandbox.stop)
        bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
        yield Place(
            folder=folder, sandbox=sandbox, bot=bot, conninfo=conninfo, signing_token=new("WEBHOOK_SIGNING_TOKEN")
        )


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
