"""The webhook of groups and many projects, and secrets that change without a lost delivery."""

import json
from pathlib import Path

import pytest

from bot.cli import env_file
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Group, Project
from tests.cli.conftest import run

PLACE = "http://127.0.0.1:9/webhooks/gitlab"


@pytest.fixture
def group(stand_in: Sandbox, project: str) -> Group:
    """A group with two maintained projects, one of them five levels down, and one that only a developer's bot has."""
    world = stand_in.world
    bot = next(user for user in world.users.values() if user.username == "pipewright")
    with world.lock:
        seed.add_project(world, "team/a/b/c/d/deep", {"README.md": "x\n"}, {bot: 40})
        seed.add_project(world, "team/not-ours", {"README.md": "x\n"}, {bot: 30})
        seed.add_project(world, "other/app", {"README.md": "x\n"}, {bot: 40})
        return seed.add_group(world, "team", {bot: 50})


def hooked(stand_in: Sandbox) -> dict[str, list[str]]:
    return {one.path: [hook.url for hook in one.hooks] for one in stand_in.world.projects.values() if one.hooks}


def test_a_paid_gitlab_takes_one_webhook_for_the_whole_group(group: Group, stand_in: Sandbox) -> None:
    stand_in.world.has_paid_plan = True
    for _ in range(2):
        result = run("hooks", "install", f"{stand_in.url}/groups/team")
        assert result.exit_code == 0, result.output
    assert [hook.url for hook in group.hooks] == [PLACE]
    assert hooked(stand_in) == {}
    assert PLACE in run("hooks", "list", "team").stdout
    assert run("hooks", "remove", "team").exit_code == 0
    assert group.hooks == []


def test_a_free_gitlab_gets_the_webhook_in_each_maintained_project(group: Group, stand_in: Sandbox) -> None:
    result = run("hooks", "install", "team", "--json")
    assert result.exit_code == 0, result.output
    assert hooked(stand_in) == {"team/app": [PLACE], "team/a/b/c/d/deep": [PLACE]}
    assert [json.loads(line)["place"] for line in result.stdout.splitlines()] == ["team/app", "team/a/b/c/d/deep"]
    assert "takes no webhook of its own" in result.stderr


@pytest.mark.parametrize("has_paid_plan", [False, True])
def test_what_was_installed_in_each_project_of_a_group_is_listed_and_removed_by_the_group(
    group: Group, stand_in: Sandbox, *, has_paid_plan: bool
) -> None:
    stand_in.world.has_paid_plan = has_paid_plan
    each = ["team", "--each"] if has_paid_plan else ["team"]
    assert run("hooks", "install", *each).exit_code == 0
    assert run("hooks", "install", "other/app").exit_code == 0
    listed = run("hooks", "list", *each, "--json")
    assert listed.exit_code == 0, listed.output
    found = [(row["place"], row["url"]) for row in map(json.loads, listed.stdout.splitlines())]
    assert found == [("team/app", PLACE), ("team/a/b/c/d/deep", PLACE)]
    removed = run("hooks", "remove", *each)
    assert removed.exit_code == 0, removed.output
    assert hooked(stand_in) == {"other/app": [PLACE]}
    again = run("hooks", "remove", *each)
    assert again.exit_code == 1
    assert "team has no webhook that calls" in again.stderr


def test_an_address_that_gitlab_does_not_take_gets_the_likely_reason(stand_in: Sandbox, project: str) -> None:
    stand_in.world.allows_local_hooks = False
    result = run("hooks", "install", project)
    assert result.exit_code == 1
    assert "Invalid url given" in result.stderr
    assert "Admin › Settings › Network › Outbound requests" in " ".join(result.stderr.split())


def test_a_group_with_nothing_maintained_says_what_to_do(stand_in: Sandbox, project: str) -> None:
    bot = next(user for user in stand_in.world.users.values() if user.username == "pipewright")
    seed.add_group(stand_in.world, "empty", {bot: 40})
    result = run("hooks", "install", "empty")
    assert result.exit_code == 1
    assert "give it the role Maintainer" in result.stderr


