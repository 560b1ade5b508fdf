"""What the parts of the Python survey hand to each other."""

import re
import shlex

from msgspec import Struct

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.facts import Facts
from bot.survey.makefile import unfolded
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.python.manifest import Manifest
from bot.survey.tree import Folder
from bot.survey.versions import TOOLS, number

OLDEST_FOR_TOOLS = (3, 10)
# Managers that install into an environment of their own, which nothing in a job activates.
_RUN = {"uv": "uv run", "poetry": "poetry run", "pdm": "pdm run", "pipenv": "pipenv run"}
_FINDS_ITS_OWN = re.compile(r"(?:uv|poetry|pdm|pipenv|hatch) |(?:uvx|tox|nox|pre-commit|prek)\b")


class Project(Struct, frozen=True, kw_only=True):
    """One Python project under survey: its declarations, what CI runs for it, and the facts so far."""

    manifest: Manifest
    ci: OtherCi
    version: str
    facts: Facts

    @property
    def folder(self) -> Folder:
        """Return the folder of the project."""
        return self.manifest.folder

    def runs(self) -> list[list[Command]]:
        """Return the commands of other CI for this folder and version, a list for each job."""
        return self.ci.runs("python", self.version, self.folder.root)

    def before_tests(self) -> list[Command]:
        """Return the commands of the job that tests, up to its tests."""
        for run in self.runs():
            positions = [number for number, command in enumerate(run) if command.kind == "test"]
            if positions:
                return run[: positions[0]]
        return []

    def pinned(self, tool: str) -> str:
        """Return the command that installs a tool for this project's Python: as its CI pins it, else as was tried."""
        own = self.required(tool)
        return pip_install(own) if own else pinned(tool, self.version)

    def required(self, tool: str) -> str:
        """Return the version of a tool that a launcher of other CI names, as a requirement; "" when none does."""
        own = re.compile(rf"{re.escape(tool)}(\[[\w,-]*\])?[=<>~!]")
        every = (each for run in self.runs() for command in run for each in command.requires)
        return next((each for each in every if own.match(each)), "")

    def beside(self, tool: str) -> set[str]:
        """Return what a launcher of other CI brought with a tool, such as plugins."""
        own = re.compile(rf"{re.escape(tool)}(?![\w-])")
        calls = [command for run in self.runs() for command in run if command.requires]
        calls = [command for command in calls if commands.core(commands.words(command.line) or [])[:1] == [tool]]
        return {each for command in calls for each in command.requires if not own.match(each)}

    def is_installed_by_pip(self) -> bool:
        """Say whether the testing job of other CI installs the project with pip, whatever else is configured."""
        lines = [command.line for command in self.before_tests()]
        installs = any(re.match(r"(python3? -m )?pip install .*(\.|-r )", line) for line in lines)
        return installs and not any(
            re.match(r"(uv sync|poetry install|pdm (install|sync)|pipenv)", line) for line in lines
        )

    def inside(self, line: str) -> str:
        """Return a command of other CI as it finds what the manager installs, though no environment is active."""
        run = _RUN.get(self.manager()[0], "")
        found = re.fullmatch(r"((?:[A-Za-z_]\w*=\S* )*)(.+)", line)
        if not run or found is None or _FINDS_ITS_OWN.match(found.group(2)) or self.is_installed_by_pip():
            return line
        recipe = "".join(unfolded(self.folder, word) for word in found.group(2).split()[1:])
        if found.group(2).startswith("make ") and re.search(r"\b(?:uv|poetry|pdm|pipenv) run\b", recipe):
            return line
        return f"{found.group(1)}{run} {found.group(2)}"

    def manager(self) -> tuple[str, Evidence]:
        """Return the package manager and what tells it."""
        return _manager(self.manifest)


def pip_install(*requirements: str) -> str:
    """Return a pip command; what comes from a repository is quoted."""
    return "pip install " + " ".join(shlex.quote(each) for each in requirements)


def pinned(tool: str, python: str = "") -> str:
    """Return the command that installs a tool in the version that was tried; an old Python takes what it can get."""
    is_old = number(python) < OLDEST_FOR_TOOLS if python else False
    return f"pip install {tool}" if is_old or tool not in TOOLS else f"pip install {tool}=={TOOLS[tool]}"


def _manager(manifest: Manifest) -> tuple[str, Evidence]:
    folder = manifest.folder
    rows: tuple[tuple[str, bool, str, tuple[str, ...]], ...] = (
        ("uv", folder.has("uv.lock"), "uv.lock", ()),
        (
            "poetry",
            folder.has("poetry.lock") or bool(manifest.tool("poetry").get("name")),
            "pyproject.toml",
            ("[tool.poetry", "poetry"),
        ),
        ("poetry", "poetry" in manifest.backend, "pyproject.toml", ("build-backend",)),
        (
            "pdm",
            folder.has("pdm.lock") or bool(manifest.tool("pdm", "dev-dependencies")),
            "pyproject.toml",
            ("[tool.pdm", "pdm"),
        ),
        ("pipenv", folder.has("Pipfile"), "Pipfile", ()),
        (
            "hatch",
            bool(manifest.tool("hatch", "envs")) or folder.has("hatch.toml"),
            "pyproject.toml",
            ("[tool.hatch.envs",),
        ),
        ("uv", bool(manifest.tool("uv")), "pyproject.toml", ("[tool.uv",)),
    )
    for name, applies, file, needles in rows:
        if applies:
            return name, folder.evidence(file, *needles)
    return "pip", folder.evidence(
        folder.first("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt") or "setup.py"
    )
