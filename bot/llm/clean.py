"""Cleans text on its way to a model (no control tokens, nothing hidden) and from it (no thinking aloud)."""

import re
from typing import Any

_CONTROL_TOKEN = re.compile(r"<\|([^|<>\n]{0,40})\|>")
_HIDDEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_HALVES = re.compile("[\ud800-\udfff]")
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def cleaned(text: str) -> str:
    """Return the text with control tokens of chat templates broken, invisible characters and HTML comments gone."""
    return _CONTROL_TOKEN.sub(r"<¦\1¦>", _HTML_COMMENT.sub("", _HIDDEN.sub("", text)))


def without_thoughts(text: str) -> str:
    """Return what a model said without what it thought; some templates open the thought before the model speaks."""
    return _THOUGHT.sub("", text).rpartition("</think>")[2].strip()


def storable(value: Any) -> Any:
    """Return what a model wrote, in its calls too, without NUL and with halves of surrogate pairs replaced.

    JSON may spell both; no database, network or YAML takes them.
    """
    match value:
        case str():
            return _HALVES.sub("\ufffd", value.replace("\x00", ""))
        case dict():
            return {storable(key): storable(inner) for key, inner in value.items()}
        case list():
            return [storable(inner) for inner in value]
        case _:
            return value
