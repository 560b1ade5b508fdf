"""The look through what stories leave behind finds a secret wherever one is planted, and shows none."""

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.sandbox import acts, seed
from bot.sandbox.server import Sandbox
from bot.settings import read_settings
from tests.secrets.leaks import Text, in_database, in_gitlab, leaks, secrets_of
from tests.world.town import PYTHON

SECRET = "a secret/that is made up for this test"
SHAPED = "glpat-" + "Zx81kQv93LmTp40aRw72"


@pytest.mark.parametrize(
    "form", [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()], ids=["plain", "url", "base64"]
)
def test_a_secret_in_use_is_found_in_every_form_and_not_shown(form: str) -> None:
    found = leaks([Text("here", f"before {form} after"), Text("there", "nothing")], [SECRET])
    assert found == ["here: a secret in use"]


def test_a_shape_counts_in_what_the_bot_wrote_only() -> None:
    assert leaks([Text("ours", SHAPED, is_ours=True), Text("theirs", SHAPED)], [SECRET]) == [
        "ours: something of a secret's shape"
    ]


def test_every_secret_setting_and_every_token_of_gitlab_is_looked_for(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    token = seed.add_token(sandbox.world, seed.add_user(sandbox.world, "ada"))
    names = ("GITLAB_TOKEN", "WEBHOOK_SECRET", "WEBHOOK_SECRET_OLD", "OAUTH_CLIENT_SECRET")
    given = {f"PIPEWRIGHT_{name}": f"made up for {name}" for name in names}
    given |= {"PIPEWRIGHT_GITLAB_URL": "http://gitlab.test", "PIPEWRIGHT_DATABASE_URL": "host=/tmp dbname=x"}
    found = secrets_of(read_settings(given, env_file=None), sandbox.world)
    assert found == {token.value, *(f"made up for {name}" for name in names)}


@pytest.mark.parametrize("place", ["title", "description", "note", "commit"])
def test_a_planted_secret_is_found_wherever_in_gitlab_it_stands(tmp_path: Path, place: str) -> None:
    sandbox = Sandbox(tmp_path)
    world, bot = sandbox.world, seed.add_user(sandbox.world, "pipewright", is_bot=True)
    project = seed.add_project(world, "team/app", PYTHON, {bot: 40})
    texts = {name: SECRET if name == place else "nothing" for name in ("title", "description", "note", "commit")}
    issue = acts.open_issue(world, project, bot, texts["title"], texts["description"])
    acts.comment(world, issue, bot, texts["note"])
    change = {"action": "create", "file_path": "a.txt", "content": "a"}
    acts.push(world, project, bot, "main", [change], texts["commit"])
    assert len(leaks(in_gitlab(world, bot), [SECRET])) == 1


def test_a_planted_secret_is_found_in_the_database(database: str) -> None:
    import psycopg

    assert leaks(in_database(database), [SECRET]) == []
    with psycopg.connect(database) as connection:
        connection.execute("insert into sweeps (name) values (%s)", (SECRET,))
    assert leaks(in_database(database), [SECRET]) == ["table sweeps: a secret in use"]
