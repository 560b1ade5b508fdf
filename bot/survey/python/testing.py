"""How a Python project's tests are run: what its CI runs, else what its configuration says."""

import itertools
import re
import shlex
from collections.abc import Sequence

from bot.domain import Evidence
from bot.survey import commands, versions
from bot.survey.launchers import without_launcher
from bot.survey.other_ci.model import Command
from bot.survey.parsing import string, strings, table
from bot.survey.python.environments import nox_session, tests_nothing, tox_environment, tox_names
from bot.survey.python.manifest import Manifest
from bot.survey.python.own_scripts import only_lints
from bot.survey.python.project import Project
from bot.survey.tree import Folder

_TOOLS = {"pytest": "pytest", "py.test": "pytest", "tox": "tox", "nox": "nox", "unittest": "unittest", "hatch": "hatch"}
_RUN = {"uv": "uv run", "poetry": "poetry run", "pdm": "pdm run", "pipenv": "pipenv run", "hatch": "", "pip": ""}
# Tools that test the other languages of a repository.
_FOREIGN = frozenset("npm yarn pnpm cargo go npx node mvn mvnw gradle gradlew ctest just task".split())
_MAX_COMMANDS = 4
TEST_FILES = r"(?:(?:[\w.-]+/){0,4})?(?:test_\w+|\w+_tests?|tests)\.py"


def add_testing(project: Project) -> None:
    """Add test and test_tool."""
    facts = project.facts
    for line, why, where, confidence in _test_lines(project):
        facts.add("test", line, why, where, confidence=confidence)
        tool = test_tool(line)
        facts.add("test_tool", tool, f"the tests run as `{line}`", where, confidence=confidence)
        if re.search(r"\bmake\b", line):
            facts.add("system_package", "make", "the tests are run through make", where)


def test_tool(line: str) -> str:
    """Return which tool a test command uses."""
    found = commands.core(commands.words(line) or [])
    if "manage.py" in line:
        return "django"
    tool = found[0].rpartition("/")[2] if found else ""
    if line.startswith("hatch "):
        return "hatch"
    return _TOOLS.get(tool, "pytest" if "pytest" in line else "make" if tool == "make" else "unittest")


def _test_lines(project: Project) -> list[tuple[str, str, Evidence, float]]:
    from_ci = _from_ci(project)
    if from_ci:
        return [(line, "other CI runs it", command.evidence, 1.0) for line, command in from_ci]
    line, why, where, confidence = _from_configuration(project)
    return [(line, why, where, confidence)] if line else []


def _from_ci(project: Project) -> list[tuple[str, Command]]:
    """Return the test commands of the first job that tests, made to run in one environment."""
    for run in project.runs():
        found: dict[str, Command] = {}
        for command in run:
            line = _usable(project, command)
            if line:
                found.setdefault(line, command)
        if found:
            return list(found.items())[:_MAX_COMMANDS]
    return []


def _usable(project: Project, command: Command) -> str:
    """Return a test command as this pipeline can run it, or nothing."""
    line = _without_interpreter(project, command.line)
    words = commands.words(line) if line else None
    if words is None:
        return _unresolved_tox(project, command.raw)
    if command.kind != "test" or only_lints(project.folder, line):
        return ""
    found = commands.core(words)
    tool = found[0].rpartition("/")[2]
    if tool == "tox":
        return _with_tox(project, words, found)
    if tool == "nox":
        return _with_nox(project, line)
    if tool in _FOREIGN or not _is_there(project.folder, tool, found[0]):
        return ""
    return project.inside(without_uv(project, _without_uploads(line)))


def _without_interpreter(project: Project, line: str) -> str:
    """Drop the `--python` of `uv run` that names the interpreter the image has: uv would fetch that very patch."""
    named = re.match(r"uv run (?:--python|-p)[ =](3[\d.]+) ", line)
    is_chosen = named is not None and versions.short("python", named.group(1)) == project.version
    return line.replace(named.group(0), "uv run ", 1) if named and is_chosen else line


def _is_there(folder: Folder, tool: str, program: str) -> bool:
    """Say whether what a command calls lies in the repository, where it must; `setup.py test` is no more."""
    if tool == "make":
        return bool(folder.first("Makefile", "makefile", "GNUmakefile"))
    is_own = tool.endswith(".sh") or commands.OWN_SCRIPT.fullmatch(program)
    return tool != "setup.py" and (not is_own or folder.has(program.removeprefix("./")))


def _with_nox(project: Project, line: str) -> str:
    """Name the session that tests, unless the command names one: all of them want every interpreter."""
    if re.search(r"conda|mamba", line):
        return ""  # no image for Python has it
    if re.search(r"\s-[setkf]\b|--session|--tags|--keyword", line):
        return line
    session = nox_session(project.folder, project.version)
    return f"nox -s {shlex.quote(session)}" if session else line


def _without_uploads(line: str) -> str:
    """Drop the reports a coverage service wanted, and absolute or variable paths."""
    if re.search(r"(?<![\w.])/(?:home|tmp|github|opt)/|%[A-Z]+%", line):
        return ""
    return re.sub(r"\s--color[= ]\w+|\s--junit-?xml[= ]\S+", "", line).strip()


def without_uv(project: Project, line: str) -> str:
    """Run in the image's own Python what other CI runs in an environment that `uv pip` filled."""
    return re.sub(r"^uv run (?!-)", "", line) if project.manager()[0] == "pip" else line


