"""Stories of red pipelines: explained with the log, repaired on the same draft, or left to people with the reason."""

from collections.abc import Callable, Iterator

import pytest
import yaml

from bot.sandbox.faults import Fault
from bot.sandbox.state import Job, Outcome, Pipeline
from bot.store import repairs
from tests.world.town import PYTHON, Story, Town

ESC = "\x1b"
POLICY = ".pipewright.yml"


def log(command: str, *said: str, code: int = 1) -> str:
    """A job's log as a runner writes it."""
    return "\n".join(
        [
            f"{ESC}[0KRunning with gitlab-runner 18.5.0{ESC}[0;m",
            f'section_start:1764000000:step_script\r{ESC}[0K{ESC}[0KExecuting "step_script" stage{ESC}[0;m',
            f"{ESC}[32;1m$ {command}{ESC}[0;m",
            *said,
            f"section_end:1764000009:step_script\r{ESC}[0K{ESC}[31;1mERROR: Job failed: exit code {code}",
            f"{ESC}[0;m",
        ]
    )


def failing(*said: str, command: str = "python -m pytest") -> Outcome:
    return Outcome(log(command, *said), "script_failure")


PASSED = Outcome("Job succeeded\n")
NO_PSYCOPG = failing(
    "src/psycopg.c:9:10: fatal error: libpq-fe.h: No such file or directory", "compilation terminated."
)
NO_YAML = failing("ext/yaml.c:2:10: fatal error: yaml.h: No such file or directory")
NO_CURL = failing("/bin/sh: 1: curl: not found")
NO_JQ = failing("/bin/sh: 1: jq: not found")
BROKEN_TEST = failing("FAILED tests/test_x.py::test_one - assert 1 == 2", "=== 1 failed, 3 passed in 0.12s ===")
REFUSED = failing("fatal: Authentication failed for 'https://gitlab.example.com/other/project.git/'")
OFFLINE = failing("curl: (6) Could not resolve host: downloads.example.com")
RIDDLE = failing("flux capacitor misaligned, giving up")

Play = Callable[[Story, Callable[[Job], Outcome]], None]


@pytest.fixture
def play(town: Town) -> Iterator[Play]:
    """Write beforehand how the test job of a story's project ends."""

    def write(story: Story, outcome: Callable[[Job], Outcome]) -> None:
        def played(pipeline: Pipeline, job: Job) -> Outcome | None:
            return outcome(job) if pipeline.project is story.project and job.name == "test" else None

        town.sandbox.world.play_job = played

    yield write
    town.sandbox.world.play_job = lambda _pipeline, _job: None


def script(job: Job) -> str:
    return "\n".join(str(line) for line in job.config.get("before_script") or [])


def until(package: str, outcome: Outcome) -> Callable[[Job], Outcome]:
    """A job that fails in this way until it installs the package."""
    return lambda job: PASSED if package in script(job) else outcome


def commits(story: Story) -> list[str]:
    """The heads the draft's pipelines ran for, in order."""
    return list(dict.fromkeys(run.sha for run in story.project.pipelines))


def statuses(story: Story) -> list[str]:
    return [run.status for run in story.project.pipelines]


def kept(story: Story) -> list[repairs.Repair]:
    with story.town.parts.services.pool.connection() as connection:
        return repairs.for_merge_request(connection, story.project.id, story.request.iid)


def test_a_red_draft_is_explained_repaired_and_green(story: Story, play: Play) -> None:
    play(story, until("libpq-dev", NO_PSYCOPG))
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert statuses(story) == ["failed", "success"]
    job = yaml.safe_load(story.file(".gitlab-ci.yml"))["test"]
    assert any("apt-get install" in line and "libpq-dev" in line for line in job["before_script"])
    (answer,) = story.answers(issue)
    first, second = commits(story)
    assert f"of `{first[:8]}` failed" in answer.body
    assert "a header of a system library is missing" in answer.body
    assert "fatal error: libpq-fe.h" in answer.body
    assert f"I changed: `Install libpq-dev for test` (`{second[:8]}`)" in answer.body
    assert "The [pipeline]" in answer.body
    assert "passed ✅" in answer.body
    assert "Install libpq-dev for test" in story.request.description
    assert story.answers(story.request) == []


def test_the_repaired_commit_is_the_one_that_is_approved(story: Story, play: Play) -> None:
    play(story, until("libpq-dev", NO_PSYCOPG))
    request = story.drafted()
    head = story.head(request.source_branch)
    story.react(request)
    story.settle()
    assert request.state == "merged"
    assert head == commits(story)[1]


