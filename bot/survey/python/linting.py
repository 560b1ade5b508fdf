"""Which linters a Python project configures itself, and how its CI calls them."""

import re
import shlex

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.makefile import unfolded
from bot.survey.other_ci.model import Command, all_commands
from bot.survey.parsing import string, strings
from bot.survey.python.environments import nox_lint_sessions, tox_lint_environments
from bot.survey.python.hooks import call_the_project, skipping
from bot.survey.python.own_scripts import is_own_script, only_lints
from bot.survey.python.project import Project, pip_install
from bot.survey.python.testing import without_uv

_TOOLS = (
    "ruff",
    "flake8",
    "black",
    "isort",
    "mypy",
    "pyright",
    "pylint",
    "pre-commit",
    "codespell",
    "bandit",
    "pycodestyle",
    "py_compile",
    "compileall",
)
_BUILT_IN = frozenset({"py_compile", "compileall", "make"})
_MAX_LINES = 4
_PRE_COMMIT = "pre-commit run --all-files"
_CHECKS = {
    "ruff": "ruff check .",
    "black": "black --check .",
    "isort": "isort --check-only .",
    "flake8": "flake8",
    "mypy": "mypy",
}


def add_linting(project: Project) -> None:
    """Add lint, lint_tool and, where linters are not among the test dependencies, lint_install."""
    found = _with_pre_commit_ci(project, _from_ci(project)) or _from_configuration(project)
    for written, why, where, confidence in found[:_MAX_LINES]:
        line = f"{skipping(project.folder)}{written}" if written.startswith("pre-commit run") else written
        project.facts.add("lint", line, why, where, confidence=confidence)
        project.facts.add("lint_tool", lint_tool(line), f"`{line}` calls it", where, confidence=confidence)
        if lint_tool(line) == "make":
            project.facts.add("system_package", "make", "the linters are run through make", where)
    _add_lint_install(project)


def lint_tool(line: str) -> str:
    """Return the tool behind a lint command."""
    found = commands.core(commands.words(line) or [])
    return found[0].rpartition("/")[2] if found else ""


Line = tuple[str, str, Evidence, float]


def _from_ci(project: Project) -> list[Line]:
    lines: dict[str, Command] = {}
    for command in all_commands(project.runs()):
        lints = command.kind == "lint" or only_lints(project.folder, command.line)
        words = commands.words(command.line) if lints and not _rewrites(command.line) else None
        found = commands.core(words or [])
        tool = found[0].rpartition("/")[2] if found else ""
        known = tool in {*_TOOLS, "tox", "nox", "hatch"} or (tool == "make" and _is_python_recipe(project, found))
        known = known or (is_own_script(project.folder, found[0]) if found else False)
        if words and known and not re.search(r"--fix\b|--exit-zero|--output-format[= ]github|--diff$", command.line):
            line = without_uv(project, _shown(command.line))
            lines.setdefault(project.inside(line) if _is_inside(project, tool, found[0]) else line, command)
    return [(line, "other CI runs it", command.evidence, 1.0) for line, command in lines.items()]


def _is_inside(project: Project, tool: str, program: str) -> bool:
    """Say whether what lints is installed by the manager, or calls what is."""
    manager, _ = project.manager()
    is_there = any(line.startswith(f"{manager} ") for line in project.facts.all("install"))
    known = tool in project.manifest.everything or tool == "make" or is_own_script(project.folder, program)
    return is_there and known


def _rewrites(line: str) -> bool:
    """Say whether a formatter is called to write: in a pipeline that checks nothing."""
    found = commands.core(commands.words(line) or [])
    is_format = found[:2] == ["ruff", "format"] or found[:1] in (["black"], ["isort"], ["yapf"], ["autopep8"])
    return is_format and re.search(r"\s(-c|--check(-only)?|--diff|-d|--quiet-check)\b", line) is None


def _is_python_recipe(project: Project, found: list[str]) -> bool:
    """Say whether the targets exist and need no other language's tools."""
    recipe = "".join(unfolded(project.folder, target) for target in found[1:])
    return bool(recipe.strip()) and not re.search(r"\b(npm|npx|yarn|pnpm|docker|go|cargo)\b", recipe)


