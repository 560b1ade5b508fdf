"""How often each person came lately, counted for all web processes together."""

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow


class Standing(Struct, frozen=True, kw_only=True):
    """How somebody stands with a limit: how many more visits fit now (None: not even this one did), and seconds.

    Seconds until all fit again, or, where this one did not, until it would.
    """

    remaining: int | None
    seconds: float


# `due` is when all that was used up is free again: one row and one statement for each visit, whoever counts it.
_COUNT = """
insert into visits as v (person_id, due) values (%(person)s, now() + make_interval(secs => %(step)s))
on conflict (person_id) do update set due = greatest(v.due, now()) + make_interval(secs => %(step)s)
where greatest(v.due, now()) + make_interval(secs => %(step)s) <= now() + make_interval(secs => %(whole)s)
returning extract(epoch from due - now())::float8
"""
_USED = "select extract(epoch from due - now())::float8 from visits where person_id = %s"


def count(connection: Connection[TupleRow], person_id: int, *, burst: int, each_minute: int) -> Standing:
    """Count one more visit, unless `burst` at once, refilled by `each_minute`, are used up."""
    step = 60 / each_minute
    whole = burst * step
    row = connection.execute(_COUNT, {"person": person_id, "step": step, "whole": whole}).fetchone()
    if row is not None:
        return Standing(remaining=int((whole - row[0]) / step + 1e-6), seconds=max(row[0], 0.0))
    used = connection.execute(_USED, (person_id,)).fetchone()
    return Standing(remaining=None, seconds=max((used[0] if used else whole) + step - whole, 0.0))
