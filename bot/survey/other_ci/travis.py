"""Travis: its phases as one job, with the habits it has for each language."""

import re
import shlex
from collections.abc import Iterator

from bot.domain import Evidence
from bot.survey.other_ci.images import is_service
from bot.survey.other_ci.model import Job
from bot.survey.other_ci.packages import apt_packages
from bot.survey.other_ci.scripts import services_of, steps_of
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree, find

PATTERN = r"\.travis\.ya?ml"
_NAMES = {"python": "python", "node_js": "node", "go": "go", "rust": "rust", "jdk": "java", "php": "php", "rvm": "ruby"}
_INSTALLS = {"python": "pip install -r requirements.txt"}
# What Travis calls its services otherwise than their images are called.
_SERVICES = {"postgresql": "postgres", "mongodb": "mongo", "redis-server": "redis"}
_TESTS = {"go": "go test -v ./...", "rust": "cargo test --verbose", "node_js": "npm test", "java": "mvn test -B"}


def read_travis(tree: Tree, path: str) -> Iterator[Job]:
    """Return the one job of a file; a matrix and `jobs: include` only add versions and scripts."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    language = string(data.get("language"))
    includes = [entry for key in ("jobs", "matrix") for entry in _entries(table(data, key).get("include"))]
    phases = ("before_install", "install", "before_script", "script")
    lines = [line for phase in phases for line in _lines(data, phase, language)]
    lines += [line for entry in includes if "deploy" not in entry for line in strings(entry.get("script"))]
    packages = strings(table(data, "addons", "apt").get("packages"))
    yield Job(
        path=path,
        name="travis",
        steps=steps_of(path, text, lines),
        versions=tuple(entry for body in (data, *includes) for entry in _versions(path, text, body)),
        services=services_of(path, text, _services(data)),
        variables=dict(_global_variables(data)),
        packages=apt_packages(path, text, [*lines, f"apt-get install {' '.join(packages)}"]),
    )


def _entries(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _lines(data: dict[str, object], phase: str, language: str) -> list[str]:
    given = [line for line in strings(data.get(phase)) if line not in {"true", "skip"}]
    if phase in data:
        return given
    return strings({"install": _INSTALLS, "script": _TESTS}.get(phase, {}).get(language))


def _versions(path: str, text: str, body: dict[str, object]) -> Iterator[tuple[str, str, Evidence]]:
    if string(body.get("os")) in {"osx", "windows"}:
        return
    for key, language in _NAMES.items():
        for version in strings(body.get(key)):
            yield language, re.sub(r"^(openjdk|oraclejdk)", "", version), find(path, text, version)


def _services(data: dict[str, object]) -> list[str]:
    named = [_SERVICES.get(each, each) for each in strings(data.get("services"))]
    version = string(table(data, "addons").get("postgresql"))
    return [*(each for each in named if is_service(each)), *([f"postgres:{version}"] if version else [])]


def _global_variables(data: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Yield what all jobs have in common; what stands elsewhere below `env` makes a job of each line."""
    for line in strings(table(data, "env").get("global")):
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        yield from ((name, value) for name, sign, value in (word.partition("=") for word in words) if sign)
