"""The grammar of `rules:if`, and what a condition comes to for a pipeline of which not all is known."""

import re
from collections.abc import Mapping

from msgspec import Struct

from bot.ci.checks.patterns import pattern_problem
from bot.domain import CannotError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operand> \$[A-Za-z_]\w* | "[^"]*" | '[^']*' | null\b | /(?:\\.|[^/\\])+/[ismU]* )
    | (?P<compare> == | != | =~ | !~ )
    | (?P<join> && | \|\| )
    | (?P<open> \( ) | (?P<close> \) )
    )""",
    re.VERBOSE,
)
_WHY = (
    (r"\$\{", "variables are written $NAME here, without braces"),
    (r"(?<![=!<>~])=(?![=~])", "one = is no comparison; write =="),
    (r"\b(?:and|or|not)\b", "GitLab knows && and ||, but no words"),
    (r"[<>]", "GitLab compares only with ==, !=, =~ and !~"),
)


class Some(Struct, frozen=True):
    """A text that is there, but known only by what it names, such as the default branch."""

    of: str


class Unknown(Struct, frozen=True):
    """A variable that may be set or not, to anything."""


Value = str | Some | Unknown | None
Tokens = list[tuple[str, str]]


def syntax_problem(text: str) -> str:
    """Return what is wrong with a `rules:if` expression, empty when GitLab accepts it."""
    try:
        tokens = _tokens(text)
    except CannotError as error:
        return str(error)
    patterns = [word[1:].rpartition("/")[0] for kind, word in tokens if kind == "operand" and word.startswith("/")]
    return next(filter(None, map(pattern_problem, patterns)), "") or _order_problem([kind for kind, _ in tokens])


def evaluate(text: str, variables: Mapping[str, Value]) -> bool | None:
    """Return what a condition comes to, None when that depends on what is not known. A wrong one is None too."""
    if syntax_problem(text):
        return None
    tokens = _tokens(text)
    return _either(tokens, variables)


def _tokens(text: str) -> Tokens:
    tokens, position = [], 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise CannotError(_why(stripped[position:]))
        tokens.append((str(match.lastgroup), match.group().strip()))
        position = match.end()
    return tokens


def _why(rest: str) -> str:
    """Explain by what stands where the reader got stuck."""
    near = rest.strip()[:12]
    return next(
        (why for pattern, why in _WHY if re.match(r"\s*" + pattern, rest)), f"it cannot be read from {near!r} on"
    )


def _order_problem(kinds: list[str]) -> str:
    """Operands and operators must take turns, and brackets must close."""
    depth, wants_operand = 0, True
    for kind in kinds:
        if kind == "open" and wants_operand:
            depth += 1
        elif kind == "close" and not wants_operand and depth:
            depth -= 1
        elif kind == "operand" and wants_operand:
            wants_operand = False
        elif kind in {"compare", "join"} and not wants_operand:
            wants_operand = True
        else:
            return "an operator is missing" if kind in {"operand", "open"} else "a value is missing, or a bracket"
    if depth:
        return "a bracket is not closed"
    return "it ends where a value should follow" if wants_operand else ""


def _either(tokens: Tokens, variables: Mapping[str, Value]) -> bool | None:
    result = _both(tokens, variables)
    while tokens and tokens[0][1] == "||":
        tokens.pop(0)
        other = _both(tokens, variables)
        result = True if True in (result, other) else None if None in (result, other) else False
    return result


def _both(tokens: Tokens, variables: Mapping[str, Value]) -> bool | None:
    result = _comparison(tokens, variables)
    while tokens and tokens[0][1] == "&&":
        tokens.pop(0)
        other = _comparison(tokens, variables)
        result = False if False in (result, other) else None if None in (result, other) else True
    return result


def _comparison(tokens: Tokens, variables: Mapping[str, Value]) -> bool | None:
    kind, word = tokens.pop(0)
    if kind == "open":
        result = _either(tokens, variables)
        tokens.pop(0)
        return result
    left = _value(word, variables)
    if not tokens or tokens[0][0] != "compare":
        return None if isinstance(left, Unknown) else bool(left)
    operator, (_, right) = tokens.pop(0)[1], tokens.pop(0)
    result = _matches(left, right) if "~" in operator else _equal(left, _value(right, variables))
    return result if result is None or operator.startswith("=") else not result


def _value(word: str, variables: Mapping[str, Value]) -> Value:
    if word.startswith("$"):
        return variables.get(word[1:], Unknown())
    return None if word == "null" else word[1:-1]


def _equal(left: Value, right: Value) -> bool | None:
    """Two things that are there under different names differ; a text may be the name of either."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, Some) is not isinstance(right, Some) and left and right:
        return None
    return left == right


def _matches(left: Value, pattern: str) -> bool | None:
    if left is None:
        return False
    if not isinstance(left, str) or not pattern.startswith("/"):
        return None
    body, _, flags = pattern[1:].rpartition("/")
    try:
        return re.search(body, left, re.IGNORECASE if "i" in flags else 0) is not None
    except re.error:
        return None
