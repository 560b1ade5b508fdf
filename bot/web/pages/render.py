"""Renders pages: Jinja templates that escape everything, and code with highlighted syntax."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from bot.masking import mask_secrets
from bot.web.pages.drawing import STATUS_WORDS

FOLDER = Path(__file__).parent
_LARGEST_HIGHLIGHTED = 200_000
_CODE = re.compile(r"`([^`\n]+)`")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = (highlighted, masked, sentence, in_utc, pipeline_words, duration)
    environment.filters.update({each.__name__: each for each in shown})
    return environment


def render(template: str, **values: object) -> str:
    """Return a page; every value is escaped."""
    return _environment().get_template(template).render(values)


def page(request: Request[Any, Any, Any], template: str, **values: object) -> Response[str]:
    """Return a page of whoever is signed in, with their name and menu at its top."""
    visitor = request.state.get("visitor")
    html = render(template, visitor=visitor, path=request.url.path, **values)
    return Response(html, media_type=MediaType.HTML)


def masked(text: str) -> str:
    """Return text without the tokens and keys somebody may have written; it is still to be escaped."""
    return mask_secrets(str(text))


def sentence(text: str) -> Markup:
    """Return one of our sentences as HTML, masked, with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(masked(text)))))


def in_utc(moment: datetime) -> str:
    """Return a time as people read it, wherever the database lives."""
    return moment.astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC")


def pipeline_words(status: str) -> str:
    """Return GitLab's status of a pipeline or job in words."""
    return STATUS_WORDS.get(status, status.replace("_", " "))


def duration(span: timedelta | float | None) -> str:
    """Return a span of time (seconds, unless it is one) in its two largest units."""
    if span is None:
        return "–"
    seconds = round(span.total_seconds() if isinstance(span, timedelta) else span)
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def highlighted(text: str, path: str) -> Markup:
    """Return a file as HTML with classes for its parts; pygments escapes the text. By keyboard one can scroll it."""
    language = "text" if len(text) > _LARGEST_HIGHLIGHTED else _language(path)
    lexer = get_lexer_by_name(language, stripnl=False)
    html = highlight(text, lexer, HtmlFormatter(cssclass="code", wrapcode=True))
    return Markup(html.replace("<pre>", '<pre tabindex="0">', 1))


def _language(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    if name.endswith((".yml", ".yaml")):
        return "yaml"
    if name.endswith(".json"):
        return "json"
    return "docker" if name == "Dockerfile" else "text"