def _shown(line: str) -> str:
    return re.sub(r"\s--color[= ]\w+|\s--show-diff-on-failure", "", line)


def _with_pre_commit_ci(project: Project, found: list[Line]) -> list[Line]:
    """Add pre-commit where pre-commit.ci runs it: that service is told so in its configuration alone."""
    settings = project.folder.yaml(".pre-commit-config.yaml")
    if not found or "ci" not in settings or any("pre-commit" in line for line, _, _, _ in found):
        return found
    where = project.folder.evidence(".pre-commit-config.yaml", "ci:")
    return [*found, (_PRE_COMMIT, "pre-commit.ci runs it", where, 0.8)]


def _from_configuration(project: Project) -> list[Line]:
    """Return what the test runner knows, else pre-commit, else each linter whose check cannot change files."""
    return _from_runner(project) or [*_from_pre_commit(project), *_from_tools(project)]


def _from_runner(project: Project) -> list[Line]:
    """Return the environments of tox or nox that lint, when the tests run through it too."""
    folder, tools = project.folder, project.facts.all("test_tool")
    prefix = "uv run " if project.facts.first("test").startswith("uv run ") else ""
    if "tox" in tools:
        where = folder.evidence(folder.first("tox.ini", "pyproject.toml", "setup.cfg"), "envlist", "env_list")
        names, run, sure = tox_lint_environments(folder, project.version), f"{prefix}tox -e", 0.8
    elif "nox" in tools:
        where = folder.evidence("noxfile.py", "session")
        names, run, sure = nox_lint_sessions(folder), f"{prefix}nox -s", 0.8
    else:
        return []
    return [(f"{run} {shlex.quote(name)}", f"{run.split()[-2]} has it for that", where, sure) for name in names]


def _from_pre_commit(project: Project) -> list[Line]:
    folder = project.folder
    if not folder.has(".pre-commit-config.yaml"):
        return []
    where = folder.evidence(".pre-commit-config.yaml", "repos:")
    ci_runs_it = "ci" in folder.yaml(".pre-commit-config.yaml")
    why = "its configuration is there" + ("" if ci_runs_it else ", though no CI was seen to run it")
    return [(_PRE_COMMIT, why, where, 0.8 if ci_runs_it else 0.5)]


def _from_tools(project: Project) -> list[Line]:
    """Return the configured linters; beside pre-commit only a type checker that is no hook and is installed."""
    hooks = project.folder.text(".pre-commit-config.yaml")
    manager, _ = project.manager()
    run = f"{manager} run " if manager in {"uv", "poetry", "pdm", "pipenv"} else ""
    lines = []
    for tool in ("mypy",) if hooks else ("ruff", "flake8", "black", "isort", "mypy"):
        known = tool in project.manifest.everything
        configured = _configured(project, tool)
        if configured is not None and (not hooks or (known and tool not in hooks)):
            prefix = run if known else ""
            lines.append((f"{prefix}{_check(project, tool)}", f"{tool} is configured", configured, 0.6))
    return lines


def _check(project: Project, tool: str) -> str:
    """Return the command of a linter; mypy needs to be told the package unless its configuration does."""
    if tool == "mypy" and not (
        project.manifest.tool("mypy").get("files") or project.manifest.tool("mypy").get("packages")
    ):
        package = next(iter(_packages(project)), ".")
        return f"mypy {shlex.quote(package)}"
    return _CHECKS[tool]


def _packages(project: Project) -> list[str]:
    found = project.folder.under(r"(?:src/)?[\w]+/__init__\.py")
    folders = [path.rpartition("/")[0] for path in found]
    return [each for each in folders if each.split("/")[-1] not in {"tests", "test", "docs", "examples"}]


def _configured(project: Project, tool: str) -> Evidence | None:
    folder, manifest = project.folder, project.manifest
    files = {
        "ruff": ("ruff.toml", ".ruff.toml"),
        "flake8": (".flake8",),
        "mypy": ("mypy.ini", ".mypy.ini"),
        "isort": (".isort.cfg",),
    }
    own = folder.first(*files.get(tool, ()))
    if own:
        return folder.evidence(own)
    if tool in manifest.tool():
        return folder.evidence("pyproject.toml", f"[tool.{tool}")
    if tool in manifest.setup_cfg:
        return folder.evidence("setup.cfg", f"[{tool}]")
    return folder.evidence("tox.ini", "[flake8]") if tool == "flake8" and "flake8" in folder.ini("tox.ini") else None


