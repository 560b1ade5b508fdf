"""Makes text of people and repositories safe to show to a model: no control tokens, nothing hidden."""

import re

_CONTROL_TOKEN = re.compile(r"<\|([^|<>\n]{0,40})\|>")
_HIDDEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def cleaned(text: str) -> str:
    """Return the text with control tokens of chat templates broken, invisible characters and HTML comments gone."""
    return _CONTROL_TOKEN.sub(r"<¦\1¦>", _HTML_COMMENT.sub("", _HIDDEN.sub("", text)))
