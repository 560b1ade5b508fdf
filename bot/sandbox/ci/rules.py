"""Evaluates `rules` (docs.gitlab.com/ci/yaml, ci/jobs/job_rules): which jobs a pipeline gets."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<variable>\$\w+)|(?P<string>\"[^\"]*\"|'[^']*')|(?P<regex>/(?:[^/\\]|\\.)+/[imsU]*)"
    r"|(?P<operator>==|!=|=~|!~|&&|\|\||\(|\))|(?P<null>null\b))"
)


class RuleError(Exception):
    """An `if` that GitLab would not accept."""


def decide(
    rules: Sequence[Mapping[str, Any]] | None, variables: Mapping[str, str], paths: Sequence[str]
) -> Mapping[str, Any] | None:
    """Return the first rule that matches; None when none does. No rules at all match like `{}`."""
    if rules is None:
        return {}
    return next((rule for rule in rules if _matches(rule, variables, paths)), None)


def _matches(rule: Mapping[str, Any], variables: Mapping[str, str], paths: Sequence[str]) -> bool:
    if "if" in rule and not evaluate(str(rule["if"]), variables):
        return False
    if "exists" in rule:
        wanted = rule["exists"] if isinstance(rule["exists"], list) else rule["exists"].get("paths", [])
        return any(fnmatch(path, str(pattern).lstrip("/")) for pattern in wanted for path in paths)
    return True  # `changes` counts as changed: a new branch has nothing to compare with


def evaluate(expression: str, variables: Mapping[str, str]) -> bool:
    """Evaluate an `if` expression."""
    tokens = _tokens(expression)
    value, position = _either(tokens, 0, variables)
    if position != len(tokens):
        raise RuleError(f"invalid expression syntax: {expression}")
    return bool(value)


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(expression.rstrip()):
        found = _TOKEN.match(expression, position)
        if found is None:
            raise RuleError(f"invalid expression syntax: {expression}")
        kind = str(found.lastgroup)
        tokens.append((kind, found[kind]))
        position = found.end()
    return tokens


def _either(tokens: list[tuple[str, str]], at: int, variables: Mapping[str, str]) -> tuple[Any, int]:
    value, at = _both(tokens, at, variables)
    while at < len(tokens) and tokens[at][1] == "||":
        right, at = _both(tokens, at + 1, variables)
        value = bool(value) or bool(right)
    return value, at


def _both(tokens: list[tuple[str, str]], at: int, variables: Mapping[str, str]) -> tuple[Any, int]:
    value, at = _comparison(tokens, at, variables)
    while at < len(tokens) and tokens[at][1] == "&&":
        right, at = _comparison(tokens, at + 1, variables)
        value = bool(value) and bool(right)
    return value, at


def _comparison(tokens: list[tuple[str, str]], at: int, variables: Mapping[str, str]) -> tuple[Any, int]:
    left, at = _operand(tokens, at, variables)
    if at >= len(tokens) or tokens[at][1] not in ("==", "!=", "=~", "!~"):
        return left, at
    operator = tokens[at][1]
    right, at = _operand(tokens, at + 1, variables)
    if operator in ("==", "!="):
        return (left == right) is (operator == "=="), at
    return _searches(str(right or ""), str(left or "")) is (operator == "=~"), at


def _searches(pattern: str, text: str) -> bool:
    body, _, flags = pattern.strip("\"'")[1:].rpartition("/")
    return bool(re.search(body, text, re.IGNORECASE if "i" in flags else 0))


def _operand(tokens: list[tuple[str, str]], at: int, variables: Mapping[str, str]) -> tuple[Any, int]:
    if at >= len(tokens):
        raise RuleError("invalid expression syntax: it ends too early")
    kind, text = tokens[at]
    if text == "(":
        value, at = _either(tokens, at + 1, variables)
        if at >= len(tokens) or tokens[at][1] != ")":
            raise RuleError("invalid expression syntax: a parenthesis is open")
        return value, at + 1
    values = {"variable": variables.get(text[1:]), "string": text[1:-1], "regex": text, "null": None}
    if kind not in values:
        raise RuleError(f"invalid expression syntax near {text}")
    return values[kind], at + 1
