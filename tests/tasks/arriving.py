"""Mentions as they arrive, and what became of them."""

from collections.abc import Sequence

from bot.domain import Mention, Noteable, Person, ProjectRef
from bot.store.arrivals import Receipt

ADA = Person(id=5, username="ada")


def mention(iid: int, text: str = "@pipewright help", project: int = 7, *, is_internal: bool = False) -> Mention:
    return Mention(
        project=ProjectRef(id=project, path=f"team/app{project}"),
        noteable=Noteable(kind="issue", iid=iid),
        author=ADA,
        text=text,
        is_internal=is_internal,
    )


def told(outcomes: Sequence[Receipt | Exception]) -> list[str]:
    return [one.result if isinstance(one, Receipt) else type(one).__name__ for one in outcomes]
