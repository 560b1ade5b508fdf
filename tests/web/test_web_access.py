"""Every address × everybody × every kind of project: let in and refused as GitLab would, and written down so.

`PIPEWRIGHT_WRITE_ACCESS_TABLE=1 pytest -n0 tests/web/test_web_access.py` writes the table in SECURITY.md again.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from litestar.routes import HTTPRoute

from bot.domain import Event, SkipError
from bot.sandbox import seed
from bot.tasks import Work
from tests.web import access
from tests.web.access import CASES, ELSEWHERE, PARTS, ROLES, Place
from tests.web.house import House, open_house

PAGE = Path(__file__).parents[2] / "SECURITY.md"
BEGIN, END = "<!-- made by tests/web/test_web_access.py -->\n", "<!-- until here -->\n"


def take_in(_event: Event, _order_id: UUID) -> str:
    """This table is about who is let in: whether an order counts is settled by whoever works on it."""
    raise SkipError(access.TAKEN_IN)


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    work = Work(handle=take_in, tell_broken=lambda *_: None, tell_unreachable=lambda *_: None)
    with open_house(database, tmp_path, work=work) as opened:
        access.people(opened)
        yield opened


@contextmanager
def clients(house: House) -> Iterator[dict[str, tuple[httpx.Client, httpx.Client]]]:
    """For each role a browser with a session and a program with a token; the blocked one was let in before."""
    found: dict[str, tuple[httpx.Client, httpx.Client]] = {}
    for role in ROLES:
        browser, program = house.browser(), house.browser()
        if role != "nobody":
            house.sign_in(browser, role)
            browser.headers["X-CSRF-Token"] = house.csrf(browser)
            with house.sandbox.world.lock:
                token = seed.add_token(house.sandbox.world, house.people[role], "api").value
            program.headers["Authorization"] = f"Bearer {token}"
        found[role] = browser, program
    house.people["blocked"].state = "blocked"
    house.forget_everything()
    yield found


Measured = dict[str, dict[tuple[str, str], str]]


def measure(house: House, places: list[Place], part: str) -> Measured:
    measured: Measured = {}
    with clients(house) as who:
        for key, case in CASES.items():
            if case.what not in PARTS[part]:
                continue
            house.pass_time(5)  # nobody is hindered by how often they come
            measured[key] = {
                (role, place.name): case.judge(case.ask(who[role][" /api/" in key], place), place)
                for role in ROLES
                for place in case.relevant(places)
            }
    return measured


@pytest.mark.parametrize("part", sorted(PARTS))
def test_everybody_is_let_in_and_refused_as_gitlab_would(house: House, part: str) -> None:
    places = access.places(house)
    measured = measure(house, places, part)
    wrong = {
        (key, role, place.name): (outcomes[role, place.name], expected)
        for key, outcomes in measured.items()
        for role in ROLES
        for place in CASES[key].relevant(places)
        if outcomes[role, place.name] != (expected := CASES[key].may(role, place))
    }
    assert wrong == {}
    for what in PARTS[part]:
        compare_or_write(what, access.lines_about(what, measured, places))


def compare_or_write(what: str, lines: str) -> None:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    told, after = rest.split(END)
    sections = {text.split("**")[1]: text for text in re.split(r"(?m)^(?=\| \*\*)", told)[1:]}
    if os.environ.get("PIPEWRIGHT_WRITE_ACCESS_TABLE"):
        sections[what] = lines
        ordered = [sections[each] for each in dict.fromkeys(case.what for case in CASES.values()) if each in sections]
        PAGE.write_text(before + BEGIN + access.HEAD + "".join(ordered) + END + after, encoding="utf-8")
        return
    assert sections.get(what) == lines, "SECURITY.md is out of step; the first lines of this file say how to mend it"


def test_every_part_of_the_table_is_measured() -> None:
    assert sorted(what for part in PARTS.values() for what in part) == sorted({case.what for case in CASES.values()})


def test_no_address_is_forgotten(house: House) -> None:
    known = {key.split(" with ")[0] for key in (*CASES, *ELSEWHERE)}
    served = {
        f"{method} {route.path_format}"
        for route in house.app.behind.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS"}
    }
    assert served - known == set(), "say in tests/web/access.py who may use it"
    assert known - served == set()
