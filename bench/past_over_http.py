"""The same past asked for over HTTP: the web process as it runs anywhere, with its rights, beside a GitLab stand-in."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.busy_past import COMMON, LONG_ONE, OLD, OWNER_ID, PROJECTS, RARE
from bench.place import Place
from bot.cli.rotating import new
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Issue, User


def measure_over_http(conninfo: str, folder: Path, times: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what was asked and the milliseconds that each answer took.

    GitLab's answers about rights are remembered for a minute, as always: the first answer about a list, which asks, is
    left out; each conversation is another one, so about each of them GitLab is asked.
    """
    sandbox = Sandbox(folder / "gitlab").start()
    bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
    owner = seed.add_user(sandbox.world, "mia")
    operator = seed.add_user(sandbox.world, "olga")
    operator.is_admin = True
    token, operators_token = (seed.add_token(sandbox.world, each).value for each in (owner, operator))
    with psycopg.connect(conninfo) as connection:
        _projects(sandbox, owner, bot, connection)
        connection.execute("update conversations set owner_id = %s where owner_id = %s", (owner.id, OWNER_ID))
        rows = connection.execute(
            "select id from conversations where not is_confidential order by updated_at desc limit %s", (times,)
        ).fetchall()
        connection.commit()
    opened = Place(
        folder=folder, sandbox=sandbox, bot=bot, conninfo=conninfo, signing_token=new("WEBHOOK_SIGNING_TOKEN")
    )
    with opened.web() as (_, port):
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
            yield from _asked(client, [row[0] for row in rows], times)
            client.headers["Authorization"] = f"Bearer {operators_token}"
            yield from _operated(client, times)
    sandbox.stop()


def _projects(sandbox: Sandbox, owner: User, bot: User, connection: Connection[TupleRow]) -> None:
    """Let the stand-in hold every project and issue that the made-up past talks about."""
    issues: dict[int, int] = dict(
        connection.execute("select project_id, max(iid) from conversation_noteables group by project_id").fetchall()
    )
    for number in range(1, PROJECTS + 1):
        project = seed.add_project(sandbox.world, f"group{number % 10}/project{number}", {}, {owner: 30, bot: 40})
        del sandbox.world.projects[project.id]
        project.id = number  # the past was made before the stand-in
        sandbox.world.projects[number] = project
        project.issues.extend(
            Issue(sandbox.world.next_id(), iid, project, owner, "An issue", "")
            for iid in range(1, issues.get(number, 0) + 1)
        )


def _asked(client: httpx.Client, owned: list[UUID], times: int) -> Iterator[tuple[str, list[float]]]:
    addresses = {
        "list over HTTP (JSON)": ["/api/v1/conversations"] * times,
        "search over HTTP, a rare word (JSON)": [f"/api/v1/conversations?text={RARE}"] * times,
        "search over HTTP, a common word (JSON)": [f"/api/v1/conversations?text={COMMON}"] * times,
        "search over HTTP, a word that was common long ago (JSON)": [f"/api/v1/conversations?text={OLD}"] * times,
        "list of pipelines over HTTP (JSON)": ["/api/v1/pipelines"] * times,
        "messages of a conversation over HTTP (JSON)": [f"/api/v1/chat/history/{id_}" for id_ in owned],
        "page of a conversation (HTML)": [f"/conversations/{id_}" for id_ in owned],
        "page of the longest conversation (HTML)": [f"/conversations/{LONG_ONE}"] * times,
        "live part of the longest conversation (HTML)": [f"/conversations/{LONG_ONE}/live?version=x"] * times,
        "what happened before in it (HTML)": [f"/conversations/{LONG_ONE}/earlier"] * times,
        "list on the first page (HTML)": ["/"] * times,
        "search on the first page (HTML)": [f"/?words={COMMON}"] * times,
        "page of a project (HTML)": ["/projects/7"] * times,
    }
    yield from _each(client, addresses)


def _operated(client: httpx.Client, times: int) -> Iterator[tuple[str, list[float]]]:
    yield from _each(client, {"page of the operator (HTML)": ["/operator"] * times, "metrics": ["/metrics"] * times})


def _each(client: httpx.Client, addresses: Mapping[str, list[str]]) -> Iterator[tuple[str, list[float]]]:
    for name, asked in addresses.items():
        _timed(client, asked[0])
        yield name, [_timed(client, address) for address in asked]


def _timed(client: httpx.Client, address: str) -> float:
    while True:
        started = time.perf_counter()
        answer = client.get(address)
        if answer.status_code != 429:
            answer.raise_for_status()
            return (time.perf_counter() - started) * 1000
        time.sleep(int(answer.headers["retry-after"]))