def _add_lint_install(project: Project) -> None:
    """Install the linters alone where `install` would not bring them, pinned where the repository says so."""
    lines, facts = project.facts.all("lint"), project.facts
    installed = " ".join(facts.all("install"))
    bare = [line for line in lines if not re.match(r"(uv|poetry|pdm|pipenv|hatch) run|make |uvx ", line)]
    for tool in sorted({line.split()[0] for line in lines if re.match(r"(uv|poetry|pdm|pipenv|hatch) ", line)}):
        if not re.search(rf"(?<![\w-]){tool}(?![\w-])", installed):
            facts.add(
                "lint_install",
                project.pinned(tool),
                "the lint command begins with it",
                Evidence(path=project.folder.full("pyproject.toml")),
            )
    if not bare:
        return
    tools = list(dict.fromkeys(lint_tool(line) for line in bare if not commands.OWN_SCRIPT.match(line)))
    runners = [tool for tool in tools if tool in {"tox", "nox", "pre-commit"}]
    where = Evidence(path=project.folder.full("pyproject.toml"))
    if len(runners) == len(tools) == len(lines):
        _add_runners(project, runners, where)
        return
    missing = [tool for tool in tools if tool and tool not in _BUILT_IN and not _is_installed(project, tool, installed)]
    if missing:
        for line in facts.all("install") if not re.match(r"pip install (tox|nox)==", installed) else ():
            facts.add("lint_install", line, "the linters see the project's own dependencies", where)
        facts.add(
            "lint_install",
            pip_install(*(_with_version(project, tool) for tool in missing)),
            "the linters are not among the dependencies",
            where,
        )


def _add_runners(project: Project, runners: list[str], where: Evidence) -> None:
    """Install what makes the environments of linters, and what hooks of pre-commit call without an environment."""
    facts, installs = project.facts, project.facts.all("install")
    if "pre-commit" in runners and call_the_project(project.folder):
        for line in [each for each in installs if not re.match(r"pip install (tox|nox)==", each)]:
            facts.add("lint_install", line, "hooks of pre-commit call what it brings", where)
    for tool in runners:
        own = [line for line in installs if line.startswith(f"pip install {tool}==")]
        facts.add("lint_install", own[0] if own else project.pinned(tool), f"{tool} brings the rest itself", where)
    if "pre-commit" in runners:
        facts.add("system_package", "git", "pre-commit asks git for the files", where)


def _is_installed(project: Project, tool: str, installed: str) -> bool:
    if re.search(rf"(?<![\w-]){re.escape(tool)}(?![\w-])", installed):
        return True
    groups = project.manifest.extras | project.manifest.groups
    if any(
        tool in found
        for name, found in groups.items()
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", installed)
    ):
        return True
    files = re.findall(r"-r\s*(\S+)", installed)
    return any(
        re.search(rf"^{re.escape(tool)}\b", project.folder.text(file), re.MULTILINE | re.IGNORECASE) for file in files
    )


def _with_version(project: Project, tool: str) -> str:
    """Pin a linter to the version that other CI or its pre-commit hook uses: a newer one may know new rules."""
    own = project.required(tool)
    if own:
        return own
    repositories = project.folder.yaml(".pre-commit-config.yaml").get("repos")
    for entry in repositories if isinstance(repositories, list) else []:
        if not isinstance(entry, dict):
            continue
        name = string(entry.get("repo")).lower()
        rev = re.fullmatch(r"v?(\d+(?:\.\d+)+)", " ".join(strings(entry.get("rev"))))
        if rev and re.search(rf"/(mirrors-)?{re.escape(tool)}(-pre-commit)?(-mirror)?(\.git)?$", name):
            return f"{tool}=={rev.group(1)}"
    return project.pinned(tool).removeprefix("pip install ") if tool == "pre-commit" else tool
