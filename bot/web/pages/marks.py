"""Where a list goes on: the moment and the id of the last entry shown, as links carry them."""

from datetime import datetime
from uuid import UUID

from litestar.exceptions import ClientException

Mark = tuple[datetime, UUID]


def written(mark: Mark) -> str:
    """Return a mark as links carry it."""
    return f"{mark[0].isoformat()}_{mark[1]}"


def read(text: str | None) -> Mark | None:
    """Read a mark from a link; raises ClientException for a broken one."""
    if not text:
        return None
    time, _, id_ = text.partition("_")
    try:
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None:
            raise ValueError("a moment without a zone")
        return moment, UUID(id_)
    except ValueError as error:
        raise ClientException("This link to older ones is broken; start again at the first page.") from error
