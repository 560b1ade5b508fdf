"""Tox and nox: which environments a project names, and which one belongs to an interpreter."""

import itertools
import re
from collections.abc import Iterator

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.parsing import read_ini, string, strings, table
from bot.survey.tree import Folder
from bot.survey.versions import number

MAX_ENVIRONMENTS = 500
_LINT_SECTIONS = frozenset({"lint", "style", "format", "flake8", "pep8", "linters", "pre-commit"})
_PACKAGING = frozenset({"manifest", "check-manifest", "setuppy", "package", "packaging", "pkg", "build", "dist"})
# Factors that test against what nobody has released yet.
_UNRELEASED = re.compile(r"-\w*(dev|main|master|nightly|pre)(?=-|$)")
# Factors that test against a database somebody has to start.
_NEIGHBOURS = re.compile(
    r"-\w*(mysql|maria|postg|psycopg|pgsql|oracle|mssql|sqlserver|mongo|redis|rabbit|kafka)\w*(?=-|$)"
)
_TEST_CALL = re.compile(
    r"\b(py\.?test|unittest|nosetests|nose2|stestr|trial|zope-testrunner|testr|(?:run_?)?tests?|check|ward|behave)\b"
)
# Factors that take something away, or the oldest of it.
_LESSER = re.compile(r"-(no[a-z]\w*|without\w*|min\w*|low(er|est)\w*|oldest\w*)(?=-|$)")
# Sessions that rewrite files instead of checking them.
_REWRITES = re.compile(r"format|fmt|reformat|fix|autoformat|blacken")


def tox_names(folder: Folder) -> list[str]:
    """Return the environments of tox, expanded; ["py"] when tox is configured without a list, [] without tox."""
    ini = folder.ini("tox.ini") if folder.has("tox.ini") else folder.ini("setup.cfg")
    native = table(folder.toml("pyproject.toml"), "tool", "tox")
    legacy = string(native.get("legacy_tox_ini"))
    if legacy:
        ini = dict(read_ini(legacy) or {})
    listed = table(ini, "tox") or table(ini, "tox:tox")
    if not any(section.startswith(("testenv", "tox")) for section in ini) and not native and not folder.has("tox.toml"):
        return []
    names = list(_expand(string(listed.get("envlist")) or string(listed.get("env_list"))))
    return names or strings(native.get("env_list")) or strings(folder.toml("tox.toml").get("env_list")) or ["py"]


def tox_environment(folder: Folder, version: str) -> str:
    """Return the environment that tests with a version: its own with the last factors, else plain `py`."""
    names = tox_names(folder)
    own = re.compile(rf"(py|python)?({re.escape(version)}|{version.replace('.', '')})(?![\d.])(-[\w.]+)*")
    fitting = [name for name in names if own.fullmatch(name)]
    plain = [name for name in fitting if "-" not in name or re.search(r"-(tests?|unit|default|base)$", name)]
    testing = [name for name in fitting if commands.name_kind(name) != "lint"] or fitting
    for aside in (_UNRELEASED, _NEIGHBOURS, _LESSER):
        testing = [name for name in testing if not aside.search(name)] or testing
    return plain[0] if plain else testing[-1] if testing else _unversioned(folder, names)


def _unversioned(folder: Folder, names: list[str]) -> str:
    """Return what tests on any interpreter: `py`, unless that runs nothing and one of the listed ones tests."""
    ini = folder.ini("tox.ini")
    if not ini or string(table(ini, "testenv").get("commands")).strip() or "testenv:py" in ini:
        return "py"
    return next((name for name in names if _TEST_CALL.search(_own_commands(folder, name))), "py")


def _own_commands(folder: Folder, name: str) -> str:
    return string(table(folder.ini("tox.ini"), f"testenv:{name}").get("commands"))


def tests_nothing(folder: Folder, name: str) -> bool:
    """Say whether an environment of tox has commands of its own and none of them tests: it builds the docs, say."""
    own = _own_commands(folder, name)
    return bool(own.strip()) and "{[" not in own and "posargs" not in own and not _TEST_CALL.search(own)


def tox_lint_environments(folder: Folder, version: str) -> list[str]:
    """Return the environments that check the code: those a plain `tox` runs, else the one section named so."""
    known = [name for name in tox_names(folder) if _fits(name, version) and not _UNRELEASED.search(name)]
    listed = [name for name in known if commands.name_kind(name) == "lint"]
    sections = [name for name in _tox_sections(folder) if name in _LINT_SECTIONS]
    return [name for name in listed if re.fullmatch(r"[\w.-]+", name)] or sections[:1]


def _fits(name: str, version: str) -> bool:
    """Say whether an environment runs on the one interpreter there is: it names that or none."""
    named = re.findall(r"(?<![\w.])(?:py|python)?(3\.?\d{1,2}t?|py\d*)(?![\w.])", name)
    return all(each.replace(".", "") == version.replace(".", "") for each in named)


def tox_packaging_environments(folder: Folder) -> list[str]:
    """Return the environments that build the package or check how it is packed."""
    known = [*tox_names(folder), *_tox_sections(folder)]
    return [name for name in dict.fromkeys(known) if name in _PACKAGING]