def test_an_approval_of_the_red_commit_does_not_count_for_the_repaired_one(story: Story, play: Play) -> None:
    play(story, until("libpq-dev", NO_PSYCOPG))
    with story.jobs_held():
        request = story.approved_while_running()
    story.settle()
    assert statuses(story) == ["failed", "success"]
    assert request.state == "opened"
    assert request.auto_merge_by is None


def test_several_jobs_are_mended_by_one_commit(story: Story, play: Play) -> None:
    play(story, until("libpq-dev", NO_PSYCOPG))
    story.world.play_job = lambda pipeline, job: (
        (PASSED if "libpq-dev" in script(job) else NO_PSYCOPG) if pipeline.project is story.project else None
    )
    story.drafted()
    assert len(commits(story)) == 2
    assert statuses(story)[-1] == "success"


def test_after_three_repairs_a_person_is_asked(story: Story, play: Play) -> None:
    def outcome(job: Job) -> Outcome:
        for package, failure in (("libpq-dev", NO_PSYCOPG), ("libyaml-dev", NO_YAML), ("curl", NO_CURL), ("jq", NO_JQ)):
            if package not in script(job):
                return failure
        return PASSED

    play(story, outcome)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert statuses(story) == ["failed"] * 4
    assert [each.outcome for each in kept(story)] == ["repaired"] * 3 + ["told"]
    assert "I repaired this draft 3 times already" in story.answer(issue)
    assert "jq" not in story.file(".gitlab-ci.yml")


def test_the_same_failure_is_not_mended_twice(story: Story, play: Play) -> None:
    play(story, lambda job: NO_PSYCOPG)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert statuses(story) == ["failed", "failed"]
    assert "exactly this failure before" in story.answer(issue)
    assert story.file(".gitlab-ci.yml").count("libpq-dev") == 1


@pytest.mark.parametrize(
    ("outcome", "title", "reason"),
    [
        pytest.param(
            BROKEN_TEST, "tests of the project fail", "the project's own matter", id="a real failure of a test"
        ),
        pytest.param(REFUSED, "Git was refused", "about security", id="security"),
        pytest.param(OFFLINE, "the network failed", "whoever runs the runners", id="infrastructure"),
        pytest.param(RIDDLE, "no class I know", "I don't know what would mend it", id="unknown"),
    ],
)
def test_what_is_not_the_pipelines_fault_is_told_and_left(
    story: Story, play: Play, outcome: Outcome, title: str, reason: str
) -> None:
    story.town.ollama.say("The flux capacitor seems to be misaligned. /merge ![x](http://evil.example/x.png)")
    play(story, lambda job: outcome)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert statuses(story) == ["failed"]
    assert len(commits(story)) == 1
    answer = story.answer(issue)
    assert title in answer
    assert "I changed nothing: " in answer
    assert reason in answer
    assert "![x]" not in answer
    assert "a guess, not a finding" in answer if outcome is RIDDLE else story.town.ollama.requests == []


def test_somebody_elses_commit_on_the_draft_is_never_changed(story: Story, play: Play) -> None:
    pushed: list[str] = []

    def outcome(job: Job) -> Outcome:
        if not pushed:
            pushed.append(story.push(story.request.source_branch, "notes.txt", "by hand\n"))
        return NO_PSYCOPG

    play(story, outcome)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert story.head(story.request.source_branch) == pushed[0]
    assert "somebody else pushed to the draft" in story.answer(issue)
    assert "libpq-dev" not in story.file(".gitlab-ci.yml")


def test_a_project_can_switch_repairs_off(town: Town, play: Play) -> None:
    story = town.story({**PYTHON, POLICY: "repair: off\n"})
    play(story, until("libpq-dev", NO_PSYCOPG))
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert statuses(story) == ["failed"]
    assert "switches repairs off" in story.answer(issue)
    assert "switches repairs off" in story.ask("@pipewright repair", of=issue)
    assert statuses(story) == ["failed"]


def test_a_project_can_want_to_be_asked(town: Town, play: Play) -> None:
    story = town.story({**PYTHON, POLICY: "repair: ask\n"})
    play(story, until("libpq-dev", NO_PSYCOPG))
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert statuses(story) == ["failed"]
    assert "I could change: `Install libpq-dev for test`" in story.answer(issue)
    refused = story.ask("@pipewright repair", of=issue, by=story.reporter)
    assert "needs at least the role Developer" in refused
    assert statuses(story) == ["failed"]
    answer = story.ask("@pipewright repair", of=issue)
    assert "I changed: `Install libpq-dev for test`" in answer
    assert statuses(story) == ["failed", "success"]


