"""What the doctor says of one part."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain import CannotError, UnreachableError


@dataclass(frozen=True)
class Diagnosis:
    """How one part is. What is ill and not `needed` only takes something away: the bot works without it."""

    part: str
    is_well: bool
    says: str
    mend: str = ""
    needed: bool = True

    @property
    def is_ill(self) -> bool:
        """Tell whether the bot cannot work like this."""
        return self.needed and not self.is_well

    def shown(self) -> str:
        """Return the line for people."""
        sign = "✓" if self.is_well else "✗" if self.needed else "!"
        return f"{sign} {self.part}: {self.says}" + (f" — {self.mend}" if self.mend else "")


def ill(part: str, says: str, mend: str) -> Diagnosis:
    """Return what the bot cannot work with."""
    return Diagnosis(part, False, says, mend)


def lacking(part: str, says: str, mend: str) -> Diagnosis:
    """Return what takes something away only."""
    return Diagnosis(part, False, says, mend, needed=False)


def tried(part: str, ask: Callable[[], str], mend: str) -> Diagnosis:
    """Return how a part is whose question either answers or says why not."""
    try:
        return Diagnosis(part, True, ask())
    except (CannotError, UnreachableError) as error:
        return ill(part, str(error), mend)
