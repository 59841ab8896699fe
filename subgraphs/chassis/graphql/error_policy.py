"""What a client learns of an error: its own fault is explained, ours is masked, logged, and found again by its id."""

from __future__ import annotations

from typing import Protocol, runtime_checkable
from uuid import uuid4

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from subgraphs.chassis.database.mongodb import is_outage
from subgraphs.chassis.errors import Unavailable

LOG = structlog.get_logger()


@runtime_checkable
class Coded(Protocol):
    """A domain error: a stable code and a sentence for the client."""

    code: str
    message: str


def present_error(error: GraphQLError, *, executed: bool) -> GraphQLError:
    """``error`` as the client may see it: with ``extensions.code``, and without what is none of its business.

    ``executed`` is False for an error that stopped the operation before any resolver ran.
    """
    if "code" in (error.extensions or {}):
        return error
    original = error.original_error
    if original is not None and isinstance(original, Coded) and isinstance(original.code, str):
        return _coded(error, original.code, original.message)
    if isinstance(original, Unavailable) or is_outage(original):
        LOG.warning("unavailable", reason=str(original), path=error.path)
        return _coded(error, "SERVICE_UNAVAILABLE", _unavailable(original))
    if isinstance(error, GraphQLSyntaxError):
        return _coded(error, "GRAPHQL_PARSE_FAILED", error.message)
    if not executed:
        return _coded(error, "GRAPHQL_VALIDATION_FAILED", error.message)
    if error.path is None:
        return _coded(error, "BAD_USER_INPUT", error.message)
    return _masked(error, original)


def _unavailable(original: BaseException | None) -> str:
    return str(original) if isinstance(original, Unavailable) else "The database cannot be reached now; try again."


def _masked(error: GraphQLError, original: BaseException | None) -> GraphQLError:
    error_id = uuid4().hex[:12]
    # A GraphQLError as a text shows the lines of the document, with the values in them.
    reason = error.message if original is None else str(original)
    LOG.error("internal_error", error_id=error_id, path=error.path, error=reason, exc_info=original)
    message = f"Something went wrong on our side; quote error {error_id}."
    return _coded(error, "INTERNAL_SERVER_ERROR", message, error_id=error_id)


def _coded(error: GraphQLError, code: str, message: str, **details: str) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**(error.extensions or {}), "code": code, **details},
    )
