"""How a Python project and its test dependencies are installed."""

import re
import shlex
from collections.abc import Callable, Iterator

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.other_ci.model import all_commands
from bot.survey.parsing import string, strings, table
from bot.survey.python.environments import called_outside, tox_calls_setup, tox_override
from bot.survey.python.manifest import names, test_names
from bot.survey.python.pip import pip_lines
from bot.survey.python.project import Project
from bot.survey.python.system import add_system_packages
from bot.survey.versions import number

_LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
# Extras no test needs: documentation, tools of the trade, hardware and benchmarks.
_ASIDE = re.compile(r"docs?|lint|release|build|bench|cuda|gpu|torch|rocm|notebook|example|typing|all")
_FEW = 6
_RUNNERS = frozenset({"uv", "poetry", "pdm", "pipenv", "hatch", "tox", "nox"})


def add_installation(project: Project) -> None:
    """Add package_manager, lockfile, install, coverage and the system packages."""
    facts, folder = project.facts, project.folder
    manager, where = project.manager()
    facts.add("package_manager", manager, "its file or its table is there", where)
    lock = _LOCKS.get(manager, "")
    if lock and folder.has(lock):
        facts.add("lockfile", folder.full(lock), "it pins every dependency", Evidence(path=folder.full(lock)))
    for line, why, evidence in _install_lines(project, manager, where):
        facts.add("install", line, why, evidence)
    _add_missing_runners(project)
    _add_coverage(project)
    add_system_packages(project)


def _install_lines(project: Project, manager: str, where: Evidence) -> Iterator[tuple[str, str, Evidence]]:
    tools = set(project.facts.all("test_tool"))
    test = project.facts.first("test")
    runner = next((tool for tool in ("tox", "nox") if tool in tools), "")
    if runner and not test.startswith(("uv run", "poetry run", "pdm run", "hatch run", "pipenv run")):
        yield from _runner_lines(project, runner, test)
        return
    if "hatch" in tools or (manager == "hatch" and not test.startswith(("pytest", "python"))):
        yield project.pinned("hatch"), "hatch makes the environments itself", where
        return
    builders: dict[str, Callable[[Project], list[str]]] = {"uv": _uv, "poetry": _poetry, "pdm": _pdm, "pipenv": _pipenv}
    build = builders.get(manager)
    if build is None or project.is_installed_by_pip():
        yield from pip_lines(project)
        return
    for line in build(project):
        yield line, f"{manager} manages the dependencies", where


def _runner_lines(project: Project, runner: str, test: str) -> Iterator[tuple[str, str, Evidence]]:
    where = next((command for command in all_commands(project.runs()) if runner in command.raw), None)
    evidence = (
        where.evidence if where else project.folder.evidence(f"{runner}.ini" if runner == "tox" else "noxfile.py")
    )
    line = project.pinned(runner)
    if runner == "nox" and "options.needs_version" in project.folder.text("noxfile.py"):
        # Newer releases refuse this old spelling, which only older ones ignore.
        line = "pip install nox==2024.10.9"
    plugins = sorted((_tox_plugins(project) if runner == "tox" else set()) | project.beside(runner))
    if runner == "tox" and number(project.version) >= number("3.12") and tox_calls_setup(project.folder):
        why = "tox runs setup.py, and from Python 3.12 on its environments start without setuptools"
        project.facts.add("seeded", "setuptools", why, project.folder.evidence("tox.ini", "setup.py"))
    if runner == "nox" and "check-manifest" in project.folder.text("noxfile.py"):
        why = "check-manifest wants every tracked file in the package, and the pipeline is none of it"
        noxfile = project.folder.evidence("noxfile.py", "check-manifest")
        project.facts.add("prepare", "git rm --cached --quiet .gitlab-ci.yml", why, noxfile)
    if runner == "tox":
        why = "check-manifest would ask why .gitlab-ci.yml is not in the package"
        where_asked = project.folder.evidence("tox.ini", "check-manifest")
        project.facts.add("tox_override", tox_override(project.folder), why, where_asked)
    yield " ".join([line, *map(shlex.quote, plugins)]), f"{runner} makes the environments itself", evidence
    for tool, place in called_outside(project.folder, runner):
        if tool not in " ".join(plugins):
            yield _with_companions(project, tool), f"{runner} calls it outside of its environments", place


def _tox_plugins(project: Project) -> set[str]:
    """Return the plugins a tox configuration requires, and tox-uv when its runner is named."""
    ini = table(project.folder.ini("tox.ini"), "tox")
    native = project.manifest.tool("tox")
    required = string(ini.get("requires")).splitlines() + strings(native.get("requires"))
    plugins = {each for each in names(required) if each.startswith("tox-") and each != "tox-gh-actions"}
    if "uv-venv" in project.folder.text("tox.ini") + project.folder.text("pyproject.toml"):
        plugins.add("tox-uv")
    return plugins


