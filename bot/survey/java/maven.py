"""Maven: the wrapper or mvn, the goal to run, what it packs."""

import re

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, all_commands
from bot.survey.tree import Folder

_BATCH = "--batch-mode --no-transfer-progress"
# Where Maven and Gradle keep tests; a project without any has none to run.
TESTS = r"(?:.*/)?(?:src/\w*[tT]est\w*|tests?)/.+\.(?:java|kt|kts|groovy|scala)"
_GOALS = frozenset({"test", "verify", "install", "package", "integration-test", "check"})
_SKIPS = re.compile(
    r"skipTests|maven\.test\.skip|-DskipITs|release:|site|deploy|\bnative\b|sonar|dependency:|artifact:|versions:"
    r"|(--projects|-pl) ['\"]?[^!'\"]"
)


def add_maven(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    """Add package_manager, wrapper, test, lint, build and artifact."""
    where = folder.evidence("pom.xml", "<artifactId>")
    facts.add("package_manager", "maven", "there is a pom.xml", where)
    program = "mvn"
    if folder.has("mvnw"):
        program = "./mvnw"
        own = Evidence(path=folder.full("mvnw"))
        facts.add("wrapper", program, "it brings the right Maven", own)
        facts.add("install", "chmod +x mvnw", "some checkouts lose the permission", own)
    line, why, evidence, sure = _test(folder, runs, program)
    if sure == 1.0 or folder.under(TESTS):
        facts.add("test", line, why, evidence, confidence=sure)
        facts.add("test_tool", "surefire", "Maven runs the tests with it", where)
    _add_build(facts, runs, program, where)
    facts.add(
        "artifact",
        "target/*.jar" if "<modules>" not in folder.text("pom.xml") else "**/target/*.jar",
        "Maven writes there",
        where,
    )
    _add_lint(facts, folder, runs, program)


def _add_build(facts: Facts, runs: list[list[Command]], program: str, where: Evidence) -> None:
    """Pack as other CI does when it packs without tests, in batch mode."""
    for command in all_commands(runs):
        found = re.fullmatch(r"(?:\./)?mvnw? ((?:(?:-\S+|clean|package) ?)+)", command.line)
        if found and "package" in found.group(1).split() and "skip" in found.group(1):
            rest = re.sub(r"(^|\s)(-B|-ntp|--batch-mode|--no-transfer-progress)(?=\s|$)", "", found.group(1)).strip()
            facts.add("build", f"{program} {_BATCH} {rest}", "other CI runs it", command.evidence)
            return
    facts.add("build", f"{program} {_BATCH} package -DskipTests", "Maven packs the project", where, confidence=0.9)


def _test(folder: Folder, runs: list[list[Command]], program: str) -> tuple[str, str, Evidence, float]:
    for command in all_commands(runs):
        line = _test_line(command, program, has_default=_default_goal(folder) != "")
        if line:
            return line, "other CI runs it", command.evidence, 1.0
    goal = _default_goal(folder)
    if goal:
        return f"{program} {_BATCH}", f"the default goal is {goal}", folder.evidence("pom.xml", "<defaultGoal>"), 0.8
    return f"{program} {_BATCH} test", "Maven tests every module", folder.evidence("pom.xml", "<artifactId>"), 0.9


def _default_goal(folder: Folder) -> str:
    found = re.search(r"<defaultGoal>\s*([^<]+?)\s*</defaultGoal>", folder.text("pom.xml"))
    return found.group(1) if found else ""


def _test_line(command: Command, program: str, *, has_default: bool) -> str:
    """Return a Maven command that tests, in batch mode and with the wrapper if there is one."""
    words = commands.words(command.line) if command.line else None
    if not words or not re.fullmatch(r"(\./)?mvnw?", words[0]) or _SKIPS.search(command.line):
        return ""
    goals = [word for word in words[1:] if not word.startswith("-")]
    if not (_GOALS & set(goals) or (not goals and has_default)):
        return ""
    rest = command.line.split(maxsplit=1)[1:] or [""]
    quiet = "" if re.search(r"(^|\s)(-B|-ntp|--batch-mode|--no-transfer-progress)\b", rest[0]) else f" {_BATCH}"
    return f"{program}{quiet} {rest[0]}".strip()


def _add_lint(facts: Facts, folder: Folder, runs: list[list[Command]], program: str) -> None:
    for command in all_commands(runs):
        found = re.fullmatch(
            r"(?:\./)?mvnw? ((?:-\S+ )*(checkstyle:check|spotless:check|spotbugs:check|pmd:check)(?: -\S+)*)",
            command.line,
        )
        if found:
            facts.add("lint", f"{program} {_BATCH} {found.group(2)}", "other CI runs it", command.evidence)
            facts.add("lint_tool", found.group(2).partition(":")[0], "of the lint command", command.evidence)
    if not facts.first("lint") and "<artifactId>spotless-maven-plugin</artifactId>" in folder.text("pom.xml"):
        where = folder.evidence("pom.xml", "spotless-maven-plugin")
        facts.add("lint", f"{program} {_BATCH} spotless:check", "the plugin is configured", where, confidence=0.5)
        facts.add("lint_tool", "spotless", "of the lint command", where, confidence=0.5)
