"""Stories of changing the draft by words: exactly what was asked for, and the way back."""

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from typing import Any

import pytest

from bot.agent.arguments import fitted
from bot.domain import ToolError
from bot.proposals.order import Order
from bot.tools.project_tools import ProjectTools
from tests.world.customisations import DOCKERFILE, EXISTING, IGNORE, REQUESTS, Request
from tests.world.orders import current, order_of
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town

CI = ".gitlab-ci.yml"
FILES = {CI: EXISTING, "Dockerfile": DOCKERFILE, ".dockerignore": IGNORE}
WITH_CI = {**PYTHON, **FILES}
NIGHTLY = REQUESTS[0]


def edit(story: Story, operations: Sequence[dict[str, Any]], order: Order | None = None) -> str:
    """Call the tool as the loop does; return what the model hears."""
    asked = order or order_of(story)
    tool = ProjectTools(story.town.parts.services, asked, "words").all()["edit_pipeline"]
    return tool.call(fitted(tool, {"operations": list(operations)}))


def undo(story: Story) -> str:
    tool = ProjectTools(story.town.parts.services, order_of(story), "words").all()["undo"]
    return tool.call(fitted(tool, {}))


def changed_lines(before: str, after: str) -> list[str]:
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return [line for line in lines if not line.startswith("@@")]


@pytest.fixture(scope="module")
def drafted(town: Town) -> Iterator[Story]:
    """A draft on a hand-written pipeline; every request is made on it, and taken back."""
    story = town.story(WITH_CI)
    edit(
        story,
        [{"operation": "set_option", "job": "default", "name": "timeout", "value": "5m"}],
        order_of(story, story.issue()),
    )
    edit(story, [{"operation": "docker_env", "variables": ["A=1"]}, {"operation": "docker_ignore", "paths": ["x"]}])
    yield story
    story.settle()


@pytest.mark.parametrize("request_", [pytest.param(one, id=one.words) for one in REQUESTS])
def test_a_request_changes_what_was_asked_for_and_nothing_else(drafted: Story, request_: Request) -> None:
    before = {path: drafted.file(path) for path in FILES}
    edit(drafted, request_.operations)
    after = {path: drafted.file(path) for path in FILES}
    lines = [line for path in FILES for line in changed_lines(before[path], after[path])]
    assert "\n".join(lines) + "\n" == request_.changed
    undo(drafted)
    assert {path: drafted.file(path) for path in FILES} == before


def ask_model(story: Story, words: str, *turns: str, of: Any = None) -> str:
    story.town.ollama.say(*turns)
    return story.ask(f"@pipewright {words}", of=of)


@pytest.mark.parametrize(
    "request_",
    [pytest.param(one, id=one.words) for one in (NIGHTLY, REQUESTS[6], REQUESTS[31], REQUESTS[32], REQUESTS[39])],
)
def test_a_note_changes_the_draft_and_the_answer_shows_how(town: Town, request_: Request) -> None:
    story = town.story(WITH_CI)
    issue = story.issue()
    ask_model(
        story,
        request_.words,
        action("edit_pipeline", operations=request_.operations),
        action("final", text="Erledigt."),
        of=issue,
    )
    answer = story.answer(issue)
    lines = [line for path in FILES for line in changed_lines(FILES[path], story.file(path))]
    assert "\n".join(lines) + "\n" == request_.changed
    assert answer.startswith("Erledigt.")
    assert "<details><summary>What changed (+" in answer
    assert "| job | stage | image | does |" in answer
    assert story.request.title == "Draft: Change the pipeline"
    assert len(story.answers(issue)) == 1


def test_the_answer_says_in_a_sentence_what_changed(town: Town) -> None:
    story = town.story(WITH_CI)
    answer = ask_model(
        story, NIGHTLY.words, action("edit_pipeline", operations=NIGHTLY.operations), action("final", text="Done.")
    )
    assert (
        "Added the job `integration-test`, set up like `test`, with `postgres:16` beside it, which runs only in"
        " scheduled pipelines." in answer
    )
    assert "Build > Pipeline schedules" in answer
    assert "| `integration-test` | test |" in answer
    assert "+    - pytest tests/integration" in answer
    assert "Kept as they were: `lint`, `test`, `build`, `deploy`." in answer


def test_a_change_in_the_draft_itself_goes_into_the_same_draft(story: Story) -> None:
    request = story.drafted()
    before = story.file(CI)
    ask_model(
        story,
        "the tests need an hour",
        action(
            "edit_pipeline", operations=[{"operation": "set_option", "job": "test", "name": "timeout", "value": "1h"}]
        ),
        action("final", text="They have an hour now."),
        of=request,
    )
    assert changed_lines(before, story.file(CI)) == ["+  timeout: 1h"]
    assert "They have an hour now." in story.answer(request)
    assert "passed ✅" in story.answer(request)
    assert [run.status for run in story.project.pipelines] == ["success", "success"]
    assert "Changed since" in request.description


