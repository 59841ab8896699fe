"""Answers of the HTTP edge: status, media type and JSON of results and refusals."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from starlette.types import Send

from router.errors import OperationError
from router.execution.json_numbers import encode
from router.response.projection import ProjectedResult
from router.server.connections.served_request import answers_whole
from router.server.http.negotiation import GRAPHQL_RESPONSE, JSON
from router.server.observation.request_trace import current_trace_id
from router.server.request_error import RequestError

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# The same request may succeed a moment later: once its document is registered, or what was down is back.
NOT_STORED = (b"cache-control", b"no-store")
logger = logging.getLogger("galleria.router")

TOO_DEEP = "RESPONSE_TOO_DEEP"
TOO_DEEP_MESSAGE = "The answer is nested too deeply. Select fewer levels."
_CONTENT_TYPES = {name: (b"content-type", f"{name}; charset=utf-8".encode()) for name in (JSON, GRAPHQL_RESPONSE)}


class Answer(Struct, frozen=True):
    """A complete HTTP answer, but for its media type."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


def result_answer(result: ProjectedResult, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    """A result with ``headers``; errors come first, where there are any, so that they are seen.

    RequestError(RESPONSE_TOO_DEEP) where it is nested beyond what can be written (254 levels).
    """
    try:
        if not result.errors and result.extensions is None:
            return Answer(200, b'{"data":' + encode(result.data) + b"}", headers)
        told: dict[str, object] = {}
        if result.errors:
            told["errors"] = in_trace([error.to_json() for error in result.errors])
        told["data"] = result.data
        if result.extensions is not None:
            told["extensions"] = result.extensions
        return Answer(200, encode(told), headers)
    except TypeError:
        raise RequestError(500, TOO_DEEP, TOO_DEEP_MESSAGE) from None


def failure_answer(error: Exception, media_type: str) -> Answer:
    """Why there is no result: what is no GraphQL request, an operation that cannot be run, or a fault of ours.

    An operation's fault has status 200 under application/json (GraphQL over HTTP, section 6.4.1).
    """
    status = 500
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(error, RequestError):
        status = error.status
        headers = tuple((name.encode(), value.encode()) for name, value in error.headers.items())
    elif isinstance(error, OperationError):
        status = error.http_status if media_type == GRAPHQL_RESPONSE else 200
    return Answer(status, encode({"errors": errors_of(error)}), (NOT_STORED, *headers))


def errors_of(error: Exception) -> Sequence[dict[str, object]]:
    """The GraphQL errors that tell of ``error``. A fault of the router is logged, and its id alone told."""
    return in_trace(_errors_of(error))


def _errors_of(error: Exception) -> list[dict[str, Any]]:
    if isinstance(error, OperationError):
        return [dict(one.formatted) for one in error.errors]
    if isinstance(error, RequestError):
        return [{"message": error.message, "extensions": {"code": error.code, **error.extensions}}]
    incident = uuid.uuid4().hex
    logger.error("internal error %s", incident, exc_info=error)
    message = f"Something went wrong in the router. Its log tells more under the id {incident}."
    return [{"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]


def in_trace(errors: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The errors, each with the id of the trace that tells more, where requests have one."""
    trace_id = current_trace_id()
    if trace_id is None:
        return errors
    return [{**error, "extensions": {**error.get("extensions", {}), "traceId": trace_id}} for error in errors]


async def send_answer(send: Send, answer: Answer, media_type: str) -> None:
    """Send ``answer`` whole."""
    shared = (_CONTENT_TYPES[media_type], _NO_SNIFFING, *answer.headers)
    whole = answers_whole(send)
    if whole is not None and whole.respond(answer.status, shared, answer.body):
        return
    headers = [*shared, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
