"""The town of the stories: started once, for starting takes longer than a story."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bot.main import listen, running
from bot.parts import open_parts
from bot.sandbox import seed
from bot.sandbox.oauth.records import add_application
from bot.sandbox.server import Sandbox
from bot.settings import read_settings
from tests.secrets.leaks import Text, in_database, in_gitlab, leaks, on_pages, secrets_of
from tests.world.scripted_ollama import ScriptedOllama
from tests.world.town import SECRET, Story, Town

LIMITS = ("ORDERS_PER_PERSON", "ORDERS_PER_PROJECT", "ORDERS_PER_DISCUSSION", "TURNS_IN_A_ROW", "NOTES_PER_MINUTE")


@contextmanager
def open_town(postgres: str, folder: Path, name: str, *, gitlab: Sandbox | None = None, **more: str) -> Iterator[Town]:
    """Run a bot beside a stand-in and a scripted model, with a database and settings of its own."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name} template template strategy file_copy".encode())
    sandbox, ollama = (gitlab or Sandbox(folder / "gitlab", job_seconds=0.01)).start(), ScriptedOllama().start()
    listening = listen("127.0.0.1", 0)
    own_address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    application = add_application(sandbox.world, f"{own_address}/sign-in/callback", "read_api")
    bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
    token = seed.add_token(sandbox.world, bot)
    settings = read_settings(
        {
            "PIPEWRIGHT_GITLAB_URL": sandbox.url,
            "PIPEWRIGHT_GITLAB_TOKEN": token.value,
            "PIPEWRIGHT_WEBHOOK_SECRET": SECRET,
            "PIPEWRIGHT_DATABASE_URL": postgres.replace("dbname=postgres", f"dbname={name}"),
            "PIPEWRIGHT_OLLAMA_URL": ollama.url,
            "PIPEWRIGHT_DATA_DIR": str(folder / "bot"),
            "PIPEWRIGHT_PUBLIC_URL": own_address,
            "PIPEWRIGHT_OAUTH_CLIENT_ID": application.uid,
            "PIPEWRIGHT_OAUTH_CLIENT_SECRET": application.secret,
            "PIPEWRIGHT_SWEEP_SECONDS": "0",  # a story says itself when the bot looks around
            # one bot hears all stories: what holds floods back has a town of its own
            **{f"PIPEWRIGHT_{name}": "0" for name in LIMITS},
            **{f"PIPEWRIGHT_{key.upper()}": value for key, value in more.items()},
        },
        env_file=None,
    )
    with open_parts(settings) as parts, running(parts, listening=listening) as address:
        town = Town(sandbox, ollama, parts, address, bot)
        yield town
        assert leaks(_left_behind(town), secrets_of(settings, sandbox.world)) == []
    ollama.stop()
    sandbox.stop()


def _left_behind(town: Town) -> Iterator[Text]:
    """Everything that the stories of a town made, for people to read."""
    conninfo = str(town.parts.services.pool.conninfo)
    yield from in_gitlab(town.sandbox.world, town.bot)
    yield from in_database(conninfo)
    yield from on_pages(town.address, town.sandbox.world, conninfo)


@pytest.fixture(scope="session")
def town(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The bot of most stories."""
    with open_town(postgres, tmp_path_factory.mktemp("town"), "town") as opened:
        yield opened


@pytest.fixture
def story(town: Town) -> Story:
    """A story in a small Python project."""
    return town.story()
