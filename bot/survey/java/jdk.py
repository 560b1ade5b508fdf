"""Which JDK a Java build runs on."""

import re

from bot.domain import Evidence
from bot.survey import versions
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.tree import Folder

# The newest JDK that can start a Gradle release, oldest release first.
_CEILINGS = (
    ("5.0", 11),
    ("6.7", 15),
    ("7.0", 16),
    ("7.3", 17),
    ("7.6", 19),
    ("8.3", 20),
    ("8.5", 21),
    ("8.8", 22),
    ("8.10", 23),
    ("8.14", 24),
    ("9.1", 25),
)
_DECLARED = (
    r"<maven\.compiler\.release>\s*([\d.]+)",
    r"<java\.version>\s*([\d.]+)",
    r"<release>\s*([\d.]+)\s*</release>",
    r"<maven\.compiler\.(?:source|target)>\s*([\d.]+)",
    r"<(?:source|target)>\s*([\d.]+)\s*</",
    r"JavaLanguageVersion\.of\(\s*['\"]?(\d+)",
    r"jvmToolchain\(\s*(\d+)",
    r"(?:source|target)Compatibility\s*=?\s*['\"]?(?:JavaVersion\.VERSION_)?([\d._]+)",
    r"jvmTarget\s*(?:=|\.set\()\s*['\"]?(?:JvmTarget\.JVM_)?([\d._]+)",
    r"options\.release\s*(?:=|\.set\()\s*(\d+)",
)


def add_jdk(facts: Facts, folder: Folder, ci: OtherCi, text: str, *, is_gradle: bool) -> str:
    """Add version and version_floor; return the version.

    Newer is not safer in Java: without a CI matrix the declared release itself is taken, where it is supported.
    """
    declared, needle = _declared(text)
    file = folder.first(".java-version", ".sdkmanrc", "mise.toml", ".tool-versions", "system.properties")
    exact = _in_file(folder, file)
    seen = [(version, where) for version, where in ci.versions("java") if versions.number(version)]
    ceiling = _ceiling(folder) if is_gradle else 99
    candidates = [found for found, _ in seen if versions.short("java", found) in versions.LINES["java"].supported]
    fitting = [each for each in candidates if versions.number(versions.short("java", each))[0] <= ceiling]
    others = [versions.short("java", found) for found, _ in seen]
    version = _choose(fitting, exact or max(others, key=int, default=""), declared, ceiling)
    evidence = [where for found, where in seen if versions.short("java", found) == version][:1]
    evidence += [_where(folder, needle)] if declared else []
    evidence += [folder.evidence(file, exact)] if exact else []
    why = (
        "other CI builds with it"
        if fitting
        else "it is the supported one nearest to what other CI builds with"
        if others and not exact
        else "a version file names it"
        if exact
        else f"the build declares {declared}"
        if declared
        else "nothing is declared, so it is the default"
    )
    facts.add("version", version, why, *evidence, confidence=1.0 if fitting else 0.9 if exact or declared else 0.5)
    facts.add("version_floor", declared, "the build declares it", _where(folder, needle))
    return version


def _choose(tested: list[str], exact: str, declared: str, ceiling: int) -> str:
    supported = [each for each in versions.LINES["java"].supported if int(each) <= ceiling] or ["8"]
    if tested:
        return max((versions.short("java", each) for each in tested), key=int)
    wanted = int(versions.short("java", exact) or 0) or int(declared or 0)
    if not wanted:
        return "21" if "21" in supported else supported[-1]
    # JDK 11 still compiles for 6 to 8, and current plugins want at least that.
    least = max(wanted, 11) if not exact else wanted
    return next((each for each in supported if int(each) >= least), supported[-1])


def _declared(text: str) -> tuple[str, str]:
    """Return the release that the first matching pattern declares, as a plain number.

    Where several are named, the first is the main one and the others are for tests.
    """
    for pattern in _DECLARED:
        found = [match for match in re.finditer(pattern, text) if re.search(r"\d", match.group(1))]
        numbers = [(_plain(match.group(1)), match.group(0)) for match in found]
        numbers = [entry for entry in numbers if entry[0].isdigit() and int(entry[0]) < 100]
        if numbers:
            return numbers[0]
    return "", ""


def _plain(version: str) -> str:
    """Return 8 for 1.8 and 1_8."""
    parts = re.split(r"[._]", version.strip("._"))
    return parts[1] if parts[0] == "1" and len(parts) > 1 else parts[0]


def _in_file(folder: Folder, file: str) -> str:
    text = folder.text(file) if file else ""
    patterns = {".java-version": r"(\d[\d.]*)", "system.properties": r"java\.runtime\.version\s*=\s*([\d.]+)"}
    found = re.search(patterns.get(file, r"^java\s*=?\s*\"?(?:[a-z-]+)?(\d[\d.]*)"), text, re.MULTILINE)
    return found.group(1) if found else ""


def _ceiling(folder: Folder) -> int:
    """Return the newest JDK that the Gradle wrapper starts on."""
    found = re.search(r"gradle-(\d+(?:\.\d+)*)", folder.text("gradle/wrapper/gradle-wrapper.properties"))
    if found is None:
        return 25
    release = versions.number(found.group(1))
    fitting = [jdk for least, jdk in _CEILINGS if release >= versions.number(least)]
    return fitting[-1] if fitting else 8


def _where(folder: Folder, needle: str) -> Evidence:
    for name in ("pom.xml", "build.gradle", "build.gradle.kts", *folder.under(r"[\w-]+/build\.gradle(?:\.kts)?")):
        if needle and needle in folder.text(name):
            return folder.evidence(name, needle)
    return Evidence(path=folder.full("pom.xml" if folder.has("pom.xml") else "build.gradle"))