def _unresolved_tox(project: Project, raw: str) -> str:
    """Resolve `tox -e ${{ … }}`: the expression always picks the environment of the interpreter."""
    if not re.search(r"(^|\s|-m )tox\b.*\$\{\{", raw):
        return ""
    plain, _ = without_launcher(re.sub(r"\s-e\s*(\S*\$\{\{.*?\}\}\S*)+", "", raw))
    words = commands.words(plain)
    return _with_tox(project, words, commands.core(words)) if words and commands.kind(plain) == "test" else ""


def _with_tox(project: Project, words: Sequence[str], found: Sequence[str]) -> str:
    """Name the tox environment of the chosen interpreter, unless the command names one."""
    named = [name for flag, name in itertools.pairwise(found) if flag == "-e"]
    if named and all(tests_nothing(project.folder, each) for name in named for each in name.split(",")):
        return ""
    if any(re.match(r"-[ef]|--env|--factor", word) for word in found):
        return shlex.join(word for word in words if word != "--skip-pkg-install")
    kept = [
        word
        for word in words
        if word not in {"--parallel", "--skip-pkg-install"} and not word.startswith("--parallel=")
    ]
    return f"{shlex.join(kept)} -e {tox_environment(project.folder, project.version)}"


def _from_configuration(project: Project) -> tuple[str, str, Evidence, float]:
    """Return the command the project's own files point to, with its reason."""
    folder, manifest = project.folder, project.manifest
    manager, _ = project.manager()
    run = _RUN.get(manager, "")
    if tox_names(folder) and manager not in {"poetry", "pdm", "pipenv"}:
        prefix = "uv run " if manager == "uv" and "tox" in manifest.groups.get("dev", ()) else ""
        where = folder.evidence(folder.first("tox.ini", "pyproject.toml", "setup.cfg"), "[testenv", "[tool.tox")
        return f"{prefix}tox -e {tox_environment(folder, project.version)}", "tox is configured", where, 0.9
    session = nox_session(folder, project.version)
    if session and not (run and _pytest_evidence(project)):
        return (
            f"nox -s {shlex.quote(session)}",
            "the noxfile has a session for tests",
            folder.evidence("noxfile.py", f"def {session.partition('-')[0]}"),
            0.8,
        )
    script = _hatch_script(manifest, project.version)
    if manager == "hatch" and script:
        return script, "hatch is configured", folder.evidence("pyproject.toml", "[tool.hatch.envs"), 0.9
    if _pytest_evidence(project):
        return (
            _joined(run, "pytest"),
            "pytest is configured or required",
            _pytest_evidence(project) or Evidence(path=""),
            0.9,
        )
    if folder.has("manage.py"):
        return (
            _joined(run, "python manage.py test"),
            "it is a Django project",
            folder.evidence("manage.py", "django"),
            0.8,
        )
    return _from_files(project, run)


def _joined(run: str, line: str) -> str:
    return f"{run} {line}".strip()


def _from_files(project: Project, run: str) -> tuple[str, str, Evidence, float]:
    """Fall back on test files: pytest runs those of unittest too."""
    folder = project.folder
    if folder.has("runtests.py"):
        where = Evidence(path=folder.full("runtests.py"))
        return _joined(run, "python runtests.py"), "the repository has a program that runs its tests", where, 0.6
    files = [path for path in folder.under(TEST_FILES) if not path.startswith(("docs/", "examples/"))]
    if not files:
        return "", "", Evidence(path=""), 0.0
    return (
        _joined(run, "pytest"),
        "there are test files, and pytest runs every kind",
        Evidence(path=folder.full(files[0])),
        0.6,
    )


def _pytest_evidence(project: Project) -> Evidence | None:
    """Return where pytest is configured or required."""
    folder, manifest = project.folder, project.manifest
    if folder.has("pytest.ini"):
        return folder.evidence("pytest.ini", "[pytest]")
    if manifest.tool("pytest") or "pytest" in manifest.everything:
        return folder.evidence(_names_pytest(folder), "[tool.pytest", "pytest")
    if "tool:pytest" in manifest.setup_cfg:
        return folder.evidence("setup.cfg", "[tool:pytest]")
    if "pytest" in folder.ini("tox.ini"):
        return folder.evidence("tox.ini", "[pytest]")
    for name in folder.names(r"[\w.-]*requirements[\w.-]*\.txt"):
        if re.search(r"^pytest\b", folder.text(name), re.MULTILINE):
            return folder.evidence(name, "pytest")
    return folder.evidence("conftest.py") if folder.has("conftest.py") else None


def _names_pytest(folder: Folder) -> str:
    """Return the first manifest that speaks of pytest; without one, the first there is."""
    there = [name for name in ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile") if folder.has(name)]
    there += folder.names(r"[\w.-]*requirements[\w.-]*\.txt")
    return next((name for name in there if "pytest" in folder.text(name)), there[0] if there else "pyproject.toml")


def _hatch_script(manifest: Manifest, version: str) -> str:
    """Return the hatch command that tests: a script of an environment, else hatch's own runner."""
    envs = manifest.tool("hatch", "envs") or table(manifest.folder.toml("hatch.toml"), "envs")
    for env in ("hatch-test", "test", "tests", "default", *envs):
        scripts = table(envs, env, "scripts")
        if env == "hatch-test" and (env in envs):
            return "hatch test"
        name = next((each for each in ("test", "tests", "default", "run", "cov", "all") if each in scripts), "")
        if name and re.search(r"pytest|unittest|test", " ".join(strings(scripts[name])) or string(scripts[name])):
            only = f"+py={version} " if table(envs, env).get("matrix") else ""
            return f"hatch run {name}" if env == "default" else f"hatch run {only}{env}:{name}"
    return ""
