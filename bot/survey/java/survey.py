"""One Java or Kotlin project: Maven or Gradle, its JDK, tests and application."""

import re

from bot.domain import Unit
from bot.survey.facts import Facts
from bot.survey.java.gradle import add_gradle, gradle_text
from bot.survey.java.jdk import add_jdk
from bot.survey.java.maven import add_maven
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.services import add_services
from bot.survey.tree import Folder

GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
_SOURCES = r"(?:[\w.-]+/){0,9}\w+\.(?:java|kt|groovy|scala)"
_FRAMEWORKS = (
    ("spring", r"spring-boot|springframework\.boot|libs\.plugins\.spring", "8080"),
    ("quarkus", r"io\.quarkus", "8080"),
    ("micronaut", r"io\.micronaut", "8080"),
    ("ktor", r"io\.ktor.{0,40}server", "8080"),
    ("javalin", r"io\.javalin", "7070"),
)


def survey_java(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Java unit of a folder: a Maven reactor or a Gradle build, modules included."""
    is_gradle = bool(folder.first(*GRADLE))
    is_maven = folder.has("pom.xml")
    if is_maven and is_gradle:
        is_gradle = _runs(ci, folder, r"gradlew?\b") and not _runs(ci, folder, r"mvnw?\b")
    if not (is_maven or (is_gradle and (folder.root == "" or folder.under(_SOURCES)))):
        return None
    facts = Facts()
    file = folder.first(*GRADLE) if is_gradle else "pom.xml"
    text = gradle_text(folder) if is_gradle else folder.text("pom.xml")
    where = folder.evidence(file, "<artifactId>", "plugins")
    facts.add("language", _language(folder, text), "of the build file and the sources", where)
    facts.add("manifest", folder.full(file), "it declares the build", where)
    shared = folder.text("gradle/libs.versions.toml") + folder.text("gradle.properties") if is_gradle else ""
    version = add_jdk(facts, folder, ci, text + shared, is_gradle=is_gradle)
    (add_gradle if is_gradle else add_maven)(facts, folder, ci.runs("java", version, folder.root))
    if "jacoco" in text:
        facts.add("coverage", "jacoco", "the build uses its plugin", folder.evidence(file, "jacoco"))
    if re.search(r"apache-rat|org\.nosphere\.apache\.rat", text):
        why = "Apache RAT wants to see the licence in every file"
        facts.add("licence", "Apache-2.0", why, folder.evidence(file, "apache-rat", "apache.rat"))
    add_services(facts, folder, ci)
    _add_deployment(facts, folder, file, text)
    return facts.unit(folder.root, "java")


def _runs(ci: OtherCi, folder: Folder, pattern: str) -> bool:
    return any(
        re.match(rf"(\./)?{pattern}", command.raw) for run in ci.runs("java", "", folder.root) for command in run
    )


def _language(folder: Folder, text: str) -> str:
    kotlin = re.search(
        r"kotlin-maven-plugin|kotlin\(\"|org\.jetbrains\.kotlin|libs\.plugins\.kotlin|multiplatform", text
    )
    return "kotlin" if kotlin and not folder.under(r".*src/main/java/.*\.java") else "java"


def _add_deployment(facts: Facts, folder: Folder, file: str, text: str) -> None:
    for name, pattern, port in _FRAMEWORKS:
        found = re.search(pattern, text)
        if found is None:
            continue
        where = folder.evidence(file, found.group(0))
        facts.add("framework", name, "the build file names it", where)
        if re.search(
            r"spring-boot-maven-plugin|springframework\.boot['\"]|libs\.plugins\.spring|quarkus|micronaut.*application"
            r"|io\.ktor\.plugin",
            text,
        ):
            jar = "build/libs/*.jar" if facts.first("package_manager") == "gradle" else "target/*.jar"
            facts.add("deployable", "yes", f"it is an application on {name}", where, confidence=0.8)
            facts.add("start", f"java -jar {jar}", "the build packs the application", where, confidence=0.6)
            facts.add("port", _port(folder) or port, f"it is the port of {name}", where, confidence=0.6)
        return


def _port(folder: Folder) -> str:
    found = re.search(r"^EXPOSE (\d{2,5})", folder.text("Dockerfile"), re.MULTILINE)
    return found.group(1) if found else ""
