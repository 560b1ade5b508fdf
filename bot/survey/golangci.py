"""golangci-lint: the release that reads both its configuration and what the chosen Go compiles."""

import re

from bot.domain import Evidence
from bot.survey import versions
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.tree import Folder
from bot.survey.versions import TOOLS

# The first golangci-lint that reads what a Go compiles, the newest Go first; the pinned one needs Go 1.26 itself.
_LINTER_OF_GO = (((1, 27), versions.number(TOOLS["golangci-lint"])), ((1, 26), (2, 9)))
_NEEDED_BY_LINTER, _LINTER_BEFORE = (1, 26), "2.8.0"
# The last golangci-lint 1, and the newest Go that it reads: a configuration of version 1 is read by no later one.
_LAST_V1, _GO_OF_V1 = "1.64.8", "1.26"
CONFIGS = (".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json")


def add_golangci(facts: Facts, folder: Folder, ci: OtherCi, linter: Command | None) -> None:
    """Add the check, its installation and, for version 1, the Go it has to run with; a remark where none would do."""
    config = folder.first(*CONFIGS)
    where = folder.evidence(config, "version") if config else linter.evidence if linter else Evidence(path="go.mod")
    is_v1 = _is_v1(folder, config, ci)
    if is_v1 and versions.number(facts.first("version_floor"))[:2] > versions.number(_GO_OF_V1):
        if config:
            _leave_out(folder, config, facts.first("version"))
            return
        is_v1 = False
    why = "it is configured" if config else "other CI runs it"
    # Version 1 gives up after a minute, which a first run without a cache takes longer than.
    is_hasty = is_v1 and "timeout" not in (folder.text(config) if config else "")
    line = "golangci-lint run --timeout=10m" if is_hasty else "golangci-lint run"
    facts.add("lint", line, why, where, confidence=1.0 if linter else 0.7)
    facts.add("lint_tool", "golangci", "it is configured or run", where)
    if is_v1 and versions.number(facts.first("version")) > versions.number(_GO_OF_V1):
        why = f"golangci-lint 1 reads what Go up to {_GO_OF_V1} compiles"
        facts.add("lint_version", _GO_OF_V1, why, where)
    if is_v1:
        facts.add("lint_install", _golangci(_LAST_V1), "it is the last release that reads this configuration", where)
        return
    release, why = _release(ci, facts.first("version"))
    facts.add("lint_install", _golangci(release), why, where)


def _leave_out(folder: Folder, config: str, go: str) -> None:
    folder.tree.problems[f"{config} golangci-lint"] = (
        f"`{config}` is written for golangci-lint 1, whose last release cannot read Go {go}, and golangci-lint 2 does "
        "not read that file, so this check was left out: run `golangci-lint migrate` once and ask me again."
    )


def _named(ci: OtherCi) -> str:
    """Return the release of golangci-lint that other CI names."""
    every = (each.removeprefix("v") for each in ci.matrix("golangci-lint"))
    return next((each for each in every if re.fullmatch(r"\d+\.\d+(\.\d+)?", each)), "")


def _is_v1(folder: Folder, config: str, ci: OtherCi) -> bool:
    """Say whether golangci-lint 1 is meant: version 2 says so in its configuration, else other CI names a release."""
    if config:
        return not re.search(r"^[{\s]*[\"']?version[\"']?\s*[:=]\s*[\"']?2", folder.text(config), re.MULTILINE)
    return versions.number(_named(ci))[:1] == (1,)


def _release(ci: OtherCi, go: str) -> tuple[str, str]:
    """Return the golangci-lint 2 that reads what this Go compiles, and why it: an older one fails."""
    newest = TOOLS["golangci-lint"] if versions.number(go) >= _NEEDED_BY_LINTER else _LINTER_BEFORE
    named = _named(ci) if versions.number(_named(ci)) >= (2,) else newest
    named = named if named.count(".") == 2 else f"{named}.0"
    least = next((each for line, each in _LINTER_OF_GO if versions.number(go) >= line), (0,))
    if versions.number(named) < least:
        return newest, f"the release {named} that other CI names cannot read what Go {go} compiles"
    return named, "this release fits the configuration"


def _golangci(release: str) -> str:
    path = "github.com/golangci/golangci-lint" + ("/v2" if versions.number(release) >= (2,) else "")
    return f"go install {path}/cmd/golangci-lint@v{release}"
