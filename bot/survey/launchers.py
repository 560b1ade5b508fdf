"""Tools that other CI starts through uvx, `uv tool run` or `pipx run`: the command behind the launcher."""

import re
import shlex

from bot.survey import commands

_LAUNCHERS = (["uvx"], ["uv", "tool", "run"], ["uv", "x"], ["pipx", "run"])
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
# Options that take a value; those that name packages say what else the tool's environment holds.
_FROM, _WITH = ("--from", "--spec"), ("--with", "-w")
_VALUED = (*_FROM, *_WITH, "-p", "--python", "--with-requirements", "--index-url", "--pip-args", "--constraints", "-c")
# What runs alike outside an environment of its own: it makes its own ones, or needs nothing of the project.
_ALIKE = frozenset(
    """tox nox pre-commit ruff flake8 black isort codespell bandit pycodestyle pydocstyle pyflakes vulture
    check-manifest yamllint doc8 zizmor typos interrogate""".split()
)


def without_launcher(line: str) -> tuple[str, tuple[str, ...]]:
    """Return a command as it runs once its tool is installed, and the requirements that its launcher named.

    Anything else comes back as it was: other tools might see other packages without the launcher.
    """
    found = commands.words(line) if re.search(r"\b(?:uvx|uv|pipx)\b", line) else None
    start = next((at for at, word in enumerate(found or ()) if not _ASSIGNMENT.fullmatch(word)), 0)
    launcher = next((each for each in _LAUNCHERS if found and found[start : start + len(each)] == each), None)
    if not found or launcher is None:
        return line, ()
    options, rest = _split(found[start + len(launcher) :])
    tool, sign, version = _tool(rest[0]) if rest else ("", "", "")
    if tool not in _ALIKE:
        return line, ()
    source = next((value for name, value in options if name in _FROM), "")
    own = f"{tool}=={version}" if sign and version != "latest" else source
    beside = [each for name, value in options if name in _WITH for each in value.split(",")]
    return shlex.join([*found[:start], tool, *rest[1:]]), tuple(each for each in (own, *beside) if each)


def _split(words: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the launcher's own options with their values, and what stands behind them."""
    options: list[tuple[str, str]] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        name, sign, value = rest[0].partition("=")
        takes_next = not sign and name in _VALUED and len(rest) > 1
        options.append((name, rest[1] if takes_next else value))
        rest = rest[2:] if takes_next else rest[1:]
    return options, rest[1:] if rest[:1] == ["--"] else rest


def _tool(word: str) -> tuple[str, str, str]:
    """Take `ruff@0.17.6` or pipx's `ruff==0.17.6` apart."""
    found = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]*\])?(?:(@|==)([\w.]+))?", word)
    return (found.group(1), found.group(2) or "", found.group(3) or "") if found else ("", "", "")
