"""Deno projects: their tasks, tests and linters come with the tool."""

import json
import re

from bot.domain import Unit
from bot.survey import declared
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import string, table
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

_VERSIONS = {"1": "1.46.3", "2": "2.7.6"}


def survey_deno(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a deno.json and without a package.json that has scripts of its own."""
    manifest = folder.first("deno.json", "deno.jsonc")
    if not manifest or table(folder.json("package.json"), "scripts"):
        return None
    settings = _settings(folder.text(manifest))
    facts = declared.opened(folder, manifest, "typescript", "deno", "deno.lock")
    where = folder.evidence(manifest, '"tasks"')
    named = declared.pinned(folder, "deno", ".dvmrc", ".deno-version")
    told = named[0] or next((version for version in ci.matrix("deno") if re.match(r"v?[12]", version)), "")
    exact = re.fullmatch(r"v?(\d+\.\d+\.\d+)", told)
    version = exact.group(1) if exact else _VERSIONS.get(told.lstrip("v")[:1], _VERSIONS["2"])
    facts.add(
        "version",
        version,
        "the repository names it" if told else "it is a current one",
        named[1] or where,
        confidence=0.9,
    )
    tasks = table(settings, "tasks")
    runs = ci.runs("deno", version, folder.root)
    # A task that only reports what the tests covered tests nothing.
    testing = [re.escape(name) for name, text in tasks.items() if re.search(r"\btest", f"{name} {text}")]
    if not take(facts, "test", runs, rf"deno (?:test(?: [\w .,=/:-]+)?|task (?:{'|'.join(testing) or '(?!)'}))"):
        has_tests = folder.under(r"(?:.*[_./])?test\.(?:ts|tsx|js|mjs)")
        line = "deno task test" if "test" in tasks else "deno test --allow-all" if has_tests else ""
        facts.add("test", line, "it is a task" if "test" in tasks else "there are tests", where, confidence=0.9)
    facts.add("test_tool", "deno-test" if facts.first("test") else "", "of the test command", where)
    if not take_all(facts, "lint", runs, r"deno (?:lint|fmt --check|check)(?: .*)?"):
        for name, line in (("lint", "deno lint"), ("fmt", "deno fmt --check")):
            facts.add(
                "lint",
                line if name in settings else "",
                f"{manifest} sets it up",
                folder.evidence(manifest, f'"{name}"'),
            )
    facts.add("lint_tool", "deno" if facts.first("lint") else "", "of the lint command", where)
    facts.add("build", "deno task build" if "build" in tasks else "", "it is a task", where)
    start = string(tasks.get("start"))
    if re.search(r"fresh|Deno\.serve|oak|hono|serve", start + str(table(settings, "imports"))[:5000]) and start:
        facts.add("framework", "deno", "it serves the web", where, confidence=0.7)
        facts.add("start", "deno task start", "it is a task", where)
    return facts.unit(folder.root, "node")


def _settings(text: str) -> dict[str, object]:
    """Return the settings; lines of comment and trailing commas are allowed in them."""
    plain = re.sub(r"^[ \t]*//[^\n]*$", "", text, flags=re.MULTILINE)
    try:
        return table(json.loads(re.sub(r",(\s*[}\]])", r"\1", plain)))
    except (ValueError, RecursionError):
        return {}
