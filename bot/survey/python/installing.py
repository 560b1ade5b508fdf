"""How a Python project and its test dependencies are installed."""

import itertools
import re
import shlex
from collections.abc import Callable, Iterator

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.other_ci.model import Command, all_commands
from bot.survey.parsing import read_toml, string, strings, table
from bot.survey.python.manifest import Manifest, names
from bot.survey.python.project import Project, pinned, pip_install
from bot.survey.python.system import add_system_packages
from bot.survey.tree import Folder

_LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
TEST_GROUPS = ("test", "tests", "testing", "dev", "develop", "development", "all", "ci")
_FILES = r"(?:requirements[-_.]?)?(?:dev|test|tests|testing|ci|development)[-_.]?(?:requirements)?\.(?:txt)"
_PLUGINS = {
    r"--cov\b": "pytest-cov",
    r"(?<![\w-])-n[ =]?(?:auto|\d)": "pytest-xdist",
    r"--timeout\b|^timeout\s*=": "pytest-timeout",
    r"asyncio_mode": "pytest-asyncio",
    r"DJANGO_SETTINGS_MODULE": "pytest-django",
    r"--mypy\b": "pytest-mypy",
    r"--benchmark": "pytest-benchmark",
    r"--flake8\b": "pytest-flake8",
    r"--black\b": "pytest-black",
    r"--randomly|--random-order": "pytest-randomly",
    r"^mocked?-|mocker": "pytest-mock",
}


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
        yield pinned("hatch"), "hatch makes the environments itself", where
        return
    builders: dict[str, Callable[[Project], list[str]]] = {"uv": _uv, "poetry": _poetry, "pdm": _pdm, "pipenv": _pipenv}
    build = builders.get(manager)
    if build is None or _pip_in_ci(project):
        yield from _pip(project)
        return
    for line in build(project):
        yield line, f"{manager} manages the dependencies", where


def _runner_lines(project: Project, runner: str, test: str) -> Iterator[tuple[str, str, Evidence]]:
    where = next((command for command in all_commands(project.runs()) if runner in command.raw), None)
    evidence = (
        where.evidence if where else project.folder.evidence(f"{runner}.ini" if runner == "tox" else "noxfile.py")
    )
    line = pinned(runner)
    if runner == "nox" and "options.needs_version" in project.folder.text("noxfile.py"):
        # Newer releases refuse this old spelling, which only older ones ignore.
        line = "pip install nox==2024.10.9"
    plugins = sorted(_tox_plugins(project) if runner == "tox" else ())
    yield " ".join([line, *map(shlex.quote, plugins)]), f"{runner} makes the environments itself", evidence


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
        return [pinned("uv"), f"{line} {options}"]
    extra = _test_names(manifest.extras)
    groups = [name for name in _test_names(manifest.groups) if name not in known]
    if "--group" in test or "--extra" in test or "--all-" in test:
        extra, groups = [], []
    named = [f"--extra {shlex.quote(name)}" for name in extra] + [f"--group {shlex.quote(name)}" for name in groups]
    return [pinned("uv"), " ".join([line, *named])]


def _poetry(project: Project) -> list[str]:
    manifest, folder = project.manifest, project.folder
    options = _options_in_ci(project, "poetry install")
    if not options:
        optional = [
            name
            for name in _test_names(manifest.groups)
            if table(manifest.tool("poetry", "group"), name).get("optional") is True
        ]
        extras = [name for name in _test_names(manifest.extras) if name != "all"]
        options = " ".join(
            [f"--with {shlex.quote(name)}" for name in optional] + [f"--extras {shlex.quote(name)}" for name in extras]
        )
    return [_poetry_itself(folder), f"poetry install --no-interaction {options}".strip()]


def _poetry_itself(folder: Folder) -> str:
    """Use the Poetry line that wrote the lock: Poetry 1 cannot read what Poetry 2 writes, and not all the other way."""
    made = re.search(r"generated by Poetry (\d)\.", folder.text("poetry.lock")[:300])
    plugins = table(folder.toml("pyproject.toml"), "tool", "poetry", "requires-plugins")
    if made and made.group(1) == "1" and not plugins:
        return "pip install 'poetry<2'"
    return pinned("poetry")


def _pdm(project: Project) -> list[str]:
    options = _options_in_ci(project, "pdm install") or _options_in_ci(project, "pdm sync")
    # Later releases of these two libraries broke PDM: all three are pinned together.
    return [f"{pinned('pdm')} 'hishel<1.2' 'unearth<0.18'", f"pdm install {options}".strip()]


def _pipenv(project: Project) -> list[str]:
    has_lock = project.folder.has("Pipfile.lock")
    return [pinned("pipenv"), "pipenv sync --dev" if has_lock else "pipenv install --dev --skip-lock"]


def _options_in_ci(project: Project, start: str) -> str:
    """Return the options other CI gives to an install command of the testing job."""
    for command in _before_tests(project):
        words = commands.words(command.line) if command.line else None
        if words and " ".join(words[:2]) == start:
            kept = [
                word
                for word in words[2:]
                if word not in {"--locked", "--frozen", "--no-interaction", "-n", "--no-ansi", "-v"}
            ]
            return shlex.join(kept)
    return ""


def _before_tests(project: Project) -> list[Command]:
    """Return the commands of the job that tests, up to its tests."""
    for run in project.runs():
        positions = [number for number, command in enumerate(run) if command.kind == "test"]
        if positions:
            return run[: positions[0]]
    return []


