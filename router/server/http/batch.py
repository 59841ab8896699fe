"""Several operations in one request: an array of requests, answered by an array of results in the same order."""

from __future__ import annotations

import asyncio
from typing import Any

from router.errors import OperationError
from router.execution.json_numbers import encode
from router.operation.model import OperationKind
from router.server.access.caller import Caller
from router.server.config import BatchingSettings
from router.server.graphs.graph import Graph
from router.server.http.answer import Answer, errors_of, result_answer
from router.server.http.graphql_request import GraphQLRequest, read_parameters
from router.server.operations.compiled_operation import CompiledOperation
from router.server.persisted_documents.documents import PersistedDocuments
from router.server.request_error import RequestError
from router.server.service import GraphQLService

# A member whose document is not there is the error that tells so: the others run.
Member = GraphQLRequest | OperationError
Batch = tuple[Member, ...]
# What a member is to be run as, or why it cannot be.
Compiled = tuple[Graph, CompiledOperation] | Exception


def read_batch(members: list[Any], settings: BatchingSettings, documents: PersistedDocuments | None = None) -> Batch:
    """The requests in an array. RequestError, 400: BATCHING_DISABLED, BATCH_SIZE, INVALID_REQUEST."""
    if not settings.enabled:
        message = "An array of operations is not taken here. Set batching.enabled in router.yaml to allow it."
        raise RequestError(400, "BATCHING_DISABLED", message)
    if not 0 < len(members) <= settings.max_operations:
        message = f"An array of {len(members)} operations is not taken: send from 1 to {settings.max_operations}."
        raise RequestError(400, "BATCH_SIZE", message)
    return tuple(_read_member(member, documents) for member in members)


def _read_member(member: Any, documents: PersistedDocuments | None) -> Member:
    try:
        return read_parameters(member, documents)
    except OperationError as error:
        return error


async def run_batch(service: GraphQLService, batch: Batch, caller: Caller, started: float) -> Answer:
    """The results of all; one that fails is an error at its place. RequestError: NOT_READY.

    Queries run at once. Where one of them is a mutation they run one after the other, as they were written.
    """
    service.served_graph()
    members = [(request, await _compiled(service, request, caller)) for request in batch]
    with service.one_batch():
        if any(_is_mutation(compiled) for _, compiled in members):
            results = [await _run(service, request, compiled, caller, started) for request, compiled in members]
        else:
            runs = (_run(service, request, compiled, caller, started) for request, compiled in members)
            results = await asyncio.gather(*runs)
    return Answer(200, b"[" + b",".join(results) + b"]")


async def _compiled(service: GraphQLService, request: Member, caller: Caller) -> Compiled:
    if isinstance(request, OperationError):
        return request
    try:
        return await service.compiled_operation(request, caller)
    except Exception as error:  # noqa: BLE001 - one member's fault, or ours, is told at its place
        return error


def _is_mutation(compiled: Compiled) -> bool:
    return not isinstance(compiled, Exception) and compiled[1].operation.kind is OperationKind.MUTATION


async def _run(service: GraphQLService, request: Member, compiled: Compiled, caller: Caller, started: float) -> bytes:
    try:
        if isinstance(request, OperationError):
            raise request
        if isinstance(compiled, Exception):
            raise compiled
        return result_answer(await service.run(*compiled, request, caller, started)).body
    except Exception as error:  # noqa: BLE001 - the edge: the client gets an answer, and the log what was our fault
        await service.tell(error)
        return encode({"errors": errors_of(error)})
