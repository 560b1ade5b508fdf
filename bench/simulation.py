"""`python -m bench.simulation`: how long orders wait with so many projects, workers and Ollama hosts.

A discrete event simulation: orders of projects come by chance, take turns as in the queue (`0018_taking_in.sql`), take
a worker's place one after another in each conversation, wait for GitLab there, and those in free words for a model that
answers one request at a time on each host. The same seed gives the same figures.
"""

import heapq
import itertools
import random
import statistics
from collections import defaultdict
from collections.abc import Iterator

import click
from msgspec import Struct


class Setup(Struct, frozen=True, kw_only=True):
    """What is simulated: seconds of an order in a worker, turns of a model, and how orders come."""

    projects: int
    orders_per_second: float
    seconds: float = 3600.0
    places: int = 4
    hosts: int = 1
    command_seconds: float = 1.0
    talking: float = 0.3
    turns: int = 3
    turn_seconds: float = 3.0
    from_one: float = 0.0
    conversations: int = 3
    is_even: bool = False


class Order(Struct, kw_only=True):
    """One order on its way; times are seconds from the beginning."""

    project: int
    conversation: tuple[int, int]
    came: float
    turn: int
    turns_left: int
    ended: float = 0.0


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of it. Waits are seconds from coming to the end; busy parts are shares of what there is."""

    orders: int
    per_second: float
    commands: tuple[float, float]
    talks: tuple[float, float]
    places_busy: float
    hosts_busy: float
    waits: dict[int, list[float]]
    last: float

    def medians(self, *, besides: int | None = None) -> list[float]:
        """Return each project's median wait."""
        return [statistics.median(found) for project, found in self.waits.items() if project != besides]


class _House:
    """The queue, the workers' places, and the hosts."""

    def __init__(self, setup: Setup, chance: random.Random) -> None:
        self.setup, self.chance = setup, chance
        self.free, self.hosts_free = setup.places, setup.hosts
        self.turns: dict[int, int] = {}
        self.reached = 0
        self.waiting: list[tuple[int, int, Order]] = []
        self.held: dict[tuple[int, int], list[Order]] = defaultdict(list)
        self.locked: set[tuple[int, int]] = set()
        self.for_host: list[Order] = []
        self.events: list[tuple[float, int, str, Order]] = []
        self.numbers = itertools.count()
        self.busy_places = self.busy_hosts = 0.0
        self.done: list[tuple[Order, bool]] = []

    def at(self, when: float, what: str, order: Order) -> None:
        heapq.heappush(self.events, (when, next(self.numbers), what, order))

    def come(self, order: Order) -> None:
        """Start-time fair queueing, as the database does it: behind the project's last one, never before the line."""
        front = self.waiting[0][0] if self.waiting else max(self.turns.values(), default=0)
        order.turn = max(self.turns.get(order.project, 0) + 1, front + 1)
        self.turns[order.project] = order.turn
        heapq.heappush(self.waiting, (order.turn, next(self.numbers), order))

    def begin(self, now: float) -> None:
        """Give free places to the first whose conversation is free; others of it wait behind it."""
        passed = []
        while self.free and self.waiting:
            entry = heapq.heappop(self.waiting)
            order = entry[2]
            if order.conversation in self.locked:
                passed.append(entry)
                continue
            self.free -= 1
            self.locked.add(order.conversation)
            self.busy_places -= now
            self.at(now + self._command(), "worked", order)
        for entry in passed:
            heapq.heappush(self.waiting, entry)

    def _command(self) -> float:
        return self.chance.gammavariate(4, self.setup.command_seconds / 4)

    def worked(self, now: float, order: Order) -> None:
        """GitLab was asked; now the model, if the order is talk, or the end."""
        if order.turns_left:
            self.for_host.append(order)
            return
        order.ended = now
        self.free += 1
        self.busy_places += now
        self.locked.discard(order.conversation)

    def answered(self, now: float, order: Order) -> None:
        """The model gave its turn; the place is kept."""
        self.hosts_free += 1
        self.busy_hosts += now
        order.turns_left -= 1
        self.at(now, "worked", order)

    def ask(self, now: float) -> None:
        """Let hosts that are free answer whoever waits longest."""
        while self.hosts_free and self.for_host:
            order = self.for_host.pop(0)
            self.hosts_free -= 1
            self.busy_hosts -= now
            self.at(now + self.chance.expovariate(1 / self.setup.turn_seconds), "answered", order)


