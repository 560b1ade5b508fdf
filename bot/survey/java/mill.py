"""Scala, Java and Kotlin projects built with Mill."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.services import add_services
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder
from bot.survey.versions import number

MANIFESTS = ("build.mill", "build.mill.yaml", "build.mill.scala", "build.sc")
_CALL = r"(?:\./)?millw?(?: (?:-[\w-]+|-j \d+))*"
_TARGETS = r"(?: [\w.,{}\[\]*/+'\"-]+)*"
_NEWEST = "1.1.2"
# The newest JDK that old releases of Mill, and the Scala of their time, are at home on.
_JDKS = (("0.11", "11"), ("0.12", "17"))


def survey_mill(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a build of Mill; a build.sc without Mill is some other script."""
    manifest = folder.first(*MANIFESTS)
    text = folder.text(manifest)
    if not manifest or (
        manifest == "build.sc" and not re.search(r"\bimport (?:\$ivy\S+\s+import )?mill\b|mill\._", text)
    ):
        return None
    facts = declared.opened(folder, manifest, _language(text), "mill")
    release, where = _release(folder, manifest)
    facts.add("package_manager_version", release, "the repository names it", where)
    version = _add_jdk(facts, folder, ci, manifest, release)
    launcher = _add_launcher(facts, folder, release)
    runs = ci.runs("java", version, folder.root)
    build = Evidence(path=folder.full(manifest))
    if not take(facts, "test", runs, rf"{_CALL}{_TARGETS}[ .]test\b{_TARGETS}"):
        facts.add("test", f"{launcher} -i __.test", "Mill runs the tests of every module", build, confidence=0.9)
    facts.add("test_tool", "mill", "of the test command", build)
    if not take_all(
        facts, "lint", runs, rf"{_CALL}{_TARGETS}(?:checkFormat|scalafmt|\.fix --check|scalafix)\S*{_TARGETS}"
    ):
        is_set_up = folder.has(".scalafmt.conf") and "ScalafmtModule" in text
        where = folder.evidence(manifest, "ScalafmtModule")
        facts.add("lint", f"{launcher} -i __.checkFormat" if is_set_up else "", "scalafmt is set up", where)
    facts.add("lint_tool", "scalafmt" if facts.first("lint") else "", "of the lint command", build)
    facts.add("build", f"{launcher} -i __.compile", "Mill compiles every module", build, confidence=0.8)
    if re.search(r"vcs-version|VcsVersion", text):
        where = folder.evidence(manifest, "vcs-version", "VcsVersion")
        facts.add("system_package", "git", "the version comes from the tags", where)
        facts.add("git_depth", "0", "the version comes from the tags", where)
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "java")


def _language(text: str) -> str:
    if re.search(r"\b(?:Cross)?(?:Scala|Sbt|PlatformScala)\w*Module", text):
        return "scala"
    return "kotlin" if "KotlinModule" in text else "java" if re.search(r"\b(?:Java|Maven)Module", text) else "scala"


def _release(folder: Folder, manifest: str) -> tuple[str, Evidence]:
    """Return which Mill builds the project: from its own file, the head of the build, or the launcher."""
    launcher = folder.first("mill", "millw")
    places = (
        (".mill-version", r"^\s*(\d[\w.+-]*)"),
        (".config/mill-version", r"^\s*(\d[\w.+-]*)"),
        (manifest, r"^(?://\|\s*)?mill-version:\s*['\"]?(\d[\w.+-]*)"),
        (launcher, r"DEFAULT_MILL_VERSION=\W*(?:MILL_VERSION:-)?(\d[\w.+-]*)"),
    )
    for name, pattern in places:
        found = re.search(pattern, folder.text(name) if name else "", re.MULTILINE)
        if found:
            return found[1], folder.evidence(name, found[0].strip())
    return "", Evidence(path=folder.full(manifest))


def _add_jdk(facts: Facts, folder: Folder, ci: OtherCi, manifest: str, release: str) -> str:
    """Take the JDK that the build names, else what other CI runs, else one of the time of an old Mill."""
    named = re.search(
        r"(?:mill-jvm-version:|def jvm(?:Id|Version)\s*=)\s*['\"]?(?:[a-z]+:)?(\d+)", folder.text(manifest)
    )
    exact = declared.pinned(folder, "java", ".mill-jvm-version", ".java-version")
    if named and not exact[0]:
        exact = (named[1], folder.evidence(manifest, named[0]))
    old = next((jdk for below, jdk in _JDKS if release and number(release) < number(below)), "")
    spec = (f"<={old}", _release(folder, manifest)[1]) if old and not ci.matrix("java") else ("", None)
    return declared.add_version(facts, folder, "java", ci, exact=exact, spec=spec)


def _add_launcher(facts: Facts, folder: Folder, release: str) -> str:
    """Return how Mill is called; without a launcher of the project's own it is fetched first."""
    own = folder.first("mill", "millw")
    if own:
        facts.add("wrapper", f"./{own}", f"there is a {own}", Evidence(path=folder.full(own)))
        return f"./{own}"
    release = release or _NEWEST
    line = f"{_fetched(release)} && chmod +x mill"
    facts.add("install", line, "the project has no launcher of its own", Evidence(path=facts.first("manifest")))
    return "./mill"


def _fetched(release: str) -> str:
    """Return the command that fetches the launcher: by Maven, from whichever index it is set to, where Maven has it."""
    if number(release) < (1,):
        place = f"https://github.com/com-lihaoyi/mill/releases/download/{release.partition('-')[0]}/{release}-assembly"
        return f"curl -fsSL --retry 3 -o mill {place}"
    copy = f"mvn -B -q dependency:copy -Dartifact=com.lihaoyi:mill-dist:{release}:sh:mill -DoutputDirectory=."
    return f"{copy} && mv mill-dist-{release}-mill.sh mill"
