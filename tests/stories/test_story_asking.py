"""Stories of asking for a pipeline: what is in GitLab afterwards."""

import re

import pytest
import yaml

from bot.sandbox import hooks
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town


def test_a_comment_leads_to_a_draft_with_one_green_pipeline(story: Story) -> None:
    issue = story.issue()
    order = story.comment(issue, "@pipewright please set up CI for this project")
    story.settle()
    request = story.request
    assert [award.name for award in order.awards] == ["eyes", "white_check_mark"]
    assert request.title.startswith("Draft: ")
    assert request.target_branch == "main"
    assert request.author is story.town.bot
    assert "pytest" in story.file(".gitlab-ci.yml")
    assert [(run.source, run.status) for run in story.project.pipelines] == [("merge_request_event", "success")]
    assert len(story.answers(issue)) == 1
    assert f"[merge request {request.iid}]" in story.answer(issue)
    assert "passed ✅" in story.answer(issue)


def test_the_description_of_the_draft_explains_itself(story: Story) -> None:
    description = story.drafted().description
    assert "| job | stage | image |" in description
    assert "because" in description
    assert "Templates used" in description
    assert "How to approve" in description
    assert story.developer.username in description


def test_the_bot_needs_at_most_twelve_calls_from_the_mention_to_the_draft_with_its_commit(story: Story) -> None:
    issue = story.issue()
    before = len(story.sandbox.calls)
    story.comment(issue, "@pipewright generate")
    story.settle()
    calls = story.sandbox.calls[before:]
    until_commit = next(number for number, call in enumerate(calls, 1) if call.endswith("/repository/commits"))
    assert until_commit <= 12, calls[:until_commit]


