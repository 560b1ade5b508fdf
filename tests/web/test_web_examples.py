"""The examples in the API's description are what the routes take and give."""

import json
import re
from typing import Any

import msgspec
import pytest

from bot.web.api import chat, decisions, examples, pipelines, shapes

PAIRS: list[tuple[Any, type]] = [
    (examples.CHAT, chat.ChatRequest),
    (examples.CHATTED, chat.ChatAnswer),
    (examples.HISTORY, shapes.History),
    (examples.DECISION, decisions.DecisionRequest),
    (examples.APPROVED, decisions.Decided),
    (examples.REJECTED, decisions.Decided),
    (examples.GENERATE, pipelines.GenerateRequest),
    (examples.GENERATED, pipelines.Answer),
    (examples.COMMIT, pipelines.CommitRequest),
    (examples.COMMITTED, pipelines.Answer),
    (examples.STATUS, pipelines.StatusRequest),
    (examples.STANDING, pipelines.Status),
    (examples.CONVERSATIONS, shapes.Conversations),
    (examples.PIPELINES, shapes.Pipelines),
    (examples.PIPELINE, shapes.PipelineWithFiles),
]


@pytest.mark.parametrize(("example", "shape"), PAIRS)
def test_an_example_is_of_the_shape_it_shows(example: Any, shape: type) -> None:
    read = msgspec.convert(example, shape)
    if not shape.__name__.endswith("Request"):  # of an answer every member is shown
        assert msgspec.to_builtins(read) == example


def test_the_streamed_example_ends_in_an_answer_of_the_same_shape() -> None:
    events = re.findall(r"event: (\w+)\ndata: (.*)\n\n", examples.CHATTED_IN_EVENTS)
    assert [name for name, _ in events] == ["session", "step", "text", "answer"]
    assert msgspec.convert(json.loads(events[-1][1]), chat.ChatAnswer).status == "done"
