"""The doctor before broken set-ups: each is named by its line, with the command that mends it, and nothing else is."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from pydantic import SecretStr

from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Token
from bot.settings import Settings
from tests.cli.conftest import run
from tests.stories.conftest import open_town
from tests.world.certificates import certificate as own_certificate
from tests.world.chroma_server import ChromaServer, started
from tests.world.town import Story, Town

PATH = "/webhooks/gitlab"


@pytest.fixture(scope="module")
def town(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A bot that is well."""
    with open_town(postgres, tmp_path_factory.mktemp("doctor"), "doctor", worker_concurrency="1") as opened:
        yield opened


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    server = started(tmp_path_factory.mktemp("chroma"))
    yield server
    server.stop()


@dataclass
class Place:
    """One project of that bot, whose settings stand in the environment, and the means to break things."""

    story: Story
    monkeypatch: pytest.MonkeyPatch
    tmp_path: Path
    request: pytest.FixtureRequest

    @property
    def settings(self) -> Settings:
        return self.story.town.parts.services.settings

    @property
    def postgres(self) -> str:
        return str(self.request.getfixturevalue("postgres"))

    def set(self, name: str, value: object) -> None:
        self.monkeypatch.setenv(name if name.isupper() and "_PROXY" in name else f"PIPEWRIGHT_{name}", str(value))

    def unset(self, name: str) -> None:
        self.monkeypatch.delenv(f"PIPEWRIGHT_{name}", raising=False)

    def token(self, *scopes: str, admin: bool = False, person: bool = False) -> Token:
        """Let the bot use another token, of its own or of a person's account with the same role."""
        world = self.story.world
        with world.lock:
            user = self.story.town.bot
            if person:
                user = seed.add_user(world, f"pat{world.next_id()}")
                user.is_admin = admin
                self.story.project.members[user.id] = 40
            token = seed.add_token(world, user, *scopes)
        self.set("GITLAB_TOKEN", token.value)
        return token

    def fresh_database(self, *, template: str = "template") -> str:
        """Let the bot use a database of its own; return how to connect."""
        name = f"d{self.story.world.next_id()}"
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(f"create database {name} template {template} strategy file_copy".encode())
        conninfo = self.postgres.replace("dbname=postgres", f"dbname={name}")
        self.set("DATABASE_URL", conninfo)
        return conninfo


@pytest.fixture
def place(
    town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    settings = town.parts.services.settings
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        monkeypatch.setenv(
            f"PIPEWRIGHT_{name.upper()}", value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )
    world, ollama = town.sandbox.world, town.ollama
    kept = {name: getattr(world, name) for name in ("version", "clock_ahead", "allows_local_hooks")}
    models, without_tools = set(ollama.models), ollama.without_tools
    yield Place(town.story(), monkeypatch, tmp_path, request)
    for name, value in kept.items():
        setattr(world, name, value)
    town.sandbox.faults.clear()
    ollama.models, ollama.without_tools = models, without_tools


Break = Callable[[Place], object]


class Broken(NamedTuple):
    """A set-up, the line that names it (sign, part, words), and what mends it; `also` are parts that must suffer."""

    name: str
    breaks: Break
    line: str
    mend: str
    also: frozenset[str] = frozenset()


def _world(**values: object) -> Break:
    def breaks(place: Place) -> None:
        for name, value in values.items():
            setattr(place.story.world, name, value)

    return breaks


def _set(**values: object) -> Break:
    def breaks(place: Place) -> None:
        for name, value in values.items():
            place.set(name, value)

    return breaks


def _token_ends(days: int) -> Break:
    def breaks(place: Place) -> None:
        place.token().expires_at = datetime.now(UTC) + timedelta(days=days)

    return breaks


def _hook(**values: object) -> Break:
    def breaks(place: Place) -> None:
        for name, value in values.items():
            setattr(place.story.hook, name, value)

    return breaks


def _delivered(**values: object) -> Break:
    """Break the webhook, and let GitLab try it."""

    def breaks(place: Place) -> None:
        _hook(**values)(place)
        place.story.comment(place.story.issue(), "hello")
        assert place.story.sandbox.wait_idle()

    return breaks


def _switched_off(place: Place) -> None:
    place.story.hook.url = "http://127.0.0.1:9" + PATH
    place.set("PUBLIC_URL", "http://127.0.0.1:9")
    issue = place.story.issue()
    for number in range(4):
        place.story.comment(issue, f"hello {number}")
    assert place.story.sandbox.wait_idle()


def _lacks_events(place: Place) -> None:
    place.story.hook.flags["emoji_events"] = False


def _no_hook(place: Place) -> None:
    place.story.project.hooks.clear()


def _role(level: int) -> Break:
    def breaks(place: Place) -> None:
        place.story.project.members[place.story.town.bot.id] = level

    return breaks


def _blocked(place: Place) -> None:
    token = place.token(person=True)
    token.user.state = "blocked"


def _wrong_password(place: Place) -> None:
    """Let the server ask one role for its password, as servers do over the network."""
    with psycopg.connect(place.postgres, autocommit=True) as connection:
        connection.execute("drop role if exists locked")
        connection.execute("create role locked login password 'right'")
        row = connection.execute("show hba_file").fetchone()
        assert row is not None
        file = Path(row[0])
        file.write_text("local all locked scram-sha-256\n" + file.read_text())
        connection.execute("select pg_reload_conf()")
    place.set("DATABASE_URL", place.postgres.replace("user=pipewright", "user=locked") + " password=wrong")


def _no_database(place: Place) -> None:
    place.set("DATABASE_URL", place.postgres.replace("dbname=postgres", "dbname=nowhere"))


def _may_not_create(place: Place) -> None:
    conninfo = place.fresh_database(template="template1")
    with psycopg.connect(place.postgres, autocommit=True) as connection:
        connection.execute("drop role if exists reader")
        connection.execute("create role reader login")
    place.set("DATABASE_URL", conninfo.replace("user=pipewright", "user=reader"))


def _old_schema(place: Place) -> None:
    with psycopg.connect(place.fresh_database()) as connection:
        connection.execute("delete from pipewright_migrations where name = '0013_counters.sql'")


def _newer_schema(place: Place) -> None:
    with psycopg.connect(place.fresh_database()) as connection:
        connection.execute("insert into pipewright_migrations (name) values ('9999_future.sql')")
        connection.execute("insert into procrastinate_workers (last_heartbeat) values (now())")


def _silent_worker(place: Place) -> None:
    with psycopg.connect(place.fresh_database()) as connection:
        connection.execute("insert into procrastinate_workers (last_heartbeat) values (now() - interval '5 minutes')")


def _full_disk(place: Place) -> None:
    place.unset("DATABASE_URL")
    usage = shutil.disk_usage(place.tmp_path)
    place.monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=20_000_000))


