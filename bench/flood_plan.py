"""What a flood of webhooks consists of: comments in the stand-in, and when which delivery of them is sent."""

import json
import random
import uuid
from typing import Any

from msgspec import Struct

from bot.sandbox import acts, payloads, seed
from bot.sandbox.state import Issue, Note, User, World

_ISSUES, _PEOPLE = 3, 5
_ORDERS = ("@pipewright help", "@pipewright help", "@pipewright status")
_TALK = "I looked at this yesterday and it seems fine to me; let us see what the others say."


class Delivery(Struct, frozen=True, kw_only=True):
    """One webhook to be sent `at` seconds after the beginning; `is_again` when the same was sent before."""

    at: float
    key: str
    body: str
    note_id: int
    is_again: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """All deliveries in the order of sending. `orders` are the ids of the notes that give orders, by project."""

    deliveries: list[Delivery]
    orders: dict[int, list[int]]
    flooding_project: int


class Shares(Struct, frozen=True, kw_only=True):
    """How the flood is mixed; the parts of all deliveries are each between 0 and 1."""

    count: int
    per_minute: int
    projects: int
    again: float = 0.3
    moved: float = 0.1
    orders: float = 0.5
    from_one: float = 0.04


def plan(world: World, bot: User, shares: Shares, chance: random.Random) -> Plan:
    """Write the comments into the stand-in and plan their deliveries; the first project sends a share of its own."""
    places = _places(world, bot, shares.projects)
    distinct = shares.count - round(shares.count * shares.again)
    notes = [_comment(world, places, number, shares, chance) for number in range(distinct)]
    sent = _sent([_delivery(world, of, note) for of, note in notes], shares, chance)
    orders: dict[int, list[int]] = {}
    for of, note in notes:
        if note.body != _TALK:
            orders.setdefault(of.project.id, []).append(note.id)
    return Plan(deliveries=sent, orders=orders, flooding_project=places[0][0].project.id)


def _places(world: World, bot: User, count: int) -> list[list[Issue]]:
    places = []
    for number in range(count):
        people = [seed.add_user(world, f"person{number}x{one}") for one in range(_PEOPLE)]
        members = {**dict.fromkeys(people, 30), bot: 40}
        project = seed.add_project(world, f"group{number}/app", {"README.md": "An app.\n"}, members)
        places.append(
            [acts.open_issue(world, project, people[0], f"Issue {one}", "We talk here.") for one in range(_ISSUES)]
        )
    return places


def _comment(
    world: World, places: list[list[Issue]], number: int, shares: Shares, chance: random.Random
) -> tuple[Issue, Note]:
    floods = chance.random() < shares.from_one
    issues = places[0] if floods else places[number % len(places)]
    of = chance.choice(issues)
    people = [user for user in world.users.values() if of.project.members.get(user.id) == 30]
    # The next of them each time: one alone, answering within seconds again and again, would be taken for a program.
    author = people[len(of.notes) % len(people)]
    body = chance.choice(_ORDERS) if floods or chance.random() < shares.orders else _TALK
    note = acts.comment(world, of, author, body)
    assert isinstance(note, Note)  # none of these words is a quick action
    return of, note


def _delivery(world: World, of: Issue, note: Note) -> Delivery:
    payload: Any = payloads.note(world, of, note, "create")
    return Delivery(at=0.0, key=str(uuid.uuid4()), body=json.dumps(payload), note_id=note.id)


def _sent(distinct: list[Delivery], shares: Shares, chance: random.Random) -> list[Delivery]:
    """Send some again a little later, move some from their place, and give each its time."""
    rows = [(float(number), one) for number, one in enumerate(distinct)]
    again = chance.sample(rows, shares.count - len(rows))
    rows += [(place + chance.uniform(0.2, 300), _again(one)) for place, one in again]
    moved = set(chance.sample(range(len(rows)), round(len(rows) * shares.moved)))
    rows = [(place + chance.uniform(1, 60) * (n in moved), one) for n, (place, one) in enumerate(rows)]
    rows.sort(key=lambda row: row[0])
    known: set[str] = set()
    sent = []
    for number, (_, one) in enumerate(rows):
        sent.append(
            Delivery(
                at=number * 60 / shares.per_minute,
                key=one.key,
                body=one.body,
                note_id=one.note_id,
                is_again=one.key in known,
            )
        )
        known.add(one.key)
    return sent


def _again(one: Delivery) -> Delivery:
    return Delivery(at=0.0, key=one.key, body=one.body, note_id=one.note_id, is_again=True)