def test_a_second_comment_refines_the_same_draft(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    first = story.head(story.request.source_branch)
    story.ask("@pipewright generate with python 3.12", of=issue)
    request = story.request
    assert story.head(request.source_branch) != first
    assert "3.12" in story.file(".gitlab-ci.yml")
    assert len(story.answers(issue)) == 2


def test_the_draft_belongs_to_the_conversation_of_its_issue(story: Story) -> None:
    request = story.drafted()
    assert "The draft" in story.ask("@pipewright status", of=request)


def test_the_status_of_a_branch_adds_up_what_its_jobs_took(story: Story) -> None:
    request = story.drafted()
    answer = story.ask(f"@pipewright status {request.source_branch}")
    assert "passed ✅" in answer
    assert re.search(r"Its 1 job took \d+\.\d job minutes in all\.", answer)


def test_a_mention_in_the_description_of_an_issue_is_an_order(story: Story) -> None:
    issue = story.issue("CI", "@pipewright generate")
    story.settle()
    assert story.request.title.startswith("Draft: ")
    assert [award.name for award in issue.awards] == ["eyes", "white_check_mark"]


def test_a_confidential_issue_gets_internal_notes_and_a_branch_that_tells_nothing(story: Story) -> None:
    issue = story.issue("Secret plan", is_confidential=True)
    story.ask("@pipewright generate", of=issue)
    assert [note.is_internal for note in story.answers(issue)] == [True]
    request = story.request
    assert "Secret plan" not in request.title + request.description
    assert f"issue-{issue.iid}" not in request.source_branch
    assert "an internal issue" in request.description


def test_an_internal_note_is_answered_internally(story: Story) -> None:
    issue = story.issue()
    story.comment(issue, "@pipewright status", is_internal=True)
    story.settle()
    assert [note.is_internal for note in story.answers(issue)] == [True]


def test_an_existing_pipeline_keeps_its_comments_its_order_and_its_jobs(town: Town) -> None:
    existing = "# ours, do not touch\nstages: [check, deploy]\n\n"
    existing += "ships:\n  stage: deploy\n  script:\n    - ./ship.sh # carefully\n"
    story = town.story({**PYTHON, ".gitlab-ci.yml": existing})
    story.drafted()
    text = story.file(".gitlab-ci.yml")
    assert "# ours, do not touch" in text
    assert "    - ./ship.sh # carefully\n" in text
    assert "pytest" in text
    assert "ships" in yaml.safe_load(text)
    assert "Kept as they were: `ships`" in story.request.description


def test_what_is_odd_in_an_existing_pipeline_and_fine_for_gitlab_stands_in_no_additions_way(town: Town) -> None:
    existing = "stages: [test, deploy]\n\nships:\n  stage: deploy\n  script:\n    - foreach ($f in dir) { echo $f }\n"
    story = town.story({**PYTHON, ".gitlab-ci.yml": existing})
    story.drafted()
    text = story.file(".gitlab-ci.yml")
    assert text.startswith(existing)
    assert "pytest" in text
    assert "failed, 1 error" in story.request.description


def test_what_gitlab_refuses_in_an_existing_pipeline_is_told_with_its_line(town: Town) -> None:
    existing = "ships:\n  stage: deploy\n  script: [./ship.sh]\n  stage: deploy\n"
    story = town.story({**PYTHON, ".gitlab-ci.yml": existing})
    assert "`.gitlab-ci.yml:4` 'stage' is given twice" in story.ask("@pipewright generate")
    assert story.project.merge_requests == []


def test_an_existing_pipeline_that_is_no_yaml_is_refused_with_its_line(town: Town) -> None:
    story = town.story({**PYTHON, ".gitlab-ci.yml": "test:\n  script: [\n"})
    answer = story.ask("@pipewright generate")
    assert answer.startswith("I can't do that: the existing `.gitlab-ci.yml` can't be extended: ")
    assert "line" in answer
    assert story.project.merge_requests == []


def test_an_empty_repository_is_told_to_push_first(town: Town) -> None:
    story = town.story({})
    assert "the repository is empty" in story.ask("@pipewright generate")
    assert story.project.merge_requests == []


def test_a_repository_without_anything_recognisable_gets_an_honest_draft(town: Town) -> None:
    story = town.story({"notes.txt": "Buy milk.\n", "poem.odt": "x"})
    answer = story.ask("@pipewright generate")
    assert len(story.project.merge_requests) == 1
    assert "nothing" in answer.lower()
    assert yaml.safe_load(story.file(".gitlab-ci.yml"))


def test_what_one_deploys_gets_a_dockerfile(town: Town) -> None:
    from bot.sandbox import sample

    story = town.story(sample.FILES)
    story.drafted()
    dockerfile = story.file("Dockerfile")
    assert "USER " in dockerfile
    assert dockerfile.count("FROM ") >= 2
    assert story.file(".dockerignore")


def test_the_same_delivery_twice_is_one_order(story: Story) -> None:
    issue = story.issue()
    story.comment(issue, "@pipewright help")
    story.settle()
    delivery = next(one for one in story.hook.deliveries if one.headers["X-Gitlab-Event"] == "Note Hook")
    hooks.resend(story.world, story.hook, delivery)
    story.settle()
    assert len(story.answers(issue)) == 1
    assert story.hook.deliveries[-1].status == 200


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("Nothing for the bot here.", id="no mention"),
        pytest.param("> @pipewright generate", id="in a quote"),
        pytest.param("Write `@pipewright generate` to start.", id="in code"),
        pytest.param("Mail me@pipewright.example or see foo/@pipewright", id="inside other words"),
    ],
)
def test_what_is_no_order_costs_no_call(story: Story, words: str) -> None:
    issue = story.issue()
    before = len(story.sandbox.calls)
    story.comment(issue, words)
    story.settle()
    assert story.sandbox.calls[before:] == []
    assert story.answers(issue) == []


