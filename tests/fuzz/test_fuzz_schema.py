"""Whatever the description of the API allows or forbids is sent to the real bot, and every answer fits the description.

schemathesis makes the requests: of every operation sound ones and spoilt ones, by hand-picked values and by chance,
signed in and not. All of its checks are on: no 5xx, no status and no content type that is not described, answers that
fit their schema, spoilt requests refused, sound ones taken, nobody let in without a token.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from bot.main import listen
from bot.sandbox import seed
from bot.web.app import create_app
from bot.web.parts import WebParts
from tests.fuzz.conftest import GIVEN
from tests.stories.conftest import open_town
from tests.world.scripted_ollama import action
from tests.world.town import SECRET, Story, Town

TOP = Path(__file__).parents[2]
FEW, MOST = 6, 500
SECONDS_A_REQUEST = 60
# What is tried by hand-picked values takes a thousand requests, which the suite has no time for.
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]  # 413 is not in its own
PHASES = "examples,coverage,fuzzing,stateful" if GIVEN else "examples,fuzzing"


@pytest.fixture(scope="module")
def town(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(postgres, tmp_path_factory.mktemp("fuzz"), "fuzz") as opened:
        opened.ollama.improvise = lambda _: action("final", text="Well.")
        yield opened


@contextmanager
def unlimited(town: Town) -> Iterator[str]:
    """Serve the same bot once more, with a clock so fast that nobody ever comes too often."""
    services = town.parts.services
    parts = WebParts(
        settings=services.settings,
        queue=town.parts.queue,
        pool=services.pool,
        bot=services.bot,
        mention_names=services.mention_names,
        clock=lambda: time.monotonic() * 10_000,
    )
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(parts), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def known(story: Story, address: str) -> dict[str, list[object]]:
    """Names of what is there, for sound requests to find something."""
    story.drafted()
    with story.town.parts.services.pool.connection() as connection:
        sessions = connection.execute("select id from conversations").fetchall()
        pipelines = connection.execute("select id from pipelines").fetchall()
    return {
        "session_id": [str(row[0]) for row in sessions],
        "pipeline_id": [str(row[0]) for row in pipelines],
        "project": [story.project.path, story.project.id],
        "repo_url": [story.project.path, f"{story.sandbox.url}/{story.project.path}"],
    }


def run(address: str, folder: Path, names: dict[str, list[object]], token: str | None, count: int) -> str:
    """Run schemathesis; return what it says when it finds fault, else nothing."""
    headers = ["--header", f"X-Gitlab-Token: {SECRET}"]
    if token:
        headers += ["--header", f"Authorization: Bearer {token}"]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/schema/openapi.json", "--no-color"),
        *(
            "--checks",
            "all",
            "--phases",
            PHASES,
            "--max-examples",
            str(count),
            "--request-timeout",
            str(SECONDS_A_REQUEST),
        ),
        *("--continue-on-failure", "--output-truncate", "false"),
        *(("--generation-database", "none") if GIVEN else ("--generation-deterministic",)),
        *headers,
    ]
    (folder / "schemathesis.toml").write_text(f"[checks.negative_data_rejection]\nexpected-statuses = {REFUSED}\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(TOP),
        "SCHEMATHESIS_HOOKS": "tests.fuzz.schema_hooks",
        "PIPEWRIGHT_FUZZ_NAMES": json.dumps(names),
        "NO_PROXY": "*",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("is_known", [True, False], ids=["with a token", "without one"])
def test_every_answer_fits_the_description_of_the_api(town: Town, tmp_path: Path, is_known: bool) -> None:
    story = town.story()
    with story.world.lock:
        token = seed.add_token(story.world, story.maintainer).value
    with unlimited(town) as address:
        names = known(story, address)
        told = run(address, tmp_path, names, token if is_known else None, min(int(GIVEN or FEW), MOST))
    assert told == "", told