def test_refresh_mends_known_webhooks_and_leaves_other_projects_alone(group: Group, stand_in: Sandbox) -> None:
    assert run("hooks", "install", "team/app").exit_code == 0
    hook = stand_in.world.project_at("team/app").hooks[0]  # type: ignore[union-attr]
    hook.token = "old"
    hook.flags["emoji_events"] = False
    result = run("hooks", "refresh")
    assert result.exit_code == 0, result.output
    assert (hook.token, hook.flags["emoji_events"]) == ("s3cret", True)
    assert hooked(stand_in) == {"team/app": [PLACE]}


def test_refresh_that_found_nothing_is_no_reason_to_finish_a_rotation(group: Group, stand_in: Sandbox) -> None:
    stand_in.world.has_paid_plan = True
    assert run("hooks", "install", "team").exit_code == 0
    result = run("hooks", "refresh", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "of a group's own webhook: `pipewright hooks install GROUP`" in " ".join(result.stderr.split())


@pytest.mark.parametrize(("method", "route"), [("PUT", "/hooks/"), ("GET", "/hooks$")], ids=["mending", "looking"])
def test_one_project_that_refuses_keeps_no_other_from_its_new_secret(
    group: Group, stand_in: Sandbox, method: str, route: str
) -> None:
    assert run("hooks", "install", "team").exit_code == 0
    (first, second) = (one for one in stand_in.world.projects.values() if one.hooks)
    for one in (first, second):
        one.hooks[0].token = "old"
    stand_in.fail(method, f"/projects/{first.path.replace('/', '%2F')}{route}", 403, times=0)
    result = run("hooks", "refresh", "--json")
    assert result.exit_code == 1
    found = {done["place"]: done["result"] for done in map(json.loads, result.stdout.splitlines())}
    assert found == {first.path: "failed", second.path: "installed"}
    assert second.hooks[0].token == "s3cret"


def test_many_projects_are_read_page_by_page(stand_in: Sandbox, project: str) -> None:
    bot = next(user for user in stand_in.world.users.values() if user.username == "pipewright")
    seed.add_group(stand_in.world, "big", {bot: 40})
    source = stand_in.world.project_at(project)
    assert source is not None
    for number in range(100_000, 100_230):
        one = Project(number, f"big/p{number}", source.git_dir)
        one.members = {bot.id: 40}
        stand_in.world.projects[number] = one
    result = run("hooks", "install", "big")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("installed: webhook") == 230


def test_a_rotation_accepts_both_secrets_until_it_is_finished(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("# ours\nPIPEWRIGHT_WEBHOOK_SECRET=first\nPIPEWRIGHT_MENTION=bot\n")
    assert run("hooks", "rotate").exit_code == 0
    between = env_file.values_of(env)
    assert between["WEBHOOK_SECRET_OLD"] == "first"
    assert len(between["WEBHOOK_SECRET"]) == 64
    assert run("hooks", "rotate").exit_code == 1  # a second one would drop the first secret
    assert run("hooks", "rotate", "--finish").exit_code == 0
    assert env_file.values_of(env) == {"WEBHOOK_SECRET": between["WEBHOOK_SECRET"], "MENTION": "bot"}
    assert env.read_text().startswith("# ours\n")
    assert env.stat().st_mode & 0o777 == 0o600
    assert run("hooks", "rotate", "--finish").exit_code == 1


def test_signing_tokens_rotate_as_gitlab_writes_them(tmp_path: Path) -> None:
    (tmp_path / "bot.env").write_text("PIPEWRIGHT_WEBHOOK_SIGNING_TOKEN=whsec_Zmlyc3Q=\n")
    assert run("hooks", "rotate", "--env-file", "bot.env").exit_code == 0
    values = env_file.values_of(tmp_path / "bot.env")
    assert values["WEBHOOK_SIGNING_TOKEN_OLD"] == "whsec_Zmlyc3Q="
    assert values["WEBHOOK_SIGNING_TOKEN"].startswith("whsec_")
    assert len(values["WEBHOOK_SIGNING_TOKEN"]) == 50


def test_without_a_secret_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    result = run("hooks", "rotate")
    assert result.exit_code == 1
    assert "PIPEWRIGHT_WEBHOOK_SECRET" in result.stderr
