"""Shows Markdown as HTML: nothing of it runs, loads or leads elsewhere; sections that the bot folds stay folded."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from bot.masking import mask_secrets

_FOLD = re.compile(r"(?m)^(?:<details><summary>(?P<title>[^<>\n]*)</summary>|(?P<end></details>))[ \t]*$")
_MARK = re.compile(r"<!-- pipewright:[^>]*-->")
_ZERO_WIDTH = "&#8203;"


def shown(markdown: str, homes: Sequence[str]) -> Markup:
    """Return somebody's words as HTML; links live only to addresses in `homes`."""
    text = mask_secrets(_MARK.sub("", markdown.replace(_ZERO_WIDTH, "")))
    return Markup("").join(_pieces(text, _reader(tuple(homes))))


def _pieces(text: str, reader: MarkdownIt) -> Iterator[Markup]:
    position = depth = 0
    for fold in _FOLD.finditer(text):
        yield Markup(reader.render(text[position : fold.start()]))
        position = fold.end()
        if fold["end"] is None:
            depth += 1
            yield Markup("<details><summary>{}</summary>").format(escape(fold["title"]))
        elif depth:
            depth -= 1
            yield Markup("</details>")
    yield Markup(reader.render(text[position:]))
    yield Markup("</details>") * depth


@lru_cache(maxsize=8)
def _reader(homes: tuple[str, ...]) -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    reader.disable(["image", "html_block", "html_inline"])
    reader.validateLink = lambda url: _leads_home(url, homes)  # type: ignore[method-assign]
    return reader


def _leads_home(url: str, homes: tuple[str, ...]) -> bool:
    return any(url == home or url.startswith((f"{home}/", f"{home}?", f"{home}#")) for home in homes if home)
