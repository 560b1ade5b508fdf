"""What `docs/administration.md` tells people to type to deploy fits the files that are deployed."""

import re
import shlex
from pathlib import Path

import yaml

from bot.cli import main

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs/administration.md").read_text(encoding="utf-8")
SERVICES = yaml.safe_load((TOP / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
IN_CONTAINERS = [shlex.split(line) for line in re.findall(r"docker compose (?:exec|run) [^`\n]+", PAGE)]


def test_the_account_that_the_units_run_as_is_made() -> None:
    units = [file.read_text(encoding="utf-8") for file in (TOP / "deploy/systemd").glob("*.service")]
    accounts = {name for unit in units for name in re.findall(r"^User=(\w+)$", unit, re.MULTILINE)}
    assert accounts
    assert all(re.search(rf"useradd --system {name}\b", PAGE) for name in accounts)


def test_commands_in_containers_name_services_and_commands_there_are() -> None:
    assert IN_CONTAINERS
    for words in IN_CONTAINERS:
        service = next(word for word in words[3:] if word in SERVICES)
        rest = words[words.index(service) + 1 :]
        command = (
            rest[1] if rest[0] == "pipewright" else rest[0]
        )  # `run` keeps the image's entry point, `exec` has none
        assert (rest[0] == "pipewright") is (words[2] == "exec")
        assert command in main.commands


def test_back_ups_are_written_and_read_outside_of_containers_as_who_owns_them() -> None:
    """Nothing but volumes can be written in a container, and a back-up is its owner's alone."""
    told = {words[-2]: words for words in IN_CONTAINERS if words[-2] in {"backup", "restore"}}
    assert set(told) == {"backup", "restore"}
    for words in told.values():
        assert words[words.index("--user") + 1] == "$(id -u)"
        assert words[words.index("--volume") + 1] == "$PWD:" + words[words.index("--workdir") + 1]


def test_compose_is_told_to_build_the_new_version() -> None:
    """Otherwise it goes on with the image that has the name already."""
    upgrade = PAGE.partition("## Upgrade")[2].partition("\n## ")[0]
    assert "docker compose up -d --build" in upgrade