def _embedded_in(folder: str) -> Break:
    def breaks(place: Place) -> None:
        place.unset("DATABASE_URL")
        place.set("DATA_DIR", folder)

    return breaks


def _without_model(place: Place) -> None:
    place.story.town.ollama.models = set()


def _without_tools(place: Place) -> None:
    place.story.town.ollama.without_tools = True
    place.set("TOOL_CALLING", "native")


def _empty_index(place: Place) -> None:
    place.set("CHROMA_URL", place.request.getfixturevalue("chroma").url)


def _stale_index(place: Place) -> None:
    _empty_index(place)
    assert run("templates", "index").exit_code == 0
    folder = place.tmp_path / "own" / "cobol"
    folder.mkdir(parents=True)
    (folder / "template.yml").write_text("name: cobol\ndescription: It.\napplies_to: {ecosystem: [cobol]}\n")
    place.set("TEMPLATES_DIR", folder.parent)


def _broken_template(place: Place) -> None:
    folder = place.tmp_path / "own" / "cobol"
    folder.mkdir(parents=True)
    (folder / "template.yml").write_text("name: fortran\n")
    place.set("TEMPLATES_DIR", folder.parent)


def _something_else(place: Place) -> None:
    place.set("PUBLIC_URL", place.story.sandbox.url)
    place.story.hook.url = place.story.sandbox.url + PATH


def _nobody_there(place: Place) -> None:
    place.set("PUBLIC_URL", "http://127.0.0.1:9")
    place.story.hook.url = "http://127.0.0.1:9" + PATH


def _without_address(place: Place) -> None:
    place.unset("PUBLIC_URL")


def _signs_only(place: Place) -> None:
    place.unset("WEBHOOK_SECRET")
    place.set("WEBHOOK_SIGNING_TOKEN", "whsec_" + "A" * 43 + "=")


def _signs_only_before_19(place: Place) -> None:
    _signs_only(place)
    place.story.world.version = "18.11.2"


def _busy(place: Place) -> None:
    place.story.sandbox.fail("GET", r"/version$", 429, times=0, headers={"Retry-After": "60"})


def _proxied(place: Place) -> None:
    place.set("HTTP_PROXY", "http://127.0.0.1:9")
    place.set("NO_PROXY", place.settings.public_url or "")


def _no_certificates(place: Place) -> None:
    (place.tmp_path / "ca.pem").write_text("hello\n")
    place.set("CA_FILE", place.tmp_path / "ca.pem")


