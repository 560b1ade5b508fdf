"""Which ecosystems the survey knows beside the five it began with: who looks, and which manifests start a unit."""

import re
from collections.abc import Callable, Iterable

from msgspec import Struct, structs

from bot.domain import Unit
from bot.survey.dart import survey_dart
from bot.survey.dotnet import survey_dotnet
from bot.survey.elixir import survey_elixir
from bot.survey.haskell import survey_haskell
from bot.survey.infrastructure import survey_ansible, survey_helm, survey_terraform
from bot.survey.java.mill import survey_mill
from bot.survey.java.sbt import survey_clojure, survey_sbt
from bot.survey.node.deno import survey_deno
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import table
from bot.survey.php import survey_php
from bot.survey.ruby import survey_ruby
from bot.survey.science import survey_julia, survey_latex, survey_notebooks, survey_r
from bot.survey.shell import lint_facts, survey_shell
from bot.survey.small_languages import survey_lua, survey_perl, survey_zig
from bot.survey.static import survey_hugo
from bot.survey.swift import survey_swift
from bot.survey.tree import Folder, Tree

Surveyor = Callable[[Folder, OtherCi], Unit | None]


class Kind(Struct, frozen=True):
    """One ecosystem. `manifests` matches the names of files that start a unit below the top."""

    ecosystem: str
    look: Surveyor
    manifests: str


# Languages: any number of them may share a folder.
LANGUAGES: tuple[Kind, ...] = (
    Kind("ruby", survey_ruby, r"Gemfile|[\w.-]+\.gemspec"),
    Kind("php", survey_php, r"composer\.json"),
    Kind("dotnet", survey_dotnet, r".*\.(?:slnx?|csproj|fsproj|vbproj)"),
    Kind("elixir", survey_elixir, r"mix\.exs"),
    Kind("dart", survey_dart, r"pubspec\.yaml"),
    Kind("swift", survey_swift, r"Package\.swift"),
    Kind("haskell", survey_haskell, r"[\w.-]+\.cabal|stack\.yaml|cabal\.project"),
    Kind("node", survey_deno, r"deno\.jsonc?"),
    Kind("java", survey_sbt, r"build\.sbt"),
    Kind("java", survey_mill, r"build\.mill(?:\.yaml|\.scala)?|build\.sc"),
    Kind("clojure", survey_clojure, r"project\.clj|deps\.edn"),
    Kind("julia", survey_julia, r"Project\.toml"),
    Kind("r", survey_r, r"DESCRIPTION"),
    Kind("perl", survey_perl, r"cpanfile|dist\.ini|Makefile\.PL|Build\.PL"),
    Kind("lua", survey_lua, r"[\w.-]+\.rockspec"),
    Kind("zig", survey_zig, r"build\.zig"),
    Kind("notebooks", survey_notebooks, ""),
    Kind("static", survey_hugo, r"hugo\.(?:toml|ya?ml)"),
)
# What counts only where no language was found.
ALONE: tuple[Kind, ...] = (
    Kind("terraform", survey_terraform, r"main\.tf|versions\.tf"),
    Kind("helm", survey_helm, r"Chart\.yaml"),
    Kind("ansible", survey_ansible, r"galaxy\.yml|ansible\.cfg"),
    Kind("shell", survey_shell, ""),
    Kind("latex", survey_latex, ""),
)

# Their presence at the top says nothing about the services below it.
BESIDE = frozenset(kind.ecosystem for kind in ALONE)
_GENERATED = re.compile(r"(?:.*/)?(?:android|ios|macos|linux|windows)")


def looked_at(kinds: Iterable[Kind], folder: Folder, ci: OtherCi) -> list[Unit]:
    """Return the units that these ecosystems find in a folder."""
    return [unit for kind in kinds if (unit := kind.look(folder, ci)) is not None]


def starts_a_unit(names: Iterable[str], at_top: Iterable[str]) -> bool:
    """Say whether a folder holds a manifest that no unit at the top covers; with one there, only languages count."""
    covered = set(at_top)
    kinds = LANGUAGES if covered else (*LANGUAGES, *ALONE)
    asked = [kind.manifests for kind in kinds if kind.ecosystem not in covered and kind.manifests]
    pattern = re.compile("|".join(asked)) if asked else None
    return pattern is not None and any(pattern.fullmatch(name) for name in names)


def is_generated(root: str, tree: Tree) -> bool:
    """Say whether a folder is a platform's half of a Flutter application, which Flutter builds itself."""
    return bool(_GENERATED.fullmatch(root)) and "pubspec.yaml" in tree.names(root.rpartition("/")[0])


def as_meant(units: list[Unit], folder: Folder) -> list[Unit]:
    """Return the units as their authors see them: npm and Go modules often only serve a site or shell code."""
    is_site = any(unit.ecosystem == "static" for unit in units)
    return [_shell(unit, folder) for unit in units if not (is_site and _serves_a_site(unit, folder))]


def _serves_a_site(unit: Unit, folder: Folder) -> bool:
    if unit.ecosystem == "go":
        return not folder.under(r".*\.go")
    scripts = " ".join(str(line) for line in table(folder.json("package.json"), "scripts").values())
    if unit.ecosystem == "node" and re.search(r"\bhugo\b", scripts):
        return unit.first("test_tool") in {None, "", "npm-script"}
    return unit.ecosystem in {"node", "ruby"} and not unit.first("test")


def _shell(unit: Unit, folder: Folder) -> Unit:
    """Shell code that npm only fetches bats for is no Node project."""
    script = str(table(folder.json("package.json"), "scripts").get("test"))
    if unit.ecosystem != "node" or not re.search(r"\bbats\b", script) or folder.under(r"(?:src|lib|index).*\.[jt]sx?"):
        return unit
    facts = tuple(
        structs.replace(fact, value="shell") if fact.name == "language" else fact
        for fact in unit.facts
        if fact.name != "test_tool"
    )
    known = {fact.name for fact in facts}
    lint = () if "lint" in known else lint_facts(folder)
    return structs.replace(unit, ecosystem="shell", facts=facts + lint)
