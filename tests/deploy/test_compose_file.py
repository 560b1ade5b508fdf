"""What `docker-compose.yml` waits for and listens on is what the bot needs."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from bot.store.postgres_programs import binaries

TOP = Path(__file__).parents[2]
SERVICES = yaml.safe_load((TOP / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


@pytest.fixture
def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def test_a_database_that_is_being_made_is_not_called_ready(database: str, tmp_path: Path, free_port: str) -> None:
    """While the image makes it, its server answers on a socket of files only, and goes down once more."""
    place = conninfo_to_dict(database)
    (tmp_path / f".s.PGSQL.{free_port}").symlink_to(f"{place['host']}/.s.PGSQL.{place.get('port') or 5432}")
    environment = {"PATH": f"{binaries()}:{os.environ['PATH']}", "PGHOST": str(tmp_path), "PGPORT": free_port}
    subprocess.run(["pg_isready"], env=environment, check=True, timeout=30)
    way, command = SERVICES["postgres"]["healthcheck"]["test"]
    assert way == "CMD-SHELL"
    assert subprocess.run(["sh", "-c", command], env=environment, check=False, timeout=30).returncode == 2


def test_the_port_that_is_published_is_the_one_that_is_listened_on() -> None:
    """`.env` is handed to the containers too, and may name another port for when the bot runs without them."""
    (published,) = SERVICES["web"]["ports"]
    assert str(SERVICES["web"]["environment"].get("PIPEWRIGHT_LISTEN_PORT")) == published.rpartition(":")[2]


@pytest.mark.parametrize("service", ["web", "worker"])
def test_other_hosts_with_a_model_can_be_named_in_env(service: str) -> None:
    """`environment` wins over `.env`: only what is asked of it here counts."""
    assert SERVICES[service]["environment"]["PIPEWRIGHT_OLLAMA_URL"] == "${PIPEWRIGHT_OLLAMA_URL:-http://ollama:11434}"
