"""Shell scripts: tests in bats, and shellcheck where the scripts are what the repository is about."""

import re

from bot.domain import Evidence, Fact, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.taking import take
from bot.survey.tree import Folder

_SCRIPT = r"(?:[\w.-]+/){0,3}[\w.-]+\.(?:sh|bash)"
_TESTS = r"(?:npx )?(?:\./)?(?:[\w./-]*/)?bats(?: .*)?"
_PAPERS = re.compile(r"(?:.*/)?(?:[^/]*\.(?:md|txt|rst|adoc|png|svg|json|ya?ml)|[A-Z]+)")
MIN_SCRIPTS = 2


def survey_shell(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the shell unit of a folder with bats tests, or with scripts and hardly anything else."""
    tests = folder.under(r"(?:[\w.-]+/){0,3}[\w.-]+\.bats")
    scripts = _scripts(folder)
    is_set_up = folder.has(".shellcheckrc")
    others = [path for path in folder.under(r"[^.].*") if not _PAPERS.fullmatch(path)]
    is_about_scripts = len(scripts) >= MIN_SCRIPTS and len(scripts) * 2 >= len(others) and not folder.has("Dockerfile")
    if not (tests or is_set_up or is_about_scripts):
        return None
    first = (tests or scripts or [".shellcheckrc"])[0]
    where = Evidence(path=folder.full(first))
    facts = declared.opened(folder, first, "shell", "none")
    runs = [[each for each in run if _is_there(folder, each)] for run in ci.runs("shell", "", folder.root)]
    if tests:
        facts.add("system_package", "bats", "the tests are written for bats", where)
        text = "\n".join(folder.text(path) for path in tests + folder.under(r".*test_helper\.(?:bash|sh)"))
        for name in ("bats-support", "bats-assert", "bats-file"):
            if name in text and not folder.has(".gitmodules"):
                facts.add("system_package", name, "the tests load it", where, confidence=0.8)
        if not take(facts, "test", runs, _TESTS):
            top = tests[0].split("/")[0] if "/" in tests[0] else "."
            facts.add(
                "test",
                f"bats --recursive {top}" if top != "." else "bats .",
                "there are bats tests",
                where,
                confidence=0.9,
            )
        facts.add("test_tool", "bats", "of the test command", where)
    if is_set_up or scripts:
        _add_shellcheck(facts, folder, scripts, runs)
    return facts.unit(folder.root, "shell")


def _is_there(folder: Folder, command: Command) -> bool:
    """Say whether a program called by its path lies in the repository or a submodule: other CI may have cloned it."""
    program = command.line.split(" ")[0].removeprefix("./")
    place = program.split("/")[0]
    return "/" not in program or place == "node_modules" or folder.has(program) or place in folder.text(".gitmodules")


def lint_facts(folder: Folder) -> tuple[Fact, ...]:
    """Return what lints the scripts of a folder whose tests another tool fetches and runs."""
    facts = Facts()
    scripts = _scripts(folder)
    if scripts:
        _add_shellcheck(facts, folder, scripts, [])
        line = "apt-get update -q && apt-get install -yq --no-install-recommends shellcheck"
        facts.add("lint_install", line, "shellcheck reads the scripts", Evidence(path=folder.full(scripts[0])))
    return tuple(fact for fact in facts.unit("", "").facts if fact.name != "system_package")


def _scripts(folder: Folder) -> list[str]:
    return [path for path in folder.under(_SCRIPT) if not path.startswith("test")]


def _add_shellcheck(facts: Facts, folder: Folder, scripts: list[str], runs: list[list[Command]]) -> None:
    """Without a configuration only what is surely wrong stops the pipeline."""
    is_set_up = folder.has(".shellcheckrc")
    where = Evidence(path=folder.full(".shellcheckrc" if is_set_up else scripts[0]))
    if not take(facts, "lint", runs, r"shellcheck [\w ./*-]+") and scripts:
        level = "" if is_set_up else " --severity=error"
        line = f"git ls-files -z '*.sh' '*.bash' | xargs -0 shellcheck{level}"
        facts.add("lint", line, "the repository holds shell scripts", where, confidence=1.0 if is_set_up else 0.7)
    if facts.first("lint"):
        facts.add("system_package", "shellcheck", "it reads the scripts", where)
        facts.add("system_package", "git", "it lists the scripts", where)
        facts.add("lint_tool", "shellcheck", "of the lint command", where)
