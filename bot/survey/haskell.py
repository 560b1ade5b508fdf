"""Haskell: packages built with Cabal or Stack."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.other_ci.model import OtherCi
from bot.survey.taking import take
from bot.survey.tree import Folder

# The compiler of each line of Stackage's long-term snapshots.
_SNAPSHOTS = {18: "8.10", 19: "9.0", 20: "9.2", 21: "9.4", 22: "9.6", 23: "9.8", 24: "9.10"}


def survey_haskell(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a Cabal package or project, or a stack.yaml."""
    cabal = next(iter(folder.names(r"[\w.-]+\.cabal")), "")
    prefers_stack = not cabal or folder.has("package.yaml") or _calls(ci, "stack")
    uses_stack = folder.has("stack.yaml") and prefers_stack and not (cabal and _calls(ci, "cabal"))
    manifest = "stack.yaml" if uses_stack else cabal or folder.first("cabal.project")
    if not manifest:
        return None
    lock = "stack.yaml.lock" if uses_stack else "cabal.project.freeze"
    facts = declared.opened(folder, manifest, "haskell", "stack" if uses_stack else "cabal", lock)
    where = Evidence(path=folder.full(manifest))
    exact = _of_snapshot(folder) if uses_stack else ("", None)
    tested = (
        re.search(r"^tested-with:((?:.*\n)(?:[ \t]+.*\n)*)", f"{folder.text(cabal)}\n", re.MULTILINE | re.IGNORECASE)
        if cabal
        else None
    )
    newest = re.findall(r"(\d+\.\d+)", tested.group(1)) if tested else []
    if not exact[0] and newest:
        exact = (
            max(newest, key=lambda each: tuple(map(int, each.split(".")))),
            folder.evidence(cabal, "tested-with", "Tested-With"),
        )
    version = declared.add_version(facts, folder, "haskell", ci, exact=exact)
    runs = ci.runs("haskell", version, folder.root)
    tool = "stack" if uses_stack else "cabal"
    if uses_stack:
        facts.add("build", "stack build --system-ghc --no-terminal", "there is a stack.yaml", where)
    else:
        facts.add("install", "cabal update", "the list of packages has to be fetched", where)
        facts.add("build", "cabal build all --enable-tests", "Cabal builds every package", where)
    texts = "\n".join(
        folder.text(path) for path in [cabal, "package.yaml", *folder.under(r"[\w.-]+/[\w.-]+\.cabal")] if path
    )
    has_tests = re.search(r"^[ \t]*test-suite\s|^tests:", texts, re.MULTILINE | re.IGNORECASE)
    if not take(facts, "test", runs, rf"{tool} (?:v2-|new-)?test(?: [\w =./-]+)?") and has_tests:
        line = "stack test --system-ghc --no-terminal" if uses_stack else "cabal test all --test-show-details=direct"
        facts.add(
            "test", line, "the package has a test suite", folder.evidence(cabal or manifest, "test-suite", "tests:")
        )
    facts.add("test_tool", f"{tool}-test" if facts.first("test") else "", "of the test command", where)
    return facts.unit(folder.root, "haskell")


def _calls(ci: OtherCi, tool: str) -> bool:
    return any(command.raw.startswith(f"{tool} ") for job in ci.jobs for command in job.commands(job.rows[0]))


def _of_snapshot(folder: Folder) -> tuple[str, Evidence | None]:
    """Return the compiler that the snapshot of a stack.yaml stands for."""
    found = re.search(r"(?:resolver|snapshot):\s*(?:lts-(\d+)|ghc-(\d+\.\d+))", folder.text("stack.yaml"))
    if not found:
        return "", None
    version = found.group(2) or _SNAPSHOTS.get(int(found.group(1)), "")
    return version, folder.evidence("stack.yaml", found.group(0))
