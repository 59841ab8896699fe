"""The seam between execution and the network: one method that sends a GraphQL request to a subgraph.

:class:`router.execution.http.client.HttpSubgraphClient` is the fast default, and
:class:`router.execution.httpx_client.HttpxSubgraphClient` the one for everything unusual. Both keep one contract, and
one test holds them to it.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from router.execution.uploads import SentFile

Headers = tuple[tuple[bytes, bytes], ...]


class SubgraphRequest(Struct, frozen=True):
    """A GraphQL request to ``subgraph``: a JSON ``body``, and ``headers`` beyond those that every request bears.

    ``repeatable`` is false for mutations, which no client ever sends twice. ``timeout_s`` covers all of it: waiting
    for a connection, connecting, sending, and receiving the last byte. Where there are ``files``, the request is sent
    as multipart/form-data with them.
    """

    subgraph: str
    body: bytes
    headers: Headers = ()
    repeatable: bool = True
    timeout_s: float = 30.0
    files: tuple[SentFile, ...] = ()


def with_headers(request: SubgraphRequest, headers: Headers) -> SubgraphRequest:
    """``request`` with other headers; by hand, because ``structs.replace`` takes a multiple of it."""
    subgraph, body, files = request.subgraph, request.body, request.files
    return SubgraphRequest(subgraph, body, headers, request.repeatable, request.timeout_s, files)


class SubgraphResponse(Struct, frozen=True):
    """A complete HTTP response, its content encoding undone.

    ``headers`` are those that its client was told to keep, or all; their names are in lower case.
    """

    status: int
    body: bytes
    headers: Headers = ()


class SubgraphClient(Protocol):
    """Sends requests to subgraphs; used by many requests at once within one event loop."""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """The subgraph's response, of any status.

        Raises SubgraphFailure: SUBGRAPH_REQUEST_FAILED (unknown subgraph, refused, broken off), SUBGRAPH_TIMEOUT,
        SUBGRAPH_INVALID_RESPONSE (not HTTP, or larger than the limit). Cancelling the call gives up the connection.
        """

    async def close(self) -> None:
        """Close all connections; requests under way fail with SUBGRAPH_REQUEST_FAILED."""
