"""Lines of scripts: what is downloaded and run unseen, and what shows or sends secrets."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.risks.words import shown
from bot.domain import Risk

_SHELL = r"(?:sudo\s+(?:-\S+\s+)*)?(?:env\s+(?:\S+=\S*\s+)*)?(?:/(?:usr/)?bin/)?(?:ba|z|da|k|a)?sh"
_RUNNER = rf"(?:{_SHELL}|(?:sudo\s+)?(?:python[\d.]*|perl|ruby|node|php))"
_FETCH = r"(?:curl|wget|fetch)\b"
_PIPED = (
    re.compile(rf"{_FETCH}[^|;&]*\|(?:[^|;&]*\|)*\s*{_RUNNER}(?=\s|$|-)"),
    re.compile(rf"(?:{_SHELL}|source|\.|eval)\s+(?:-\S+\s+)*<\(\s*{_FETCH}"),
    re.compile(rf"(?:{_SHELL}\s+-\w*c|eval)\s+[\"']?(?:\$\(|`)\s*{_FETCH}"),
    re.compile(
        r"\b(?:iwr|irm|Invoke-WebRequest|Invoke-RestMethod)\b[^|;]*\|\s*(?:iex|Invoke-Expression)\b", re.IGNORECASE
    ),
)
_TELLING = "TOKEN|SECRET|PASSWORD|PASSWD|PRIVATE_KEY|SSH_KEY|API_?KEY|ACCESS_KEY|CREDENTIAL|AUTH(?!OR)"
_SECRET_NAMED = re.compile(rf"\$\{{?(?P<name>\w*(?:{_TELLING})\w*)", re.IGNORECASE)
_BARE_SECRET = re.compile(rf"\b(?P<name>\w*(?:{_TELLING})\w*)", re.IGNORECASE)
_DUMP = re.compile(
    r"^(?:sudo\s+)?(?:env|printenv|set|export(?:\s+-p)?|declare\s+-\w*[px]\w*|cat\s+/proc/(?:self|\$\$|\d+)/environ)$"
)
_SHOWING = re.compile(r"^(?:sudo\s+)?(?:echo|printf|print|Write-(?:Host|Output))\b", re.IGNORECASE)
_PRINTENV = re.compile(r"^printenv\s+\w")
_FILTERS = frozenset(
    "awk base64 cat cut fold grep head hexdump less more nl od rev sed sort strings tac tail tee tr uniq xxd".split()
)
_TRACING = re.compile(r"(?:^|[;&|]\s*)(?:set\s+-\w*x\w*|set\s+-o\s+xtrace|(?:ba|z|k|da)?sh\s+-\w*x\w*)(?=\s|$|;)")
_DEBUG = frozenset({"CI_DEBUG_TRACE", "CI_DEBUG_SERVICES"})
_TRUE = frozenset({"true", "1", "yes", "on"})
_ADDRESS = re.compile(r"https?://(?!\$\{?CI_)[^\s\"'/]+", re.IGNORECASE)


def script_risks(body: Mapping[str, Any], variables: Mapping[str, tuple[str, ...]]) -> Iterator[Risk]:
    """Yield the risks of a job's lines, and of variables that make the runner print all of them."""
    lines = list(_lines(body))
    yield from line_risks(lines)
    for name in sorted(_DEBUG & set(variables)):
        if any(value.lower() in _TRUE for value in variables[name]):
            message = f"{shown(name)} makes the runner write every variable into the log, secrets too"
            yield Risk(kind="printed_variables", what=name, message=message)


def line_risks(lines: list[str]) -> Iterator[Risk]:
    """Yield the risks of lines of shell."""
    for line in lines:
        if any(pattern.search(line) for pattern in _PIPED):
            yield Risk(kind="piped_scripts", what=line, message=f"{shown(line)} runs what it downloads unseen")
        for said in _shown_secrets(line):
            yield Risk(kind="printed_variables", what=line, message=f"{shown(line)} {said}")
    traced = next((line for line in lines if _TRACING.search(line)), None)
    if traced is not None and any(_SECRET_NAMED.search(line) for line in lines):
        message = f"{shown(traced)} writes each command into the log, with the secrets that it is given"
        yield Risk(kind="printed_variables", what=traced, message=message)


def _lines(body: Mapping[str, Any]) -> Iterator[str]:
    hooks = body.get("hooks")
    held = [body.get(name) for name in ("before_script", "script", "after_script")]
    held.append(hooks.get("pre_get_sources_script") if isinstance(hooks, dict) else None)
    for value in held:
        for text in _texts(value):
            yield from logical_lines(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def logical_lines(text: str) -> list[str]:
    """Return the lines of a script without comments, those that end in a backslash joined to the next."""
    joined = re.sub(r"\\\r?\n\s*", " ", text)
    bare = (re.sub(r"(?:^|\s)#(?!\{).*$", "", line).strip() for line in joined.splitlines())
    return [line for line in bare if line]


def _shown_secrets(line: str) -> Iterator[str]:
    """Say how each command of a line shows or sends what is secret."""
    for command in re.split(r"&&|\|\||;|(?<!\|)&(?!&)", line):
        first, *after = (part.strip() for part in re.split(r"(?<!\|)\|(?!\|)", command))
        plain = re.sub(r"\s*\d*>>?\s*\S+|\s*2>&1", "", first)
        is_seen = all(_word(part) in _FILTERS for part in after) and not re.search(
            r"(?<![2&])>(?!&|\s*/dev/std)", command
        )
        if _DUMP.match(plain):
            yield "writes all variables out, secrets too"
        elif is_seen and (_SHOWING.match(first) or _PRINTENV.match(first)) and (name := _secret_in(first)):
            yield f"writes {shown(name)} into the log"
        elif re.search(rf"\b{_FETCH}", command) and (name := _secret_in(command)) and (to := _ADDRESS.search(command)):
            yield f"sends {shown(name)} to `{to.group()}`"


def _secret_in(command: str) -> str:
    """Return a telling name whose value is used; in single quotes the shell puts no value in."""
    if command.startswith("printenv"):
        found = _BARE_SECRET.search(command)
        return found["name"] if found else ""
    found = _SECRET_NAMED.search(re.sub(r"'[^']*'", "", command))
    return found["name"] if found else ""


def _word(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return words[0].rsplit("/", 1)[-1] if words else ""
