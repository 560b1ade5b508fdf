"""Looks through all that a story left behind for the secrets in use, and for whatever else has a secret's shape.

The secrets in use are looked for everywhere. Shapes only in what the bot itself wrote: people write what they like.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import httpx
import psycopg
import pygit2
from pydantic import SecretStr

from bot.masking import secrets_in
from bot.sandbox import seed
from bot.sandbox.state import Noteable, Project, User, World
from bot.settings import Settings

_PAGES = ("/", "/operator", "/api/v1/conversations?limit=100", "/api/v1/pipelines?limit=100", "/metrics", "/schema")
_MOST_CONVERSATIONS = 30
_SHORTEST = 12


class Text(NamedTuple):
    """Something that people may read, and where; `is_ours` when the bot wrote all of it."""

    where: str
    text: str
    is_ours: bool = False


def secrets_of(settings: Settings, world: World) -> set[str]:
    """Return every value that the settings hold as a secret, and every token that GitLab knows, people's too."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    held = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
    ways = {value for value in held if "dbname=" in value}  # how to reach a database; a password in it counts alone
    return {secret for secret in held - ways | set(world.tokens) if len(secret) >= _SHORTEST}


def leaks(texts: Iterable[Text], secrets: Iterable[str]) -> list[str]:
    """Return where a secret stands, plain, quoted or in base64, and never the secret itself."""
    forms = {form for secret in secrets for form in _forms(secret)}
    found = []
    for one in texts:
        if any(form in one.text for form in forms):
            found.append(f"{one.where}: a secret in use")
        elif one.is_ours and secrets_in(one.text):
            found.append(f"{one.where}: something of a secret's shape")
    return found


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}


def in_gitlab(world: World, bot: User) -> Iterator[Text]:
    """Yield every title, description, note and commit message."""
    for project in world.projects.values():
        for of in (*project.issues, *project.merge_requests):
            yield from _of_noteable(f"{project.path} {of.kind} {of.iid}", of, bot)
        yield from _messages(project, bot)


def _of_noteable(where: str, of: Noteable, bot: User) -> Iterator[Text]:
    yield Text(where, f"{of.title}\n{of.description}", is_ours=of.author is bot)
    for note in of.notes:
        yield Text(f"{where} note {note.id}", note.body, is_ours=note.author is bot)


def _messages(project: Project, bot: User) -> Iterator[Text]:
    repository = pygit2.Repository(str(project.git_dir))
    for name in repository.branches.local:
        for commit in repository.walk(repository.branches[name].peel(pygit2.Commit).id):
            is_ours = commit.author.name == bot.name
            yield Text(f"{project.path} commit {commit.short_id}", commit.message, is_ours=is_ours)


def in_database(conninfo: str) -> Iterator[Text]:
    """Yield every row of every table of ours: an export of the audit, or a backup, shows it."""
    with psycopg.connect(conninfo) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f'select t::text from "{table}" t'.encode()).fetchall()
            yield Text(f"table {table}", "\n".join(row[0] for row in rows))


def on_pages(address: str, world: World, conninfo: str) -> Iterator[Text]:
    """Yield what the web serves to somebody who sees all: the lists, and the newest conversations."""
    with world.lock:
        admin = seed.add_user(world, f"admin{world.next_id()}")
        admin.is_admin = True
        token = seed.add_token(world, admin, "api", "admin_mode").value
    with psycopg.connect(conninfo) as connection:
        newest = "select id from conversations where owner_id is null order by updated_at desc limit %s"
        sessions = [row[0] for row in connection.execute(newest, (_MOST_CONVERSATIONS,)).fetchall()]
    addresses = [f"/{part}/{one}" for one in sessions for part in ("conversations", "api/v1/chat/history")]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
        for path in (*_PAGES, *addresses):  # 404: projects that stories deleted
            answer = client.get(path)
            assert answer.status_code in (200, 404), f"{path}: {answer.status_code} {answer.text[:500]}"
            yield Text(path, answer.text + str(answer.headers))
