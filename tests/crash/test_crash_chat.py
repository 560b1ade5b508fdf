"""A talk over the API whose worker, or whose web process, is killed while the answer streams: it is answered once."""

import json
import threading
from dataclasses import dataclass, field

import httpx
import pytest

from bot.sandbox import seed
from tests.crash.scene import PATIENCE_SECONDS, Ground, Scene
from tests.crash.stories import Tale
from tests.world.scripted_ollama import Json, Wire, action

_SAID = json.dumps(
    {
        "model": "llama3.1:8b",
        "message": {"role": "assistant", "content": action("final", text="Slowly.")},
        "done": True,
        "done_reason": "stop",
    }
)


@dataclass
class Talk:
    """One question, streamed in a thread of its own: the names of the events, and whether the line broke."""

    address: str
    headers: dict[str, str]
    body: dict[str, str]
    events: list[str] = field(default_factory=list)
    is_broken_off: bool = False

    def listen(self) -> None:
        headers = {**self.headers, "Accept": "text/event-stream"}
        try:
            with httpx.stream(
                "POST", f"{self.address}/api/v1/chat", json=self.body, headers=headers, timeout=180, trust_env=False
            ) as answer:
                self.events += [line[7:] for line in answer.iter_lines() if line.startswith("event: ")]
        except httpx.HTTPError:
            self.is_broken_off = True

    def again(self) -> str:
        """Send the very same request, without a stream."""
        url = f"{self.address}/api/v1/chat"
        answer = httpx.post(url, json=self.body, headers=self.headers, timeout=180, trust_env=False)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["answer"])


@pytest.mark.parametrize("killed", ["worker", "web"])
def test_a_talk_whose_process_is_killed_while_it_streams_is_answered_once(shared: Ground, killed: str) -> None:
    with Scene(shared, script={}) as scene:
        tale = Tale(scene)
        may_speak = threading.Event()

        def speak(_: Json) -> Wire:
            may_speak.wait(PATIENCE_SECONDS)
            return Wire(200, _SAID)

        scene.ollama.improvise = speak
        with scene.sandbox.world.lock:
            token = seed.add_token(scene.sandbox.world, tale.developer).value
        talk = Talk(
            scene.address,
            {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"},
            {"project": tale.project.path, "message": "please take your time", "on_disconnect": "finish"},
        )
        listening = threading.Thread(target=talk.listen)
        listening.start()
        asked = "select count(*) from orders where state = 'running'"
        scene.until(lambda: scene.rows(asked) == [(1,)] and scene.ollama.requests != [], "the model is asked")
        scene.bot.kill(killed)
        may_speak.set()
        scene.until(lambda: scene.rows("select state from orders") == [("done",)], "the order is done")
        scene.until(scene.answers, "the web answers again")
        listening.join()
        assert talk.is_broken_off is (killed == "web")
        assert killed == "web" or talk.events[-1] == "answer"
        assert talk.again() == "Slowly."
        assert scene.rows("select role, content from messages order by id") == [
            ("user", "please take your time"),
            ("assistant", "Slowly."),
        ]
