"""Gradle: the wrapper or gradle, the tasks to run, what it packs."""

import re

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.facts import Facts
from bot.survey.java.maven import TESTS
from bot.survey.other_ci.model import Command, all_commands
from bot.survey.tree import Folder
from bot.survey.wanted import is_ignored

_TESTING = re.compile(r"(^|:)(test|check|build|jvmTest|allTests|integrationTest|jacocoTestReport)$")
_FORBIDDEN = re.compile(r"publish|deploy|upload|sonar|release|connected|-x test|dokka|javadoc\b")
_LINT = {
    "checkstyleMain": "checkstyle",
    "spotlessCheck": "spotless",
    "ktlintCheck": "ktlint",
    "detekt": "detekt",
    "lint": "lint",
    "pmdMain": "pmd",
}
_MAX_FILES = 60


def gradle_text(folder: Folder) -> str:
    """Return the build files of the root and its projects together, examples left out."""
    found = folder.under(r"(?:[\w-]+/){0,2}(?:build|settings)\.gradle(?:\.kts)?")
    own = [name for name in found if not is_ignored(name.split("/")[:-1])]
    return "\n".join(folder.text(name) for name in own[:_MAX_FILES])


def add_gradle(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    """Add package_manager, wrapper, install, test, lint, build and artifact."""
    file = folder.first("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
    where = folder.evidence(file, "plugins", "apply plugin")
    facts.add("package_manager", "gradle", f"there is a {file}", where)
    program = "gradle"
    if folder.has("gradlew"):
        program = "./gradlew"
        facts.add("wrapper", program, "it brings the right Gradle", Evidence(path=folder.full("gradlew")))
        facts.add(
            "install", "chmod +x gradlew", "some checkouts lose the permission", Evidence(path=folder.full("gradlew"))
        )
    line, why, evidence, sure = _test(folder, runs, program, where)
    if sure == 1.0 or folder.under(TESTS):
        facts.add("test", line, why, evidence, confidence=sure)
        facts.add("test_tool", "gradle-test", "Gradle runs the tests", where)
    facts.add("build", f"{program} assemble --no-daemon", "Gradle packs every project", where, confidence=0.9)
    is_multi = bool(folder.under(r"[\w-]+/build\.gradle(?:\.kts)?"))
    facts.add("artifact", "**/build/libs/*.jar" if is_multi else "build/libs/*.jar", "Gradle writes there", where)
    _add_lint(facts, folder, runs, program)


def _test(folder: Folder, runs: list[list[Command]], program: str, where: Evidence) -> tuple[str, str, Evidence, float]:
    del folder
    for command in all_commands(runs):
        line = _test_line(command, program)
        if line:
            return line, "other CI runs it", command.evidence, 1.0
    return f"{program} check --no-daemon", "Gradle tests and checks every project", where, 0.8


def _test_line(command: Command, program: str) -> str:
    words = commands.words(command.line) if command.line else None
    if not words or not re.fullmatch(r"(\./)?gradlew?", words[0]) or _FORBIDDEN.search(command.line):
        return ""
    if not any(_TESTING.search(word) for word in words[1:] if not word.startswith("-")):
        return ""
    # A build scan is published to a service of Gradle's maker.
    rest = re.sub(r"\s--scan\b", "", command.line.split(maxsplit=1)[1])
    return f"{program} {rest}" if "--no-daemon" in rest else f"{program} {rest} --no-daemon"


def _add_lint(facts: Facts, folder: Folder, runs: list[list[Command]], program: str) -> None:
    for command in all_commands(runs):
        tasks = [word for word in command.line.split()[1:] if word.rpartition(":")[2] in _LINT]
        if re.match(r"(\./)?gradlew? ", command.line) and tasks and not facts.first("lint"):
            facts.add("lint", f"{program} {' '.join(tasks)} --no-daemon", "other CI runs it", command.evidence)
            facts.add("lint_tool", _LINT[tasks[0].rpartition(":")[2]], "of the lint command", command.evidence)
    del folder
