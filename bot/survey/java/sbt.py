"""Scala projects built with sbt, and Clojure with Leiningen or deps.edn: all run on a JDK."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.services import add_services
from bot.survey.taking import take
from bot.survey.tree import Folder

_SBT_TEST = r"sbt (?:[\w;+:/ -]|'|\")*test(?:[\w;+:/ -]|'|\")*"


def survey_sbt(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a build.sbt."""
    if not folder.has("build.sbt"):
        return None
    facts = declared.opened(folder, "build.sbt", "scala", "sbt")
    version = _add_jdk(folder, facts, ci)
    where = folder.evidence("build.sbt", "scalaVersion")
    runs = ci.runs("java", version, folder.root)
    if not take(facts, "test", runs, _SBT_TEST):
        facts.add("test", "sbt test", "sbt runs the tests of every project", where, confidence=0.9)
    facts.add("test_tool", "sbt", "of the test command", where)
    if not take(facts, "lint", runs, r"sbt [\w;+:/ '\"-]*(?:scalafmt|scalafix)[\w;+:/ '\"-]*"):
        is_there = folder.has(".scalafmt.conf") and "scalafmt" in folder.text("project/plugins.sbt")
        facts.add(
            "lint",
            "sbt scalafmtCheckAll scalafmtSbtCheck" if is_there else "",
            "scalafmt is set up",
            folder.evidence("project/plugins.sbt", "scalafmt"),
        )
    facts.add("lint_tool", "scalafmt" if "scalafmt" in facts.first("lint") else "", "of the lint command", where)
    facts.add("build", "sbt package", "sbt packages every project", where, confidence=0.8)
    facts.add("artifact", "target/scala-*/*.jar", "sbt writes there", where, confidence=0.8)
    add_services(facts, folder, ci)
    return facts.unit(folder.root, "java")


def survey_clojure(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a project.clj or a deps.edn."""
    manifest = folder.first("project.clj", "deps.edn")
    if not manifest:
        return None
    facts = declared.opened(folder, manifest, "clojure", "leiningen" if manifest == "project.clj" else "tools-deps")
    version = _add_jdk(folder, facts, ci)
    where = Evidence(path=folder.full(manifest))
    runs = ci.runs("java", version, folder.root)
    if not take(
        facts, "test", runs, r"lein (?:[\w,:-]+ )*[\w:-]*test[\w:-]*(?: :\w+)?|clojure -[MXT]:[\w:-]*test[\w:-]*"
    ):
        alias = re.search(r"^\s*\{?:aliases[\s\S]*?:(test)\b", folder.text("deps.edn"))
        line = "lein test" if manifest == "project.clj" else "clojure -X:test" if alias else ""
        facts.add("test", line, "the tool runs the tests", where, confidence=0.8)
    facts.add("test_tool", facts.first("package_manager") if facts.first("test") else "", "of the test command", where)
    facts.add(
        "build",
        "lein jar" if manifest == "project.clj" else "",
        "Leiningen packages the project",
        where,
        confidence=0.8,
    )
    return facts.unit(folder.root, "clojure")


def _add_jdk(folder: Folder, facts: Facts, ci: OtherCi) -> str:
    return declared.add_version(facts, folder, "java", ci, exact=declared.pinned(folder, "java", ".java-version"))
