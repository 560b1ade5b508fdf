"""Outages: PostgreSQL killed, GitLab or the model away, the disk full, and an orderly stop. Nothing is lost."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from bot.sandbox.faults import Fault
from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.tasks import queue_schema
from tests.crash.scene import Ground, Scene
from tests.crash.stories import Tale
from tests.world.scripted_ollama import Wire, action

HELP = "I write CI pipelines"


def health(scene: Scene) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{scene.address}/health/ready", timeout=30, trust_env=False).json()
    return answer


def waits_for_health(scene: Scene, holds: Callable[[dict[str, Any]], bool], what: str) -> None:
    scene.until(lambda: holds(health(scene)), what)


# --- PostgreSQL ---


@pytest.fixture
def own_postgres(shared: Ground) -> Iterator[tuple[Ground, EmbeddedPostgres]]:
    """A PostgreSQL that may be killed without disturbing others; started again by itself, as by any supervisor."""
    with tempfile.TemporaryDirectory(prefix="pw-") as name:
        Path(name).chmod(0o755)
        server = EmbeddedPostgres(Path(name), settings={"max_connections": "100"})
        conninfo = server.start()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("create database template")
        migrate(conninfo.replace("dbname=postgres", "dbname=template"), queue_schema())
        yield replace(shared, conninfo=conninfo, folder=Path(name)), server
        server.stop()


def test_a_postgresql_killed_under_load_loses_no_order(own_postgres: tuple[Ground, EmbeddedPostgres]) -> None:
    shared, server = own_postgres
    with Scene(shared, script={}) as scene:
        tale = Tale(scene)
        issues = [tale.issue(f"Issue {number}") for number in range(8)]
        for issue in issues[:4]:
            tale.comment(issue, "@pipewright generate")
        scene.until(lambda: bool(tale.project.merge_requests), "the work is in full swing")
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        for issue in issues[4:]:
            tale.comment(issue, "@pipewright help")
        tale.until(lambda: all(tale.ends(issue) for issue in issues), "every order is answered")
        tale.until(scene.is_quiet, "everything comes to rest")
        assert server.pid != pid
        assert [len(tale.answers(issue)) for issue in issues] == [1] * 8
        assert all("Here is the draft" in tale.answer(issue) for issue in issues[:4])
        assert all(HELP in tale.answer(issue) for issue in issues[4:])
        assert len(tale.project.merge_requests) == 4
        waits_for_health(scene, lambda told: told["status"] == "ready", "health is well again")


def test_while_postgresql_is_away_health_names_it_and_afterwards_the_worker_works_on(
    own_postgres: tuple[Ground, EmbeddedPostgres],
) -> None:
    shared, server = own_postgres
    with Scene(shared, script={}) as scene:
        tale = Tale(scene)
        tale.asks(tale.issue(), "help", HELP)  # the worker works: one that still starts ends, and is started again
        server.stop()
        waits_for_health(scene, lambda told: "PostgreSQL" in told.get("failing", {}), "health names PostgreSQL")
        issue = tale.issue()
        tale.comment(issue, "@pipewright help")
        server.start()
        tale.until(lambda: tale.ends(issue), "the comment that no delivery brought is answered")
        assert HELP in tale.answer(issue)
        assert len(tale.answers(issue)) == 1


# --- GitLab and Ollama ---


def test_an_order_waits_for_a_gitlab_that_is_away(shared: Ground) -> None:
    with Scene(shared, script={}) as scene:
        tale = Tale(scene)
        issue = tale.issue()
        away = Fault("*", ".", 0, times=0)
        scene.sandbox.faults.add(away)
        tale.comment(issue, "@pipewright generate")
        waits_for_health(scene, lambda told: "GitLab" in told.get("silent", {}), "health names GitLab")
        assert health(scene)["status"] == "degraded", "deliveries are taken in all the same"
        scene.until(lambda: scene.rows("select max(attempts) from orders")[0][0] > 1, "the order is tried again")
        scene.sandbox.faults.clear()
        tale.says(issue, "passed ✅")
        assert len(tale.answers(issue)) == 1
        waits_for_health(scene, lambda told: "GitLab" not in told.get("silent", {}), "health is well again")


def test_while_the_model_is_away_commands_work_and_health_names_it(shared: Ground) -> None:
    with Scene(shared, script={"how are we": [action("final", text="Well.")]}) as scene:
        tale = Tale(scene)
        scene.ollama.is_down = True
        waits_for_health(scene, lambda told: "Ollama" in told.get("silent", {}), "health names Ollama")
        issue = tale.issue()
        tale.asks(issue, "generate", "Here is the draft")
        tale.asks(issue, "please say how are we", "The language model is not reachable")
        scene.ollama.is_down = False
        waits_for_health(scene, lambda told: "Ollama" not in told.get("silent", {}), "health is well again")
        tale.asks(issue, "please say how are we", "Well.")


# --- the disk ---


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pw-") as name:
        Path(name).chmod(0o755)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", name]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("only root may mount a small disk, and not in every container")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 100_000):
            pass


def test_a_full_disk_is_named_and_costs_no_order_when_there_is_room_again(shared: Ground) -> None:
    with small_disk(160) as disk, Scene(shared, script={}, is_whole=True, data_dir=str(disk / "bot")) as scene:
        tale = Tale(scene)
        first = tale.issue()
        tale.asks(first, "help", HELP)
        filler = disk / "filler"
        fill(filler)
        waits_for_health(scene, lambda told: "disk" in told.get("failing", {}), "health names the disk")
        issues = [tale.issue(f"Issue {number}") for number in range(4)]
        for issue in issues:
            for _ in range(3):
                tale.comment(issue, "@pipewright help\n\n" + "x" * 100_000)
        # Each delivery is refused or taken in; either way nothing of it may be lost.
        assert scene.sandbox.wait_until(lambda: scene.sandbox.world.busy == 0, 120)
        filler.unlink()
        waits_for_health(scene, lambda told: not told.get("failing"), "health is well again")
        tale.until(lambda: all(tale.ends(issue) for issue in (first, *issues)), "every order is answered")
        assert [len(tale.answers(issue)) for issue in issues] == [3] * 4


# --- orderly stops ---


def test_whoever_is_told_to_stop_finishes_what_it_does_and_leaves_the_rest_to_the_next(shared: Ground) -> None:
    with Scene(shared, script={}, worker_concurrency="1") as scene:
        tale = Tale(scene)
        scene.ollama.improvise = lambda _: Wire(200, _said("Slowly."), delay_seconds=1.0)
        running, waiting = tale.issue(), tale.issue()
        tale.comment(running, "@pipewright please take your time")
        scene.until(lambda: scene.ollama.requests != [], "the model is asked")
        tale.comment(waiting, "@pipewright help")
        scene.until(lambda: scene.rows("select count(*) from orders")[0][0] >= 2, "the second order is stored")
        worker = scene.bot.processes["worker"]
        worker.send(signal.SIGTERM)
        assert worker.wait(60), "it ends"
        assert "Slowly." in tale.answer(running), "what ran is finished"
        assert scene.rows("select count(*) from orders where state = 'running'") == [(0,)]
        assert tale.answers(waiting) == []
        scene.bot.start("worker")
        tale.until(lambda: tale.ends(waiting), "the next worker does the rest")
        assert HELP in tale.answer(waiting)


def _said(text: str) -> str:
    message = {"role": "assistant", "content": action("final", text=text)}
    return json.dumps({"model": "llama3.1:8b", "message": message, "done": True, "done_reason": "stop"})
