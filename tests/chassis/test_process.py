"""A service at work: what it waits for, in whatever order it comes, and how it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from stack import nats as nats_server
from stack.daemon import free_port, running
from subgraphs.chassis.app import create_app
from subgraphs.chassis.database.mongodb import connect
from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.service import Runtime, Worker
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.chassis.example import Notes, notes_service
from tests.services import ServiceClient, bus_of, event, eventually, running_service

StartNats = Callable[[], None]


@pytest.fixture
def late_nats(tmp_path: Path) -> Iterator[tuple[str, StartNats]]:
    """The URL of a NATS server that does not run yet, and what starts it."""
    port = free_port()
    config = nats_server.write_config(tmp_path / "nats", port, "late")
    command = nats_server.server_command(nats_server.server_binary(), config)
    with ExitStack() as servers:
        yield (
            nats_server.server_url(port, "late"),
            lambda: (servers.enter_context(running(command, port, tmp_path / "nats.log")), None)[1],
        )


@asynccontextmanager
async def starting_service(notes: Notes, environment: dict[str, str]) -> AsyncIterator[ServiceClient]:
    """A service that serves, ready or not."""
    app = create_app(notes_service(notes), read_settings(ServiceSettings, "notes", environment))
    client = ServiceClient(app, Path(environment["GALLERIA_DATA"]) / "keys")
    async with app.router.lifespan_context(app), client.http:
        yield client


@pytest.mark.asyncio
async def test_a_ready_service_says_so_and_consumes(environment: dict[str, str]) -> None:
    notes = Notes()
    async with running_service(notes_service(notes), environment) as client, bus_of(environment["NATS_URL"]) as bus:
        live, ready = await client.http.get("/health/live"), await client.http.get("/health/ready")
        taken = event("note.taken", "n1", {})
        await bus.publish(taken)

        async def heard() -> bool:
            return notes.heard == [taken]

        await eventually(heard, "the event")
        metrics = (await client.http.get("/metrics")).text
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "missing": {}})
    assert 'galleria_events_total{fate="consumed",type="note.taken"} 1.0' in metrics
    assert 'galleria_mongodb_seconds_count{command="createIndexes",outcome="ok"} 1.0' in metrics


@pytest.mark.asyncio
async def test_without_a_database_requests_that_need_it_are_told(environment: dict[str, str]) -> None:
    lost = {"MONGODB_URL": f"mongodb://127.0.0.1:{free_port()}/notes", "MONGODB_TIMEOUT_MS": "100"}
    async with starting_service(Notes(), environment | lost) as client:

        async def missing() -> httpx.Response | None:
            ready = await client.http.get("/health/ready")
            return ready if "ServerSelectionTimeoutError" in ready.text else None

        ready = await eventually(missing, "the missing database")
        (error,) = (await client.ask("{ notes { edges { node { id } } } }"))["errors"]
        sdl = await client.data("{ _service { sdl } }")
    assert (ready.status_code, ready.json()["status"]) == (503, "waiting")
    assert error["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert error["message"].startswith("The notes service does not reach its database yet")
    assert "type Note" in sdl["_service"]["sdl"]


@pytest.mark.asyncio
async def test_nats_may_come_later(environment: dict[str, str], late_nats: tuple[str, StartNats]) -> None:
    notes, (url, start) = Notes(), late_nats
    async with starting_service(notes, environment | {"NATS_URL": url}) as client:

        async def only_nats_is_missing() -> bool:
            return list((await client.http.get("/health/ready")).json()["missing"]) == ["nats"]

        await eventually(only_nats_is_missing, "database and keys")
        assert len((await client.data("{ notes { edges { node { id } } } }"))["notes"]["edges"]) == 3
        await asyncio.to_thread(start)

        async def is_ready() -> bool:
            return (await client.http.get("/health/ready")).status_code == 200

        await eventually(is_ready, "readiness")
        taken = event("note.taken", "n1", {})
        async with bus_of(url) as bus:
            await bus.publish(taken)

            async def heard() -> bool:
                return notes.heard == [taken]

            await eventually(heard, "the event")


@pytest.mark.asyncio
async def test_a_worker_goes_on_after_a_round_that_failed(environment: dict[str, str]) -> None:
    notes = Notes()
    async with running_service(notes_service(notes), environment):

        async def three_rounds() -> bool:
            return notes.rounds >= 3

        await eventually(three_rounds, "three rounds")


@pytest.mark.asyncio
async def test_a_service_ends_although_a_cancellation_got_lost(environment: dict[str, str]) -> None:
    waiting = asyncio.Event()

    async def lose_the_cancellation(_: Notes) -> None:
        waiting.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise ValueError("as a task group does whose child fails at that moment") from None

    service = replace(notes_service(Notes()), workers=(Worker("loses", lose_the_cancellation, 0.01),))
    async with asyncio.timeout(30):
        async with running_service(service, environment):
            await waiting.wait()
    assert waiting.is_set()


@pytest.mark.asyncio
async def test_an_empty_database_is_seeded_once(environment: dict[str, str]) -> None:
    url = SecretStr(environment["MONGODB_URL"])
    database = connect(ServiceSettings(mongodb_url=url, nats_url=SecretStr("nats://unused")))
    for _ in range(2):
        async with running_service(notes_service(Notes()), environment | {"SEED_DEMO": "1"}):
            assert await database["notes"].count_documents({}) == 2
    database.client.close()


@pytest.mark.asyncio
async def test_a_database_with_documents_is_not_seeded(environment: dict[str, str]) -> None:
    url = SecretStr(environment["MONGODB_URL"])
    database = connect(ServiceSettings(mongodb_url=url, nats_url=SecretStr("nats://unused")))
    await database["notes"].insert_one({"_id": "mine"})
    async with running_service(notes_service(Notes()), environment | {"SEED_DEMO": "1"}):
        assert await database["notes"].count_documents({}) == 1
    database.client.close()


@pytest.mark.asyncio
async def test_a_defect_of_the_service_is_told(environment: dict[str, str]) -> None:
    def broken(runtime: Runtime[ServiceSettings]) -> Notes:
        raise KeyError("forgotten")

    service = replace(notes_service(Notes()), build=broken)
    app = create_app(service, read_settings(ServiceSettings, "notes", environment))
    client = ServiceClient(app, Path(environment["GALLERIA_DATA"]) / "keys")
    async with app.router.lifespan_context(app), client.http:

        async def told() -> bool:
            missing = (await client.http.get("/health/ready")).json()["missing"]
            return bool(missing.get("service") == "KeyError: 'forgotten'")

        await eventually(told, "the defect")


def test_production_needs_keys_of_its_own(environment: dict[str, str]) -> None:
    settings = read_settings(ServiceSettings, "notes", environment | {"GALLERIA_ENV": "production"})
    with pytest.raises(SettingsError, match="JWKS_URL: is not set, nor is JWKS_FILE; production needs one of them"):
        create_app(notes_service(Notes()), settings)
