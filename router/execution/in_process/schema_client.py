"""A subgraph that is a schema in this process, as Strawberry makes them: executed without HTTP in between.

Resolvers find the forwarded headers in ``info.context["headers"]``, by their names in lower case.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

import orjson
from graphql import GraphQLError

from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.json_numbers import decode, encode
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse

logger = logging.getLogger("galleria.router")


class ExecutionOutcome(Protocol):
    """What a schema's ``execute`` gives."""

    @property
    def data(self) -> Mapping[str, Any] | None:
        """None where a null went up to the root."""

    @property
    def errors(self) -> list[GraphQLError] | None:
        """None or empty where there are none."""


class ExecutableSchema(Protocol):
    """The part of ``strawberry.Schema`` that is needed."""

    async def execute(
        self,
        query: str,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
    ) -> ExecutionOutcome:
        """Validate and execute."""


class SchemaSubgraphClient:
    """A SubgraphClient for one ``schema``."""

    def __init__(self, schema: ExecutableSchema) -> None:
        self._schema = schema

    async def start(self) -> None:
        """There is nothing to start."""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says; a request with files is refused with SUBGRAPH_REQUEST_FAILED."""
        if request.files:
            message = f"Subgraph '{request.subgraph}' is a schema in this process, which takes no files."
            raise SubgraphFailure(REQUEST_FAILED, message)
        sent = decode(request.body)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers}
        try:
            async with asyncio.timeout(request.timeout_s):
                outcome = await self._schema.execute(
                    sent["query"], sent.get("variables"), {"headers": headers}, operation_name=sent.get("operationName")
                )
        except TimeoutError:
            message = f"Subgraph '{request.subgraph}' did not answer within {request.timeout_s:.3g} seconds."
            raise SubgraphFailure(SUBGRAPH_TIMEOUT, message) from None
        except Exception as error:
            logger.error("subgraph '%s' failed in this process", request.subgraph, exc_info=error)
            raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{request.subgraph}' failed.") from None
        return SubgraphResponse(200, _write(request.subgraph, outcome))

    async def close(self) -> None:
        """As the protocol says."""


def _write(subgraph: str, outcome: ExecutionOutcome) -> bytes:
    answer: dict[str, Any] = {"data": outcome.data}
    if outcome.errors:
        answer["errors"] = [error.formatted for error in outcome.errors]
    try:
        return encode(answer)
    except (TypeError, orjson.JSONEncodeError):
        message = f"Subgraph '{subgraph}' answered with a value that is not JSON."
        raise SubgraphFailure(INVALID_RESPONSE, message) from None
