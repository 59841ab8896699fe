"""One trace id from the router's request through resolvers and events to the handlers in other services."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from stack.daemon import free_port
from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.database.mongodb import connect
from subgraphs.chassis.events.bus import MemoryBus
from subgraphs.chassis.events.consumer import Consumer
from subgraphs.chassis.events.event import Event, Payload, decode_event, encode_event, new_event
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.observation.otel import MongoSpans, OtelTracer
from subgraphs.chassis.observation.tracing import CURRENT, IdTracer, Span, Tracer, parse_traceparent
from subgraphs.chassis.settings import ServiceSettings
from tests.chassis.example import Notes, notes_service
from tests.chassis.test_command import MALL
from tests.services import Json, ServiceClient, bus_of, client_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
ORDER = {"orderId": "ord_1", "customerId": "cus_ada", "code": "CUSTOMER_REQUEST"}


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (PARENT, Span(TRACE, SPAN, sampled=True)),
        (f"00-{TRACE}-{SPAN}-00", Span(TRACE, SPAN, sampled=False)),
        (f"01-{TRACE}-{SPAN}-01-later", Span(TRACE, SPAN, sampled=True)),
        (None, None),
        ("", None),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
    ],
)
def test_a_traceparent_is_read_as_the_standard_says(header: str | None, span: Span | None) -> None:
    assert parse_traceparent(header) == span


@pytest.fixture
def client(tmp_path: Path) -> ServiceClient:
    notes = Notes()
    return client_of(notes_service(notes), notes, tmp_path)


async def traceparent(client: ServiceClient, **headers: str) -> Span:
    """What a resolver sees."""
    response = await client.http.post("/graphql", json={"query": "{ traceparent }"}, headers=headers)
    span = parse_traceparent(response.json()["data"]["traceparent"])
    assert span
    return span


@pytest.mark.asyncio
async def test_a_request_goes_on_in_the_trace_of_its_sender(client: ServiceClient) -> None:
    span = await traceparent(client, traceparent=PARENT)
    assert (span.trace_id, span.sampled) == (TRACE, True)
    assert span.span_id != SPAN


@pytest.mark.asyncio
async def test_without_a_sender_a_trace_begins(client: ServiceClient) -> None:
    first, second = await traceparent(client), await traceparent(client, traceparent="nonsense")
    assert first.trace_id != second.trace_id
    assert CURRENT.get() is None


@pytest.mark.parametrize(("given", "answered"), [("req-1.a_B", "req-1.a_B"), ("no\tid", None), ("x" * 65, None)])
@pytest.mark.asyncio
async def test_the_id_of_a_request_is_answered(client: ServiceClient, given: str, answered: str | None) -> None:
    response = await client.http.post("/graphql", json={"query": "{ __typename }"}, headers={"x-request-id": given})
    request_id = response.headers["x-request-id"]
    assert request_id == answered if answered else request_id not in (given, "")


def caused(parent: Span | None = None) -> Event:
    """An event that is written within ``parent``."""
    if parent is None:
        return new_event("tests", "note.taken", "n1", utc_now(), Payload())
    with IdTracer().span("request", "server", parent, {}):
        return new_event("tests", "note.taken", "n1", utc_now(), Payload())


def test_an_event_carries_the_trace_of_its_cause() -> None:
    inside, outside = caused(Span(TRACE, SPAN)), caused()
    assert decode_event(encode_event(inside)) == inside
    assert (inside.traceparent or "").startswith(f"00-{TRACE}-")
    assert outside.traceparent is None
    assert b"traceparent" not in encode_event(outside)


async def handled_by(tracer: Tracer, event: Event, *, fails: bool = False) -> list[Event]:
    """What a handler of ``event`` writes."""
    bus, written = MemoryBus(), list[Event]()

    async def handler(_: Event) -> None:
        written.append(caused())
        if fails and len(written) == 1:
            raise ValueError("a bug")

    await bus.publish(event)
    subscription = await bus.subscribe("reader", ["note.taken"])
    consumer = Consumer("reader", {"note.taken": handler}, Metrics(), tracer=tracer)
    await consumer.handle_all(bus, await subscription.fetch(1, 1))
    return written


@pytest.mark.asyncio
async def test_a_handler_goes_on_in_the_trace_of_its_event() -> None:
    (written,) = await handled_by(IdTracer(), caused(Span(TRACE, SPAN)))
    assert (written.traceparent or "").startswith(f"00-{TRACE}-")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def otel(exporter: InMemorySpanExporter) -> OtelTracer:
    return OtelTracer("notes", exporter)


def sent(otel: OtelTracer, exporter: InMemorySpanExporter) -> list[tuple[str, str, str, str | None]]:
    """Trace, kind, name and parent of every span that was exported."""
    otel.close()
    return [_described(span) for span in exporter.get_finished_spans()]


def _described(span: ReadableSpan) -> tuple[str, str, str, str | None]:
    assert span.context
    parent = f"{span.parent.span_id:016x}" if span.parent else None
    return f"{span.context.trace_id:032x}", span.kind.name, span.name, parent


@pytest.mark.asyncio
async def test_spans_of_events_are_exported_under_their_cause(otel: OtelTracer, exporter: InMemorySpanExporter) -> None:
    (written,) = await handled_by(otel, caused(Span(TRACE, SPAN)), fails=True)
    assert (written.traceparent or "").startswith(f"00-{TRACE}-")
    ((trace, kind, name, _),) = sent(otel, exporter)
    assert (trace, kind, name) == (TRACE, "CONSUMER", "handle note.taken")
    assert exporter.get_finished_spans()[0].status.status_code is StatusCode.ERROR


@pytest.mark.asyncio
async def test_commands_of_the_database_are_spans_of_the_request(
    otel: OtelTracer, exporter: InMemorySpanExporter, mongodb_url: str
) -> None:
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused"})
    database = connect(settings, [MongoSpans(otel)])
    await database["notes"].find_one({"text": "of nobody"})
    with otel.span("POST /graphql", "server", Span(TRACE, SPAN), {}) as request:
        await database["notes"].find_one({"text": "secret"})
    database.client.close()
    assert sent(otel, exporter) == [
        (TRACE, "CLIENT", "mongodb find", request.span_id),
        (TRACE, "SERVER", "POST /graphql", SPAN),
    ]
    assert "secret" not in str([span.attributes for span in exporter.get_finished_spans()])


def test_an_unsampled_trace_is_not_exported(otel: OtelTracer, exporter: InMemorySpanExporter) -> None:
    with otel.span("POST /graphql", "server", Span(TRACE, SPAN, sampled=False), {}) as span:
        assert not span.sampled
    assert sent(otel, exporter) == []


def test_traces_without_the_extra_are_a_wrong_setting(environment: dict[str, str]) -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None; sys.argv = ['mall', 'serve', 'inventory', '--port', '0'];"
        "from subgraphs.chassis.command import main; main()"
    )
    wanted = {**environment, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=wanted, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("mall: OTEL_EXPORTER_OTLP_ENDPOINT: traces need the extra galleria[otel]")
    assert result.stderr.count("\n") == 1


@pytest.mark.asyncio
async def test_the_log_names_request_trace_and_event(environment: dict[str, str]) -> None:
    port = free_port()
    settings = {**environment, "LOG_FORMAT": "json", "LOG_LEVEL": "debug"}
    cancelled = replace(caused(Span(TRACE, SPAN)), type="order.cancelled", subject="ord_1", data=ORDER)
    process = await asyncio.create_subprocess_exec(
        str(MALL), "serve", "inventory", "--port", str(port), env=settings, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    log: list[Json] = []
    async with bus_of(environment["NATS_URL"]) as bus, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        await bus.publish(cancelled)
        async for line in process.stderr:
            log.append(json.loads(line))
            if log[-1]["event"] == "serving":
                headers = {"traceparent": PARENT, "x-request-id": "req-1"}
                await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
            if {"answered", "event_handled"} <= {line["event"] for line in log}:
                break
        process.terminate()
        await process.communicate()
    (answered,) = [line for line in log if line["event"] == "answered"]
    (handled,) = [line for line in log if line["event"] == "event_handled"]
    assert (answered["request"], answered["trace"], answered["status"]) == ("req-1", TRACE, 200)
    assert (handled["event_id"], handled["event_type"], handled["trace"]) == (cancelled.id, "order.cancelled", TRACE)


@pytest.mark.asyncio
async def test_opening_a_connection_is_no_span_of_the_request_that_needs_one(
    mongodb_url: str, exporter: InMemorySpanExporter, otel: OtelTracer
) -> None:
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused"})
    database = connect(settings, [MongoSpans(otel)])
    with otel.span("request", "server", None, {}):
        await asyncio.gather(*(database.command("ping") for _ in range(3)))
    database.client.close()
    assert [name for _, _, name, _ in sent(otel, exporter)] == ["mongodb ping"] * 3 + ["request"]
