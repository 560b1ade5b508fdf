"""Dart packages and Flutter applications."""

import re

from msgspec import structs

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.parsing import string, table
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

FLUTTER = "3.44.4"
_BROWSERS = frozenset({"chrome", "firefox", "edge", "safari"})


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
    runs = [[_in_plain_image(command) for command in run] for run in ci.runs(tool, "", folder.root)]
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


def _in_plain_image(command: Command) -> Command:
    """Test on the virtual machine alone where other CI also asks for browsers, which no image of Dart has."""
    found = re.search(r"\s(?:-p|--platform)[ =]([\w,-]+)", command.line)
    if found is None or not set(found.group(1).split(",")) & _BROWSERS:
        return command
    kept = [name for name in found.group(1).split(",") if name not in _BROWSERS]
    line = command.line.replace(found.group(0), f" --platform {','.join(kept)}") if kept else ""
    return structs.replace(command, line=line)
