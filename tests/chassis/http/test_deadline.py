"""A request says how long it is waited for, and nobody works on it longer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from starlette.requests import Request

from subgraphs.chassis.database.mongodb import connect
from subgraphs.chassis.http.deadline import DeadlineExceeded, seconds_left, within
from subgraphs.chassis.settings import ServiceSettings
from tests.chassis.example import Notes, notes_service
from tests.services import client_of


class Commands(CommandListener):
    """Remembers the commands that a client sends to the database."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.seen.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to remember."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to remember."""


def request_with(*values: str) -> Request:
    return Request({"type": "http", "headers": [(b"x-request-timeout-ms", value.encode()) for value in values]})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1500", 1.5), ("0", 0.0), ("999999999", 999_999.999), ("", None), ("-1", None), ("1.5", None), ("1" * 10, None)],
)
def test_the_header_is_a_number_of_milliseconds(value: str, seconds: float | None) -> None:
    assert seconds_left(request_with(value)) == seconds
    assert seconds_left(request_with()) is None


@pytest.mark.asyncio
async def test_work_is_cancelled_when_the_time_is_over() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(DeadlineExceeded):
        async with within(0.01, 5.0):
            await work()
    assert ended.is_set()


@pytest.mark.asyncio
async def test_a_timeout_of_something_else_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError, match="the bank"):
        async with within(5.0, 5.0):
            raise TimeoutError("the bank")


@pytest.mark.asyncio
async def test_the_database_is_told_where_less_is_left_than_an_operation_may_take(mongodb_url: str) -> None:
    commands = Commands()
    settings = ServiceSettings.model_validate({"mongodb_url": mongodb_url, "nats_url": "nats://unused"})
    database = connect(settings, [commands])
    try:
        for limit_s in (0.5, 7.0, None):
            async with within(limit_s, 5.0):
                await database["notes"].find_one({"_id": "1"})
    finally:
        database.client.close()
    told_ms = [command.get("maxTimeMS", 0) for command in commands.seen if "find" in command]
    assert 0 < told_ms[0] <= 500  # what is left
    assert all(500 < each <= 5000 for each in told_ms[1:])  # what each operation may take anyway


@pytest.mark.asyncio
async def test_a_service_gives_up_with_a_code_and_what_it_began_is_cancelled(tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    class Slow(Notes):
        async def by_id(self, ids: object) -> dict[str, str]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return {}

    slow = Slow()
    client = client_of(notes_service(slow), slow, tmp_path)
    query = "query($keys: [_Any!]!) { _entities(representations: $keys) { ... on Note { text } } }"
    body = {"query": query, "variables": {"keys": [{"__typename": "Note", "id": "1"}]}}
    response = await client.http.post("/graphql", json=body, headers={"x-request-timeout-ms": "50"})
    assert response.status_code == 504
    message = "The time that the request had is over."
    expected = {"data": None, "errors": [{"message": message, "extensions": {"code": "DEADLINE_EXCEEDED"}}]}
    assert response.json() == expected
    assert begun.is_set()
    async with asyncio.timeout(5):
        await ended.wait()
