"""Stories over POST /api/v1/chat: a person with a token talks, and gets what that person may get, and no more."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.sandbox import seed
from bot.sandbox.state import User
from bot.store import orders
from tests.world.scripted_ollama import C, E, F, Stream, action
from tests.world.town import Story

NOWHERE = "00000000-0000-0000-0000-000000000000"


class Phone:
    """Calls the API as one person."""

    def __init__(self, story: Story, person: User, *scopes: str) -> None:
        with story.world.lock:
            token = seed.add_token(story.world, person, *scopes).value
        self.project = story.project.path
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=story.town.address, headers=headers, timeout=60, trust_env=False)

    def say(self, message: str, **more: Any) -> httpx.Response:
        place = {} if "session_id" in more or "project" in more else {"project": self.project}
        return self.client.post("/api/v1/chat", json={"message": message, **place, **more})

    def hear(self, message: str, **more: Any) -> Iterator[tuple[str, Any]]:
        """Yield the events of a streamed answer; leaving hangs up."""
        body = {"message": message, "project": self.project, **more}
        with self.client.stream("POST", "/api/v1/chat", json=body, headers={"Accept": "text/event-stream"}) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))


def problem(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    told = response.json()
    assert (told["status"], bool(told["title"])) == (status, True)
    return str(told["detail"])


def test_a_person_talks_and_goes_on_with_the_conversation(story: Story) -> None:
    phone = Phone(story, story.developer)
    story.town.ollama.say(action("list_files", folder=""), action("final", text="Three files."))
    first = phone.say("which files are there?").json()
    assert (first["answer"], first["status"], first["result"]) == ("Three files.", "done", "answered")
    assert first["steps"] == ["I'm looking through the files."]
    story.town.ollama.say(action("final", text="I said so before."))
    second = phone.say("and which of them are tests?", session_id=first["session_id"]).json()
    assert second["session_id"] == first["session_id"]
    assert "Three files." in str(story.town.ollama.requests[0]["messages"]), "it remembers"
    assert story.project.issues == []
    assert story.project.merge_requests == []


def test_steps_and_words_come_as_they_are_made(story: Story) -> None:
    written = action("final", text="There are three files in this project, and one of them is a test.")
    pieces: list[Any] = [piece for at in range(0, len(written), 6) for piece in (C(written[at : at + 6]), 0.02)]
    story.town.ollama.say(action("list_files", folder=""), Stream([*pieces, F()]))
    heard = list(Phone(story, story.developer).hear("which files are there?"))
    names = [name for name, _ in heard]
    assert (names[0], names[1], names[-1]) == ("session", "step", "answer")
    texts = [content["text"] for name, content in heard if name == "text"]
    assert len(texts) > 1
    assert heard[-1][1]["answer"].startswith("".join(texts))
    assert heard[-1][1]["session_id"] == heard[0][1]["session_id"]


def test_a_draft_is_opened_with_the_rights_of_the_person(story: Story) -> None:
    story.town.ollama.say(action("generate_pipeline"), action("commit_pipeline"), action("final", text="It is open."))
    answer = Phone(story, story.developer).say("please do what this project needs").json()
    assert answer["answer"].startswith("It is open.")
    assert answer["merge_request"].endswith("/-/merge_requests/1")
    assert story.request.title.startswith("Draft: ")
    assert story.request.state == "opened"


def test_commands_need_no_model(story: Story) -> None:
    phone = Phone(story, story.developer)
    story.town.ollama.is_down = True
    try:
        answer = phone.say("generate").json()
        assert "Here is the draft" in answer["answer"]
        assert "pipeline" in phone.say("status", session_id=answer["session_id"]).json()["answer"]
        assert "I write CI pipelines" in phone.say("help").json()["answer"]
        refused = phone.say("approve", session_id=answer["session_id"]).json()
        assert (refused["status"], "allowed to merge" in refused["answer"]) == ("refused", True)
        assert "not reachable" in problem(phone.say("tell me about it"), 503)
    finally:
        story.town.ollama.is_down = False
    assert story.request.state == "opened"


def test_what_is_said_in_a_comment_can_be_said_in_a_talk(story: Story) -> None:
    max_ = Phone(story, story.maintainer)
    id_ = max_.say("generate").json()["session_id"]
    story.settle()
    for words, told in (
        ("status, please", "is **proposed** at"),
        ("status of main", "on `main`"),
        ("explain", "passed"),
        ("retry", "pipeline"),
        ("cancel", "pipeline"),
        ("undo", "nothing to undo"),
        ("repair", "not red"),
    ):
        assert told in max_.say(words, session_id=id_).json()["answer"], words
        story.settle()
    assert "Closed, as" in max_.say("reject", session_id=id_).json()["answer"]
    assert story.request.state == "closed"


def test_an_approval_in_a_talk_merges_for_whoever_may(story: Story) -> None:
    max_ = Phone(story, story.maintainer)
    id_ = max_.say("generate").json()["session_id"]
    story.settle()
    with story.world.lock:
        reading = Phone(story, story.maintainer, "read_api")
    refused = reading.say("approve", session_id=id_).json()
    assert (refused["status"], "only reads" in refused["answer"]) == ("refused", True)
    assert "Merged" in max_.say("approve", session_id=id_).json()["answer"]
    assert story.request.state == "merged"


@pytest.mark.parametrize("who", ["reporter", "read_api"])
def test_nobody_changes_more_than_they_may(story: Story, who: str) -> None:
    phone = Phone(story, story.reporter) if who == "reporter" else Phone(story, story.developer, "read_api")
    story.town.ollama.say(action("generate_pipeline"), action("commit_pipeline"), action("final", text="I could not."))
    assert phone.say("please open a draft").json()["answer"].startswith("I could not.")
    assert phone.say("generate").json()["status"] == "refused"
    assert story.project.merge_requests == []


def test_whoever_may_not_see_a_project_is_told_nothing_of_it(story: Story) -> None:
    mine = Phone(story, story.developer).say("help").json()["session_id"]
    stranger = Phone(story, story.stranger)
    seen = [problem(stranger.say("hello", project=name), 404) for name in (story.project.path, "no/such")]
    assert seen[0] == seen[1]
    seen = [problem(stranger.say("hello", session_id=id_), 404) for id_ in (mine, NOWHERE)]
    assert seen[0] == seen[1]
    assert "role Reporter" in problem(Phone(story, story.guest).say("hello"), 403)


def test_a_conversation_of_an_issue_is_gone_on_with_by_whoever_sees_the_issue_alone(story: Story) -> None:
    secret = story.issue("Secret", is_confidential=True)
    story.ask("@pipewright help", of=secret)
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute("select id from conversations where project_id = %s", (story.project.id,)).fetchone()
    assert row is not None
    session = str(row[0])
    assert Phone(story, story.developer).say("help", session_id=session).status_code == 200
    with story.world.lock:
        other = seed.add_user(story.world, f"olga{story.project.id}")
        story.project.members[other.id] = 10
    problem(Phone(story, other).say("help", session_id=session), 404)
    problem(Phone(story, story.stranger).say("help", session_id=session), 404)


def test_one_persons_talk_is_not_anothers(story: Story) -> None:
    session = Phone(story, story.developer).say("help").json()["session_id"]
    problem(Phone(story, story.maintainer).say("help", session_id=session), 404)


@pytest.mark.parametrize("value", [None, "Basic abc", "Bearer", "Bearer glpat-nobody-has-this", "Bearer ü"])
def test_without_a_token_gitlab_knows_nothing_is_done(story: Story, value: str | None) -> None:
    headers = [(b"authorization", value.encode())] if value else []
    answer = httpx.post(
        f"{story.town.address}/api/v1/chat", json={"message": "hi", "project": "x/y"}, headers=headers, trust_env=False
    )
    assert "token" in problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


BAD = [
    ({}, "message"),
    ({"message": ""}, "message"),
    ({"message": "x" * 20_001}, "message"),
    ({"message": 7}, "message"),
    ({"message": "x", "session_id": "7"}, "session_id"),
    ({"message": "x", "on_disconnect": "explode"}, "on_disconnect"),
    ({"message": "x", "colour": "red"}, "colour"),
    ({"message": "x", "project": 7, "stream": 0}, "stream"),
    ({"message": "x", "project": 7, "stream": "false"}, "stream"),
    ({"message": "x"}, "project"),
]


@pytest.mark.parametrize(("body", "named"), BAD, ids=[json.dumps(body)[:40] for body, _ in BAD])
def test_what_is_wrong_with_a_request_is_named(story: Story, body: dict[str, Any], named: str) -> None:
    answer = Phone(story, story.developer).client.post("/api/v1/chat", json=body)
    assert named in problem(answer, 400)


def test_no_json_is_a_problem_too(story: Story) -> None:
    client = Phone(story, story.developer).client
    problem(client.post("/api/v1/chat", content=b"{", headers={"Content-Type": "application/json"}), 400)
    problem(client.get("/api/v1/nothing"), 404)


def _result(story: Story) -> str:
    sql = "select o.result from orders o join conversations c on c.id = o.conversation_id where c.project_id = %s"
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute(sql, (story.project.id,)).fetchone()
    return str(row[0]) if row else ""


def _endless() -> Stream:
    return Stream([piece for _ in range(400) for piece in (C("word "), 0.02)] + [F()])


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "as JSON"])
def test_hanging_up_stops_the_work(story: Story, streamed: bool) -> None:
    story.town.ollama.say(_endless())
    phone = Phone(story, story.developer)
    if streamed:
        for name, _ in phone.hear("hello there"):
            if name == "text":
                break
    else:
        with pytest.raises(httpx.ReadTimeout):
            phone.client.post(
                "/api/v1/chat",
                json={"message": "hello there", "project": phone.project},
                timeout=httpx.Timeout(30, read=1),
            )
    story.settle()
    assert _result(story) == "stopped"


def test_hanging_up_lets_the_work_be_finished_when_so_asked(story: Story) -> None:
    story.town.ollama.say(Stream([piece for _ in range(40) for piece in (C("word "), 0.02)] + [F()]))
    for name, _ in Phone(story, story.developer).hear("hello there", on_disconnect="finish"):
        if name == "text":
            break
    story.settle()
    assert _result(story) == "answered"
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute("select id from orders order by created_at desc limit 1").fetchone()
        assert row is not None
        assert orders.answer_of(connection, row[0]).startswith("word word")


@pytest.mark.parametrize(("odd", "kept"), [("\ud83d", "\ufffd"), ("\x00", "")], ids=["half a character", "NUL"])
def test_what_no_text_may_hold_breaks_no_talk(story: Story, odd: str, kept: str) -> None:
    """JSON may spell both; PostgreSQL takes neither, and the next request to the model no half."""
    job = {"operation": "add_job", "job": "hello", "script": [f"echo {odd}hello"]}
    story.town.ollama.say(
        action("search_templates", query=f"python {odd}"),
        action("edit_pipeline", operations=[job]),
        action("final", text=f"I added {odd} hello."),
    )
    answer = Phone(story, story.developer).say("please add a job that says hello").json()
    assert answer["answer"].startswith(f"I added {kept} hello.")
    assert f"echo {kept}hello" in story.file(".gitlab-ci.yml", ref=story.request.source_branch)


def test_a_model_that_fails_is_answered_honestly(story: Story) -> None:
    story.town.ollama.say(*[E(500, "llama-server process has terminated: exit status 1")] * 3)
    assert "cannot load the model" in problem(Phone(story, story.developer).say("what is this project?"), 503)


def test_a_secret_in_the_models_words_is_masked_in_every_event(story: Story) -> None:
    secret = "glpat-abcdefghij1234567890"
    written = action("final", text=f"The token is {secret} and that is all I know about it, really.")
    pieces: list[Any] = [piece for at in range(0, len(written), 4) for piece in (C(written[at : at + 4]), 0.02)]
    story.town.ollama.say(Stream([*pieces, F()]))
    heard = list(Phone(story, story.developer).hear("what is this project?"))
    assert secret not in "".join(content["text"] for name, content in heard if name == "text")
    assert secret not in json.dumps(heard)
