"""Reading what a subgraph sent back: a GraphQL answer, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SubgraphFailure
from router.execution.merge import JsonObject
from router.execution.subgraph_client import SubgraphResponse

Decode = Callable[[bytes], Any]


class SubgraphAnswer(Struct, frozen=True):
    """The ``data`` (None where null or not there) and ``errors`` of a GraphQL answer; one of them says something."""

    data: JsonObject | None
    errors: list[Any]


def read_answer(subgraph: str, response: SubgraphResponse, decode: Decode) -> SubgraphAnswer:
    """The GraphQL answer in ``response``.

    Raises SubgraphFailure: SUBGRAPH_REQUEST_FAILED for a status other than 2xx without GraphQL errors,
    SUBGRAPH_INVALID_RESPONSE for a body that is not a GraphQL answer. Data beside errors counts under any status: in
    Apollo Server and GraphQL Yoga the error of one field may set the status of the whole answer.
    """
    succeeded = 200 <= response.status < 300
    try:
        answer = decode(response.body)
    except ValueError:
        answer = None
    if succeeded:
        return answer_in(subgraph, answer)
    errors = answer.get("errors") if type(answer) is dict else None
    if type(errors) is list and errors:
        data = answer.get("data")
        return SubgraphAnswer(data if type(data) is dict else None, errors)
    raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{subgraph}' answered with HTTP status {response.status}.")


def answer_in(subgraph: str, value: Any) -> SubgraphAnswer:
    """The GraphQL answer that a JSON value is. SubgraphFailure (SUBGRAPH_INVALID_RESPONSE) where it is none."""
    if type(value) is not dict:
        raise SubgraphFailure(
            INVALID_RESPONSE, f"Subgraph '{subgraph}' answered with something other than JSON of GraphQL."
        )
    data, errors = value.get("data"), value.get("errors")
    if type(data) is dict:
        return SubgraphAnswer(data, errors if type(errors) is list else [])
    if data is not None or type(errors) is not list or not errors:
        raise SubgraphFailure(
            INVALID_RESPONSE, f"Subgraph '{subgraph}' answered with neither data nor errors of GraphQL."
        )
    return SubgraphAnswer(None, errors)
