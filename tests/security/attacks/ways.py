"""Every way on which the router speaks to a subgraph, as one function each: what the attacks of subgraphs go over."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable

from router.execution.http.client import HttpSubgraphClient
from router.execution.http.tls import Tls
from router.execution.json_numbers import decode_exact
from router.execution.subgraph_client import SubgraphRequest
from router.execution.subscription.event_source import EventRequest, EventSource
from router.execution.subscription.sse_source import SseSource
from router.execution.subscription.websocket_source import WebSocketSource
from router.execution.uploads import SentFile, UploadedFile

# Of a client of the router, for the subgraph alone.
SECRET = b"Bearer 4711-of-ada"
BODY = b'{"query":"{x}"}'
HEADERS = ((b"authorization", SECRET), (b"x-user-id", b"ada"))
Ask = Callable[[str, Tls | None], Awaitable[object]]


async def query(url: str, tls: Tls | None) -> object:
    return await _sent(url, tls, ())


async def upload(url: str, tls: Tls | None) -> object:
    file = SentFile(UploadedFile("photo", "image/png", 7, io.BytesIO(b"a photo")), ("variables.photo",))
    return await _sent(url, tls, (file,))


async def events(url: str, tls: Tls | None) -> object:
    return await _first_event(SseSource(tls), url)


async def socket(url: str, tls: Tls | None) -> object:
    return await _first_event(WebSocketSource(tls), url)


ASKING: tuple[Ask, ...] = (query, upload)
LISTENING: tuple[Ask, ...] = (events, socket)


async def _sent(url: str, tls: Tls | None, files: tuple[SentFile, ...]) -> object:
    client = HttpSubgraphClient({"a": url}, tls={"a": tls} if tls is not None else None)
    try:
        return await client.send(SubgraphRequest("a", BODY, timeout_s=2, headers=HEADERS, files=files))
    finally:
        await client.close()


async def _first_event(source: EventSource, url: str) -> object:
    request = EventRequest("a", url, BODY, HEADERS, decode_exact)
    async with asyncio.timeout(20), source.open(request) as stream:
        return await anext(stream)
