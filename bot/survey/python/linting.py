"""Which linters a Python project configures itself, and how its CI calls them."""

import re
import shlex

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.other_ci.model import Command, all_commands
from bot.survey.parsing import string, strings
from bot.survey.python.environments import tox_lint_environments
from bot.survey.python.project import Project, pinned, pip_install

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
)
_MAX_LINES = 4
_CHECKS = {
    "ruff": "ruff check .",
    "black": "black --check .",
    "isort": "isort --check-only .",
    "flake8": "flake8",
    "mypy": "mypy",
}


def add_linting(project: Project) -> None:
    """Add lint, lint_tool and, where linters are not among the test dependencies, lint_install."""
    found = _from_ci(project) or _from_configuration(project)
    for line, why, where, confidence in found[:_MAX_LINES]:
        project.facts.add("lint", line, why, where, confidence=confidence)
        project.facts.add("lint_tool", lint_tool(line), f"`{line}` calls it", where, confidence=confidence)
    _add_lint_install(project)


def lint_tool(line: str) -> str:
    """Return the tool behind a lint command."""
    found = commands.core(commands.words(line) or [])
    return found[0].rpartition("/")[2] if found else ""


Line = tuple[str, str, Evidence, float]


def _from_ci(project: Project) -> list[Line]:
    lines: dict[str, Command] = {}
    for command in all_commands(project.runs()):
        words = commands.words(command.line) if command.kind == "lint" else None
        found = commands.core(words or [])
        tool = found[0].rpartition("/")[2] if found else ""
        known = tool in {*_TOOLS, "tox", "nox", "hatch"} or (tool == "make" and project.folder.has("Makefile"))
        if words and known and not re.search(r"--fix\b|--exit-zero|--output-format[= ]github|--diff$", command.line):
            lines.setdefault(_shown(command.line), command)
    return [(line, "other CI runs it", command.evidence, 1.0) for line, command in lines.items()]


def _shown(line: str) -> str:
    return re.sub(r"\s--color[= ]\w+|\s--show-diff-on-failure", "", line)


def _from_configuration(project: Project) -> list[Line]:
    """Return pre-commit if it is configured, else each configured linter whose check cannot change files."""
    folder, manifest = project.folder, project.manifest
    if folder.has(".pre-commit-config.yaml"):
        where = folder.evidence(".pre-commit-config.yaml", "repos:")
        ci_runs_it = "ci" in folder.yaml(".pre-commit-config.yaml")
        why = "its configuration is there" + ("" if ci_runs_it else ", though no CI was seen to run it")
        return [("pre-commit run --all-files", why, where, 0.8 if ci_runs_it else 0.5)]
    environments = [
        name
        for name in tox_lint_environments(folder)
        if name in {"lint", "style", "format", "flake8", "pep8", "linters"}
    ]
    if environments and "tox" in project.facts.all("test_tool"):
        where = folder.evidence("tox.ini", f"[testenv:{environments[0]}]")
        return [(f"tox -e {shlex.quote(environments[0])}", "tox has an environment for it", where, 0.6)]
    run = {"uv": "uv run ", "poetry": "poetry run ", "pdm": "pdm run ", "pipenv": "pipenv run "}.get(
        project.manager()[0], ""
    )
    lines = []
    for tool in ("ruff", "flake8", "black", "isort", "mypy"):
        configured = _configured(project, tool)
        if configured is not None:
            prefix = run if tool in manifest.everything else ""
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
                pinned(tool),
                "the lint command begins with it",
                Evidence(path=project.folder.full("pyproject.toml")),
            )
    if not bare:
        return
    tools = list(dict.fromkeys(lint_tool(line) for line in bare))
    runners = [tool for tool in tools if tool in {"tox", "nox", "pre-commit"}]
    where = Evidence(path=project.folder.full("pyproject.toml"))
    if len(runners) == len(tools) == len(lines):
        for tool in runners:
            own = [line for line in facts.all("install") if line.startswith(f"pip install {tool}==")]
            facts.add("lint_install", own[0] if own else pinned(tool), f"{tool} brings the rest itself", where)
        if "pre-commit" in tools:
            facts.add("system_package", "git", "pre-commit asks git for the files", where)
        return
    missing = [tool for tool in tools if tool and not _is_installed(project, tool, installed)]
    if missing:
        for line in facts.all("install") if not re.match(r"pip install (tox|nox)==", installed) else ():
            facts.add("lint_install", line, "the linters see the project's own dependencies", where)
        facts.add(
            "lint_install",
            pip_install(*(_with_version(project, tool) for tool in missing)),
            "the linters are not among the dependencies",
            where,
        )


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
    """Pin a linter to the version its pre-commit hook uses: a newer one may know new rules."""
    repositories = project.folder.yaml(".pre-commit-config.yaml").get("repos")
    for entry in repositories if isinstance(repositories, list) else []:
        if not isinstance(entry, dict):
            continue
        name = string(entry.get("repo")).lower()
        rev = re.fullmatch(r"v?(\d+(?:\.\d+)+)", " ".join(strings(entry.get("rev"))))
        if rev and re.search(rf"/(mirrors-)?{re.escape(tool)}(-pre-commit)?(-mirror)?(\.git)?$", name):
            return f"{tool}=={rev.group(1)}"
    return tool
