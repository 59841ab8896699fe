"""What a service counts, and prints for Prometheus."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from subgraphs.chassis.database.aggregates import Aggregates
from subgraphs.chassis.database.mongodb import Collection, connect, prepare_collections
from subgraphs.chassis.events.bus import MemoryBus
from subgraphs.chassis.events.consumer import Consumer, RetryPolicy
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Relay
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.settings import ServiceSettings
from tests.chassis.example import Notes, notes_service
from tests.services import bus_of, client_of, event, eventually, running_service

NOTES = (Collection("notes", outbox=True),)
OLD = datetime(2026, 1, 5, 12, tzinfo=UTC)


def counted(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


@pytest.mark.asyncio
async def test_requests_resolvers_and_errors_are_counted(tmp_path: Path) -> None:
    notes, metrics = Notes(), Metrics()
    client = client_of(notes_service(notes), notes, tmp_path, metrics)
    await client.data("{ whoami }", "cus_ada")
    await client.ask("{ whoami }")
    keys = [{"__typename": "Note", "id": "1"}, {"__typename": "Note", "id": "2"}]
    await client.data("query($k: [_Any!]!) { _entities(representations: $k) { __typename } }", k=keys)
    registry = metrics.registry
    assert counted(registry, "galleria_requests_seconds_count", status="200") == 3
    assert counted(registry, "galleria_resolvers_seconds_count", field="Query.whoami") == 2
    assert counted(registry, "galleria_resolvers_seconds_count", field="Note.resolve_reference") == 2
    assert counted(registry, "galleria_errors_total", code="UNAUTHENTICATED") == 1


@pytest.mark.asyncio
async def test_a_token_that_is_refused_is_counted_too(tmp_path: Path) -> None:
    notes, metrics = Notes(), Metrics()
    client = client_of(notes_service(notes), notes, tmp_path, metrics)
    await client.http.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": "Bearer x"})
    assert counted(metrics.registry, "galleria_errors_total", code="UNAUTHENTICATED") == 1


@pytest.mark.asyncio
async def test_a_running_service_prints_what_it_did(environment: dict[str, str]) -> None:
    notes = Notes()
    async with running_service(notes_service(notes), environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("note.taken", "n1", {}))

        async def is_counted() -> bool:
            text = (await client.http.get("/metrics")).text
            return 'galleria_events_total{fate="consumed",type="note.taken"} 1.0' in text

        await eventually(is_counted, "the event")
        text = (await client.http.get("/metrics")).text
    assert 'galleria_mongodb_seconds_count{command="ping",outcome="ok"}' in text
    assert "galleria_relay_lag_seconds 0.0" in text


async def _hear(event: Event) -> None:
    """Handle it."""


@pytest.mark.asyncio
async def test_events_are_counted_by_what_became_of_them() -> None:
    async def tear(event: Event) -> None:
        raise ValueError("it is wet")

    metrics, bus, handlers = Metrics(), MemoryBus(), {"note.taken": _hear, "note.torn": tear}
    consumer = Consumer("reader", handlers, metrics, RetryPolicy(attempts=2, first_pause_s=0))
    subscription = await bus.subscribe("reader", handlers)
    for type_ in handlers:
        await bus.publish(event(type_, "n1", {}))
    for _ in range(2):
        await consumer.handle_all(bus, await subscription.fetch(10, 5))
    fates = [("note.taken", "consumed"), ("note.torn", "retried"), ("note.torn", "dead"), ("note.torn", "consumed")]
    counts = [counted(metrics.registry, "galleria_events_total", type=type_, fate=fate) for type_, fate in fates]
    assert counts == [1, 1, 1, 0]


@pytest.mark.asyncio
async def test_the_lag_is_that_of_the_oldest_event_in_any_outbox(mongodb_url: str) -> None:
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused"})
    database, metrics = connect(settings), Metrics()
    relay = Relay(NOTES, metrics)
    await prepare_collections(database, NOTES)
    assert await relay.oldest_pending(database) is None
    notes = Aggregates(database["notes"], relay)
    times = [OLD + timedelta(seconds=seconds) for seconds in (7, 3, 5)]
    for number, time in enumerate(times):
        await notes.insert({"_id": number}, events=[replace(event("note.taken", "n1", {}), time=time)])
    assert await relay.oldest_pending(database) == times[1]
    await relay.publish_pending(database, MemoryBus())
    assert counted(metrics.registry, "galleria_events_total", type="note.taken", fate="published") == 3
    database.client.close()
