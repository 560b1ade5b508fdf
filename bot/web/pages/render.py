"""Renders pages: Jinja templates that escape everything, and code with highlighted syntax."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from bot.masking import mask_secrets

FOLDER = Path(__file__).parent
_LARGEST_HIGHLIGHTED = 200_000


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["highlighted"] = highlighted
    environment.filters["masked"] = masked
    environment.filters["as_json"] = as_json
    environment.filters["in_utc"] = in_utc
    return environment


def render(template: str, **values: object) -> str:
    """Return a page; every value is escaped."""
    return _environment().get_template(template).render(values)


def masked(text: str) -> str:
    """Return text without the tokens and keys somebody may have written; it is still to be escaped."""
    return mask_secrets(str(text))


def as_json(value: object) -> str:
    """Return a value as JSON that is still to be escaped."""
    return json.dumps(value, ensure_ascii=False)


def in_utc(moment: datetime) -> str:
    """Return a time as people read it, wherever the database lives."""
    return moment.astimezone(UTC).strftime("%-d %b %Y %H:%M UTC")


def highlighted(text: str, path: str) -> Markup:
    """Return a file as HTML with classes for its parts; pygments escapes the text."""
    language = "text" if len(text) > _LARGEST_HIGHLIGHTED else _language(path)
    lexer = get_lexer_by_name(language, stripnl=False)
    return Markup(highlight(text, lexer, HtmlFormatter(cssclass="code", wrapcode=True)))


def _language(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    if name.endswith((".yml", ".yaml")):
        return "yaml"
    return "docker" if name == "Dockerfile" else "text"
