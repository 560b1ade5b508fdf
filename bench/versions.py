"""Whether a language version is one of those that the repository's own CI runs."""

import re
from collections.abc import Mapping, Sequence

# Versions with support on 2026-11-24, newest last (endoflife.date).
SUPPORTED: Mapping[str, Sequence[str]] = {
    "python": ("3.11", "3.12", "3.13", "3.14", "3.15"),
    "node": ("22", "24", "26"),
    "deno": ("2",),
    "go": ("1.26", "1.27"),
    "rust": ("1.97", "1.98", "1.99"),
    "java": ("8", "11", "17", "21", "25"),
    "kotlin": ("8", "11", "17", "21", "25"),
    "ruby": ("3.3", "3.4", "4.0"),
    "php": ("8.3", "8.4", "8.5"),
    "dotnet": ("10.0", "11.0"),
    "elixir": ("1.16", "1.17", "1.18", "1.19", "1.20"),
    "terraform": ("1.14", "1.15"),
}
_WORDS = re.compile(r"lts/\*|latest|stable|current|oldstable|all non-eol", re.IGNORECASE)


def version_score(version: str, ecosystem: str, said: str, floor: str = "") -> float | None:
    """Return 1 inside the CI's versions, 0.5 when supported and not below the floor, 0 when neither.

    None where the question has no sense: the ecosystem has no versions, or the CI names none. Where every version of
    the CI is out of support, the right answer is a supported one.
    """
    supported = SUPPORTED.get(ecosystem)
    if not supported or not said:
        return None
    if not version:
        return 0.0
    named = versions_in(said, ecosystem)
    if _within(version, named) or (_WORDS.search(said) and _within(version, supported)):
        return 1.0
    is_supported = _within(version, supported) and not below(version, _floor(floor))
    if not any(_within(each, supported) for each in named) and not _WORDS.search(said):
        return 1.0 if is_supported else 0.0
    return 0.5 if is_supported else 0.0


def versions_in(said: str, ecosystem: str) -> list[str]:
    """Return every version in a note such as "3.9-3.12, pypy-3.11; lint 3.11"."""
    found: list[str] = []
    for low, high in re.findall(r"(?<![\w.-])v?(\d+(?:\.\d+)*(?:\.x)?)(?:\s*-\s*(\d+(?:\.\d+)*(?:\.x)?))?", said):
        first, last = low.removesuffix(".x"), high.removesuffix(".x")
        found += _range(first, last, ecosystem) if last else [first]
    return list(dict.fromkeys(found))


def below(version: str, floor: str) -> bool:
    """Say whether a version is older than a floor; an unknown floor is never above."""
    return bool(floor) and _numbers(version) < _numbers(floor)


def _range(first: str, last: str, ecosystem: str) -> list[str]:
    low, high = _numbers(first), _numbers(last)
    between = [each for each in SUPPORTED.get(ecosystem, ()) if low <= _numbers(each) <= high]
    return [first, *between, last]


def _within(version: str, named: Sequence[str]) -> bool:
    """3.12 is inside 3.12.1 and the other way round: a tag names as much as it needs."""
    mine = _numbers(version)
    return any(_same(mine, _numbers(each)) for each in named)


def _same(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    shared = min(len(one), len(other))
    return shared > 0 and one[:shared] == other[:shared]


def _floor(said: str) -> str:
    found = re.search(r"(?:>=|~>|\^|php|go |rust-version |release |net)\s*(\d+(?:\.\d+)*)", said)
    return found[1] if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0]))
