"""What is said about too much: too many orders, too long ones, and programs that answer each other."""

from datetime import datetime
from typing import Literal

_WHOSE = {
    "person": "You have given me {most} orders in the last ten minutes, as many as I take from one person.",
    "project": "I was given {most} orders in this project in the last ten minutes, as many as I take in one project.",
    "discussion": "I was given {most} orders here in the last ten minutes, as many as I take in one discussion.",
}


def too_many(dimension: Literal["person", "project", "discussion"], most: int, until: datetime) -> str:
    """Say that an order is left out, and when the next one is taken."""
    return (
        f"⏳ {_WHOSE[dimension].format(most=most)} This one is not carried out: please repeat it after "
        f"{_clock(until)}. On further ones until then I only put ⌛."
    )


def paused(turns: int, until: datetime) -> str:
    """Say that the bot answers an account no longer that answers it like a program."""
    return (
        f"⏳ {turns} orders in a row came within seconds of my answers, as if a program answered me. So that we don't "
        f"go on for ever I pause here for this account until {_clock(until)}; everybody else is answered as always. "
        "On further orders until then I only put ⌛."
    )


def too_long(characters: int, most: int) -> str:
    """Say that an order is too long."""
    return (
        f"your order has {characters:,} characters and I take {most:,} at most. Please say in a few sentences what you "
        "want; what is longer belongs into a file of the repository, which I can read."
    )


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"
