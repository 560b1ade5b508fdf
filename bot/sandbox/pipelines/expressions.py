"""The little language of `rules:if`: `$VAR == "x" && $REF =~ /^v/i || ($A != null)`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Value = str | bool | re.Pattern[str] | None

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<variable>\$\{?[A-Za-z_][A-Za-z0-9_]*\}?)
    | (?P<string>"[^"]*"|'[^']*')
    | (?P<pattern>/(?:\\.|[^/\\])+/[ismU]*)
    | (?P<word>null\b|true\b|false\b)
    | (?P<operator>==|!=|=~|!~|&&|\|\||\(|\)|!)
    )\s*""",
    re.VERBOSE,
)
_PATTERN = re.compile(r"/(.+)/([ismU]*)", re.DOTALL)
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


class ExpressionError(ValueError):
    """The expression cannot be read; GitLab says `invalid expression syntax`."""


@dataclass(frozen=True)
class Token:
    """One word of an expression."""

    kind: str
    text: str


def is_true(expression: str, variables: Mapping[str, str]) -> bool:
    """Whether the expression holds; an empty or missing variable alone is false."""
    return bool(evaluate(expression, variables))


def evaluate(expression: str, variables: Mapping[str, str]) -> Value:
    """The value of an expression."""
    parser = _Parser(list(_tokens(expression)), variables)
    value = parser.either()
    if parser.left():
        raise ExpressionError("invalid expression syntax")
    return value


def _tokens(expression: str) -> Iterator[Token]:
    position = 0
    if not expression.strip():
        raise ExpressionError("invalid expression syntax")
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None or match.lastgroup is None:
            raise ExpressionError("invalid expression syntax")
        yield Token(match.lastgroup, match.group(match.lastgroup))
        position = match.end()


class _Parser:
    """Recursive descent; `&&` binds tighter than `||`, comparisons tighter than both."""

    def __init__(self, tokens: list[Token], variables: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._variables = variables
        self._at = 0

    def left(self) -> bool:
        return self._at < len(self._tokens)

    def either(self) -> Value:
        value = self._both()
        while self._take("||"):
            right = self._both()
            value = value or right
        return value

    def _both(self) -> Value:
        value = self._comparison()
        while self._take("&&"):
            right = self._comparison()
            value = value and right
        return value

    def _comparison(self) -> Value:
        left = self._operand()
        for operator in ("==", "!=", "=~", "!~"):
            if self._take(operator):
                return _compare(operator, left, self._operand())
        return left

    def _operand(self) -> Value:
        if self._take("!"):
            return not self._operand()
        if self._take("("):
            value = self.either()
            if not self._take(")"):
                raise ExpressionError("invalid expression syntax")
            return value
        if not self.left():
            raise ExpressionError("invalid expression syntax")
        token = self._tokens[self._at]
        self._at += 1
        return self._value(token)

    def _value(self, token: Token) -> Value:
        if token.kind == "variable":
            return self._variables.get(token.text.strip("${}"))
        if token.kind == "string":
            return token.text[1:-1]
        if token.kind == "pattern":
            return read_pattern(token.text)
        if token.kind == "word":
            return {"null": None, "true": True, "false": False}[token.text]
        raise ExpressionError("invalid expression syntax")

    def _take(self, operator: str) -> bool:
        if self.left() and self._tokens[self._at] == Token("operator", operator):
            self._at += 1
            return True
        return False


def _compare(operator: str, left: Value, right: Value) -> bool:
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    matches = _matches(left, right)
    return matches if operator == "=~" else not matches


def _matches(left: Value, right: Value) -> bool:
    pattern = read_pattern(right) if isinstance(right, str) and _PATTERN.fullmatch(right) else right
    if left is None or pattern is None:
        return False
    if isinstance(pattern, re.Pattern):
        return pattern.search(str(left)) is not None
    # A right side that is no /regex/ is taken as one (GitLab answers with an error or a literal match).
    return re.search(re.escape(str(pattern)), str(left)) is not None


def read_pattern(text: str) -> re.Pattern[str]:
    """`/regex/flags` as a compiled pattern."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ExpressionError("invalid expression syntax")
    flags = re.RegexFlag(0)
    for letter in match.group(2):
        flags |= _FLAGS.get(letter, re.RegexFlag(0))
    try:
        return re.compile(match.group(1).replace(r"\/", "/"), flags)
    except re.error as error:
        raise ExpressionError("invalid expression syntax") from error
