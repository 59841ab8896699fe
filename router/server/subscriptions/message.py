"""A message of a client by graphql-transport-ws: what is read of it, and its bytes, which count while it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive

from router.execution.json_numbers import decode_exact
from router.server.http.graphql_request import check_values
from router.server.request_error import RequestError
from router.server.shedding.overload import Overload

PROTOCOL_VIOLATION = "WEBSOCKET_PROTOCOL_VIOLATION"
TRY_AGAIN_LATER = 1013
MAX_ID_LENGTH = 1000


class ProtocolViolation(Exception):  # noqa: N818 - what the client did
    """The connection is closed with ``code`` and ``reason``; ``error`` is what is told to who looks at errors."""

    def __init__(self, code: int, reason: str, error: RequestError | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.error = error or RequestError(400, PROTOCOL_VIOLATION, f"{reason} ({code})")


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """A message of ``type`` with all that it holds, which came in ``size`` bytes."""

    type: str
    fields: dict[str, Any]
    size: int

    @property
    def payload(self) -> object:
        """What it brings; None where it brings nothing."""
        return self.fields.get("payload")

    @property
    def id(self) -> str:
        """The id of its operation. ProtocolViolation (4400)."""
        id_ = self.fields.get("id")
        if not isinstance(id_, str) or not id_:
            raise ProtocolViolation(4400, "The message has no id")
        if len(id_) > MAX_ID_LENGTH:
            raise ProtocolViolation(4400, f"The id is longer than {MAX_ID_LENGTH} characters")
        return id_


async def receive_message(receive: Receive, max_values: int) -> ClientMessage | None:
    """The next message; None where the connection is closed. ProtocolViolation (4400) for what is none."""
    event = await receive()
    if event["type"] == "websocket.disconnect":
        return None
    text = (event.get("text") or "").encode()
    try:
        check_values(text, max_values)
        fields = decode_exact(text)
    except ValueError:
        fields = None
    except RequestError as error:
        raise ProtocolViolation(4400, error.message, error) from None
    if type(fields) is not dict or type(fields.get("type")) is not str:
        raise ProtocolViolation(4400, "Not a message of graphql-transport-ws")
    return ClientMessage(fields["type"], fields, len(text))


@contextmanager
def held(message: ClientMessage, overload: Overload | None) -> Iterator[None]:
    """Count ``message`` as held until the block ends. ProtocolViolation (1013) where there is no room for it."""
    if overload is None:
        yield
        return
    try:
        try:
            overload.hold_whole(message.size)
        except RequestError as error:
            raise ProtocolViolation(TRY_AGAIN_LATER, error.message, error) from None
        yield
    finally:
        overload.let_go(message.size)