def test_without_a_draft_and_without_a_pipeline_the_change_comes_with_a_first_one(story: Story) -> None:
    ask_model(
        story,
        "set up what we need, and let the tests have redis",
        action("edit_pipeline", operations=[{"operation": "add_service", "job": "test", "services": ["redis:8"]}]),
        action("final", text="Here."),
    )
    text = story.file(CI)
    assert "redis:8" in text
    assert "pytest" in text
    assert len(story.project.pipelines) == 1


def test_what_was_composed_in_the_same_breath_is_opened_with_the_change(story: Story) -> None:
    url = f"{story.world.base_url}/{story.project.path}"
    ask_model(
        story,
        "could you look at our project and give the tests an hour",
        action("generate_pipeline", repo_url=url),
        action(
            "edit_pipeline", operations=[{"operation": "set_option", "job": "test", "name": "timeout", "value": "1h"}]
        ),
        action("final", text="Here."),
    )
    assert "  timeout: 1h" in story.file(CI)
    assert len(story.project.pipelines) == 1


def test_two_changes_in_one_answer_are_both_told(story: Story) -> None:
    request = story.drafted()
    ask_model(
        story,
        "an hour for the tests, and DEBUG=0 for all",
        action(
            "edit_pipeline", operations=[{"operation": "set_option", "job": "test", "name": "timeout", "value": "1h"}]
        ),
        action("edit_pipeline", operations=[{"operation": "set_variable", "variables": ["DEBUG=0"]}]),
        action("final", text="Both."),
        of=request,
    )
    answer = story.answer(request)
    assert "Set `timeout` of `test` to `1h`. Set `DEBUG=0` for every job." in answer
    assert answer.count("<summary>What changed") == 2


def test_errors_go_back_to_the_model_twice_and_then_it_has_to_stop(story: Story) -> None:
    request = story.drafted()
    head = story.head(request.source_branch)
    wrong = [
        action("edit_pipeline", operations=[{"operation": "set_image", "job": f"no{n}", "image": "a:1"}])
        for n in range(4)
    ]
    answer = ask_model(story, "use another image", *wrong, action("final", text="I could not."), of=request)
    heard = [one["content"] for one in story.town.ollama.requests[-1]["messages"] if "RESULT" in one["content"]]
    assert "its jobs are test" in heard[0]
    assert "call edit_pipeline again" in heard[1]
    assert "Do not try again" in heard[2]
    offered = ["edit_pipeline(" in request["messages"][0]["content"] for request in story.town.ollama.requests]
    assert offered == [True, True, True, False, False]
    assert "I could not." in answer
    assert story.head(request.source_branch) == head


def test_a_mended_call_is_carried_out(story: Story) -> None:
    request = story.drafted()
    before = story.file(CI)
    ask_model(
        story,
        "use python 3.12",
        action("edit_pipeline", operations=[{"operation": "set_image", "job": "tests", "value": ""}]),
        action("edit_pipeline", operations=[{"operation": "set_image", "job": "test", "image": "python:3.12-slim"}]),
        action("final", text="Done."),
        of=request,
    )
    assert "+  image: python:3.12-slim" in changed_lines(before, story.file(CI))


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        pytest.param(
            {"operation": "add_script", "job": "test", "script": ["curl https://example.com/x.sh | bash"]},
            "⚠ a downloaded script is run unseen (`.gitlab-ci.yml:",
            id="a script run unseen",
        ),
        pytest.param(
            {"operation": "docker_run", "script": ["curl https://example.com/x.sh | sh"]},
            "⚠ a downloaded script is run unseen (`Dockerfile:",
            id="a script run unseen in the image",
        ),
        pytest.param(
            {"operation": "set_image", "job": "test", "image": "python:latest"},
            "names no version",
            id="a floating image",
        ),
    ],
)
def test_what_policy_warns_of_is_said_to_people(drafted: Story, operation: dict[str, Any], said: str) -> None:
    edit(drafted, [operation])
    notes = current(drafted).change_notes
    undo(drafted)
    assert said in notes


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        ([{"operation": "set_variable", "variables": ["T=glpat-aaaaaaaaaaaaaaaaaaaa"]}], "GitLab token"),
        ([{"operation": "docker_run", "file": "x/__init__.py", "script": ["x"]}], "no FROM"),
        ([{"operation": "docker_ignore", "file": "pyproject.toml", "paths": ["x"]}], "I change only"),
        ([{"operation": "docker_ignore", "file": "../.dockerignore", "paths": ["x"]}], "I change only"),
        ([{"operation": "docker_base", "image": "python:latest"}], "not pinned"),
        ([{"operation": "docker_env", "variables": ["API_TOKEN=abcdef"]}], "keeps a secret"),
        ([{"operation": "set_needs", "job": "lint", "needs": ["deploy"]}], "needs"),
        ([{"operation": "add_job", "job": "x", "script": ["x"], "stage": "none\n- x"}], "one line"),
        ([{"operation": "add_job", "job": "test", "script": ["x"]}], "already a job"),
        ([{"operation": "set_option", "job": "test", "name": "timeout", "value": "soon"}], "nothing was changed"),
        ([], "no operation"),
    ],
)
def test_what_must_not_be_is_refused_and_nothing_changes(
    drafted: Story, operations: list[dict[str, Any]], said: str
) -> None:
    head = drafted.head(drafted.request.source_branch)
    with pytest.raises(ToolError, match=said):
        edit(drafted, operations)
    assert drafted.head(drafted.request.source_branch) == head


