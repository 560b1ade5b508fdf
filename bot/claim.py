"""Whether the order that is carried out here is still ours to carry out: asked before every change outside.

A machine that was cut off, or stood still, may have been taken for dead, and its order been done by another.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ASSURE: ContextVar[Callable[[], None] | None] = ContextVar("assure", default=None)


@contextmanager
def claimed(assure: Callable[[], None]) -> Iterator[None]:
    """Let `assured` ask this for whatever is done inside: it raises when the order is no longer ours."""
    token = _ASSURE.set(assure)
    try:
        yield
    finally:
        _ASSURE.reset(token)


def assured() -> None:
    """Return when nobody else can be at work on the order of this thread; whatever belongs to no order may be done.

    Raises LostError when another may be, UnreachableError when nobody can tell now.
    """
    assure = _ASSURE.get()
    if assure is not None:
        assure()
