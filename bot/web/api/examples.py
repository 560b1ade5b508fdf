"""Examples of what programs send and are answered, for the API's description; tests read them as the real thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar.openapi.spec import Example, Operation
from litestar.openapi.spec.media_type import OpenAPIMediaType

from bot.web.api.describe import EVENT

_SESSION, _PIPELINE = "0197a3c2-5d1e-7c40-9a8b-3f6d2e1b0c9a", "0197a3c2-61f4-7e02-8d4c-b7a50f9e6d13"
_SHA = "1f3a9c7e5b2d4f6081a3c5e7092b4d6f8e1a3c5b"
_ASKED_AT, _CHANGED_AT = "2026-11-25T09:30:00Z", "2026-11-25T09:32:10Z"
_CI = "stages: [test]\n\ntest:\n  stage: test\n  image: python:3.12-slim\n  script:\n    - pytest\n"

_COMPOSED: dict[str, Any] = {
    "id": _PIPELINE,
    "session_id": _SESSION,
    "project": "group/project",
    "repo_url": "https://gitlab.example.com/group/project",
    "status": "generated",
    "requested_by": "mia",
    "target_branch": "main",
    "source_branch": "pipewright/ci-0197a3c2",
    "commit_id": None,
    "merged_sha": None,
    "merge_request": None,
    "pipeline_status": None,
    "created_at": _ASKED_AT,
    "updated_at": _ASKED_AT,
}
_OPENED = _COMPOSED | {
    "status": "proposed",
    "commit_id": _SHA,
    "merge_request": "https://gitlab.example.com/group/project/-/merge_requests/7",
    "pipeline_status": "success",
    "updated_at": _CHANGED_AT,
}
_FILES = {"gitlab_ci": _CI, "dockerfile": None, "files": {".gitlab-ci.yml": _CI}}
_ENTRY = {
    "session_id": _SESSION,
    "project": "group/project",
    "title": "We need CI",
    "asked_by": "mia",
    "status": "proposed",
}

CHAT = {"project": "group/project", "message": "which files are there?"}
CHATTED = {
    "session_id": _SESSION,
    "answer": "There are three files: `pyproject.toml`, `x/__init__.py` and `tests/test_x.py`.",
    "status": "done",
    "result": "answered",
    "steps": ["I'm listing the files."],
    "merge_request": None,
}
CHATTED_IN_EVENTS = (
    f'event: session\ndata: {{"session_id":"{_SESSION}"}}\n\n'
    'event: step\ndata: {"text":"I\'m listing the files."}\n\n'
    'event: text\ndata: {"text":"There are three "}\n\n'
    f'event: answer\ndata: {{"session_id":"{_SESSION}","answer":"There are three files.","status":"done",'
    '"result":"answered","steps":["I\'m listing the files."],"merge_request":null}\n\n'
)
HISTORY: dict[str, Any] = {
    **_ENTRY,
    "messages": [
        {
            "id": 41,
            "role": "user",
            "content": "generate with python 3.12",
            "author": "mia",
            "tool_calls": [],
            "tool_name": None,
            "created_at": _ASKED_AT,
        },
        {
            "id": 42,
            "role": "assistant",
            "content": "Here is the draft: !7",
            "author": None,
            "tool_calls": [],
            "tool_name": None,
            "created_at": _CHANGED_AT,
        },
    ],
    "previous": None,
}
DECISION = {"sha": _SHA}
APPROVED = {
    "session_id": _SESSION,
    "result": "merged",
    "answer": "🎉 Merged as `45ee377c`, approved by `max`.",
    "pipeline": _OPENED | {"status": "committed", "merged_sha": "45ee377c0b1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f"},
}
REJECTED = {
    "session_id": _SESSION,
    "result": "rejected",
    "answer": "Closed.",
    "pipeline": _OPENED | {"status": "rejected"},
}
GENERATE = {"repo_url": "https://gitlab.example.com/group/project", "wishes": "with python 3.12, without docker"}
GENERATED = {"session_id": _SESSION, "answer": "Composed, nothing is committed yet.", "pipeline": _COMPOSED | _FILES}
COMMIT = {"repo_url": "https://gitlab.example.com/group/project", "pipeline_id": _PIPELINE}
COMMITTED = {"session_id": _SESSION, "answer": "Here is the draft: !7", "pipeline": _OPENED | _FILES}
STATUS = {"repo_url": "group/project", "branch": "pipewright/ci-0197a3c2"}
STANDING = {
    "project": "group/project",
    "branch": "pipewright/ci-0197a3c2",
    "status": "success",
    "run": {
        "id": 1234,
        "status": "success",
        "sha": _SHA,
        "web_url": "https://gitlab.example.com/group/project/-/pipelines/1234",
        "jobs": [
            {
                "name": "test",
                "stage": "test",
                "status": "success",
                "web_url": "https://gitlab.example.com/group/project/-/jobs/5678",
            }
        ],
    },
}
CONVERSATIONS = {
    "conversations": [
        {
            **_ENTRY,
            "pipeline_status": "success",
            "is_confidential": False,
            "created_at": _ASKED_AT,
            "updated_at": _CHANGED_AT,
        }
    ],
    "next": f"2026-11-25T09:32:10.000000Z_{_SESSION}",
}
PIPELINES = {"pipelines": [_OPENED], "next": None}
PIPELINE = _OPENED | _FILES


def shown(*, answer: Any, request: Any = None, events: str = "", may_be_empty: bool = False) -> type[Operation]:
    """Return how a route is described: with an example of the body it takes and of its answer.

    `events` is the same answer as a stream; `may_be_empty`: the body may be left out.
    """

    @dataclass
    class Shown(Operation):
        def __post_init__(self) -> None:
            body, answered = self.request_body, (self.responses or {}).get("200")
            if request is not None:
                _show(getattr(body, "content", {}), request)
                body.required = not may_be_empty  # type: ignore[union-attr]
            content: dict[str, OpenAPIMediaType] = getattr(answered, "content", None) or {}
            _show(content, answer)
            if events:
                example = Example(value=events)
                content["text/event-stream"] = OpenAPIMediaType(schema=EVENT, examples={"example": example})

    return Shown


def _show(content: Mapping[str, OpenAPIMediaType], value: Any) -> None:
    for kind in content.values():
        kind.examples = {"example": Example(value=value)}