def tox_calls_setup(folder: Folder) -> bool:
    """Say whether an environment of tox runs `setup.py`, which needs setuptools beside what it installs."""
    return any(
        name.startswith("testenv")
        and re.search(r"python3? setup\.py\b", string(table(folder.ini("tox.ini"), name).get("commands")))
        for name in folder.ini("tox.ini")
    )


def tox_override(folder: Folder) -> str:
    """Return what keeps check-manifest, which wants every file in the package, from asking for the pipeline's own."""
    found = []
    for name in folder.ini("tox.ini"):
        lines = string(table(folder.ini("tox.ini"), name).get("commands")).strip().splitlines()
        plain = len(lines) == 1 and re.fullmatch(r"check-manifest(?: --?[\w-]+)*", lines[0].strip())
        if name.startswith("testenv:") and plain:
            found.append(f"{name}.commands={lines[0].strip()} --ignore .gitlab-ci.yml")
    return ";".join(found)


def _tox_sections(folder: Folder) -> list[str]:
    sections = [name.removeprefix("testenv:") for name in folder.ini("tox.ini") if name.startswith("testenv:")]
    native = list(table(folder.toml("pyproject.toml"), "tool", "tox", "env"))
    return [name for name in dict.fromkeys([*sections, *native]) if re.fullmatch(r"[\w.-]+", name)]


def _expand(text: str) -> Iterator[str]:
    """Expand a list such as `py3{8,9}{,-pytz}, lint` the way tox does."""
    found = 0
    for entry in re.findall(r"(?:\{[^{}]*\}|[^\s,{}#])+", re.sub(r"\s*(?<=[{,])\s*|\s+(?=[,}])", "", _inside(text))):
        parts = [list(_choices(part)) for part in re.findall(r"\{[^{}]*\}|[^{}]+", entry)]
        for combination in itertools.product(*parts):
            found += 1
            if found > MAX_ENVIRONMENTS:
                return
            yield "".join(combination)


def _choices(part: str) -> Iterator[str]:
    """Return what one piece of an entry can be: itself, or what stands in braces, where 10-14 is a range."""
    if not part.startswith("{"):
        yield part
        return
    for each in part[1:-1].split(","):
        span = re.fullmatch(r"(\d{1,3})-(\d{1,3})", each)
        if span:
            yield from (str(value) for value in range(int(span.group(1)), int(span.group(2)) + 1))
        else:
            yield each


def _inside(text: str) -> str:
    """Remove blanks inside braces, so that an entry is one word."""
    return re.sub(r"\{[^{}]*\}", lambda match: re.sub(r"\s+", "", match.group(0)), text)


def nox_session(folder: Folder, version: str) -> str:
    """Return the session of a noxfile that tests, with the interpreter's own variant where it has several.

    In CI nox fails for every interpreter it does not find, so a session for many is never called as a whole.
    """
    sessions = dict(_nox_sessions(folder.text("noxfile.py")))
    names = [name for name in sessions if commands.name_kind(name) == "test"]
    names.sort(key=lambda name: not re.match(r"tests?\b|tests?_|unit", name))
    if not names:
        return ""
    variants = re.findall(r"3\.\d+", sessions[names[0]])
    if not variants:
        return names[0]
    chosen = version if version in variants else max(variants, key=number)
    return f"{names[0]}-{chosen}"


def nox_lint_sessions(folder: Folder) -> list[str]:
    """Return the sessions of a noxfile that check the code without changing it."""
    sessions = dict(_nox_sessions(folder.text("noxfile.py")))
    names = [name for name in sessions if commands.name_kind(name) == "lint" and not _REWRITES.match(name)]
    return [f"{name}-{max(found, key=number)}" if (found := _variants(sessions[name])) else name for name in names]


def called_outside(folder: Folder, runner: str) -> Iterator[tuple[str, Evidence]]:
    """Return the package managers that tox or nox may call though none of its environments holds them."""
    name = "noxfile.py" if runner == "nox" else "tox.ini"
    text = folder.text(name)
    for tool in ("pdm", "poetry", "hatch", "pipenv"):
        quoted = rf"""session\.run(?:_always|_install)?\(\s*["']{tool}["']"""
        allowed = rf"(?:allow|white)list_externals\s*=(?:[^\n=]*\n\s+)*[^\n=]*\b{tool}\b"
        inside = rf"""session\.install\([^)]*["']{tool}\b""" if runner == "nox" else rf"(?m)^\s+{tool}\s*[<>=~]"
        if re.search(quoted if runner == "nox" else allowed, text) and not re.search(inside, text):
            yield tool, folder.evidence(name, tool)


def _variants(options: str) -> list[str]:
    """Return the interpreters a session is made for when they are a list: then each is a session of its own."""
    return re.findall(r"3\.\d+", options) if "[" in options else []


def nox_pythons(folder: Folder) -> list[str]:
    """Return the versions any session of a noxfile names."""
    return [
        found for _, options in _nox_sessions(folder.text("noxfile.py")) for found in re.findall(r"3\.\d+", options)
    ]


def _nox_sessions(text: str) -> list[tuple[str, str]]:
    """Return the sessions of a noxfile as (name, options of the decorator)."""
    found: list[tuple[str, str]] = re.findall(r"@(?:nox\.)?session\b([^@]*?)\n(?:@[^\n]*\n)*def (\w+)", text)
    return [(name, options) for options, name in found]
