"""OpenTelemetry traces of the work, sent where OTEL_EXPORTER_OTLP_ENDPOINT says; without it nothing is even loaded.

A conversation is one trace: its id is the trace's, so that whoever has a line of the log, or the address of a
conversation, has the trace too, from the webhook to the merge and over all processes.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from bot.domain import CannotError

if TYPE_CHECKING:
    from opentelemetry.trace import SpanKind, Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_NANOSECONDS = 1_000_000_000

Kind = Literal["internal", "server", "client", "consumer"]
# The tracer of the order that is worked on here and now, and the conversation it belongs to.
_NOW: ContextVar["Tracer | None"] = ContextVar("tracer", default=None)
_TRACE_ID: ContextVar[int] = ContextVar("trace id", default=0)


class Traces:
    """Where spans go. Without a tracer, nowhere."""

    def __init__(self, tracer: "Tracer | None" = None) -> None:
        self._tracer = tracer

    @property
    def are_sent(self) -> bool:
        """Tell whether spans go anywhere."""
        return self._tracer is not None

    @contextmanager
    def about(self, conversation_id: UUID | None, name: str, /, **attributes: str) -> Iterator[None]:
        """Make a span of what is done inside for a conversation; `part` and `told` inside belong to it."""
        if self._tracer is None or conversation_id is None:
            yield
            return
        tracer, trace_id = _NOW.set(self._tracer), _TRACE_ID.set(conversation_id.int)
        try:
            with part(name, "consumer", **attributes):
                yield
        finally:
            _NOW.reset(tracer)
            _TRACE_ID.reset(trace_id)

    def taken_in(self, conversation_id: UUID, began: float, /, **attributes: str) -> None:
        """Tell of a delivery whose conversation is known only now; `began` is a moment of `time.time()`."""
        if self._tracer is None:
            return
        tracer, trace_id = _NOW.set(self._tracer), _TRACE_ID.set(conversation_id.int)
        told("webhook", time.time() - began, "server", **attributes)
        _NOW.reset(tracer)
        _TRACE_ID.reset(trace_id)


@contextmanager
def part(name: str, kind: Kind = "internal", /, **attributes: str) -> Iterator[None]:
    """Make a span of what is done inside, when an order is worked on whose traces go anywhere."""
    tracer = _NOW.get()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(name, kind=_kind(kind), attributes=attributes):
        yield


def told(name: str, seconds: float, kind: Kind = "client", /, **attributes: str) -> None:
    """Make a span of what has just ended and took so long."""
    tracer = _NOW.get()
    if tracer is None:
        return
    ended = time.time_ns()
    began = ended - int(seconds * _NANOSECONDS)
    tracer.start_span(name, kind=_kind(kind), attributes=attributes, start_time=began).end(ended)


def told_gitlab_call(route: str, status: int, seconds: float) -> None:
    """Make a span of a call to GitLab; fits `on_call` of `bot.gitlab.client.GitLab`."""
    told(f"GitLab {route}", seconds, status=str(status))


@contextmanager
def exported(environ: Mapping[str, str] = os.environ) -> Iterator[Traces]:
    """Yield where spans go by OpenTelemetry's own variables; what is left is sent at the end."""
    if not any(environ.get(name) for name in _ENDPOINTS) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield Traces()
        return
    _check_protocol(environ)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class ByConversation(RandomIdGenerator):
        """Names a trace after the conversation."""

        def generate_trace_id(self) -> int:
            return _TRACE_ID.get() or super().generate_trace_id()

    named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": "pipewright"}
    provider = TracerProvider(resource=Resource.create(named), id_generator=ByConversation(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield Traces(provider.get_tracer("pipewright"))
    finally:
        provider.shutdown()


def _check_protocol(environ: Mapping[str, str]) -> None:
    asked = next((environ[name] for name in _PROTOCOLS if environ.get(name)), "http/protobuf")
    if asked != "http/protobuf":
        raise CannotError(f"traces are sent as http/protobuf only, not as {asked}: unset {' and '.join(_PROTOCOLS)}")


def _kind(kind: Kind) -> "SpanKind":
    from opentelemetry.trace import SpanKind

    return SpanKind[kind.upper()]
