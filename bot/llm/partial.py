"""Reads the words for the person out of an action object that is still being written."""

import json
import re

_BEGINNING = re.compile(r'"action"\s*:\s*"final".*?"text"\s*:\s*"', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")


class SpokenPart:
    """Keeps what was handed on already: `more` returns only what is new."""

    def __init__(self) -> None:
        self._said = ""

    def more(self, content: str) -> str:
        """Return the further words of a final answer, given all that was written so far."""
        words = self._words(content)
        if len(words) <= len(self._said) or not words.startswith(self._said):
            return ""
        new, self._said = words[len(self._said) :], words
        return new

    def _words(self, content: str) -> str:
        beginning = _BEGINNING.search(content)
        if beginning is None:
            return ""
        written = content[beginning.end() :]
        end = re.search(r'(?<!\\)(?:\\\\)*"', written)
        inside = written[: end.end() - 1] if end else _HALF_ESCAPE.sub("", written)
        try:
            words: str = json.loads(f'"{inside}"', strict=False)
        except ValueError:
            return self._said
        return words if end or not _ends_in_half(words) else words[:-1]


def _ends_in_half(words: str) -> bool:
    """Tell the first half of a surrogate pair, whose other half is still to come."""
    return bool(words) and "\ud800" <= words[-1] <= "\udbff"
