"""A router whose spans come to a collector of the test, and what they tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.chassis.collector import Collector
from tests.execution.raw_server import Exchange, ok
from tests.mall import await_condition

TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SENDER}-01", f"00-{TRACE}-{SENDER}-00"


async def products(exchange: Exchange) -> None:
    """Answers with one product, and as an entity with the same one."""
    key = "_entities" if b"_entities" in exchange.body else "products"
    await exchange.write(ok(b'{"data":{"%b":[{"__typename":"Product","id":"1","name":"Mug"}]}}' % key.encode()))


def write_config(folder: Path, endpoint: str, more: dict[str, Any] | None = None, **tracing: object) -> str:
    """A router.yaml (JSON is YAML) with tracing to ``endpoint``."""
    path = folder / "router.yaml"
    telemetry = {"tracing": {"endpoint": endpoint, **tracing}, "access_log": True}
    path.write_text(json.dumps({"telemetry": telemetry, **(more or {})}))
    return str(path)


def ask(url: str, query: str = "query Mugs { products { name } }", **headers: str) -> httpx.Response:
    return httpx.post(f"{url}/graphql", json={"query": query}, headers=headers, trust_env=False, timeout=60)


def spans_of(collector: Collector, trace: str, count: int) -> dict[str, Span]:
    """The spans of a trace by name, once there are so many."""
    spans = await_condition(lambda: _spans(collector, trace, count), 15, f"{count} spans")
    return {span.name: span for span in spans}


def _spans(collector: Collector, trace: str, count: int) -> list[Span]:
    found = [span for _, span in collector.spans if span.trace_id.hex() == trace]
    return found if len(found) >= count else []


def attributes(span: Span) -> dict[str, object]:
    read: dict[str, Callable[[Any], object]] = {
        "string_value": lambda value: value.string_value,
        "int_value": lambda value: value.int_value,
    }
    return {each.key: read[each.value.WhichOneof("value")](each.value) for each in span.attributes}
