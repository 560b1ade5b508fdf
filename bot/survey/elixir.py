"""Elixir: Mix projects, umbrellas and Phoenix."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.other_ci.services import add_database, add_services
from bot.survey.taking import take, take_all
from bot.survey.tree import Folder

_TESTS = r"(?:MIX_ENV=test )?mix (?:test|coveralls)(?:[. ].*)?"
_LINTS = (
    r"(?:MIX_ENV=\w+ )?mix (?:format --check-formatted|credo|dialyzer|deps\.unlock --check-unused|sobelow|xref"
    r"|compile --warnings-as-errors)(?: .*)?"
)
_DATABASES = {"postgrex": "postgres:18", "myxql": "mysql:8.4"}


def survey_elixir(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the Elixir unit of a folder with a mix.exs."""
    if not folder.has("mix.exs"):
        return None
    facts = declared.opened(folder, "mix.exs", "elixir", "mix", "mix.lock")
    needs = re.search(r"elixir:\s*\"([^\"]+)\"", folder.text("mix.exs"))
    spec = (declared.bounded(needs.group(1)), folder.evidence("mix.exs", needs.group(0))) if needs else ("", None)
    exact = declared.pinned(folder, "elixir", ".elixir-version", ".exenv-version")
    version = declared.add_version(facts, folder, "elixir", ci, exact=exact, spec=spec)
    where = folder.evidence("mix.exs", "deps")
    for line in ("mix local.hex --force", "mix local.rebar --force", "mix deps.get"):
        facts.add("install", line, "Mix fetches the packages", where)
    runs = ci.runs("elixir", version, folder.root)
    if not take(facts, "test", runs, _TESTS) and folder.under(r"(?:apps/[\w-]+/)?test/.*_test\.exs"):
        facts.add("test", "mix test", "there are tests", where)
    facts.add("test_tool", "exunit" if facts.first("test") else "", "of the test command", where)
    _add_lint(facts, folder, runs)
    facts.add("build", "mix compile", "Mix compiles the project", where, confidence=0.8)
    if _depends(folder, "junit_formatter"):
        facts.add("reporter", "junit_formatter", "it is a dependency", folder.evidence("mix.exs", ":junit_formatter"))
    add_services(facts, folder, ci)
    _add_application(facts, folder)
    return facts.unit(folder.root, "elixir")


def _depends(folder: Folder, name: str) -> bool:
    texts = [folder.text("mix.exs"), *(folder.text(path) for path in folder.under(r"apps/[\w-]+/mix\.exs"))]
    return any(re.search(rf"\{{\s*:{name}\b", text) for text in texts)


def _add_lint(facts: Facts, folder: Folder, runs: list[list[Command]]) -> None:
    if not take_all(facts, "lint", runs, _LINTS):
        if folder.has(".formatter.exs"):
            facts.add(
                "lint",
                "mix format --check-formatted",
                "there is a .formatter.exs",
                Evidence(path=folder.full(".formatter.exs")),
            )
        if _depends(folder, "credo"):
            facts.add("lint", "mix credo", "credo is a dependency", folder.evidence("mix.exs", ":credo"))
    for tool in re.findall(r"mix (format|credo|dialyzer|sobelow)", " ".join(facts.all("lint"))):
        facts.add("lint_tool", tool, "of the lint command", folder.evidence("mix.exs", f":{tool}"))


def _add_application(facts: Facts, folder: Folder) -> None:
    """Phoenix is deployed as a release; its tests look for the database where config/test.exs says."""
    for package, image in _DATABASES.items():
        if _depends(folder, package) and facts.first("test"):
            where = folder.evidence("mix.exs", f":{package}")
            add_database(facts, image, f"{package} talks to it", where)
            if re.search(r"hostname:\s*\"localhost\"", folder.text("config/test.exs")):
                facts.add(
                    "forward",
                    image.partition(":")[0],
                    "the tests look for it on localhost",
                    folder.evidence("config/test.exs", "localhost"),
                )
    app = re.search(r"app:\s*:(\w+)", folder.text("mix.exs"))
    if _depends(folder, "phoenix") and app and folder.under(r"lib/.*endpoint\.ex"):
        where = folder.evidence("mix.exs", ":phoenix")
        facts.add("framework", "phoenix", "it is a dependency", where)
        facts.add("deployable", "yes", "it is a web application", where, confidence=0.9)
        _add_release(facts, folder, app)
        facts.add("port", "4000", "Phoenix listens there by default", where, confidence=0.8)


def _add_release(facts: Facts, folder: Folder, app: re.Match[str]) -> None:
    """Mix takes the name of a release only where mix.exs lists it; one that it does not list is named like the app."""
    text = folder.text("mix.exs")
    default = re.search(r"default_release:\s*:(\w+)", text)
    listed = re.search(r"releases:\s*\[\s*(\w+):|def(?:p)? releases\b[^\[]*\[\s*(\w+):", text)
    named = default or (listed if listed and "releases:" in text else None)
    name = next((each for each in named.groups() if each), "") if named else app.group(1)
    where = folder.evidence("mix.exs", (named or app).group(0))
    facts.add("entry", name, "the release is named so", where)
    facts.add("release", name if named else "", "mix.exs lists it", where)
    facts.add("start", f"/app/bin/{name} start", "Mix releases start so", where, confidence=0.9)
