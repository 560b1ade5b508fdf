"""The record of who asked, what was proposed, who approved by which signal and what was merged."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.sandbox.state import MergeRequest, Protection
from bot.store import audit
from bot.store.audit import AuditEntry
from tests.world.town import SECRET, Story, Town


def told(story: Story) -> list[AuditEntry]:
    now = datetime.now(UTC)
    with story.town.parts.services.pool.connection() as connection:
        found = audit.entries(connection, since=now - timedelta(hours=1), until=now + timedelta(hours=1))
        return [entry for entry in found if entry.project_id == story.project.id]


def test_a_whole_story_leaves_its_record(story: Story) -> None:
    request = story.drafted()
    head = story.head(request.source_branch)
    story.react(request, by=story.developer)
    story.settle()
    story.react(request, by=story.maintainer)
    story.settle()
    entries = told(story)
    assert acts_of(story) == [
        ("asked", story.developer.username),
        ("proposed", story.developer.username),
        ("approval refused", story.developer.username),
        ("approval accepted", story.maintainer.username),
        ("approved", story.developer.username),
        ("merged", story.developer.username),
    ]
    proposed, refused, accepted, merged = entries[1], entries[2], entries[3], entries[5]
    written = story.file(".gitlab-ci.yml", "main")
    assert proposed.detail["files"][".gitlab-ci.yml"] == "sha256:" + hashlib.sha256(written.encode()).hexdigest()
    assert (refused.signal, refused.sha) == ("reaction", head)
    assert "allowed to merge" in refused.detail["reason"]
    assert (accepted.signal, accepted.detail["emoji"], accepted.sha) == ("reaction", "thumbsup", head)
    assert merged.detail["approved_by"] == [story.maintainer.username]
    assert merged.detail["merged_sha"] == story.head("main")


def acts_of(story: Story) -> list[tuple[str, str]]:
    return [(entry.act, entry.actor) for entry in told(story)]


def took_it_back(story: Story, request: MergeRequest) -> None:
    story.unreact(request, by=story.developer)


def lost_the_right(story: Story, request: MergeRequest) -> None:
    story.project.members[story.developer.id] = 20


@pytest.mark.parametrize(
    ("meanwhile", "act"), [(took_it_back, "approval withdrawn"), (lost_the_right, "approval lapsed")]
)
def test_whose_approval_did_not_count_in_the_end_is_not_named_as_approving(
    town: Town, meanwhile: Callable[[Story, MergeRequest], None], act: str
) -> None:
    story = town.story()
    story.project.protected["main"] = Protection(push=40, merge=30)
    with story.jobs_held():
        request = story.request_while_running()
        story.react(request, by=story.developer)
        story.until(lambda: request.auto_merge_by is not None)
        meanwhile(story, request)
        story.until(lambda: act == "approval lapsed" or (act, story.developer.username) in acts_of(story))
        story.comment(request, "@pipewright approve", by=story.maintainer)
        story.until(lambda: ("approval accepted", story.maintainer.username) in acts_of(story))
    story.settle()
    assert request.state == "merged"
    assert told(story)[-1].detail["approved_by"] == [story.maintainer.username]
    assert (act, story.developer.username) in acts_of(story)
    note = story.answers(story.project.issues[0])[0].body
    assert f"approved by `{story.maintainer.username}` (" in note


@pytest.mark.parametrize("sql", ["update audit set actor = 'nobody'", "delete from audit", "truncate audit"])
def test_nothing_changes_the_record_afterwards(story: Story, sql: str) -> None:
    story.drafted()
    with (
        story.town.parts.services.pool.connection() as connection,
        pytest.raises(psycopg.errors.RaiseException, match="append-only"),
    ):
        connection.execute(sql.encode())


@pytest.fixture
def _as_an_administrator(story: Story, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = story.town.parts.services.settings
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPEWRIGHT_GITLAB_URL", settings.gitlab_url)
    monkeypatch.setenv("PIPEWRIGHT_GITLAB_TOKEN", "glpat-unused-here-0123456789")
    monkeypatch.setenv("PIPEWRIGHT_WEBHOOK_SECRET", SECRET)
    assert settings.database_url is not None
    monkeypatch.setenv("PIPEWRIGHT_DATABASE_URL", settings.database_url.get_secret_value())


@pytest.mark.usefixtures("_as_an_administrator")
def test_the_record_is_exported_in_both_forms(story: Story, tmp_path: Path) -> None:
    story.drafted()
    wanted = told(story)
    lines = CliRunner().invoke(main, ["audit", "export", "--since", "2020-01-01"])
    assert lines.exit_code == 0, lines.output
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [row["id"] for row in rows if row["project_id"] == story.project.id] == [entry.id for entry in wanted]
    target = tmp_path / "audit.csv"
    table = CliRunner().invoke(
        main, ["audit", "export", "--since", "2020-01-01", "--format", "csv", "--output", target]
    )
    assert table.exit_code == 0, table.output
    read = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert [int(row["id"]) for row in read] == [row["id"] for row in rows]
    assert f"{len(rows)} entries" in table.stderr
    nothing = CliRunner().invoke(main, ["audit", "export", "--since", "2020-01-01", "--until", "2020-01-02"])
    assert nothing.stdout == ""


@pytest.mark.usefixtures("_as_an_administrator")
@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", ""])
def test_a_day_that_is_none_is_refused(since: str) -> None:
    result = CliRunner().invoke(main, ["audit", "export", "--since", since])
    assert result.exit_code == 2
    assert "%Y-%m-%d" in result.stderr


@pytest.mark.usefixtures("_as_an_administrator")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--until", "2019-12-31"], "--until has to be later than --since"),
        (["--until", "2020-01-01"], "--until has to be later than --since"),
        (["--format", "xml"], "is not one of"),
        (["--output", "nowhere/audit.csv"], "the folder nowhere does not exist"),
        (["--output", "."], "is a directory"),
    ],
)
def test_other_bad_input_is_refused_with_the_reason(options: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["audit", "export", "--since", "2020-01-01", *options])
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.usefixtures("_as_an_administrator")
def test_a_name_that_begins_like_a_formula_is_none_in_a_spreadsheet(story: Story) -> None:
    with story.world.lock:
        story.developer.username = "=cmd|x"
    story.drafted()
    table = CliRunner().invoke(main, ["audit", "export", "--since", "2020-01-01", "--format", "csv"])
    cells = [cell for row in csv.reader(io.StringIO(table.stdout)) for cell in row]
    assert "'=cmd|x" in cells
    assert not [cell for cell in cells if cell.startswith("=")]
