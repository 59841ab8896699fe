"""Reading a request's body, which is never held beyond its limit."""

from __future__ import annotations

from starlette.types import Receive

from router.server.connections.served_request import served_request
from router.server.request_error import RequestError


def whole_body(receive: Receive, max_bytes: int) -> bytes | None:
    """The body, where it is there as a whole and nobody stands between; else None, and ``read_body`` has to wait.

    RequestError(REQUEST_TOO_LARGE), status 413.
    """
    served = served_request(receive)
    return _within(served.take_body(), max_bytes) if served is not None and served.is_whole() else None


async def read_body(receive: Receive, content_length: bytes, max_bytes: int) -> bytes | None:
    """The body; None where the client went away before its end. RequestError(REQUEST_TOO_LARGE), status 413."""
    if content_length.isdigit() and int(content_length) > max_bytes:
        raise too_large(max_bytes)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return None if message["type"] == "http.disconnect" else _within(body, max_bytes)
    # One buffer, not a list of segments: of one byte each, which a client may send, those would be many times the body.
    gathered = bytearray(_within(body, max_bytes))
    while message.get("more_body"):
        # Who never sends the next segment holds the last one once, not twice.
        del message, body
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body = message.get("body", b"")
        if len(gathered) + len(body) > max_bytes:
            raise too_large(max_bytes)
        gathered += body
    return bytes(gathered)


def _within(body: bytes, max_bytes: int) -> bytes:
    if len(body) > max_bytes:
        raise too_large(max_bytes)
    return body


def too_large(max_bytes: int) -> RequestError:
    """REQUEST_TOO_LARGE, status 413, after which the connection ends: the rest of the body is not read."""
    message = f"The request body is larger than {max_bytes} bytes."
    return RequestError(413, "REQUEST_TOO_LARGE", message, {"connection": "close"})
