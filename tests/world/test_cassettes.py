"""What is recorded may be read by everybody, and is still played."""

import re
from pathlib import Path

import pytest

from tests.world.cassettes import FOLDER

TAPES = sorted(FOLDER.glob("**/*.yaml"))
_SECRETS = r"glpat-|whsec_|private-token|authorization|passwor[dt]|bearer |set-cookie|api[-_]key"
_MACHINES = r"127\.0\.0\.1|0\.0\.0\.0|localhost:\d|/tmp/|/home/|/root/"

every_tape = pytest.mark.parametrize("tape", TAPES, ids=lambda tape: f"{tape.parent.name}/{tape.stem}")


def test_both_clients_are_recorded() -> None:
    assert {tape.parent.name for tape in TAPES} == {"gitlab", "ollama"}


@every_tape
def test_a_cassette_holds_no_secret_and_no_address_of_a_machine(tape: Path) -> None:
    assert re.findall(f"{_SECRETS}|{_MACHINES}", tape.read_text(), re.IGNORECASE) == []


@every_tape
def test_a_cassette_has_a_test_that_plays_it(tape: Path) -> None:
    folder = {"gitlab": "gitlab", "ollama": "llm"}[tape.parent.name]
    sources = (path.read_text() for path in (FOLDER.parent / folder).glob("test_*.py"))
    assert any(f"def test_{tape.stem}(" in source for source in sources)