def _another_gitlab(*, has_own_certificate: bool = False) -> Break:
    """Let the bot look at a GitLab below a path, or with a certificate of its own, by an address that is not right."""

    def breaks(place: Place) -> None:
        certificate = own_certificate(place.tmp_path) if has_own_certificate else None
        gitlab = Sandbox(place.tmp_path / "another", root="/gitlab", certificate=certificate).start()
        place.request.addfinalizer(gitlab.stop)
        place.set("GITLAB_URL", gitlab.url if certificate else gitlab.url.removesuffix("/gitlab"))

    return breaks


def _not_gitlab(place: Place) -> None:
    place.set("GITLAB_URL", place.story.town.ollama.url)


TABLE = (
    Broken("misspelt setting", _set(METNION="helper"), "! settings: PIPEWRIGHT_METNION", "Write PIPEWRIGHT_MENTION"),
    Broken(
        "nobody listens", _set(GITLAB_URL="http://127.0.0.1:9"), "✗ GitLab: GitLab did not answer", "Nobody listens"
    ),
    Broken("unknown host", _set(GITLAB_URL="http://gitlab.invalid"), "✗ GitLab: GitLab did not answer", "DNS"),
    Broken(
        "unknown authority",
        _another_gitlab(has_own_certificate=True),
        "✗ GitLab: GitLab did not answer: SSLError",
        "set PIPEWRIGHT_CA_FILE",
    ),
    Broken("below a path", _another_gitlab(), "✗ GitLab: it refuses (404", "as in https://example.com/gitlab"),
    Broken("another program", _not_gitlab, "✗ GitLab: it refuses (404", "has to be GitLab's own address"),
    Broken(
        "no certificates", _no_certificates, "✗ certificates: PIPEWRIGHT_CA_FILE names", "-----BEGIN CERTIFICATE-----"
    ),
    Broken("proxy away", _proxied, "✗ GitLab: GitLab did not answer: ProxyError", "or name GitLab's host in NO_PROXY"),
    Broken("rate limited", _busy, "✗ GitLab: GitLab did not answer: 429", "limits the rate"),
    Broken("too old", _world(version="15.11.13"), "✗ GitLab: 15.11.13 is older than 16.0", "Upgrade GitLab"),
    Broken("before 17.5", _world(version="17.3.1"), "! GitLab: 17.3.1", "approve with a comment instead"),
    Broken(
        "signs before 19",
        _signs_only_before_19,
        "✗ GitLab: 18.11.2",
        "PIPEWRIGHT_WEBHOOK_SECRET is needed",
        frozenset({"secret"}),
    ),
    Broken("wrong token", _set(GITLAB_TOKEN="glpat-wrong"), "✗ GitLab: it refuses (401", "Make a new token"),
    Broken(
        "token expired", _token_ends(-1), "✗ GitLab: it refuses (401: invalid_token: Token is exp", "Make a new token"
    ),
    Broken("token ends soon", _token_ends(6), "! token: scopes api, until", "make a new one (or rotate it)"),
    Broken("may only read", lambda place: place.token("read_api"), "✗ token: scopes read_api", "`api`"),
    Broken("blocked account", _blocked, "✗ GitLab: it refuses (403", "an account that is not blocked"),
    Broken("a person's token", lambda place: place.token(person=True), "! account: @pat", "a person's"),
    Broken("clock far off", _world(clock_ahead=timedelta(minutes=8)), "✗ clock: GitLab's is ", "set-ntp"),
    Broken("clock a little off", _world(clock_ahead=timedelta(seconds=-70)), "! clock: GitLab's is ", "set-ntp"),
    Broken("role too low", _role(30), "✗ webhook: group", "Give it that role"),
    Broken("no webhook", _no_hook, "! webhook: group", "`pipewright hooks install group"),
    Broken(
        "webhook switched off", _switched_off, "✗ webhook: group", "Settings › Webhooks › Test", frozenset({"address"})
    ),
    Broken("webhook unreachable", _delivered(url="http://127.0.0.1:9" + PATH), "✗ webhook: group", "hooks remove"),
    Broken("webhook lacks events", _lacks_events, "✗ webhook: group", "`pipewright hooks install group"),
    Broken("webhook calls another", _hook(url="http://old.test" + PATH), "✗ webhook: group", "--url http://old.test"),
    Broken("webhook has another secret", _delivered(token="other"), "✗ webhook: group", "`pipewright hooks refresh`"),
    Broken(
        "bot has another secret", _set(WEBHOOK_SECRET="new"), "✗ secret: the bot that runs there has", "Restart every"
    ),
    Broken("nobody at the address", _nobody_there, "! address: nobody answers at", "`pipewright serve`"),
    Broken("another at the address", _something_else, "✗ address: something else answers", "PIPEWRIGHT_PUBLIC_URL"),
    Broken("secret of the application", _set(OAUTH_CLIENT_SECRET="wrong"), "✗ sign-in: GitLab refused", "OAUTH_CLIENT"),
    Broken("application unknown", _set(OAUTH_CLIENT_ID="wrong"), "✗ sign-in: GitLab refused", "OAUTH_CLIENT_ID"),
    Broken("broken template", _broken_template, "✗ templates: ", "Mend the template"),
    Broken("no such project", _set(TEMPLATES_PROJECT="no/where"), "✗ templates project: ", "read that project"),
    Broken("Chroma away", _set(CHROMA_URL="http://127.0.0.1:9"), "✗ Chroma: ", "PIPEWRIGHT_CHROMA_URL"),
    Broken("index empty", _empty_index, "! Chroma: its index is empty", "`pipewright templates index`"),
    Broken("index stale", _stale_index, "! Chroma: 1 templates of its index", "`pipewright templates index`"),
    Broken(
        "folder not writable", _embedded_in("/dev/null/x"), "✗ data folder: /dev/null cannot", "PIPEWRIGHT_DATA_DIR"
    ),
    Broken("disk full", _full_disk, "✗ data folder: only 20 MB are left", "Make room"),
    Broken("PostgreSQL away", _set(DATABASE_URL="host=127.0.0.1 port=9"), "✗ PostgreSQL: ", "Start PostgreSQL"),
    Broken("wrong password", _wrong_password, "✗ PostgreSQL: ", "user or password"),
    Broken("no such database", _no_database, "✗ PostgreSQL: ", "`createdb`"),
    Broken("may not create", _may_not_create, "✗ PostgreSQL: version", "grant create on schema public to reader"),
    Broken(
        "nothing migrated",
        lambda place: place.fresh_database(template="template1"),
        "! PostgreSQL: version",
        "`pipewright migrate`",
    ),
    Broken("old schema", _old_schema, "! PostgreSQL: version", "`pipewright migrate`"),
    Broken("newer schema", _newer_schema, "! PostgreSQL: version", "Upgrade this program"),
    Broken(
        "worker silent", _silent_worker, "! worker: none has shown a sign of life for 3", "Start `pipewright serve`"
    ),
    Broken("Ollama away", _set(OLLAMA_URL="http://127.0.0.1:9"), "! Ollama: nobody answers", "Start Ollama"),
    Broken("model missing", _without_model, "! Ollama: no llama3.1:8b", "`ollama pull llama3.1:8b`"),
    Broken("model without tools", _without_tools, "! Ollama: llama3.1:8b at", "PIPEWRIGHT_TOOL_CALLING=constrained"),
    Broken(
        "no embedding model", _set(EMBEDDINGS="ollama"), "! embeddings: no nomic-embed-text", "`ollama pull nomic-embed"
    ),
)


