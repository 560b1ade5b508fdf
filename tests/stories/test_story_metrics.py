"""What the numbers tell after a story: each that an administrator watches is there, and true."""

import httpx

from bot.sandbox.state import Job, Outcome, Pipeline
from tests.world.program import Program, good
from tests.world.scripted_ollama import E, action
from tests.world.town import Story

MODEL = 'model="llama3.1:8b"'


def numbers(story: Story) -> dict[str, float]:
    answer = httpx.get(f"{story.town.address}/metrics", trust_env=False, timeout=60)
    assert answer.status_code == 200
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_draft_and_a_talk_are_seen_in_the_numbers(story: Story) -> None:
    before = numbers(story)
    story.drafted()
    story.town.ollama.say(action("final", text="Three files."))
    mia = Program(story, story.developer)
    good(mia.post("/chat", {"project": story.project.path, "message": "which files are there?"}))
    story.settle()
    after = numbers(story)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more('pipewright_orders_total{kind="mention",result="generate",state="done"}') == 1
    assert more('pipewright_orders_total{kind="chat",result="answered",state="done"}') == 1
    assert more('pipewright_orders{state="done"}') >= 2
    assert more(f'pipewright_model_turns_total{{{MODEL},result="said"}}') == 1
    assert more(f'pipewright_model_seconds_total{{{MODEL},result="said"}}') > 0
    for kind in ("prompt", "output"):
        assert more(f'pipewright_model_tokens_total{{kind="{kind}",{MODEL},result="said"}}') > 0
    assert more('pipewright_deliveries_total{result="queued"}') >= 2
    calls = [name for name in after if name.startswith("pipewright_gitlab_calls_total{route=") and more(name) > 0]
    assert any("POST" in name and 'status="201"' in name for name in calls)
    assert (after["pipewright_queue_length"], after["pipewright_queue_oldest_seconds"]) == (0, 0)
    for step in ("start", "ack", "answer", "draft", "green"):
        half, most = (after[f'pipewright_seconds{{step="{step}",quantile="{part}"}}'] for part in ("0.5", "0.95"))
        assert 0 <= half <= most < 600, step


def test_a_model_that_is_away_is_counted_as_such(story: Story) -> None:
    name = f'pipewright_model_turns_total{{{MODEL},result="unreachable"}}'
    before = numbers(story).get(name, 0)
    story.town.ollama.say(*[E(500, "llama-server process has terminated: exit status 1")] * 3)
    mia = Program(story, story.developer)
    assert mia.post("/chat", {"project": story.project.path, "message": "what is this?"}).status_code == 503
    assert numbers(story)[name] == before + 1


def test_a_red_draft_is_counted_by_what_came_of_it(story: Story) -> None:
    name = 'pipewright_repairs_total{outcome="told"}'
    before = numbers(story).get(name, 0)

    def played(pipeline: Pipeline, job: Job) -> Outcome | None:
        is_ours = pipeline.project is story.project and job.name == "test"
        return Outcome("flux capacitor misaligned, giving up\n", "script_failure") if is_ours else None

    story.world.play_job = played
    story.ask("@pipewright generate")
    story.world.play_job = lambda _pipeline, _job: None
    assert numbers(story)[name] == before + 1
