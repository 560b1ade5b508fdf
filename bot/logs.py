"""Structured logs: one line an event, with the ids of order and conversation, never with a secret."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from uuid import UUID

import structlog

from bot.masking import mask_secrets


def configure(
    log_format: Literal["json", "console"], level: int = logging.INFO, *, is_beside_answers: bool = False
) -> None:
    """Set up logging for the process; call it before any library that would do so itself.

    Lines `beside answers` go where errors go: what a command prints is for whoever reads its answer.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*chain, renderer, mask],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr if is_beside_answers else sys.stdout),
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard library: their lines look like ours, and hide the same.
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=_for_lines(renderer)))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _for_lines(renderer: Any) -> list[Any]:
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer, mask]


def mask(_logger: object, _name: str, line: Any) -> str:
    """Replace known shapes of secrets in a finished line, wherever in it they stand."""
    return mask_secrets(str(line))


@contextmanager
def about_order(order_id: UUID, conversation_id: UUID | None = None) -> Iterator[None]:
    """Give every log line inside the id of the order, and of the conversation: that one leads from webhook to merge."""
    known = {"order": str(order_id)} | ({"conversation": str(conversation_id)} if conversation_id else {})
    with structlog.contextvars.bound_contextvars(**known):
        yield
