"""The survey itself: where the units of a repository are, and what each of them is."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from bot.domain import Evidence, Fact, Snapshot, Survey, Unit
from bot.survey.beside import add_beside
from bot.survey.contradictions import contradictions, left_out
from bot.survey.conversion import conversion
from bot.survey.cpp import survey_cpp
from bot.survey.docker import add_dockerfile, add_what_it_lacks, survey_docker
from bot.survey.ecosystems import ALONE, BESIDE, LANGUAGES, as_meant, is_generated, looked_at, starts_a_unit
from bot.survey.facts import Facts
from bot.survey.go import survey_go
from bot.survey.java.survey import survey_java
from bot.survey.layers import with_layers
from bot.survey.native import with_program
from bot.survey.node.manager import two_locks
from bot.survey.node.survey import survey_node
from bot.survey.other_ci.model import OtherCi
from bot.survey.other_ci.read import read_other_ci
from bot.survey.python.survey import survey_python
from bot.survey.readme import with_readme_packages
from bot.survey.running import with_runtime_files
from bot.survey.rust import survey_rust
from bot.survey.static import survey_static
from bot.survey.tree import Folder, Tree
from bot.survey.wanted import is_ignored

MAX_UNITS = 20
MAX_DEPTH = 3
Surveyor = Callable[[Folder, OtherCi], Unit | None]
_SURVEYORS: tuple[tuple[str, Surveyor], ...] = (
    ("python", survey_python),
    ("node", survey_node),
    ("go", survey_go),
    ("rust", survey_rust),
    ("java", survey_java),
)
_MANIFESTS = frozenset(
    """pyproject.toml setup.py requirements.txt Pipfile package.json go.mod Cargo.toml pom.xml build.gradle
    build.gradle.kts Dockerfile""".split()
)
_PLAIN_FOLDER = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*")


def survey(snapshot: Snapshot, *, ignore_existing_ci: bool = False) -> Survey:
    """Return what a repository is; never raises, whatever its files hold."""
    if not snapshot.paths:
        return Survey(units=(), remarks=("The repository is empty.",))
    tree = Tree(snapshot)
    ci = OtherCi() if ignore_existing_ci else read_other_ci(tree)
    units = [_finished(unit, tree) for unit in _units(tree, ci)]
    remarks = [*tree.problems.values(), *_unread(tree)]
    if len(units) > MAX_UNITS:
        remarks.append(f"There are {len(units)} projects; only the first {MAX_UNITS} were looked at.")
    if not units:
        remarks.append(f"{_NOTHING} {_what_is_there(tree)}".strip())
    remarks += [*contradictions(tree, ci, units), *(() if ignore_existing_ci else left_out(tree))]
    return Survey(
        units=tuple(units[:MAX_UNITS]),
        remarks=tuple(remarks),
        question=_question(tree, ci, units),
        conversion=() if ignore_existing_ci else conversion(tree, ci, units),
    )


def _unread(tree: Tree) -> list[str]:
    """Name the manifests at the top whose text nobody could give us."""
    names = sorted(name for name in tree.names("") & _MANIFESTS if tree.snapshot.read(name) is None)
    return [f"`{name}` was not used: it is binary or larger than 1 MB." for name in names]


_NOTHING = (
    "Nothing was recognised: no manifest of Python, Node.js, Deno, Go, Rust, Java, Scala, Clojure, C and C++, Ruby, "
    "PHP, .NET, Elixir, Swift, Dart, Haskell, Julia, R, Perl, Lua or Zig, no Terraform, Helm chart, Ansible role, "
    "shell tests, LaTeX, notebooks, Dockerfile or static site was found outside of documentation, examples, fixtures "
    "and vendored folders."
)


def _what_is_there(tree: Tree) -> str:
    """Name the most common kinds of files, so that the remark helps."""
    names = [path.rpartition("/")[2] for path in tree.snapshot.paths]
    endings = Counter(name.rpartition(".")[2] for name in names if re.fullmatch(r"[^.].*\.\w{1,10}", name))
    common = [f".{ending} ({count})" for ending, count in endings.most_common(3)]
    return f"Most files are {', '.join(common)}." if common else ""


def _units(tree: Tree, ci: OtherCi) -> list[Unit]:
    top = Folder(tree, "")
    units = _at(top, ci)
    covered = {unit.ecosystem for unit in units} - BESIDE
    for root in _other_roots(tree, top, units):
        found = [unit for unit in _at(Folder(tree, root), ci) if _stands_alone(unit, covered, units, tree)]
        units += found
    if not units:
        site = survey_static(top, ci)
        units = [site] if site else []
    return units


def _at(folder: Folder, ci: OtherCi) -> list[Unit]:
    """Return the units of one folder; C and C++, then a lone Dockerfile, only where nothing else is."""
    found = [unit for _, look in _SURVEYORS if (unit := look(folder, ci)) is not None]
    found += looked_at(LANGUAGES, folder, ci)
    if not found:
        alone = [survey_cpp(folder, ci), *looked_at(ALONE, folder, ci), survey_docker(folder)]
        native = [with_program(with_readme_packages(unit, folder), folder) for unit in alone if unit][:1]
        return [with_runtime_files(unit, folder) for unit in native]
    real = as_meant(_without_helpers(found), folder)
    return [with_runtime_files(with_layers(unit, folder), folder) for unit in real]


def _without_helpers(units: list[Unit]) -> list[Unit]:
    """Drop what only serves another unit beside it: a package.json for a formatter, requirements for the docs."""
    real = [unit for unit in units if unit.first("test") or unit.first("start") or unit.first("build")]
    return real or units[:1]


def _other_roots(tree: Tree, top: Folder, units: Sequence[Unit]) -> list[str]:
    """Return the folders below the top that hold a manifest no unit at the top covers, the shallow ones first."""
    asked = _MANIFESTS - _covered(top, units)
    kinds = {unit.ecosystem for unit in units}
    roots = [
        folder
        for folder in tree.folders
        if folder
        and folder.count("/") < MAX_DEPTH
        and (not asked.isdisjoint(tree.names(folder)) or starts_a_unit(tree.names(folder), kinds))
        and _PLAIN_FOLDER.fullmatch(folder)
        and not is_generated(folder, tree)
        and not is_ignored(folder.split("/"))
        and not any(part.startswith((".", "-")) for part in folder.split("/"))
    ]
    return sorted(roots, key=lambda folder: (folder.count("/"), folder))[: 5 * MAX_UNITS]


def _covered(top: Folder, units: Sequence[Unit]) -> set[str]:
    """Return the manifests that mean nothing of their own below the top: members of a workspace or a reactor."""
    kinds = {unit.ecosystem for unit in units} - BESIDE
    covered: set[str] = set()
    if "node" in kinds and ("workspaces" in top.json("package.json") or top.first("pnpm-workspace.yaml", "lerna.json")):
        covered.add("package.json")
    if "rust" in kinds:
        covered.add("Cargo.toml")
    if "java" in kinds:
        covered |= {"pom.xml", "build.gradle", "build.gradle.kts"}
    return covered | ({"Dockerfile"} if kinds else set())


def _stands_alone(unit: Unit, at_top: set[str], units: Sequence[Unit], tree: Tree) -> bool:
    """Say whether a nested project is its own unit: it is not when a unit above already builds it."""
    above = [each for each in units if each.ecosystem == unit.ecosystem and _is_above(each.root, unit.root)]
    if unit.ecosystem == "docker":
        return not at_top
    if not above:
        return any(unit.first(name) for name in ("test", "build", "start", "framework", "lint"))
    outer = Folder(tree, above[-1].root)
    return _has_own_dependencies(unit, outer)


def _is_above(outer: str, inner: str) -> bool:
    return not outer or inner.startswith(f"{outer}/")


def _has_own_dependencies(unit: Unit, outer: Folder) -> bool:
    """A nested project of the same kind is separate when it locks its own dependencies and no workspace joins them."""
    if unit.ecosystem == "node":
        joined = "workspaces" in outer.json("package.json") or bool(outer.first("pnpm-workspace.yaml", "lerna.json"))
        return bool(unit.first("lockfile")) and not joined
    if unit.ecosystem == "python":
        joined = "workspace" in str(outer.toml("pyproject.toml").get("tool", {}))[:10_000]
        return bool(unit.first("lockfile")) and not joined
    if unit.ecosystem == "go":
        return bool(unit.first("test")) and not re.search(r"tool|script|internal", unit.root)
    return False


def _finished(unit: Unit, tree: Tree) -> Unit:
    """Add the facts that any unit may have: a Dockerfile, folders it takes parts from and submodules."""
    facts = Facts()
    folder = Folder(tree, unit.root)
    places = ("Dockerfile", "docker/Dockerfile", ".docker/Dockerfile", "build/Dockerfile")
    name = "" if unit.ecosystem == "docker" else folder.first(*places)
    if name:
        add_dockerfile(facts, folder, name)
    if name == "Dockerfile":
        add_what_it_lacks(facts, folder, name, unit.all("artifact"))
    if name and _serves(unit):
        where = Evidence(path=folder.full(name))
        facts.add("deployable", "yes", "it is a web application with a Dockerfile", where, confidence=0.7)
    if unit.root:
        add_beside(facts, folder)
    if ".gitmodules" in tree.paths:
        facts.add("submodules", "recursive", "there is a .gitmodules", Evidence(path=".gitmodules"))
    known = {fact.name for fact in unit.facts}
    added: tuple[Fact, ...] = tuple(fact for fact in facts.unit("", "").facts if fact.name not in known)
    return Unit(root=unit.root, ecosystem=unit.ecosystem, facts=unit.facts + added)


def _serves(unit: Unit) -> bool:
    return bool(unit.first("framework")) and unit.first("framework") not in {"html", "mkdocs", "hugo", "jekyll"}


def _question(tree: Tree, ci: OtherCi, units: Sequence[Unit]) -> str | None:
    """Return the one question worth asking: which of two lock files is alive."""
    for unit in units:
        if unit.ecosystem == "node":
            folder = Folder(tree, unit.root)
            locks = two_locks(folder, folder.json("package.json"), ci)
            if locks:
                named = " and ".join(f"`{folder.full(lock)}`" for lock in locks)
                return f"There are {named}: which package manager do you use? I took {unit.first('package_manager')}."
    return None