def _arrivals(setup: Setup, chance: random.Random) -> Iterator[Order]:
    """Unless even (by turns), the n-th project asks 1/n as often as the first (Zipf); one may flood beside them."""
    weights = list(itertools.accumulate(1 / (number + 1) for number in range(setup.projects)))
    by_turns = itertools.cycle(range(setup.projects))
    now = 0.0
    while (now := now + chance.expovariate(setup.orders_per_second)) < setup.seconds:
        project = next(by_turns) if setup.is_even else chance.choices(range(setup.projects), cum_weights=weights)[0]
        project = 0 if chance.random() < setup.from_one else project
        yield Order(
            project=project,
            conversation=(project, chance.randrange(setup.conversations)),
            came=now,
            turn=0,
            turns_left=setup.turns if chance.random() < setup.talking else 0,
        )


def simulate(setup: Setup, seed: int = 1) -> Outcome:
    """Let all orders come and be worked on to the last one."""
    chance = random.Random(seed)
    house = _House(setup, chance)
    orders = list(_arrivals(setup, chance))
    is_talk = [order.turns_left > 0 for order in orders]
    for order in orders:
        house.at(order.came, "came", order)
    now = 0.0
    while house.events:
        now, _, what, order = heapq.heappop(house.events)
        if what == "came":
            house.come(order)
        elif what == "worked":
            house.worked(now, order)
        else:
            house.answered(now, order)
        house.begin(now)
        house.ask(now)
    return _outcome(setup, house, orders, is_talk, now)


def _outcome(setup: Setup, house: _House, orders: list[Order], is_talk: list[bool], last: float) -> Outcome:
    waits: dict[int, list[float]] = defaultdict(list)
    kinds: dict[bool, list[float]] = {False: [], True: []}
    for order, talks in zip(orders, is_talk, strict=True):
        waits[order.project].append(order.ended - order.came)
        kinds[talks].append(order.ended - order.came)
    return Outcome(
        orders=len(orders),
        per_second=len(orders) / last,
        commands=_middle_and_late(kinds[False]),
        talks=_middle_and_late(kinds[True]),
        places_busy=house.busy_places / (setup.places * last),
        hosts_busy=house.busy_hosts / (setup.hosts * last),
        waits=dict(waits),
        last=last,
    )


def _middle_and_late(found: list[float]) -> tuple[float, float]:
    if len(found) < 2:
        return (0.0, 0.0)
    cuts = statistics.quantiles(found, n=20, method="inclusive")
    return cuts[9], cuts[18]


# What a project does in a day is an assumption, and the first thing to replace by one's own figures.
ORDERS_A_DAY, PEAK_HOUR, DELIVERIES_A_DAY = 0.5, 0.15, 40.0
# (projects, workers of four places, Ollama hosts)
PLANS = ((10, 1, 1), (1_000, 1, 1), (100_000, 8, 12))

# The flood of `bench.flood` as it was measured (two workers of four places, 200 projects, 3 641 orders in 46 s, one
# project with 280 of them): what two workers got through is put in, what each project waited comes out.
FLOOD = Setup(
    projects=200,
    orders_per_second=3641 / 46.2,
    seconds=46.2,
    places=8,
    talking=0.0,
    command_seconds=8 / 14.0,
    from_one=0.077,
    is_even=True,
)


def peak(projects: int) -> float:
    """Return the orders a second in the busiest hour."""
    return projects * ORDERS_A_DAY * PEAK_HOUR / 3600


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--turn-seconds", default=3.0, show_default=True, help="What one turn of the model takes on a host.")
@click.option("--command-seconds", default=1.0, show_default=True, help="What an order takes in a worker beside it.")
def main(*, seed: int, turn_seconds: float, command_seconds: float) -> None:
    """Simulate the busiest hour of each plan, and the flood that was measured."""
    click.echo(
        "| projects | orders/s | workers | hosts | commands p50, p95 | talk p50, p95 | places busy | hosts busy |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for projects, workers, hosts in PLANS:
        setup = Setup(
            projects=projects,
            orders_per_second=peak(projects),
            seconds=3600.0 * (1 if projects >= 1_000 else 200),
            places=4 * workers,
            hosts=hosts,
            turn_seconds=turn_seconds,
            command_seconds=command_seconds,
        )
        found = simulate(setup, seed)
        click.echo(
            f"| {projects} | {setup.orders_per_second:.4f} | {workers} | {hosts} | {_pair(found.commands)} |"
            f" {_pair(found.talks)} | {found.places_busy:.0%} | {found.hosts_busy:.0%} |"
        )
    flood = simulate(FLOOD, seed)
    others = flood.medians(besides=0)
    click.echo(
        f"\nThe flood as measured, simulated: drained {flood.last - FLOOD.seconds:.0f} s after the last order came "
        f"(measured 219), each project's median {min(others):.0f} to {max(others):.0f} s (measured 33 to 95), "
        f"the flooding project {min(flood.waits[0]):.0f} to {max(flood.waits[0]):.0f} s (measured 2 to 212)."
    )


def _pair(found: tuple[float, float]) -> str:
    return f"{found[0]:.1f} s, {found[1]:.1f} s"


if __name__ == "__main__":
    main()