def _pip_in_ci(project: Project) -> bool:
    """Say whether the testing job of other CI installs the project with pip, whatever else is configured."""
    lines = [command.line for command in _before_tests(project)]
    installs = any(re.match(r"(python3? -m )?pip install .*(\.|-r )", line) for line in lines)
    return installs and not any(re.match(r"(uv sync|poetry install|pdm (install|sync)|pipenv)", line) for line in lines)


def _pip(project: Project) -> Iterator[tuple[str, str, Evidence]]:
    """Install as the testing job does, and whatever the declarations add to it."""
    manifest, folder = project.manifest, project.folder
    copied = [command for command in _before_tests(project) if _is_pip_line(project, command.line)]
    for command in copied:
        yield _plain_pip(command.line), "other CI installs it so", command.evidence
    text = " ".join(command.line for command in copied)
    if not copied:
        for line, evidence in _declared(manifest):
            text += f" {line}"
            yield line, "it is declared", evidence
    missing = _missing(project, text)
    if missing:
        yield (
            pip_install(*missing),
            "the tests need it and nothing else installs it",
            folder.evidence("pyproject.toml", missing[0]),
        )


def _is_pip_line(project: Project, line: str) -> bool:
    words = commands.words(line) if line else None
    if not words or commands.kind(line) != "install":
        return False
    found = commands.core(words)
    if found[:1] == ["uv"] and found[1:3] == ["pip", "install"]:
        return True
    if found[:2] not in (["pip", "install"], ["pip3", "install"]):
        return words[0].endswith("python") and "setup.py" in line
    files = [after for flag, after in itertools.pairwise(found) if flag in {"-r", "-c", "--requirement"}]
    only_itself = set(found[2:]) <= {"-U", "--upgrade", "pip", "-q"}
    wheels = any(re.search(r"dist/|\*", word) for word in found)
    return not only_itself and not wheels and all(project.folder.has(file) for file in files)


def _plain_pip(line: str) -> str:
    """Let uv's pip interface install into the image's own interpreter."""
    return re.sub(r"^(python\d? -m )?uv pip install(?! --system)", "pip install", line).replace(" --system", "")


def _declared(manifest: Manifest) -> Iterator[tuple[str, Evidence]]:
    """Return pip commands for what the project declares: requirement files, the package, its test extras or groups."""
    folder = manifest.folder
    files = folder.names(_FILES) + [
        f"requirements/{name}" for name in sorted(_files_under(folder)) if re.fullmatch(_FILES, name)
    ]
    files += [name for name in ("tests/requirements.txt", "test/requirements.txt") if folder.has(name)]
    first = ["requirements.txt"] if folder.has("requirements.txt") else []
    chosen = [*first, *sorted(files, key=lambda name: "test" not in name)[:2]]
    if chosen:
        yield pip_install(*[part for name in chosen for part in ("-r", name)]), folder.evidence(chosen[-1])
    if manifest.is_package:
        extras = _test_names(manifest.extras)
        target = f".[{','.join(extras)}]" if extras else "."
        where = folder.evidence(folder.first("pyproject.toml", "setup.cfg", "setup.py"), *extras)
        yield pip_install("-e", target), where
    groups = _test_names(manifest.groups)
    if groups and "dependency-groups" in manifest.pyproject:
        yield "pip install --upgrade 'pip>=25.1'", folder.evidence("pyproject.toml", "[dependency-groups]")
        yield (
            pip_install(*[f"--group={name}" for name in groups]),
            folder.evidence("pyproject.toml", "[dependency-groups]"),
        )


def _files_under(folder: Folder) -> set[str]:
    return folder.tree.names(folder.full("requirements"))


def _test_names(declared: dict[str, frozenset[str]]) -> list[str]:
    """Return the extras or groups that hold the test dependencies: those named so, else the one with pytest."""
    named: list[str] = [name for name in ("test", "tests", "testing") if name in declared]
    if named:
        return named[:1]
    with_pytest = [name for name, found in declared.items() if "pytest" in found]
    return with_pytest[:1] or [name for name in TEST_GROUPS if name in declared][:1]


def _missing(project: Project, installed: str) -> list[str]:
    """Return the test tools that no command above installs."""
    manifest, folder = project.manifest, project.folder
    tools = project.facts.all("test_tool")
    known = set(names(re.split(r"[\s'\"]+", installed)))
    for name in re.findall(r"-r\s*(\S+)", installed):
        known |= names(folder.text(name).splitlines())
    known |= manifest.dependencies
    known = known.union(
        *(found for name, found in (manifest.extras | manifest.groups).items() if name in re.split(r"[\W]+", installed))
    )
    needed = ["pytest"] if "pytest" in tools else []
    if "coverage run" in " ".join(project.facts.all("test")):
        needed.append("coverage")
    if needed:
        needed += _plugins(folder, " ".join(project.facts.all("test")))
    return [each for each in needed if each not in known]


def _plugins(folder: Folder, test: str) -> list[str]:
    """Return the pytest plugins that the configured options need."""
    pyproject = table(read_toml(folder.text("pyproject.toml")), "tool", "pytest", "ini_options")
    options = "\n".join(f"{key} = {value}" for key, value in pyproject.items())
    text = "\n".join(
        [options, folder.text("pytest.ini"), test, string(table(folder.ini("setup.cfg"), "tool:pytest").get("addopts"))]
    )
    return [plugin for pattern, plugin in _PLUGINS.items() if re.search(pattern, text, re.MULTILINE)]


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
