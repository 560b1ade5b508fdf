"""The webhook's secret changes beside a running bot: no step done too soon loses a delivery."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import env_file
from tests.cli.conftest import run
from tests.stories.conftest import open_town
from tests.world.town import SECRET, Story, Town


@pytest.fixture(scope="module")
def town(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(postgres, tmp_path_factory.mktemp("rotating"), "rotating", worker_concurrency="1") as opened:
        yield opened


@pytest.fixture
def story(town: Town, tmp_path: Path) -> Iterator[Story]:
    """A project whose webhook calls the bot, and the bot's settings in `.env`."""
    settings = town.parts.services.settings
    env_file.change(
        tmp_path / ".env",
        {
            "GITLAB_URL": settings.gitlab_url,
            "GITLAB_TOKEN": settings.gitlab_token.get_secret_value(),
            "PUBLIC_URL": settings.public_url,
            "WEBHOOK_SECRET": SECRET,
        },
    )
    yield town.story()
    town.sandbox.faults.clear()


def known() -> dict[str, str]:
    return env_file.values_of(Path(".env"))


@pytest.mark.parametrize("step", [["refresh"], ["install", "PROJECT"], ["rotate", "--finish"]], ids=" ".join)
def test_before_the_bot_is_restarted_no_webhook_gets_the_new_secret(story: Story, step: list[str]) -> None:
    assert run("hooks", "rotate").exit_code == 0
    result = run("hooks", *(story.project.path if word == "PROJECT" else word for word in step))
    assert result.exit_code == 1
    assert "does not take the new secret yet" in result.stderr
    assert "Restart" in result.stderr
    assert known()["WEBHOOK_SECRET_OLD"] == SECRET
    assert "Anything" in story.ask("@pipewright help"), "GitLab still delivers with what the bot knows"


def test_whoever_forgets_to_refresh_still_loses_no_delivery(story: Story) -> None:
    """The bot has been restarted: it knows the new secret, which the webhook does not."""
    story.hook.token = "old"
    env_file.change(Path(".env"), {"WEBHOOK_SECRET_OLD": "old"})
    result = run("hooks", "rotate", "--finish", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["result"], told["removed"]) == ("finished", ["WEBHOOK_SECRET_OLD"])
    assert story.project.path in told["refreshed"]
    assert "WEBHOOK_SECRET_OLD" not in known()
    assert "Anything" in story.ask("@pipewright help")


def test_where_a_webhook_cannot_get_the_new_secret_the_old_one_stays(story: Story) -> None:
    env_file.change(Path(".env"), {"WEBHOOK_SECRET_OLD": "old"})
    story.sandbox.fail("PUT", "/hooks/", 403, times=0)
    result = run("hooks", "rotate", "--finish")
    assert result.exit_code == 1
    assert story.project.path in result.output
    assert known()["WEBHOOK_SECRET_OLD"] == "old"


def test_a_bot_that_is_away_from_here_stops_no_refresh(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be reached from GitLab alone."""
    story.hook.url = "http://127.0.0.1:9/webhooks/gitlab"
    env_file.change(Path(".env"), {"WEBHOOK_SECRET_OLD": SECRET, "WEBHOOK_SECRET": "new"})
    monkeypatch.setenv("PIPEWRIGHT_PUBLIC_URL", "http://127.0.0.1:9")
    assert run("hooks", "refresh").exit_code == 0
    assert story.hook.token == "new"
