"""CMake presets: which of those a project declares work on Linux, and the commands that use one."""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from bot.survey.parsing import string, strings, table
from bot.survey.tree import Folder

FILE = "CMakePresets.json"
# What CMake 3.31 of Debian 13 understands.
NEWEST_FORMAT = 10
_GENERATORS = {"": "make", "Unix Makefiles": "make", "Ninja": "ninja-build", "Ninja Multi-Config": "ninja-build"}
_COMPILERS = {"gcc": "gcc", "g++": "g++", "cc": "gcc", "c++": "g++", "clang": "clang", "clang++": "clang"}
# What such names say is not for the tests of every push.
_ASIDE = re.compile(
    r"asan|ubsan|tsan|msan|sanit|cover|fuzz|android|ios|mac|darwin|win|msvc|arm|cross|wasm|emscripten", re.I
)
_USUAL = re.compile(r"(?:^|[-_])(?:ci|default|linux|gcc|unix\w*)(?:[-_]|$)", re.I)

_CACHE = "cacheVariables"


class Preset(Struct, frozen=True, kw_only=True):
    """A way to configure, build and test. `folder` is where it builds; `packages` is what Debian has to bring."""

    name: str
    folder: str
    configure: str
    build: str
    test: str = ""
    packages: tuple[str, ...] = ()


def best_preset(folder: Folder, called: Sequence[str]) -> Preset | None:
    """Return the preset to use: one that other CI calls, else one with tests, else the first with a usual name."""
    read = _read(folder)
    usable = [found for entry in read.get("configurePresets", {}).values() if (found := _preset(entry, read))]
    given = " ".join(called)

    def rank(preset: Preset) -> tuple[bool, bool, bool, bool]:
        is_called = re.search(rf"--preset[= ]\"?{re.escape(preset.name)}\"?(?:\s|$)", given) is not None
        return (not is_called, bool(_ASIDE.search(preset.name)), not preset.test, not _USUAL.search(preset.name))

    return min(usable, key=rank, default=None)


def _read(folder: Folder) -> dict[str, dict[str, dict[str, object]]]:
    """Return the presets of each kind by name, with those of included files; nothing where CMake is too old."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for path in _files(folder):
        read = folder.json(path)
        version = read.get("version")
        if not isinstance(version, int) or version > NEWEST_FORMAT:
            return {}
        for kind in ("configurePresets", "buildPresets", "testPresets"):
            entries = {string(each.get("name")): each for each in _tables(read.get(kind))}
            found.setdefault(kind, {}).update(entries)
    return found


def _files(folder: Folder) -> Iterator[str]:
    """Yield the files of presets: the main one and what it includes, at most ten."""
    waiting, seen = [FILE], set[str]()
    while waiting and len(seen) < 10:
        path = waiting.pop(0)
        if path in seen or not folder.has(path):
            continue
        seen.add(path)
        yield path
        base = path.rpartition("/")[0]
        waiting += [f"{base}/{each}" if base else each for each in strings(folder.json(path).get("include"))]


def _preset(entry: Mapping[str, object], read: Mapping[str, dict[str, dict[str, object]]]) -> Preset | None:
    """Return a configure preset with its commands; None for one that is hidden or does not work here."""
    name = string(entry.get("name"))
    whole = _inherited(entry, read["configurePresets"])
    if not name or entry.get("hidden") is True or not _is_true(whole.get("condition"), name):
        return None
    place = _place(string(whole.get("binaryDir")), name)
    packages = _packages(whole)
    if not place or packages is None:
        return None
    build, test = _of(read, "buildPresets", name), _of(read, "testPresets", name)
    return Preset(
        name=name,
        folder=place,
        configure=f"cmake --preset {name}",
        build=f"cmake --build {f'--preset {build}' if build else place} --parallel 4",
        test=f"ctest --preset {test} --output-on-failure" if test else "",
        packages=packages,
    )


def _inherited(
    entry: Mapping[str, object], presets: Mapping[str, dict[str, object]], depth: int = 0
) -> dict[str, object]:
    """Return a preset with what it inherits; the first of several parents wins, as CMake has it."""
    merged: dict[str, object] = {}
    for parent in strings(entry.get("inherits")) if depth < 10 else []:
        above = _inherited(presets.get(parent, {}), presets, depth + 1)
        merged = {**above, **merged, _CACHE: {**table(above.get(_CACHE)), **table(merged.get(_CACHE))}}
    return {**merged, **entry, _CACHE: {**table(merged.get(_CACHE)), **table(entry.get(_CACHE))}}


def _of(read: Mapping[str, dict[str, dict[str, object]]], kind: str, configure: str) -> str:
    """Return the first build or test preset for a configure preset, nothing where there is none."""
    presets = read.get(kind, {})
    for name, entry in presets.items():
        whole = _inherited(entry, presets)
        if name and entry.get("hidden") is not True and string(whole.get("configurePreset")) == configure:
            return name if _is_true(whole.get("condition"), name) else ""
    return ""


def _place(folder: str, name: str) -> str:
    """Return where a preset builds, below the project; nothing for a place elsewhere or one only CMake knows."""
    told = folder.replace("${presetName}", name).replace("${hostSystemName}", "Linux")
    inside = re.sub(r"^\$\{sourceDir\}/?|^\./", "", told).rstrip("/")
    return "" if not inside or "$" in inside or inside.startswith(("/", "..")) else inside


def _packages(preset: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return what Debian has to install for a generator and compilers; None for what no image brings."""
    generator = preset.get("generator", "")
    variables = table(preset.get(_CACHE))
    chain = string(preset.get("toolchainFile")) + _value(variables.get("CMAKE_TOOLCHAIN_FILE"))
    if generator not in _GENERATORS or "$env" in chain or "$penv" in chain:
        return None
    named = [_value(variables.get(f"CMAKE_{language}_COMPILER")) for language in ("C", "CXX")]
    compilers = [_COMPILERS.get(each) for each in named if each]
    found = [_GENERATORS[str(generator)], *(each for each in compilers if each)]
    return tuple(dict.fromkeys(found)) if None not in compilers else None


def _tables(value: object) -> list[dict[str, object]]:
    return [table(each) for each in value] if isinstance(value, list) else []


def _value(variable: object) -> str:
    return string(table(variable).get("value")) or string(variable)


def _is_true(condition: object, name: str) -> bool:
    """Evaluate a condition on Linux; what it asks of the environment is taken for unset."""
    if condition is None or isinstance(condition, bool):
        return condition is not False
    given = table(condition)

    def word(key: str) -> str:
        told = re.sub(r"\$p?env\{\w+\}", "", string(given.get(key)))
        return told.replace("${hostSystemName}", "Linux").replace("${presetName}", name)

    match given.get("type"):
        case "const":
            return given.get("value") is True
        case "equals" | "notEquals":
            return (word("lhs") == word("rhs")) == (given["type"] == "equals")
        case "inList" | "notInList":
            return (word("string") in strings(given.get("list"))) == (given["type"] == "inList")
        case "not":
            return not _is_true(given.get("condition"), name)
        case "anyOf" | "allOf":
            every = any if given["type"] == "anyOf" else all
            return every(_is_true(each, name) for each in _tables(given.get("conditions")))
    return False
