"""Level 6: the facts of an answer against what the repository's own CI says, class by class."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bench.answers import COMMAND_FACTS, Answer
from bench.commands import best, leaf, split
from bench.expand import Runners
from bench.truth import Truth
from bench.versions import version_score

CLASSES = ("ecosystem", "package_manager", "version", *COMMAND_FACTS)


class Match(Struct, frozen=True, kw_only=True):
    """One class of one repository. `hits` of `said` were right, `found` of `wanted` were found."""

    name: str
    hits: float
    said: int
    found: float
    wanted: int
    expected: str = ""
    proposed: str = ""

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong and nothing is missing."""
        return self.hits >= self.said and self.found >= self.wanted


class Score(Struct, frozen=True):
    """Precision, recall and F1 over any number of matches."""

    precision: float
    recall: float
    f1: float


def compare(answer: Answer, truth: Truth, runners: Runners) -> list[Match]:
    """Return a match for each class that the row says something about; `runners` expands both sides."""
    if truth.is_empty:
        is_right = not answer.ecosystems
        expected, proposed = "nothing to build", ", ".join(answer.ecosystems) or "nothing"
        return [_single("ecosystem", 1.0 if is_right else 0.0, expected, proposed)]
    matches = [_ecosystem(answer, truth), _manager(answer, truth), _version(answer, truth)]
    matches += [
        _commands(name, answer.facts.get(name, []), expected, runners) for name, expected in truth.commands.items()
    ]
    return [match for match in matches if match is not None]


def score(matches: Iterable[Match]) -> Score:
    """Sum up: every proposed value counts for precision, every expected one for recall."""
    every = list(matches)
    precision = _ratio(sum(match.hits for match in every), sum(match.said for match in every))
    recall = _ratio(sum(match.found for match in every), sum(match.wanted for match in every))
    return Score(precision, recall, _ratio(2 * precision * recall, precision + recall))


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _single(name: str, value: float, expected: str, proposed: str) -> Match:
    said = 1 if proposed or value else 0
    return Match(name=name, hits=value, said=said, found=value, wanted=1, expected=expected, proposed=proposed)


def _ecosystem(answer: Answer, truth: Truth) -> Match | None:
    if truth.is_polyglot:
        is_right = len(set(answer.ecosystems)) > 1
        return _single("ecosystem", 1.0 if is_right else 0.0, "several", ", ".join(answer.ecosystems))
    if not truth.ecosystems:
        return None
    first = answer.ecosystems[0] if answer.ecosystems else ""
    return _single("ecosystem", 1.0 if first in truth.ecosystems else 0.0, " or ".join(truth.ecosystems), first)


def _manager(answer: Answer, truth: Truth) -> Match | None:
    if not truth.managers:
        return None
    proposed = answer.facts.get("package_manager", [])
    if truth.is_polyglot:
        share = sum(manager in proposed for manager in truth.managers) / len(truth.managers)
        return _single("package_manager", share, ", ".join(truth.managers), ", ".join(proposed))
    first = proposed[0] if proposed else ""
    is_right = first in truth.managers or (not first and answer.ecosystems[:1] == list(truth.managers))
    return _single("package_manager", 1.0 if is_right else 0.0, " or ".join(truth.managers), first)


def _version(answer: Answer, truth: Truth) -> Match | None:
    ecosystem = next((each for each in answer.ecosystems if each in truth.ecosystems), truth.ecosystems[:1])
    name = ecosystem if isinstance(ecosystem, str) else "".join(ecosystem)
    proposed = next(iter(answer.facts.get("version", [])), "")
    value = version_score(proposed, name, truth.versions, truth.floor)
    return None if value is None else _single("version", value, truth.versions, proposed)


def _commands(name: str, proposed: Sequence[str], expected: Sequence[Sequence[str]], runners: Runners) -> Match | None:
    """Compare commands; of an expected one any way of saying it will do."""
    wanted = [ways for ways in (split(each) for each in expected) if ways]
    every = [way for ways in wanted for command in ways for way in runners.ways(command)]
    said = [command for command in split(proposed) if not _is_preparation(command, every)]
    if not said and not wanted:
        return None
    all_said = [way for command in said for way in runners.ways(command)]
    return Match(
        name=name,
        hits=sum(best(runners.ways(command), every) for command in said),
        said=len(said),
        found=sum(max(best(runners.ways(way), all_said) for way in ways) for ways in wanted),
        wanted=len(wanted),
        expected=" ; ".join(" | ".join(ways) for ways in wanted) or "none",
        proposed=" ; ".join(said) or "none",
    )


def _is_preparation(command: str, expected: Sequence[str]) -> bool:
    """An image without the package manager needs it installed first; an action that sets it up says nothing."""
    if leaf(command).tool not in {"pip install", "install"} or " " not in command:
        return False
    installs_tool = re.match(r"(?:pip install|npm (?:install|i) (?:-g|--global)|corepack) ", command)
    return bool(installs_tool) and all(leaf(each).tool != "pip install" for each in expected)
