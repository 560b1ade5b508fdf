"""Whose turn it is: orders of all projects take turns, however many of them one project has waiting.

Start-time fair queueing (Goyal, Vin, Cheng 1996, doi.org/10.1145/248156.248171): an order's turn comes after its
project's last one, but never before the turn that is reached now. Turns of one project only grow, so that a
conversation keeps its order.
"""

from psycopg import Connection
from psycopg.rows import TupleRow

# The line has come as far as the first waiting order; when nobody waits, as far as it ever was.
NEXT_TURN = """
insert into project_turns (project_id, turn)
select %(project)s, 1 + coalesce(
    pipewright_turn_reached(),
    (select turn from project_turns order by turn desc limit 1),
    0) {source}
on conflict (project_id) do update
    set turn = greatest(project_turns.turn + 1, excluded.turn), given_at = now()
returning turn
"""
_TAKE = NEXT_TURN.format(source="")


def take(connection: Connection[TupleRow], project_id: int) -> int:
    """Return the turn of a new order, from 1; the lower it is the sooner. Orders of one project wait for each other."""
    row = connection.execute(_TAKE, {"project": project_id}).fetchone()
    assert row is not None  # insert … returning always answers
    return int(row[0])
