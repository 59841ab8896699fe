"""A service that is told to stop is gone in less than ten seconds, whatever hangs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import nats
import pytest
from nats.js.api import ConsumerInfo

from stack.daemon import free_port
from subgraphs.chassis.app import create_app
from subgraphs.chassis.events.event import decode_event
from subgraphs.chassis.events.nats_bus import STREAM
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.chassis.example import Notes, notes_service
from tests.chassis.own_server import Server
from tests.services import DEADLINE_S, ServiceClient, bus_of, event, eventually

MALL = Path(sys.prefix) / "bin" / "mall"
PROMISED_S = 10.0


def started(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """The process of ``command``, whose output may be read."""
    environment = {"PATH": os.environ["PATH"], "LOG_FORMAT": "json", **environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(process: subprocess.Popen[str]) -> Sequence[str]:
    """Tell ``process`` to end, and the events of its log; raises TimeoutExpired where it does not end in time."""
    process.send_signal(signal.SIGTERM)
    try:
        _, log = process.communicate(timeout=PROMISED_S)
    finally:
        process.kill()
    return [json.loads(line)["event"] for line in log.splitlines()]


@pytest.mark.asyncio
async def test_a_service_stops_without_what_it_needs(
    environment: dict[str, str], own_mongodb: tuple[str, Server], own_nats: tuple[str, Server]
) -> None:
    port, (mongodb_url, mongodb), (nats_url, nats_server) = free_port(), own_mongodb, own_nats
    needs = {"MONGODB_URL": mongodb_url, "MONGODB_TIMEOUT_MS": "500", "NATS_URL": nats_url}
    command = [str(MALL), "serve", "orders", "--port", str(port)]
    with started(command, environment | needs) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:

            async def has_all() -> bool:
                return await missing(client) == {}

            async def misses_mongodb() -> bool:
                return "mongodb" in await missing(client)

            await eventually(has_all, "readiness")
            mongodb.kill()
            nats_server.kill()
            await eventually(misses_mongodb, "an outage that is noticed")
        stop(process)
    assert process.returncode == 0


async def missing(client: httpx.AsyncClient) -> Mapping[str, str]:
    """What the service waits for; itself while it does not listen."""
    try:
        needs: Mapping[str, str] = (await client.get("/health/ready")).json()["missing"]
    except httpx.TransportError:
        return {"service": "does not listen"}
    return needs


@pytest.mark.asyncio
async def test_a_collector_that_never_answers_does_not_hold_a_service_up(environment: dict[str, str]) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with started([str(MALL), "serve", "inventory", "--port", str(port)], environment | told) as process:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:

                async def has_all() -> bool:
                    return await missing(client) == {}

                await eventually(has_all, "readiness")
                await client.post("/graphql", json={"query": "{ __typename }"})
            stop(process)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("stuck", "end_within_s", "code", "told"),
    [("thread", 60, 0, "stopped_before_threads"), ("loop", 0.5, 1, "stopped_unfinished")],
)
def test_what_nothing_can_cancel_is_left_behind(
    environment: dict[str, str], stuck: str, end_within_s: float, code: int, told: str
) -> None:
    """The loop, or a thread, as one in getaddrinfo whose name server is gone: then all that was open is closed."""
    command = [sys.executable, "-m", "tests.chassis.stuck_service", stuck, str(end_within_s)]
    with started(command, environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        log = stop(process)
    assert (process.returncode, log) == (code, [told])


@pytest.mark.asyncio
async def test_the_end_begins_with_events_while_requests_are_still_answered(environment: dict[str, str]) -> None:
    notes, before, after = Notes(), event("note.taken", "n1", {}), event("note.taken", "n2", {})
    app = create_app(notes_service(notes), read_settings(ServiceSettings, "notes", environment))
    client = ServiceClient(app, Path(environment["GALLERIA_DATA"]) / "keys")

    async def heard() -> bool:
        return notes.heard == [before]

    async def asks_no_more() -> bool:
        info: ConsumerInfo = await operator.jetstream().consumer_info(STREAM, "notes")
        return info.num_waiting == 0

    async with app.router.lifespan_context(app), client.http, bus_of(environment["NATS_URL"]) as bus:
        await app.state.process.readiness.wait_ready()
        await bus.publish(before)
        await eventually(heard, "the event")
        operator = await nats.connect(environment["NATS_URL"])
        assert not await asks_no_more()
        app.state.process.begin_end()
        await eventually(asks_no_more, "the end of the consumer")
        await operator.close()
        await bus.publish(after)
        next_replica = await bus.subscribe("notes", ["note.taken"])
        (delivery,) = await next_replica.fetch(1, DEADLINE_S)
        answer = await client.data("{ notes { edges { node { id } } } }")
    assert decode_event(delivery.body) == after
    assert notes.heard == [before]
    assert len(answer["notes"]["edges"]) == 3
