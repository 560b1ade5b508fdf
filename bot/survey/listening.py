"""The port that a program listens on, as its source tells."""

import re

_HOST = r"(?:0\.0\.0\.0|127\.0\.0\.1|localhost|\[::1?\])"
# What is surest first: an address with a port, the two as arguments, a call, something called a port, a whole URL.
_PORTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\"{_HOST}?:(\d{{2,5}})\"",
        rf"\"{_HOST}\"(?:\.\w+\(\))*\s*,\s*(\d{{2,5}})\b",
        r"\[\s*0\s*,\s*0\s*,\s*0\s*,\s*0\s*\]\s*,\s*(\d{2,5})\b",
        r"\.port\(\s*(\d{2,5})\s*\)",
        r"(?:\b|_)port\b[^;{}]{0,80}?\b(\d{4,5})\b",
        rf"https?://{_HOST}:(\d{{2,5}})\b",
    )
)
_COMMENT = re.compile(r"^[ \t]*//[^\n]*$|/\*.*?(?:\*/|\Z)", re.DOTALL | re.MULTILINE)
# PostgreSQL, MySQL, Redis, MongoDB, RabbitMQ, Kafka: a program calls them.
_OTHERS = frozenset({"5432", "3306", "6379", "27017", "5672", "9092"})


def port_in(text: str) -> tuple[str, str]:
    """Return the port and the words that tell it, for Rust, C and C++; nothing where the source names none."""
    told = _COMMENT.sub("", text)
    every = (match for pattern in _PORTS for match in pattern.finditer(told))
    found = next((match for match in every if match[1] not in _OTHERS), None)
    return (found[1], found[0].splitlines()[0]) if found else ("", "")