def _uv(project: Project) -> list[str]:
    """uv installs the project and its default groups; extras and other groups are asked for by name."""
    manifest = project.manifest
    test = project.facts.first("test")
    line = "uv sync --locked" if project.folder.has("uv.lock") else "uv sync"
    default = manifest.tool("uv").get("default-groups")
    known = (
        set(strings(default)) if isinstance(default, list) else set(manifest.groups) if default == "all" else {"dev"}
    )
    options = _options_in_ci(project, "uv sync")
    if options:
        return [project.pinned("uv"), f"{line} {options}"]
    extra = _extras(project)
    groups = [name for name in test_names(manifest.groups) if name not in known]
    if "--group" in test or "--extra" in test or "--all-" in test:
        extra, groups = [], []
    # A workspace whose top is no project installs nothing by itself.
    members = ["--all-packages"] if manifest.tool("uv", "workspace") and "project" not in manifest.pyproject else []
    named = (
        members
        + [f"--extra {shlex.quote(name)}" for name in extra]
        + [f"--group {shlex.quote(name)}" for name in groups]
    )
    return [project.pinned("uv"), " ".join([line, *named])]


def _poetry(project: Project) -> list[str]:
    manifest = project.manifest
    options = _options_in_ci(project, "poetry install")
    if not options:
        optional = [
            name
            for name in test_names(manifest.groups)
            if table(manifest.tool("poetry", "group"), name).get("optional") is True
        ]
        extras = [name for name in _extras(project) if name != "all"]
        options = " ".join(
            [f"--with {shlex.quote(name)}" for name in optional] + [f"--extras {shlex.quote(name)}" for name in extras]
        )
    return [_poetry_itself(project), f"poetry install --no-interaction {options}".strip()]


def _poetry_itself(project: Project) -> str:
    """Use the Poetry line that wrote the lock: Poetry 1 cannot read what Poetry 2 writes, and not all the other way."""
    folder = project.folder
    made = re.search(r"generated by Poetry (\d)\.", folder.text("poetry.lock")[:300])
    plugins = table(folder.toml("pyproject.toml"), "tool", "poetry", "requires-plugins")
    if made and made.group(1) == "1" and not plugins:
        return "pip install 'poetry<2'"
    return project.pinned("poetry")


def _pdm(project: Project) -> list[str]:
    options = _options_in_ci(project, "pdm install") or _options_in_ci(project, "pdm sync")
    if not options:
        options = " ".join(f"-G {shlex.quote(name)}" for name in _extras(project))
    return [_with_companions(project, "pdm"), f"pdm install {options}".strip()]


def _with_companions(project: Project, tool: str) -> str:
    """Return what installs a tool; later releases of two libraries broke PDM: all three are pinned together."""
    return project.pinned(tool) + (" 'hishel<1.2' 'unearth<0.18'" if tool == "pdm" else "")


def _pipenv(project: Project) -> list[str]:
    has_lock = project.folder.has("Pipfile.lock")
    return [project.pinned("pipenv"), "pipenv sync --dev" if has_lock else "pipenv install --dev --skip-lock"]


def _extras(project: Project) -> list[str]:
    """Return the extras the tests need: the one named after them, else all of a few, whose parts are tested too."""
    manifest = project.manifest
    named = test_names(manifest.extras)
    if named or not project.folder.has(_LOCKS.get(project.manager()[0], "")) or manifest.tool("uv").get("conflicts"):
        return named
    useful = [name for name in manifest.extras if not _ASIDE.search(name)]
    return useful if len(useful) <= _FEW else []


def _options_in_ci(project: Project, start: str) -> str:
    """Return the options other CI gives to an install command of the testing job."""
    for command in project.before_tests():
        words = commands.words(command.line) if command.line else None
        if words and " ".join(words[:2]) == start:
            kept = [
                word
                for word in words[2:]
                if word not in {"--locked", "--frozen", "--no-interaction", "-n", "--no-ansi", "-v"}
            ]
            return shlex.join(kept)
    return ""


def _add_missing_runners(project: Project) -> None:
    """Install the program that a test command taken from elsewhere begins with."""
    installed = " ".join(project.facts.all("install"))
    for line in project.facts.all("test"):
        tool = {"uvx": "uv"}.get(line.split()[0], line.split()[0])
        if tool in _RUNNERS and not re.search(rf"(?<![\w-]){tool}(?![\w-])", installed):
            project.facts.add(
                "install",
                _with_companions(project, tool),
                f"`{line}` needs it",
                Evidence(path=project.folder.full("pyproject.toml")),
            )


def _add_coverage(project: Project) -> None:
    installed = " ".join(project.facts.all("install"))
    runs_outside = re.match(r"(tox|nox|hatch)\b", project.facts.first("test"))
    known = project.manifest.everything | names(re.split(r"\s+", installed))
    for name in re.findall(r"-r\s*(\S+)", installed):
        known |= names(project.folder.text(name).splitlines())
    if "pytest-cov" in known and not runs_outside and "pytest" in project.facts.all("test_tool"):
        project.facts.add(
            "coverage",
            "pytest-cov",
            "it is among the test dependencies",
            project.folder.evidence("pyproject.toml", "pytest-cov"),
        )
