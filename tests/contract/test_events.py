"""The events of the mall are as their committed schemas say: for those who publish, and for those who read.

A schema lies beside the service that publishes the event, as ``events/<type>.v1.json``. It says what every event of
that version has; a consumer may need no more than that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator

from subgraphs.chassis.command import load_service, service_names
from subgraphs.chassis.errors import InvalidEvent, RetryLater
from subgraphs.chassis.events.event import from_cloud_event, to_cloud_event
from tests.contract.event_schemas import Json, event_schemas, example, problems

SCHEMAS = event_schemas()
READ = [(name, type_) for name in service_names() for type_ in sorted(load_service(name).handlers)]


class Listener:
    """Use cases that hear of everything and do nothing: whether an event can be read shows before they are asked."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def hear(*_: object, **__: object) -> None:
            return None

        return hear


async def read(name: str, cloud_event: Json) -> None:
    """Let the handler of service ``name`` read the event; raises InvalidEvent where it cannot."""
    event = from_cloud_event(cloud_event)
    try:
        await load_service(name).handlers[event.type](cast("Any", Listener()), event)
    except RetryLater:
        return


@pytest.mark.parametrize("type_", SCHEMAS)
def test_a_schema_is_valid_and_named_as_its_events_say(type_: str) -> None:
    service, schema = SCHEMAS[type_]
    Draft202012Validator.check_schema(schema)
    event = from_cloud_event(example(schema, full=True))
    assert (event.type, event.source, event.version) == (type_, f"/{service}", 1)
    assert schema["$id"] == to_cloud_event(event)["dataschema"]
    for full in (False, True):
        assert problems(schema, example(schema, full=full)) == []


@pytest.mark.parametrize("type_", SCHEMAS)
def test_a_field_that_the_schema_does_not_tell_of_is_a_problem(type_: str) -> None:
    _, schema = SCHEMAS[type_]
    event = example(schema, full=True)
    event["data"]["colour"] = "red"
    message = "$.data: Additional properties are not allowed ('colour' was unexpected)"
    assert problems(schema, event) == [message]


@pytest.mark.parametrize(("name", "type_"), READ)
@pytest.mark.asyncio
async def test_a_consumer_reads_the_smallest_and_the_largest_event_of_the_schema(name: str, type_: str) -> None:
    """So what it needs is required of the publisher, and what it does not know of does not trouble it."""
    assert type_ in SCHEMAS, f"{name} reads {type_}, which no service promises"
    _, schema = SCHEMAS[type_]
    for full in (False, True):
        await read(name, example(schema, full=full))


@pytest.mark.asyncio
async def test_a_consumer_that_needs_more_than_is_required_is_found() -> None:
    _, schema = SCHEMAS["order.placed"]
    event = example(schema, full=False)
    del event["data"]["customerId"]
    with pytest.raises(InvalidEvent, match=r"data\.customerId: Field required"):
        await read("payments", event)