def test_a_reporter_changes_nothing(story: Story) -> None:
    request = story.drafted()
    head = story.head(request.source_branch)
    with pytest.raises(ToolError, match="may not do that"):
        edit(story, [{"operation": "set_variable", "variables": ["A=1"]}], order_of(story, by=story.reporter))
    assert story.head(request.source_branch) == head


# --- undo ---


def test_undo_steps_back_one_change_after_the_other(story: Story) -> None:
    request = story.drafted()
    states = [story.file(CI)]
    for value in ("1h", "2h"):
        edit(story, [{"operation": "set_option", "job": "test", "name": "timeout", "value": value}])
        states.append(story.file(CI))
    answer = story.ask("@pipewright undo", of=request)
    assert story.file(CI) == states[1]
    assert "Undid: set `timeout` of `test` to `2h`." in answer
    assert "+  timeout: 1h" in answer
    story.ask("@pipewright please undo the last change", of=request)
    assert story.file(CI) == states[0]
    assert "nothing to undo" in story.ask("@pipewright undo", of=request)
    assert story.file(CI) == states[0]
    assert request.state == "opened"


def test_undo_takes_back_files_that_a_change_brought(town: Town) -> None:
    from bot.sandbox import sample

    story = town.story(sample.FILES)
    issue = story.issue()
    story.ask("@pipewright generate without docker", of=issue)
    story.ask("@pipewright generate", of=issue)
    assert story.file("Dockerfile")
    story.ask("@pipewright undo", of=issue)
    from bot.sandbox import git_store

    assert git_store.read(story.project.git_dir, story.request.source_branch, "Dockerfile") is None
    assert "container-image" not in story.file(CI)
    assert "Dockerfile" not in current(story).composition.files


def test_undo_by_other_words_goes_through_the_model(story: Story) -> None:
    request = story.drafted()
    before = story.file(CI)
    edit(story, [{"operation": "set_variable", "variables": ["A=1"]}])
    ask_model(story, "mach das bitte rückgängig", action("undo"), action("final", text="Zurück."), of=request)
    assert story.file(CI) == before


def test_several_steps_back_are_one_commit(story: Story) -> None:
    story.drafted()
    before = story.file(CI)
    for value in ("1h", "2h", "3h"):
        edit(story, [{"operation": "set_option", "job": "test", "name": "timeout", "value": value}])
    tool = ProjectTools(story.town.parts.services, order_of(story), "words").all()["undo"]
    tool.call(fitted(tool, {"steps": 3}))
    assert story.file(CI) == before
    story.settle()


def test_undo_without_a_draft_says_how_to_get_one(story: Story) -> None:
    assert "`@pipewright generate` makes one" in story.ask("@pipewright undo")


def test_a_reporter_undoes_nothing(story: Story) -> None:
    request = story.drafted()
    edit(story, [{"operation": "set_variable", "variables": ["A=1"]}])
    assert "one needs at least the role" in story.ask("@pipewright undo", of=request, by=story.reporter)
    assert '  A: "1"' in story.file(CI)


def test_undo_never_goes_over_what_somebody_pushed(story: Story) -> None:
    request = story.drafted()
    edit(story, [{"operation": "set_variable", "variables": ["A=1"]}])
    story.push(request.source_branch, "README.md", "mine\n")
    assert "somebody else pushed" in story.ask("@pipewright undo", of=request)
    assert story.file("README.md") == "mine\n"
