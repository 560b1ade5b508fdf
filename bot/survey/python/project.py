"""What the parts of the Python survey hand to each other."""

import re
import shlex

from msgspec import Struct

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, OtherCi
from bot.survey.python.manifest import Manifest
from bot.survey.tree import Folder
from bot.survey.versions import TOOLS, number

OLDEST_FOR_TOOLS = (3, 10)


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
