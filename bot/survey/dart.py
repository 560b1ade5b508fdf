"""Dart packages and Flutter applications."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import string, table
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

FLUTTER = "3.44.4"


def survey_dart(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a pubspec.yaml; Flutter brings its own Dart."""
    pubspec = folder.yaml("pubspec.yaml")
    if not pubspec:
        return None
    wanted = {**table(pubspec, "dependencies"), **table(pubspec, "dev_dependencies")}
    is_flutter = "flutter" in wanted or "flutter_test" in wanted
    tool = "flutter" if is_flutter else "dart"
    facts = declared.opened(folder, "pubspec.yaml", "dart", "flutter" if is_flutter else "pub", "pubspec.lock")
    where = folder.evidence("pubspec.yaml", "sdk:")
    if is_flutter:
        exact, place = declared.pinned(folder, "flutter", ".fvmrc")
        plain = bool(re.fullmatch(r"\d+\.\d+\.\d+", exact))
        facts.add(
            "version",
            exact if plain else FLUTTER,
            "the repository names it" if plain else "it is a stable Flutter",
            place or where,
            confidence=0.9,
        )
    else:
        spec = string(table(pubspec, "environment").get("sdk"))
        declared.add_version(facts, folder, "dart", ci, spec=(spec, where) if spec else ("", None))
    facts.add("install", f"{tool} pub get", "there is a pubspec.yaml", where)
    runs = ci.runs(tool, "", folder.root)
    if not take(facts, "test", runs, rf"{tool} test(?: .*)?|dart run test(?: .*)?") and folder.under(
        r"test/.*_test\.dart"
    ):
        facts.add("test", f"{tool} test", "there are tests", where)
    facts.add("test_tool", f"{tool}-test" if facts.first("test") else "", "of the test command", where)
    if not take_all(facts, "lint", runs, rf"{tool} analyze(?: .*)?|dart (?:analyze|format)(?: .*)?"):
        file = folder.first("analysis_options.yaml")
        facts.add("lint", f"{tool} analyze" if file else "", "the analyzer is set up", Evidence(path=folder.full(file)))
    facts.add("lint_tool", f"{tool}-analyze" if facts.first("lint") else "", "of the lint command", where)
    if is_flutter and folder.has("web/index.html"):
        facts.add(
            "build",
            "flutter build web --release",
            "the application runs in browsers",
            Evidence(path=folder.full("web/index.html")),
            confidence=0.8,
        )
        facts.add("artifact", "build/web/", "Flutter writes there", where)
    return facts.unit(folder.root, "dart")
