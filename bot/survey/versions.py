"""Which version to run with: the newest supported one that the repository allows.

The tables were right in November 2026 (endoflife.date, the official images). A version past its end of life is never
chosen while a supported one was tested or is allowed; a floor such as ">=0.10" is never used as a version itself.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bot.domain.pins import pins
from bot.survey.ended import ENDED, LATELY

Number = tuple[int, ...]


# The names that Node.js gives to its long-term releases, in image tags and version files.
NODE_NAMES = {
    "argon": "4",
    "boron": "6",
    "carbon": "8",
    "dubnium": "10",
    "erbium": "12",
    "fermium": "14",
    "gallium": "16",
    "hydrogen": "18",
    "iron": "20",
    "jod": "22",
    "krypton": "24",
}


class Line(Struct, frozen=True, kw_only=True):
    """The versions of one language, oldest first, and the one to use when the repository says nothing.

    `keeps_promises` marks a language whose newer releases build what older ones did.
    """

    supported: tuple[str, ...]
    default: str
    parts: int
    keeps_promises: bool = False


LINES: dict[str, Line] = {
    "python": Line(supported=("3.11", "3.12", "3.13", "3.14"), default="3.13", parts=2),
    "node": Line(supported=("22", "24", "26"), default="24", parts=1),
    "go": Line(supported=("1.26", "1.27"), default="1.27", parts=2, keeps_promises=True),
    "rust": Line(supported=("1.98",), default="1.98", parts=2, keeps_promises=True),
    "java": Line(supported=("8", "11", "17", "21", "25"), default="21", parts=1),
    "ruby": Line(supported=("3.3", "3.4", "4.0"), default="3.4", parts=2),
    "php": Line(supported=("8.2", "8.3", "8.4", "8.5"), default="8.4", parts=2),
    "dotnet": Line(supported=("10.0",), default="10.0", parts=2),
    "elixir": Line(supported=("1.16", "1.17", "1.18", "1.19", "1.20"), default="1.19", parts=2),
    "erlang": Line(supported=("27", "28", "29"), default="28", parts=1, keeps_promises=True),
    "swift": Line(supported=("6.1", "6.2", "6.3"), default="6.3", parts=2, keeps_promises=True),
    "dart": Line(supported=("3.13",), default="3.13", parts=2, keeps_promises=True),
    "haskell": Line(supported=("9.6", "9.8", "9.10", "9.12", "9.14"), default="9.10", parts=2),
    "julia": Line(supported=("1.10", "1.12"), default="1.12", parts=2, keeps_promises=True),
    "r": Line(supported=("4.6.1",), default="4.6.1", parts=3, keeps_promises=True),
    "perl": Line(supported=("5.42", "5.44"), default="5.42", parts=2, keeps_promises=True),
    "lua": Line(supported=("5.1", "5.2", "5.3", "5.4"), default="5.4", parts=2),
    "terraform": Line(supported=("1.14", "1.15"), default="1.15", parts=2, keeps_promises=True),
}

# Versions of pinned tools by name.
TOOLS = {name: tool.version for name, tool in pins().tools.items()}

_RANGE = re.compile(r"(===|~=|==|!=|<=|>=|<|>|\^|~|=)?\s*v?(\d+(?:\.(?:\d+|[x*]))*)", re.IGNORECASE)


def number(text: str) -> Number:
    """Return the leading numbers of a version: "v3.10.x" is (3, 10)."""
    match = re.match(r"\s*v?(\d{1,6}(?:\.\d{1,6})*)", text)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def choose(language: str, *, spec: str = "", matrix: Iterable[str] = (), exact: str = "") -> str:
    """Return the version to use.

    `spec` is the declared range, `matrix` what another CI runs, `exact` a version file. An exact version that is
    supported wins; else the newest supported version of the matrix that fits the range, else the newest in the range.
    """
    line = LINES[language]
    if exact and short(language, exact) in line.supported:
        return short(language, exact)
    wanted = [short(language, each) for each in matrix if number(each)]
    fitting = [each for each in line.supported if allows(spec, each)]
    both = [each for each in fitting if each in wanted]
    if both:
        return both[-1]
    if not fitting or not line.keeps_promises:
        ended = _ended(language, spec, [*wanted, short(language, exact)], is_demanded=not fitting)
        if ended:
            return ended
    if (wanted or number(exact)) and not line.keeps_promises:
        return _nearest(fitting or list(line.supported), [*wanted, exact])
    if line.default in fitting or not fitting:
        return line.default
    return fitting[-1]


def _ended(language: str, spec: str, wanted: Sequence[str], *, is_demanded: bool) -> str:
    """Return the newest version past its end that is demanded, or was tested until lately; else nothing."""
    known = ENDED.get(language, {}) if is_demanded else LATELY.get(language, ())
    allowed = [each for each in known if allows(spec, each)]
    tested = [each for each in allowed if each in wanted]
    return (tested or (allowed if is_demanded else [""]) or [""])[-1]


def _nearest(candidates: Sequence[str], wanted: Sequence[str]) -> str:
    """Return the candidate nearest above the newest wanted version, else the newest candidate."""
    newest = max(number(each) for each in wanted)
    above = [each for each in candidates if number(each) >= newest]
    return above[0] if above else candidates[-1]


def short(language: str, version: str) -> str:
    """Return a version with as many parts as the language's image tags have."""
    parts = [str(part) for part in number(version)[: LINES[language].parts]]
    if language == "java" and parts == ["1"]:
        return str((*number(version), 8)[1])
    return ".".join(parts)


def floor(spec: str) -> str:
    """Return the smallest version a range names as its minimum, or nothing."""
    minimums = [found for sign, found in _RANGE.findall(spec) if sign in {">=", ">", "^", "~", "~=", "=", "==", ""}]
    plain = [each.rstrip("x*.X") for each in minimums if number(each)]
    return min(plain, key=number) if plain else ""


def allows(spec: str, version: str) -> bool:
    """Say whether a range (Python's, npm's or Poetry's) allows a version; an unreadable range allows all."""
    alternatives = [part for part in spec.split("||") if part.strip()]
    return not alternatives or any(_allows_all(part, number(version)) for part in alternatives)


def _allows_all(spec: str, version: Number) -> bool:
    hyphen = re.fullmatch(r"\s*v?([\d.]+)\s+-\s+v?([\d.]+)\s*", spec)
    if hyphen:
        low, high = number(hyphen.group(1)), number(hyphen.group(2))
        return low[: len(version)] <= version and version[: len(high)] <= high
    return all(_allows_one(sign, number(found), version) for sign, found in _RANGE.findall(spec))


def _allows_one(sign: str, bound: Number, version: Number) -> bool:
    """Compare a version such as (3, 13), which stands for all its patches, with one bound."""
    same = min(len(bound), len(version))
    if sign in {">=", ">"}:
        return version >= bound[: len(version)]
    if sign == "<":
        return version < bound[: len(version)] or (version == bound[: len(version)] and any(bound[len(version) :]))
    if sign == "<=":
        return version[:same] <= bound[:same]
    if sign == "!=":
        return len(bound) > len(version) or version[:same] != bound[:same]
    if sign == "~=":
        keep = max(len(bound) - 1, 1)
        return version >= bound[: len(version)] and version[:keep] == bound[:keep][: len(version)]
    if sign == "^":
        return version[0] == bound[0] and version >= bound[: len(version)]
    return version[:same] == bound[:same]