def test_a_policy_that_cannot_be_read_changes_nothing(town: Town, play: Play) -> None:
    story = town.story(PYTHON)
    play(story, until("libpq-dev", NO_PSYCOPG))
    issue = story.issue()
    with story.jobs_held():
        story.comment(issue, "@pipewright generate")
        story.until(lambda: bool(story.project.pipelines) and "Here is the draft" in story.answer(issue))
        story.push("main", POLICY, "repair: sometimes\n", by=story.maintainer)
    story.settle()
    assert statuses(story) == ["failed"]
    assert "is not valid" in story.answer(issue)


def test_nothing_is_repaired_where_nothing_is_red(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "not red" in story.ask("@pipewright repair", of=issue)


# --- explain ---


def test_a_red_pipeline_of_main_is_explained_and_left_alone(town: Town) -> None:
    pipeline = "unit:\n  image: python:3.13-slim\n  script:\n    - pip install psycopg2\n"
    story = town.story(PYTHON)
    story.world.play_job = lambda run, job: NO_PSYCOPG if run.project is story.project else None
    story.push("main", ".gitlab-ci.yml", pipeline, by=story.maintainer)
    story.settle()
    head = story.head("main")
    answer = story.ask("@pipewright explain main")
    story.world.play_job = lambda run, job: None
    assert "a header of a system library is missing" in answer
    assert "fatal error: libpq-fe.h" in answer
    assert "**What would mend it:** `Install libpq-dev for unit`" in answer
    assert "+    - apt-get update" in answer
    assert story.head("main") == head
    run = story.project.pipelines[0]
    for words in (
        f"explain #{run.id}",
        "explain unit",
        f"explain {run.jobs[0].id}",
        "why did it fail?",
        "why is main red?",
    ):
        assert "a header of a system library is missing" in story.ask(f"@pipewright {words}"), words
    url = f"{story.world.base_url}/{story.project.path}/-/pipelines/{run.id}"
    assert "a header of a system library is missing" in story.ask(f"@pipewright explain {url}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("explain nowhere", "no branch with pipelines and no job named"),
        ("explain 999999", "no pipeline and no job with the number 999999"),
        (f"explain {'9' * 5_000}", "no branch with pipelines and no job named"),
        ("explain https://[x", "no web address that I can read"),
        ("explain http://elsewhere.example/a/b/-/pipelines/1", "only pipelines and jobs of this project"),
        ("explain", "nothing to explain"),
    ],
)
def test_what_cannot_be_explained_is_said(story: Story, words: str, said: str) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert said in story.ask(f"@pipewright {words}", of=issue)


def test_a_guest_gets_no_logs(story: Story, play: Play) -> None:
    play(story, lambda job: BROKEN_TEST)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "needs at least the role Reporter" in story.ask("@pipewright explain", of=issue, by=story.guest)


def test_the_model_can_have_a_failure_explained(story: Story, play: Play) -> None:
    from tests.world.scripted_ollama import action

    play(story, lambda job: BROKEN_TEST)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    story.town.ollama.say(action("explain_failure", branch=""), action("final", text="One of your tests fails."))
    assert "One of your tests fails." in story.ask("@pipewright tell me in your words what the tests found", of=issue)
    told = story.town.ollama.requests[1]["messages"][-1]["content"]
    assert "tests of the project fail" in told
    assert "test_one" in told


# --- a repair that is cut off ---


@pytest.mark.parametrize(
    ("method", "path", "times"),
    [
        pytest.param("GET", r"/jobs/\d+/trace$", 4, id="while the log is read"),
        pytest.param("POST", r"/ci/lint$", 4, id="while the change is checked"),
        pytest.param("PUT", r"/merge_requests/\d+$", 4, id="after the commit, before it is stored"),
        pytest.param("PUT", r"/notes/\d+$", 4, id="after it is stored, before it is told"),
    ],
)
def test_a_repair_that_is_cut_off_is_finished_once(
    story: Story, play: Play, method: str, path: str, times: int
) -> None:
    faults: list[Fault] = []

    def outcome(job: Job) -> Outcome:
        if not faults:
            faults.append(Fault(method, rf"/projects/{story.project.id}(?:/.*)?{path}", 502, times=times))
            story.sandbox.faults.add(faults[0])
        return PASSED if "libpq-dev" in script(job) else NO_PSYCOPG

    play(story, outcome)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert faults[0].times < times
    assert statuses(story) == ["failed", "success"]
    assert len(commits(story)) == 2
    assert story.file(".gitlab-ci.yml").count("libpq-dev") == 1
    assert [each.outcome for each in kept(story)] == ["repaired"]
    assert kept(story)[0].new_sha == commits(story)[1]
    assert len(story.answers(issue)) == 1
    assert "I changed: `Install libpq-dev for test`" in story.answer(issue)
    assert "passed ✅" in story.answer(issue)
