"""A running service whose database or NATS is killed and comes back: it waits, says so, and goes on."""

from __future__ import annotations

import asyncio

import nats
import pytest

from tests.chassis.example import Notes, notes_service
from tests.chassis.own_server import Server
from tests.services import ServiceClient, bus_of, event, eventually, running_service


async def becomes_ready(client: ServiceClient) -> None:
    async def ready() -> bool:
        return (await client.http.get("/health/ready")).status_code == 200

    await eventually(ready, "readiness")


async def misses(client: ServiceClient, need: str) -> None:
    async def missing() -> bool:
        return need in (await client.http.get("/health/ready")).json()["missing"]

    await eventually(missing, f"missing {need}")


@pytest.mark.asyncio
async def test_a_killed_nats_delivers_what_came_before_and_after(
    environment: dict[str, str], own_nats: tuple[str, Server]
) -> None:
    notes, (url, server) = Notes(), own_nats
    before, after = event("note.taken", "n1", {}), event("note.taken", "n2", {})

    async def heard() -> bool:
        return {each.id for each in notes.heard} == {before.id, after.id}

    async with running_service(notes_service(notes), environment | {"NATS_URL": url}) as client:
        async with bus_of(url) as bus:
            await bus.publish(before)
        await asyncio.to_thread(server.kill)
        await misses(client, "nats")
        await asyncio.to_thread(server.start)
        await becomes_ready(client)
        async with bus_of(url) as bus:
            await bus.publish(after)
        await eventually(heard, "both events")


@pytest.mark.asyncio
async def test_a_consumer_that_is_deleted_is_made_anew(environment: dict[str, str]) -> None:
    notes, after = Notes(), event("note.taken", "n2", {})
    async with running_service(notes_service(notes), environment), bus_of(environment["NATS_URL"]) as bus:
        operator = await nats.connect(environment["NATS_URL"])
        await operator.jetstream().delete_consumer("MALL", "notes")
        await operator.close()
        await bus.publish(after)

        async def heard() -> bool:
            return after.id in {each.id for each in notes.heard}

        await eventually(heard, "the event")


@pytest.mark.asyncio
async def test_a_killed_database_is_told_and_found_again(
    environment: dict[str, str], own_mongodb: tuple[str, Server]
) -> None:
    url, server = own_mongodb
    settings = environment | {"MONGODB_URL": url, "MONGODB_TIMEOUT_MS": "500"}
    async with running_service(notes_service(Notes()), settings) as client:
        await asyncio.to_thread(server.kill)
        await misses(client, "mongodb")
        assert (await client.http.get("/health/live")).status_code == 200
        await asyncio.to_thread(server.start)
        await becomes_ready(client)