def parts(output: str, signs: str) -> list[str]:
    """Every part that a line with one of the signs is about; the town's own log runs in between."""
    return [line[2:].split(":")[0] for line in output.splitlines() if line[:1] in signs]


def test_of_a_bot_that_is_well_nothing_is_said_against_it(place: Place) -> None:
    result = run("doctor", place.story.project.path)
    assert parts(result.stdout, "✗!") == []
    assert result.exit_code == 0
    all_of_them = (
        "settings GitLab account token webhook secret address sign-in templates Chroma PostgreSQL worker Ollama"
    )
    assert [part for part in parts(result.stdout, "✓") if part != "data folder"] == all_of_them.split()


@pytest.mark.parametrize("broken", TABLE, ids=lambda broken: broken.name)
def test_a_broken_set_up_is_named_with_what_mends_it(place: Place, broken: Broken) -> None:
    broken.breaks(place)
    result = run("doctor", place.story.project.path)
    assert "Traceback" not in result.output
    named = [line for line in result.stdout.splitlines() if line.startswith(broken.line)]
    assert len(named) == 1, result.output
    assert broken.mend in named[0]
    others = [part for part in parts(result.stdout, "✗!") if part != parts(named[0], "✗!")[0]]
    assert set(others) == broken.also, result.output
    assert result.exit_code == (1 if "✗" in result.stdout else 0)


def test_a_place_that_nobody_sees_is_named_and_hides_no_other(place: Place) -> None:
    result = run("doctor", "no/where", place.story.project.path)
    assert "✗ webhook: no/where is neither a project nor a group that I can see" in result.stdout
    assert f"✓ webhook: {place.story.project.path}: " in result.stdout
    assert result.exit_code == 1


def test_the_table_is_long_enough() -> None:
    assert len({broken.name for broken in TABLE}) == len(TABLE) >= 40
