"""Events in the form of CloudEvents 1.0, as they lie in an outbox and travel over the bus.

``Event(type="order.placed", subject="ord_1", ...)`` <-> ``{"specversion": "1.0", "type": "order.placed", ...}``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from uuid import uuid4

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from subgraphs.chassis.errors import InvalidEvent
from subgraphs.chassis.observation.tracing import current_traceparent

P = TypeVar("P", bound="Payload")


class Payload(BaseModel):
    """Base of the models of ``data``: snake_case here, camelCase on the wire, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Event:
    """One fact: ``type`` happened to ``subject`` (an aggregate's id) at ``time``; ``data`` is JSON.

    ``traceparent`` names the request or event that caused it (the CloudEvents extension for distributed tracing).
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    version: int = 1
    traceparent: str | None = None


def read_payload(event: Event, model: type[P]) -> P:
    """``event.data`` as ``model``; raises InvalidEvent where it does not fit."""
    try:
        return model.model_validate(event.data)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in problem["loc"])
        raise InvalidEvent(f"{event.type} {event.id}: data.{where}: {problem['msg']}") from None


def new_event(source: str, type_: str, subject: str, time: datetime, payload: Payload) -> Event:
    """An event with an id of its own, in the current trace; ``source`` is the name of the service."""
    data = payload.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Event(str(uuid4()), f"/{source}", type_, subject, time, data, traceparent=current_traceparent())


class _CloudEvent(BaseModel):
    """The envelope, as it is checked on arrival."""

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200)
    source: str
    type: str
    subject: str
    time: AwareDatetime
    dataschema: str = Field(default="", pattern=r"^(/events/.+\.v\d+\.json)?$")
    data: dict[str, Any]
    traceparent: str | None = None


def to_cloud_event(event: Event) -> dict[str, Any]:
    """The CloudEvents 1.0 JSON object of ``event``."""
    extensions = {"traceparent": event.traceparent} if event.traceparent else {}
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": f"/events/{event.type}.v{event.version}.json",
        **extensions,
        "data": dict(event.data),
    }


def from_cloud_event(raw: object) -> Event:
    """The event of a CloudEvents JSON object; raises InvalidEvent where it is none."""
    try:
        read = _CloudEvent.model_validate(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in problem["loc"])
        raise InvalidEvent(f"not a CloudEvent: {where}: {problem['msg']}") from None
    version = int(read.dataschema.rsplit(".v", 1)[1].removesuffix(".json")) if read.dataschema else 1
    return Event(read.id, read.source, read.type, read.subject, read.time, read.data, version, read.traceparent)


def encode_event(event: Event) -> bytes:
    """``event`` as the bytes that travel."""
    return orjson.dumps(to_cloud_event(event))


def decode_event(body: bytes) -> Event:
    """The event in ``body``; raises InvalidEvent where it is no CloudEvent."""
    try:
        return from_cloud_event(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise InvalidEvent(f"not JSON: {error}") from None
