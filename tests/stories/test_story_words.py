"""Stories of how people write their orders: in code, with quotes, as a question, with the name at the end."""

import pytest

from bot.sandbox import git_store, sample
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town


def test_a_commit_named_in_code_is_the_only_one_that_is_merged(story: Story) -> None:
    request = story.drafted()
    assert "I can't do that" in story.ask(f"@pipewright approve `{'a' * 40}`", of=request, by=story.maintainer)
    assert request.state == "opened"
    story.ask(f"@pipewright approve `{story.head(request.source_branch)[:10]}`", of=request, by=story.maintainer)
    assert request.state == "merged"


def test_a_branch_and_a_job_may_be_named_in_code(town: Town) -> None:
    story = town.story(PYTHON)
    story.push("main", ".gitlab-ci.yml", "unit tests:\n  script: [make]\n", by=story.maintainer)
    story.settle()
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "on `main`" in story.ask("@pipewright status `main`", of=issue)
    assert "no job named `nothing of it`" in story.ask("@pipewright explain `nothing of it`", of=issue)


def test_a_wish_may_be_written_in_code(town: Town) -> None:
    story = town.story(sample.FILES)
    request = story.drafted("@pipewright generate without `docker`")
    assert git_store.read(story.project.git_dir, request.source_branch, "Dockerfile") is None


def test_what_a_description_from_a_browser_quotes_is_no_order(story: Story) -> None:
    issue = story.issue("CI", "They said:\r\n>>>\r\n@pipewright generate\r\n>>>\r\nWhat do you think?")
    story.settle()
    assert (story.answers(issue), story.project.merge_requests) == ([], [])


def test_a_question_whether_to_approve_merges_nothing(story: Story) -> None:
    request = story.drafted()
    answer = story.ask("Is it time to @pipewright\n\napprove?", of=request, by=story.maintainer)
    assert "Did you mean `@pipewright approve`?" in answer
    assert request.state == "opened"
    assert "Did you mean `@pipewright approve`?" in story.ask("@pipewright approve？", of=request, by=story.maintainer)
    story.ask("@pipewright could you approve, please?", of=request, by=story.maintainer)
    assert request.state == "merged"


def test_what_gitlab_shows_as_front_matter_merges_nothing(story: Story) -> None:
    request = story.drafted()
    answers = len(story.answers(request))
    story.ask("---\nlast: @pipewright approve\n---\n\nHow do I approve?", of=request, by=story.maintainer)
    assert (request.state, len(story.answers(request))) == ("opened", answers)


@pytest.mark.parametrize("words", ["Could you set up CI, @pipewright?", "Please generate, @pipewright!"])
def test_an_order_may_end_with_the_name_and_a_sign(story: Story, words: str) -> None:
    assert "Here is the draft" in story.ask(words)


@pytest.mark.parametrize("words", ["status 🙏", "status :pray:", "status please 🙏"])
def test_a_sign_behind_an_order_is_no_name(story: Story, words: str) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "is **proposed** at" in story.ask(f"@pipewright {words}", of=issue)


@pytest.mark.parametrize(
    "name",
    [
        '"unit tests"',
        "“unit tests”",
        "„unit tests“",
        "« unit tests »",
        "»unit tests«",
        "「unit tests」",
        "`unit tests`",
    ],
)
def test_a_name_may_stand_in_any_quotes(town: Town, name: str) -> None:
    story = town.story(PYTHON)
    story.push("main", ".gitlab-ci.yml", "unit tests:\n  script: [make]\n", by=story.maintainer)
    story.settle()
    assert "on `main` passed ✅" in story.ask(f"@pipewright explain {name}")
    assert "on `main` passed ✅" in story.ask(f"@pipewright status {name.replace('unit tests', 'main')}")


def test_a_status_of_the_merge_request_is_of_no_branch(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "is **proposed** at" in story.ask("@pipewright status of the merge request", of=issue)
    assert "there is no branch `nowhere` in this project" in story.ask("@pipewright status nowhere", of=issue)


@pytest.mark.parametrize("words", ["reject the draft", "close this merge request, please", "reject it now, thank you!"])
def test_what_is_to_be_closed_may_be_named(story: Story, words: str) -> None:
    request = story.drafted()
    assert "Closed, as" in story.ask(f"@pipewright {words}", of=request)
    assert request.state == "closed"


@pytest.mark.parametrize("words", ["请@pipewright status", "@pipewright请说明测试"])
def test_a_name_may_touch_words_of_a_language_without_blanks(story: Story, words: str) -> None:
    story.town.ollama.say(action("final", text="测试通过。"))
    assert story.ask(words) != ""


@pytest.mark.parametrize(
    "words", ["@pipewright — status", "@pipewright：status", "\u2067@pipewright\u2069، status\u200f"]
)
def test_signs_of_any_script_part_the_order_from_the_name(story: Story, words: str) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "is **proposed** at" in story.ask(words, of=issue)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("status main, please", "on `main` failed"),
        ("status for main", "on `main` failed"),
        ("explain lint please", "`lint`: "),
        ("explain again", "`lint`: "),
        ("explain why it failed", "`lint`: "),
        ("what failed?", "`lint`: "),
    ],
)
def test_polite_words_around_an_order_change_nothing_of_it(town: Town, words: str, told: str) -> None:
    story = town.story(PYTHON)
    story.push("main", ".gitlab-ci.yml", "lint:\n  script: [make lint]\n", by=story.maintainer)
    story.settle()
    with story.world.lock:
        story.project.pipelines[0].status = story.project.pipelines[0].jobs[0].status = "failed"
    assert told in story.ask(f"@pipewright {words}")


@pytest.mark.parametrize("words", ["give me the pipeline status", "add a pipeline badge to the README"])
def test_something_about_a_pipeline_is_no_wish_for_one(story: Story, words: str) -> None:
    story.town.ollama.say(action("final", text="There is none yet."))
    assert "There is none yet." in story.ask(f"@pipewright {words}")
    assert story.project.merge_requests == []
