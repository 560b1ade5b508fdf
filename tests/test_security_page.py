"""SECURITY.md names tests and files for what it promises: they exist."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PAGE = (TOP / "SECURITY.md").read_text(encoding="utf-8")
TESTS = {
    name
    for path in (TOP / "tests").rglob("test_*.py")
    for name in re.findall(r"^\s*def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_test_it_names_exists(name: str) -> None:
    assert name in TESTS


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests/|requirements|docker-)[\w./-]+)`", PAGE))))
def test_a_file_it_names_exists(path: str) -> None:
    assert (TOP / path).exists()


@pytest.mark.parametrize(("letter", "last"), [("S", 27), ("R", 35)])
def test_every_attack_and_fault_has_its_line(letter: str, last: int) -> None:
    named = set()
    for first, end in re.findall(rf"(?:^\|| ){letter}(\d+)(?:–{letter}(\d+))?", PAGE, re.MULTILINE):
        named |= set(range(int(first), int(end or first) + 1))
    assert set(range(1, last + 1)) - named == set()
