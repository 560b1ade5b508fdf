"""What a command runs in the end: the script, the recipe, the environment or the lifecycle tasks behind it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from bench.commands import split
from bench.tox import Environments, read_tox

_DEPTH = 3
_SCRIPT = re.compile(r"(?:npm|yarn|pnpm|bun)(?: run)?(?: -\S+)* ([\w:.-]+)")
_COMPOSER = re.compile(r"composer (?:run(?:-script)? )?(?:-\S+ )*([\w:.-]+)")
_DENO = re.compile(r"deno task(?: -\S+)* ([\w:.-]+)")
_COMPOSE = re.compile(r"docker(?:-| )compose(?: -\S+)* build\b")
# Gradle's own words: `build` is nothing but these two.
_GRADLE = re.compile(r"((?:\./)?gradlew?)(?: -\S+)* build\b(.*)")
_TARGET = re.compile(r"make(?: -\S+)*(?: ([\w.-]+))?")


class Runners(Struct, frozen=True, kw_only=True):
    """The scripts and the recipes of a checkout's top folder, by name."""

    scripts: Mapping[str, str] = {}
    recipes: Mapping[str, tuple[str, ...]] = {}
    composer: Mapping[str, tuple[str, ...]] = {}
    deno: Mapping[str, tuple[str, ...]] = {}
    tox: Environments = Environments()

    def ways(self, command: str) -> tuple[str, ...]:
        """Return a command and every command it stands for."""
        return tuple(dict.fromkeys(self._expanded(command, _DEPTH)))

    def _expanded(self, command: str, depth: int) -> Iterator[str]:
        yield command
        for line in self._behind(command) if depth else ():
            for piece in split([line]):
                yield from self._expanded(piece, depth - 1)

    def _behind(self, command: str) -> tuple[str, ...]:
        script = _SCRIPT.match(command)
        if script and script[1] in self.scripts:
            return (self.scripts[script[1]],)
        for pattern, known in ((_COMPOSER, self.composer), (_DENO, self.deno)):
            found = pattern.match(command)
            if found and found[1] in known:
                return known[found[1]]
        if _COMPOSE.match(command):
            return ("docker build .",)
        gradle = _GRADLE.match(command)
        if gradle:
            return tuple(f"{gradle[1]} {task}{gradle[2]}" for task in ("assemble", "check"))
        target = _TARGET.match(command)
        return self.recipes.get(target[1] or "", ()) if target else self.tox.behind(command)


def read_runners(checkout: Path) -> Runners:
    """Read what is there; a broken file expands nothing."""
    return Runners(
        scripts={name: lines[0] for name, lines in _scripts(checkout / "package.json", "scripts").items()},
        recipes=_recipes(checkout / "Makefile"),
        composer=_scripts(checkout / "composer.json", "scripts"),
        deno=_scripts(checkout / "deno.json", "tasks"),
        tox=read_tox(checkout),
    )


def _scripts(path: Path, key: str) -> dict[str, tuple[str, ...]]:
    """Return scripts by name; Composer allows a list of lines, of which @name and @php are its own words."""
    try:
        scripts = json.loads(path.read_text(encoding="utf-8")).get(key, {})
    except (OSError, ValueError, AttributeError):
        return {}
    lists = {name: [text] if isinstance(text, str) else text for name, text in scripts.items()}
    return {
        name: tuple(re.sub(r"^@(?!php )", "composer ", line).removeprefix("@") for line in lines)
        for name, lines in lists.items()
        if isinstance(lines, list) and lines and all(isinstance(line, str) for line in lines)
    }


def _recipes(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = re.findall(r"^([\w.-]+)\s*:(?!=)[^\n]*\n((?:\t[^\n]*\n?)*)", text, re.MULTILINE)
    return {name: tuple(line.strip().lstrip("@-") for line in body.splitlines()) for name, body in found}