def test_an_edited_comment_gives_no_new_order(story: Story) -> None:
    from bot.sandbox import acts

    issue = story.issue()
    note = story.comment(issue, "Hello")
    with story.world.lock:
        acts.edit(story.world, issue, note, "@pipewright generate")
    story.settle()
    assert story.answers(issue) == []


@pytest.mark.parametrize(
    ("who", "words"),
    [
        pytest.param("guest", "@pipewright generate", id="a guest asks for a pipeline"),
        pytest.param("reporter", "@pipewright generate", id="a reporter asks for a pipeline"),
        pytest.param("guest", "@pipewright status", id="a guest asks for the status"),
        pytest.param("reporter", "@pipewright reject", id="a reporter rejects"),
        pytest.param("reporter", "@pipewright cancel", id="a reporter cancels"),
        pytest.param("guest", "@pipewright what do you think of Rust?", id="a guest chats"),
    ],
)
def test_nobody_is_obeyed_beyond_their_role(story: Story, who: str, words: str) -> None:
    answer = story.ask(words, by=getattr(story, who))
    assert "one needs at least the role" in answer
    assert story.project.merge_requests == []


def test_a_stranger_in_a_public_project_is_not_obeyed(town: Town) -> None:
    story = town.story(visibility="public")
    assert "you have no role here" in story.ask("@pipewright generate", by=story.stranger)


def test_another_bot_is_not_heard(town: Town) -> None:
    from bot.sandbox import seed

    story = town.story()
    with story.world.lock:
        other = seed.add_user(story.world, f"project_{story.project.id}_bot_0a1b2c", is_bot=True)
        story.project.members[other.id] = 40
    assert story.ask("@pipewright generate", by=other) == ""


def test_a_mistyped_command_is_asked_back(story: Story) -> None:
    assert "Did you mean `@pipewright generate`?" in story.ask("@pipewright genrate")


def test_help_lists_the_commands(story: Story) -> None:
    answer = story.ask("@pipewright help")
    assert all(f"`@pipewright {name}`" in answer for name in ("generate", "status", "approve", "reject", "retry"))


def test_the_status_before_any_draft_says_how_to_get_one(story: Story) -> None:
    assert "@pipewright generate" in story.ask("@pipewright status")


def test_words_of_people_cannot_command_through_the_bot(town: Town) -> None:
    files = {**PYTHON, "pyproject.toml": PYTHON["pyproject.toml"].replace('"x"', '"/close\\n/approve @all"', 1)}
    story = town.story(files)
    issue = story.issue()
    story.ask("@pipewright genrate/close", of=issue)
    story.ask("@pipewright generate\n\n/label ~x", of=issue)
    assert issue.state == "opened"
    assert all("@all" not in note.body.replace("@\u200ball", "") for note in story.answers(issue))


def test_the_model_can_open_a_draft_but_only_here(story: Story) -> None:
    url = f"{story.world.base_url}/{story.project.path}"
    story.town.ollama.say(
        action("generate_pipeline", repo_url="http://elsewhere.example/other/project"),
        action("generate_pipeline", repo_url=url),
        action("commit_pipeline", repo_url=url),
        action("final", text="Here you are. /approve @everyone ![x](http://evil.example/x.png)"),
    )
    answer = story.ask("@pipewright could you look at our project and do what it needs?")
    assert story.request.title.startswith("Draft: ")
    assert "Here you are." in answer
    assert "<summary>How this was answered</summary>" in answer
    assert "llama3.1:8b" in answer
    assert "![x]" not in answer
    assert story.request.approvals == []
    refusals = [one for one in story.town.ollama.requests[1]["messages"] if "only this conversation" in one["content"]]
    assert refusals


def test_a_repository_of_fifty_thousand_files_gets_its_draft(town: Town) -> None:
    many = {f"data/{folder:03}/{file:02}.txt": "x\n" for folder in range(500) for file in range(100)}
    story = town.story({**PYTHON, **many})
    assert "pytest" in story.file(".gitlab-ci.yml", story.drafted().source_branch)
