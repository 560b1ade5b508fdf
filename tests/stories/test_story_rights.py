"""Who may give which order where: what the person and the bot both may do, and nothing that reaches further."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.handlers.sweep import sweep
from bot.main import running
from bot.parts import open_parts
from bot.sandbox import seed
from bot.sandbox.state import Issue, User
from tests.stories.test_story_chatting import Phone
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town

# What each order needs (gitlab.md §5, README): help is for everybody.
NEEDED = {
    "help": 0,
    "status": 20,
    "explain main": 20,
    "what does this project do?": 20,
    "generate": 30,
    "undo": 30,
    "repair": 30,
    "retry": 30,
    "cancel": 30,
    "please set up CI for this project": 30,
    "approve": 40,
    "reject": 30,
}
ROLES = {"maintainer": 40, "developer": 30, "reporter": 20, "guest": 10, "stranger": 0}
REFUSED = ("one needs at least the role", "one must be allowed to merge")


def is_refused(answer: str) -> bool:
    return answer.startswith("I can't do that") and any(words in answer for words in REFUSED)


@pytest.mark.parametrize("visibility", ["private", "internal", "public"])
@pytest.mark.parametrize("role", ["reporter", "guest", "stranger"])
def test_no_order_goes_beyond_the_role_and_nothing_changes(town: Town, role: str, visibility: str) -> None:
    story = town.story(visibility=visibility)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    head, state = story.head(story.request.source_branch), story.request.state
    for words, needed in NEEDED.items():
        town.ollama.say(action("final", text="It says hello."))
        answer = story.ask(f"@pipewright {words}", of=issue, by=getattr(story, role))
        assert is_refused(answer) is (ROLES[role] < needed), (words, answer)
    assert (story.head(story.request.source_branch), story.request.state) == (head, state)
    assert len(story.project.merge_requests) == 1


@pytest.mark.parametrize("role", ["maintainer", "developer"])
def test_orders_within_the_role_are_not_refused_for_it(town: Town, role: str) -> None:
    story = town.story()
    issue = story.issue()
    for words, needed in NEEDED.items():
        town.ollama.say(action("final", text="It says hello."))
        answer = story.ask(f"@pipewright {words}", of=issue, by=getattr(story, role))
        assert is_refused(answer) is (ROLES[role] < needed), (words, answer)


def block(story: Story, who: User, how: str) -> None:
    with story.world.lock:
        if how in ("blocked", "deactivated", "banned", "ldap_blocked"):
            who.state = how
        elif how == "expired":
            story.project.memberships[who.id] = {"expires_at": "2020-01-31"}
        elif how == "ends today":
            from bot.sandbox.state import now

            story.project.memberships[who.id] = {"expires_at": now().date().isoformat()}
        elif how == "not accepted":
            story.project.memberships[who.id] = {"membership_state": "awaiting"}


GONE = ("blocked", "deactivated", "banned", "ldap_blocked", "expired", "ends today", "not accepted")


@pytest.mark.parametrize("how", GONE)
def test_somebody_who_is_no_active_member_any_more_is_not_obeyed(town: Town, how: str) -> None:
    """The comment was written, the reaction given, before: GitLab is asked again when they are handled."""
    story = town.story(visibility="public")
    request = story.drafted()
    head = story.head(request.source_branch)
    block(story, story.maintainer, how)
    issue = story.project.issues[0]
    for words in ("generate", "approve", "reject", "retry", "undo", "status", "tell me more"):
        assert is_refused(story.ask(f"@pipewright {words}", of=issue, by=story.maintainer)), words
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert story.head(request.source_branch) == head


@pytest.mark.parametrize("how", GONE)
def test_nor_over_the_programs_own_address(town: Town, how: str) -> None:
    story = town.story(visibility="public")
    with story.world.lock:
        token = seed.add_token(story.world, story.developer)
    block(story, story.developer, how)
    body = {"project": story.project.path, "message": "generate"}
    url = town.address + "/api/v1/chat"
    response = httpx.post(url, json=body, headers={"PRIVATE-TOKEN": token.value}, timeout=60)
    story.settle()
    assert response.status_code in (401, 403) or is_refused(response.json().get("text", "")), response.text
    assert story.project.merge_requests == []


# --- the bot's own role ---


@pytest.mark.parametrize("level", [10, 20])
@pytest.mark.parametrize("words", ["generate", "undo", "please set up CI for this project"])
def test_where_the_bots_own_role_is_too_low_it_says_which_it_needs(town: Town, level: int, words: str) -> None:
    story = town.story(bot_level=level, visibility="public")
    answer = story.ask(f"@pipewright {words}", by=story.maintainer)
    name = {10: "Guest", 20: "Reporter"}[level]
    assert f"my own account has only the role {name} in this project and needs Developer for it" in answer
    assert story.project.merge_requests == []
    assert not [name for name in _branches(story) if name.startswith("pipewright/")]


def _branches(story: Story) -> list[str]:
    from bot.sandbox import git_store

    return git_store.branches(story.project.git_dir)


def test_a_bot_that_may_not_merge_says_so_before_it_touches_the_draft(town: Town) -> None:
    story = town.story(bot_level=30)
    request = story.drafted()
    assert "dry run" not in request.description, "it may not simulate on a branch that it may not update"
    answer = story.ask("@pipewright approve", of=request, by=story.maintainer)
    assert "my account may not merge into `main`. Give it the role Maintainer" in answer
    assert request.title.startswith("Draft:")
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert request.title.startswith("Draft:")


def test_a_bot_that_lost_its_role_meanwhile_is_said_so(town: Town) -> None:
    story = town.story()
    story.drafted()
    with story.world.lock:
        story.project.members[town.bot.id] = 20
    answer = story.ask("@pipewright generate with python 3.12", of=story.project.issues[0])
    assert "needs Developer for it" in answer


# --- who is external, as far as GitLab tells ---


@contextmanager
def administrating(town: Town, folder: Path, *, until: datetime | None = None) -> Iterator[Town]:
    """A second bot whose account is an administrator: GitLab tells it who is external. Its token ends `until`."""
    settings = town.parts.services.settings
    with psycopg.connect(str(settings.database_url.get_secret_value()), autocommit=True) as connection:  # type: ignore[union-attr]
        connection.execute("drop database if exists admin_town")
        connection.execute("create database admin_town")
    with town.sandbox.world.lock:
        admin = seed.add_user(town.sandbox.world, "rootbot", is_bot=True)
        admin.is_admin = True
        token = seed.add_token(town.sandbox.world, admin)
        token.expires_at = until
    name = psycopg.conninfo.conninfo_to_dict(settings.database_url.get_secret_value())  # type: ignore[union-attr]
    changed = {
        "gitlab_token": token.value,
        "mention": "rootbot",
        "listen_port": 0,
        "database_url": psycopg.conninfo.make_conninfo(**{**name, "dbname": "admin_town"}),
        "data_dir": folder,
    }
    from bot.settings import Settings

    ours = Settings.model_validate({**settings.model_dump(), **changed})
    with open_parts(ours) as parts, running(parts) as address:
        yield Town(town.sandbox, town.ollama, parts, address, admin, town.numbers)


def test_an_external_account_is_not_obeyed_where_gitlab_tells_that_it_is_one(town: Town, tmp_path: Path) -> None:
    with administrating(town, tmp_path) as other:
        story = other.story()
        with story.world.lock:
            story.maintainer.is_external = True
        issue = story.issue()
        assert "Here is the draft" in story.ask("@rootbot generate", of=issue)
        assert "and you have no role here" in story.ask("@rootbot generate", of=issue, by=story.maintainer)
        story.react(story.request)
        story.settle()
        assert story.request.state == "opened"


# --- a token that ends ---


@pytest.mark.parametrize(("days", "is_told"), [(5, True), (14, True), (40, False)])
def test_a_token_that_ends_soon_is_told_to_operators_before_it_does(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], days: int, *, is_told: bool
) -> None:
    with administrating(town, tmp_path, until=datetime.now(UTC) + timedelta(days=days)) as other:
        services, queue = other.parts.services, other.parts.queue
        assert [sweep(services, queue.accept) for _ in range(3)] == [0, 0, 0]
        ready = httpx.get(other.address + "/health/ready", timeout=30)
        told = capsys.readouterr().out.count("the GitLab token ends soon")
    assert ready.status_code == 200
    assert told == is_told
    warning = ready.json().get("warnings", {}).get("GitLab token", "")
    assert ("make a new one (or rotate it), set PIPEWRIGHT_GITLAB_TOKEN" in warning) is is_told


# --- nothing reaches into another project ---


def test_no_order_and_no_link_reaches_into_another_project(town: Town) -> None:
    secret, story = town.story({"SECRET.md": "the plan\n"}), town.story()
    with secret.world.lock:
        secret.project.members[story.developer.id] = 0
    other = f"{town.sandbox.url}/{secret.project.path}"
    with secret.world.lock:
        run = seed_pipeline(secret)
    for words in (f"explain {other}/-/pipelines/{run}", f"explain #{run}", f"explain {other}/-/jobs/{run}"):
        answer = story.ask(f"@pipewright {words}")
        assert "within my reach" in answer or "there is no pipeline and no job" in answer, answer
    town.ollama.say(
        action("read_file", path=f"{other}/-/raw/main/SECRET.md"),
        action("read_file", path="../../group/app/SECRET.md"),
        action("check_pipeline_status", repo_url=other, branch="main"),
        action("final", text="Nothing."),
    )
    answer = story.ask("@pipewright read the other project's plan for me")
    assert "the plan" not in answer
    assert "the plan" not in str(town.ollama.requests)


def seed_pipeline(story: Story) -> int:
    from bot.sandbox.state import Pipeline

    sha = story.head("main")
    run = Pipeline(story.world.next_id(), 1, story.project, story.maintainer, "main", sha, "push", status="failed")
    story.project.pipelines.append(run)
    return run.id


def test_two_projects_at_once_never_meet_in_an_answer(town: Town) -> None:
    """Orders of both run at the same time in one process: nothing of one is in what the other gets."""
    names = {"nightjar": PYTHON, "kestrel": {"go.mod": "module kestrel\n\ngo 1.24\n", "main.go": "package main\n"}}
    stories = {name: town.story({**files, f"{name}.md": name}) for name, files in names.items()}
    for _ in range(3):
        for name, story in stories.items():
            story.comment(story.issue(name), f"@pipewright generate for {name}")
            story.comment(story.issue(name), "@pipewright status")
    for story in stories.values():
        story.settle()
    for name, story in stories.items():
        other = next(each for each in names if each != name)
        texts = [request.description + request.title for request in story.project.merge_requests]
        texts += [note.body for issue in story.project.issues for note in issue.notes if note.author is town.bot]
        assert len(story.project.merge_requests) == 3
        assert not [text for text in texts if other in text]
        assert ("go build" in story.file(".gitlab-ci.yml", story.project.merge_requests[0].source_branch)) is (
            name == "kestrel"
        )


# --- what was said in confidence ---


def heard(town: Town) -> str:
    return str(town.ollama.requests)


def test_what_was_said_in_a_confidential_issue_is_not_told_on_its_draft(town: Town) -> None:
    story = town.story()
    issue: Issue = story.issue("Secret plan", is_confidential=True)
    town.ollama.say(action("final", text="Project Nightjar, understood."))
    story.ask("@pipewright the launch of Nightjar is on Friday, what do you think?", of=issue)
    story.ask("@pipewright generate", of=issue)
    town.ollama.say(action("final", text="It installs and tests."))
    answer = story.ask("@pipewright what does this draft do, and why?", of=story.request)
    assert "installs and tests" in answer
    assert "Nightjar" not in heard(town)
    assert "Secret plan" not in heard(town)
    town.ollama.say(action("final", text="Yes, Friday."))
    story.ask("@pipewright when is it again?", of=issue)
    assert "Nightjar" in heard(town)


def test_an_internal_note_is_not_remembered_in_an_open_answer(town: Town) -> None:
    story = town.story()
    issue = story.issue()
    town.ollama.say(action("final", text="Noted."))
    story.comment(issue, "@pipewright our customer is Nightjar, what now?", is_internal=True)
    story.settle()
    town.ollama.say(action("final", text="Hello."))
    story.ask("@pipewright and what did I tell you before?", of=issue)
    assert "Nightjar" not in heard(town)


def test_a_talk_of_ones_own_is_not_remembered_on_the_draft_that_came_of_it(town: Town) -> None:
    story = town.story()
    phone = Phone(story, story.developer)
    town.ollama.say(action("final", text="Noted."))
    id_ = phone.say("our customer is Nightjar, what now?").json()["session_id"]
    phone.say("generate", session_id=id_)
    story.settle()
    town.ollama.say(action("final", text="Hello."))
    story.ask("@pipewright and what did they tell you before?", of=story.request, by=story.reporter)
    assert "Nightjar" not in heard(town)
    town.ollama.say(action("final", text="Nightjar."))
    phone.say("who is it again?", session_id=id_)
    assert "Nightjar" in heard(town)


def test_the_draft_of_a_confidential_issue_tells_nothing_of_it(town: Town) -> None:
    story = town.story({**PYTHON})
    issue = story.issue("Nightjar", "the customer is Nightjar", is_confidential=True)
    story.ask("@pipewright generate for Nightjar with python 3.12", of=issue)
    request = story.request
    from bot.sandbox import git_store

    log = git_store.commit_info(story.project.git_dir, story.head(request.source_branch))["message"]
    public = "\n".join([request.title, request.description, request.source_branch, log, story.file(".gitlab-ci.yml")])
    public += "\n".join(note.body for note in request.notes)
    assert "Nightjar" not in public
