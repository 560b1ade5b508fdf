"""Whoever has one id sees a whole story, over all processes: in the log, and in the traces that a receiver got."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.crash.scene import Ground, Scene
from tests.crash.stories import Tale
from tests.world.scripted_ollama import action


class Receiver(ThreadingHTTPServer):
    """Takes spans in as OTLP's own collectors do."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            known = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(known["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


class ObservedScene(Scene):
    """A scene whose processes send their spans somewhere."""

    endpoint: str

    def _environment(self) -> dict[str, str]:
        return {
            **super()._environment(),
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    threading.Thread(target=opened.serve_forever, args=(0.05,), daemon=True).start()
    yield opened
    opened.shutdown()
    opened.server_close()


def lines(scene: Scene, process: str) -> list[dict[str, Any]]:
    found = []
    for line in (scene.folder / f"{process}.log").read_text().splitlines():
        assert line.startswith("{"), f"the {process} logs JSON only: {line}"
        found.append(json.loads(line))
    return found


def test_one_id_leads_from_the_webhook_to_the_merge(shared: Ground, receiver: Receiver) -> None:
    ObservedScene.endpoint = receiver.url
    script = {
        "which files are there?": [action("list_files", folder=""), action("final", text="There are three files.")]
    }
    with ObservedScene(shared, script=script) as scene:
        tale = Tale(scene)
        request = tale.drafts()
        tale.asks(tale.project.issues[0], "which files are there?", "three files")
        tale.react(request)
        tale.until(tale.is_state(request, "merged"), "the draft is merged")
        tale.says(tale.project.issues[0], "on `main` passed")
        other = tale.issue("Another")
        tale.asks(other, "help", "I write CI pipelines")
        tale.until(scene.is_quiet, "everything comes to rest")
        scene.bot.stop()
        (conversation,) = {
            str(row[0]) for row in scene.rows("select conversation_id from pipelines where status = 'committed'")
        }
        web, worker = lines(scene, "web"), lines(scene, "worker")

    # What a look around finds is taken in by the worker.
    taken_in = [line for line in (*web, *worker) if line["event"] == "taken in"]
    assert [line for line in web if line["event"] == "taken in" and line["conversation"] == conversation]
    ours = [line for line in taken_in if line["conversation"] == conversation]
    assert {line["kind"] for line in ours} >= {"mention", "pipeline", "reaction"}
    assert len({line["order"] for line in ours}) == len(ours), "each order has an id of its own, too"
    done = [line for line in worker if line["event"] == "order done" and line.get("conversation") == conversation]
    assert {line["order"] for line in done} <= {line["order"] for line in ours}
    assert {line["order"] for line in ours if line["kind"] in ("mention", "reaction")} <= {
        line["order"] for line in done
    }
    assert {line["conversation"] for line in taken_in} != {conversation}, "the other talk has another id"

    trace = [span for span in receiver.spans if span.trace_id.hex() == conversation.replace("-", "")]
    names = {span.name for span in trace}
    assert {"webhook", "order", "survey", "compose", "check", "model turn"} <= names
    assert "GitLab PUT /projects/{project}/merge_requests/{mr}/merge" in names or any(
        name.startswith("GitLab PUT") and name.endswith("/merge") for name in names
    )
    webhooks = [span for span in trace if span.name == "webhook"]
    assert {each.value.string_value for span in webhooks for each in span.attributes if each.key == "kind"} >= {
        "mention"
    }
    assert not [line for line in web if line["level"] == "error"]
    assert receiver.services == {"pipewright"}
    orders = {span.span_id for span in trace if span.name == "order"}
    inside = [span for span in trace if span.name == "check"]
    assert {span.parent_span_id for span in inside} <= orders
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in trace)
    assert "glpat-" not in "".join(str(span) for span in receiver.spans)
