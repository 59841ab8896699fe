"""The subgraph client for everything unusual: proxies, custom transports, subgraphs in this process as ASGI apps.

``HttpxSubgraphClient({"orders": "http://orders/graphql"}, httpx.AsyncClient(transport=httpx.ASGITransport(app)))``
asks ``app`` without a socket. It keeps the same contract as the default client at many times the cost per request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import httpx

from router.content_coding import UNCODED, ContentBroken, ContentTooLarge, decode_content
from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.client import HttpLimits
from router.execution.json_numbers import encode
from router.execution.subgraph_client import Headers, SubgraphRequest, SubgraphResponse

if TYPE_CHECKING:
    import httpcore

_JSON = (b"content-type", b"application/json")
_HEADERS = ((b"accept", b"application/graphql-response+json, application/json"),)


class HttpxSubgraphClient:
    """A SubgraphClient over an ``httpx.AsyncClient``, which it closes; ``urls`` are the endpoints by name.

    Certificates must be for ``server_name``; None: for the hosts of the URLs.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        client: httpx.AsyncClient,
        limits: HttpLimits | None = None,
        server_name: str | None = None,
    ) -> None:
        self._urls = {name: httpx.URL(url) for name, url in urls.items()}
        self._client = client
        self._limits = limits or HttpLimits()
        self._extensions = {"sni_hostname": server_name} if server_name is not None else {}
        self._headers = (*_HEADERS, (b"accept-encoding", self._limits.accept_encoding.encode()))

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says; httpx itself repeats nothing."""
        url = self._urls.get(request.subgraph)
        if url is None:
            raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{request.subgraph}' has no address.")
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._exchange(url, request)
        except (TimeoutError, httpx.TimeoutException):
            message = f"Subgraph '{request.subgraph}' did not answer within {request.timeout_s:.3g} seconds."
            raise SubgraphFailure(SUBGRAPH_TIMEOUT, message) from None
        except httpx.RemoteProtocolError as error:
            raise SubgraphFailure(*_protocol_failure(request.subgraph, error)) from None
        except (httpx.HTTPError, httpx.StreamError):
            message = f"Subgraph '{request.subgraph}' could not be reached: connection failed."
            raise SubgraphFailure(REQUEST_FAILED, message) from None

    async def close(self) -> None:
        """As the protocol says."""
        await self._client.aclose()

    async def _exchange(self, url: httpx.URL, request: SubgraphRequest) -> SubgraphResponse:
        handshake = _Handshake()
        try:
            return await self._read(url, request, {**self._extensions, "trace": handshake.follow})
        except BaseException:
            await handshake.give_up()
            raise

    async def _read(self, url: httpx.URL, request: SubgraphRequest, extensions: Mapping[str, Any]) -> SubgraphResponse:
        async with _streamed(self._client, url, request, self._headers, extensions) as response:
            chunks: list[bytes] = []
            size = 0
            # Not httpx's own decoding, whose chunks are as large as what the subgraph sent makes them.
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > self._limits.max_response_bytes:
                    raise self._too_large(request.subgraph)
                chunks.append(chunk)
            body = self._decoded(request.subgraph, response, b"".join(chunks))
            headers = tuple((name.lower(), value) for name, value in response.headers.raw)
            return SubgraphResponse(response.status_code, body, headers)

    def _decoded(self, subgraph: str, response: httpx.Response, body: bytes) -> bytes:
        coding = response.headers.get("content-encoding", "").strip().lower().removeprefix("x-")
        if coding in UNCODED:
            return body
        if coding not in self._limits.codings:
            message = f"Subgraph '{subgraph}' answered in a content encoding that was not asked for."
            raise SubgraphFailure(INVALID_RESPONSE, message)
        try:
            return decode_content(coding, body, self._limits.max_response_bytes)
        except ContentBroken:
            message = f"Subgraph '{subgraph}' answered with broken compressed data."
            raise SubgraphFailure(INVALID_RESPONSE, message) from None
        except ContentTooLarge:
            raise self._too_large(subgraph) from None

    def _too_large(self, subgraph: str) -> SubgraphFailure:
        limit = self._limits.max_response_bytes
        message = f"Subgraph '{subgraph}' answered with more than the limit of {limit} bytes."
        return SubgraphFailure(INVALID_RESPONSE, message)


class _Handshake:
    """Of a request's connection: where one is cancelled, httpcore leaves the socket to the garbage collector."""

    def __init__(self) -> None:
        self._connected: httpcore.AsyncNetworkStream | None = None
        self._shaking: httpcore.AsyncNetworkStream | None = None

    async def follow(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear of what httpcore does, as its extension ``trace`` says."""
        if event == "connection.connect_tcp.complete":
            self._connected = info["return_value"]
        elif event == "connection.start_tls.started":
            self._shaking = self._connected
        elif event == "connection.start_tls.complete":
            self._shaking = None

    async def give_up(self) -> None:
        """Close the connection where nobody has shaken hands."""
        if self._shaking is not None:
            await self._shaking.aclose()


def _streamed(
    client: httpx.AsyncClient, url: httpx.URL, request: SubgraphRequest, own: Headers, extensions: Mapping[str, Any]
) -> AbstractAsyncContextManager[httpx.Response]:
    """Send a request as JSON, or as multipart/form-data where it has files, which are read as they are sent."""
    headers = [*own, *request.headers]
    if not request.files:
        content, sent = request.body, [_JSON, *headers]
        return client.stream("POST", url, content=content, headers=sent, timeout=None, extensions=extensions)
    places = {str(number): list(sent.paths) for number, sent in enumerate(request.files)}
    fields = {"operations": request.body, "map": encode(places)}
    files = {
        str(number): (sent.file.name, sent.reader(), sent.file.content_type)
        for number, sent in enumerate(request.files)
    }
    # Some servers want to know that no form of a web page sent this.
    headers.append((b"apollo-require-preflight", b"true"))
    return client.stream(
        "POST",
        url,
        data=fields,
        files=files,  # type: ignore[arg-type]
        headers=headers,
        timeout=None,
        extensions=extensions,
    )


def _protocol_failure(subgraph: str, error: httpx.RemoteProtocolError) -> tuple[str, str]:
    """Code and message: a connection that ended too early is a failed request, garbage an invalid response."""
    text = str(error)
    if "disconnected" in text or "closed connection" in text:
        return REQUEST_FAILED, f"Subgraph '{subgraph}' closed the connection in the middle of its answer."
    return INVALID_RESPONSE, f"Subgraph '{subgraph}' answered with something other than HTTP/1.1."
