"""A subgraph that is an ASGI app in this process: the app is called as a server would call it, but without a socket.

Its lifespan begins with ``start`` or the first request, and ends with ``close``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, MutableMapping
from typing import Any

from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.client import Address
from router.execution.in_process.lifespan import AsgiApp, Lifespan
from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse

logger = logging.getLogger("galleria.router")

Upload = Callable[[], SubgraphClient]


class AsgiSubgraphClient:
    """A SubgraphClient for one ``app``, which answers at ``address``; requests with files go by ``upload``'s client."""

    def __init__(self, app: AsgiApp, address: Address, max_response_bytes: int, upload: Upload) -> None:
        self._app = app
        self._address = address
        self._max_bytes = max_response_bytes
        self._upload = upload
        self._lifespan = Lifespan(app)

    async def start(self) -> None:
        """Let the app start, if it has not. Raises StartFailed with its reason."""
        await self._lifespan.start()

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says."""
        try:
            async with asyncio.timeout(request.timeout_s):
                await self._lifespan.start()
                if request.files:
                    return await self._upload().send(request)
                return await self._call(request)
        except TimeoutError:
            message = f"Subgraph '{request.subgraph}' did not answer within {request.timeout_s:.3g} seconds."
            raise SubgraphFailure(SUBGRAPH_TIMEOUT, message) from None
        except SubgraphFailure:
            raise
        except Exception as error:
            logger.error("subgraph '%s' failed in this process", request.subgraph, exc_info=error)
            raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{request.subgraph}' failed.") from None

    async def close(self) -> None:
        """Let the app end."""
        await self._lifespan.stop()

    async def _call(self, request: SubgraphRequest) -> SubgraphResponse:
        exchange = _Exchange(request.body, self._max_bytes)
        await self._app(self._scope(request), exchange.receive, exchange.send)
        if exchange.is_too_large:
            message = f"Subgraph '{request.subgraph}' answered with more than the limit of {self._max_bytes} bytes."
            raise SubgraphFailure(INVALID_RESPONSE, message)
        if not exchange.is_complete:
            raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{request.subgraph}' did not end its answer.")
        return SubgraphResponse(exchange.status, b"".join(exchange.chunks), exchange.headers)

    def _scope(self, request: SubgraphRequest) -> MutableMapping[str, Any]:
        path, _, query = self._address.target.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https" if self._address.is_tls else "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", self._address.host_header.encode()),
                (b"content-type", b"application/json"),
                (b"accept", b"application/graphql-response+json, application/json"),
                (b"content-length", b"%d" % len(request.body)),
                *((name.lower(), value) for name, value in request.headers),
            ],
            "client": None,
            "server": (self._address.host, self._address.port),
            "state": dict(self._lifespan.state),
        }


class _Exchange:
    """One request and its answer, as ASGI's ``receive`` and ``send`` see them."""

    __slots__ = ("_body", "_max_bytes", "_size", "chunks", "headers", "is_complete", "status")

    def __init__(self, body: bytes, max_bytes: int) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.chunks: list[bytes] = []
        self.is_complete = False
        self._body: bytes | None = body
        self._size = 0
        self._max_bytes = max_bytes

    @property
    def is_too_large(self) -> bool:
        return self._size > self._max_bytes

    async def receive(self) -> MutableMapping[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self.is_complete:
            # The client never goes away before its answer: where it is given up, the app is cancelled.
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = tuple((bytes(name), bytes(value)) for name, value in message.get("headers", ()))
        elif message["type"] == "http.response.body":
            chunk = bytes(message.get("body", b""))
            self._size += len(chunk)
            if not self.is_too_large:
                self.chunks.append(chunk)
            self.is_complete = not message.get("more_body", False)
