"""Finds what answers an address below `/oauth`."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.oauth import consent, tokens
from bot.sandbox.rest.call import Answer
from bot.sandbox.state import World


def answer(
    world: World, method: str, path: str, headers: Mapping[str, str], query: dict[str, Any], form: dict[str, Any]
) -> Answer:
    """Answer one request; the world is locked meanwhile."""
    with world.lock:
        match method, path:
            case "GET", "/oauth/authorize":
                return consent.ask(world, query)
            case "POST", "/oauth/authorize":
                return consent.decide(world, form)
            case "POST", "/oauth/token":
                return tokens.token(world, headers, form)
            case "POST", "/oauth/revoke":
                return tokens.revoke(world, headers, form)
            case "GET", "/oauth/token/info":
                return tokens.info(world, headers)
    return Answer(404, {"error": "404 Not Found"})
