"""Subscriptions of a subgraph over server-sent events, in the form of graphql-sse's distinct connections mode.

Each is an HTTP request of its own, whose answer is ``text/event-stream`` with the events ``next`` and ``complete``.
httpx reads it: a stream has few, small parts, and its connection is never one of the pool that queries use.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import cache

import httpx

from router.content_coding import UNCODED
from router.execution.answer import SubgraphAnswer, answer_in, read_answer
from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.tls import Tls
from router.execution.subgraph_client import SubgraphResponse
from router.execution.subscription.event_source import (
    CONNECT_TIMEOUT_S,
    MAX_EVENT_BYTES,
    EventRequest,
    SubscriptionRefused,
)
from router.execution.subscription.event_stream import EventStreamError, EventStreamReader

# Some servers send their head with the first event; nobody is to wait for one that hangs without an end.
OPENING_TIMEOUT_S = 90.0
# An open stream may have nothing to tell for days, and the protocol asks for no comments meanwhile: so the system asks
# whether the other end is still there. One that does not answer is lost after 90 seconds.
KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))
        if hasattr(socket, name)
    ),
]
_HEADERS = (
    (b"content-type", b"application/json"),
    # Alone: graphql-sse looks for exactly this. What is no stream is read all the same.
    (b"accept", b"text/event-stream"),
    # Events are small, and httpx would undo a coding without a bound.
    (b"accept-encoding", b"identity"),
)


class SseSource:
    """An EventSource over server-sent events; where the URL is https, over ``tls``, or what the system trusts.

    A connection, with TLS, is made within ``connect_timeout_s``, and the head of the answer, with all of one that is no
    stream, comes within ``opening_timeout_s``. Afterwards the subgraph may be silent for as long as it is there, or for
    ``silence_timeout_s``, which holds for its head in place of the other.
    """

    def __init__(
        self,
        tls: Tls | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        silence_timeout_s: float | None = None,
        opening_timeout_s: float = OPENING_TIMEOUT_S,
    ) -> None:
        self._tls = tls
        self._timeout = httpx.Timeout(connect_timeout_s, read=silence_timeout_s)
        self._opening_timeout_s = opening_timeout_s if silence_timeout_s is None else None

    @asynccontextmanager
    async def open(self, request: EventRequest) -> AsyncIterator[AsyncIterator[SubgraphAnswer]]:
        """As the protocol says."""
        headers = [*_HEADERS, *request.headers]
        context = self._tls.context if self._tls is not None else _tls()
        server_name = self._tls.server_name if self._tls is not None else None
        extensions = {"sni_hostname": server_name} if server_name is not None else {}
        transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, socket_options=KEEP_ALIVE)
        async with httpx.AsyncClient(timeout=self._timeout, transport=transport, trust_env=False) as client:
            sending = client.build_request(
                "POST", request.url, content=request.body, headers=headers, extensions=extensions
            )
            try:
                async with asyncio.timeout(self._opening_timeout_s):
                    response = await client.send(sending, stream=True)
            except (httpx.HTTPError, TimeoutError) as error:
                raise _lost(request.subgraph, error) from None
            try:
                async with aclosing(await self._opened(response, request)) as events:
                    yield events
            finally:
                await response.aclose()

    async def _opened(self, response: httpx.Response, request: EventRequest) -> AsyncGenerator[SubgraphAnswer, None]:
        """The events of an answer. What is no stream is read here: who fails was not connected to."""
        name = request.subgraph
        if response.headers.get("content-encoding", "").strip().lower() not in UNCODED:
            message = f"Subgraph '{name}' answered in a content encoding that was not asked for."
            raise SubscriptionRefused(INVALID_RESPONSE, message)
        if response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream":
            return _events(response, request)
        try:
            async with asyncio.timeout(self._opening_timeout_s):
                return _one(await _only_answer(response, request))
        except (httpx.HTTPError, TimeoutError) as error:
            raise _lost(name, error) from None


async def _one(answer: SubgraphAnswer) -> AsyncGenerator[SubgraphAnswer, None]:
    yield answer


async def _events(response: httpx.Response, request: EventRequest) -> AsyncGenerator[SubgraphAnswer, None]:
    name = request.subgraph
    try:
        reader = EventStreamReader(MAX_EVENT_BYTES)
        async for chunk in response.aiter_raw():
            for kind, data in reader.feed(chunk):
                if kind == b"complete":
                    return
                if kind == b"next":
                    yield answer_in(name, request.decode(data))
    except httpx.HTTPError as error:
        raise _lost(name, error) from None
    except (EventStreamError, ValueError):
        raise SubgraphFailure(INVALID_RESPONSE, f"Subgraph '{name}' sent an event that is not GraphQL's.") from None
    raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{name}' ended the stream of events without completing it.")


async def _only_answer(response: httpx.Response, request: EventRequest) -> SubgraphAnswer:
    """What is no stream: GraphQL errors most likely, which are the last that is heard of it."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_EVENT_BYTES:
            message = f"Subgraph '{request.subgraph}' answered with more than the limit of {MAX_EVENT_BYTES} bytes."
            raise SubscriptionRefused(INVALID_RESPONSE, message)
    try:
        return read_answer(request.subgraph, SubgraphResponse(response.status_code, bytes(body)), request.decode)
    except SubgraphFailure as failure:
        if response.status_code >= 500:
            raise
        raise SubscriptionRefused(failure.code, failure.message) from None


def _lost(subgraph: str, error: httpx.HTTPError | TimeoutError) -> SubgraphFailure:
    if isinstance(error, httpx.ConnectTimeout):
        return SubgraphFailure(SUBGRAPH_TIMEOUT, f"Subgraph '{subgraph}' could not be connected to in time.")
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return SubgraphFailure(SUBGRAPH_TIMEOUT, f"Subgraph '{subgraph}' fell silent.")
    return SubgraphFailure(REQUEST_FAILED, f"Subgraph '{subgraph}' could not be reached: connection failed.")


@cache
def _tls() -> ssl.SSLContext:
    """One for all streams: reading the certificates of this machine takes longer than opening a stream."""
    return ssl.create_default_context()
