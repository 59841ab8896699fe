"""Several operations in one request: an array of requests, answered by an array of results in the same order."""

from __future__ import annotations

import asyncio
from typing import Any

from router.errors import OperationError
from router.execution.json_numbers import encode
from router.operation.model import OperationKind
from router.server.access.caller import Caller
from router.server.answer import Answer, errors_of, result_answer
from router.server.config import BatchingSettings
from router.server.graphql_request import GraphQLRequest, read_parameters
from router.server.request_error import RequestError
from router.server.service import GraphQLService

Batch = tuple[GraphQLRequest, ...]


def read_batch(members: list[Any], settings: BatchingSettings) -> Batch:
    """The requests in an array. RequestError, 400: BATCHING_DISABLED, BATCH_SIZE, INVALID_REQUEST."""
    if not settings.enabled:
        message = "An array of operations is not taken here. Set batching.enabled in router.yaml to allow it."
        raise RequestError(400, "BATCHING_DISABLED", message)
    if not 0 < len(members) <= settings.max_operations:
        message = f"An array of {len(members)} operations is not taken: send from 1 to {settings.max_operations}."
        raise RequestError(400, "BATCH_SIZE", message)
    return tuple(read_parameters(member) for member in members)


async def run_batch(service: GraphQLService, batch: Batch, caller: Caller, started: float) -> Answer:
    """The results of all; one that fails is an error at its place. RequestError: NOT_READY.

    Queries run at once. Where one of them is a mutation they run one after the other, as they were written.
    """
    service.served_graph()
    if await _has_mutation(service, batch, caller):
        results = [await _run(service, request, caller, started) for request in batch]
    else:
        results = await asyncio.gather(*(_run(service, request, caller, started) for request in batch))
    return Answer(200, b"[" + b",".join(results) + b"]")


async def _has_mutation(service: GraphQLService, batch: Batch, caller: Caller) -> bool:
    for request in batch:
        try:
            _, compiled = await service.compiled_operation(request, caller)
        except OperationError:
            continue
        if compiled.operation.kind is OperationKind.MUTATION:
            return True
    return False


async def _run(service: GraphQLService, request: GraphQLRequest, caller: Caller, started: float) -> bytes:
    try:
        graph, compiled = await service.compiled_operation(request, caller)
        return result_answer(await service.run(graph, compiled, request, caller, started)).body
    except Exception as error:  # noqa: BLE001 - the edge: the client gets an answer, and the log what was our fault
        return encode({"errors": errors_of(error)})
