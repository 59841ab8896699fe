"""An event that is being handled when its service is told to end is handled to its end, and never comes again."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import nats
import pytest
from nats.js.api import ConsumerInfo
from pydantic import SecretStr

from stack.daemon import free_port
from subgraphs.chassis.database.mongodb import connect
from subgraphs.chassis.events.event import decode_event
from subgraphs.chassis.events.nats_bus import ACKNOWLEDGE_WITHIN_S, STREAM
from subgraphs.chassis.settings import ServiceSettings
from tests.services import DEADLINE_S, bus_of, event


@asynccontextmanager
async def slow_reader(environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A process of :mod:`tests.chassis.slow_reader`; killed at the end if it is still there."""
    command = [sys.executable, "-m", "tests.chassis.slow_reader", str(free_port())]
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment}, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def says(process: Process, word: str) -> None:
    assert process.stdout
    async with asyncio.timeout(DEADLINE_S):
        assert await process.stdout.readline() == f"{word}\n".encode()


async def consumer_info(nats_url: str) -> ConsumerInfo:
    """What the stream knows of the deliveries to the service."""
    client = await nats.connect(nats_url)
    info: ConsumerInfo = await client.jetstream().consumer_info(STREAM, "notes")
    await client.close()
    return info


@pytest.mark.asyncio
async def test_a_handler_under_way_at_sigterm_finishes_and_acknowledges(environment: dict[str, str]) -> None:
    taken, after = event("note.taken", "n1", {}), event("note.taken", "n2", {})
    async with bus_of(environment["NATS_URL"]) as bus, slow_reader(environment) as process:
        await bus.publish(taken)
        await says(process, "handling")
        process.terminate()
        await says(process, "stopping")
        await bus.publish(after)
        assert process.stdin
        process.stdin.write(b"go on\n")
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0
        async with asyncio.timeout(ACKNOWLEDGE_WITHIN_S / 2):
            next_replica = await bus.subscribe("notes", ["note.taken"])
            deliveries = await next_replica.fetch(2, DEADLINE_S)
        assert [decode_event(each.body) for each in deliveries] == [after]
        await deliveries[0].acknowledge()
    info = await consumer_info(environment["NATS_URL"])
    assert (info.num_ack_pending, info.num_pending) == (0, 0)
    assert await written(environment["MONGODB_URL"]) == [taken.id]


async def written(mongodb_url: str) -> list[str]:
    settings = ServiceSettings(mongodb_url=SecretStr(mongodb_url), nats_url=SecretStr("nats://unused"))
    database = connect(settings)
    ids = [document["_id"] async for document in database["notes"].find({})]
    database.client.close()
    return ids
