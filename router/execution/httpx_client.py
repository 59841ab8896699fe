"""The subgraph client for everything unusual: proxies, custom transports, subgraphs in this process as ASGI apps.

``HttpxSubgraphClient({"orders": "http://orders/graphql"}, httpx.AsyncClient(transport=httpx.ASGITransport(app)))``
asks ``app`` without a socket. It keeps the same contract as the default client at many times the cost per request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import httpx

from router.execution.errors import INVALID_RESPONSE, REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure
from router.execution.http.client import HttpLimits
from router.execution.json_numbers import encode
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse

_JSON = (b"content-type", b"application/json")
_HEADERS = ((b"accept", b"application/graphql-response+json, application/json"),)


class HttpxSubgraphClient:
    """A SubgraphClient over an ``httpx.AsyncClient``, which it closes; ``urls`` are the endpoints by name."""

    def __init__(self, urls: Mapping[str, str], client: httpx.AsyncClient, limits: HttpLimits | None = None) -> None:
        self._urls = {name: httpx.URL(url) for name, url in urls.items()}
        self._client = client
        self._max_bytes = (limits or HttpLimits()).max_response_bytes

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
        except (httpx.DecodingError, httpx.RemoteProtocolError) as error:
            raise SubgraphFailure(*_protocol_failure(request.subgraph, error)) from None
        except (httpx.HTTPError, httpx.StreamError):
            message = f"Subgraph '{request.subgraph}' could not be reached: connection failed."
            raise SubgraphFailure(REQUEST_FAILED, message) from None

    async def close(self) -> None:
        """As the protocol says."""
        await self._client.aclose()

    async def _exchange(self, url: httpx.URL, request: SubgraphRequest) -> SubgraphResponse:
        async with _streamed(self._client, url, request) as response:
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > self._max_bytes:
                    message = (
                        f"Subgraph '{request.subgraph}' answered with more than the limit of {self._max_bytes} bytes."
                    )
                    raise SubgraphFailure(INVALID_RESPONSE, message)
                chunks.append(chunk)
            return SubgraphResponse(response.status_code, b"".join(chunks))


def _streamed(
    client: httpx.AsyncClient, url: httpx.URL, request: SubgraphRequest
) -> AbstractAsyncContextManager[httpx.Response]:
    """Send a request as JSON, or as multipart/form-data where it has files, which are read as they are sent."""
    headers = [*_HEADERS, *request.headers]
    if not request.files:
        return client.stream("POST", url, content=request.body, headers=[_JSON, *headers], timeout=None)
    places = {str(number): list(sent.paths) for number, sent in enumerate(request.files)}
    fields = {"operations": request.body, "map": encode(places)}
    files = {
        str(number): (sent.file.name, sent.reader(), sent.file.content_type)
        for number, sent in enumerate(request.files)
    }
    # Some servers want to know that no form of a web page sent this.
    headers.append((b"apollo-require-preflight", b"true"))
    return client.stream("POST", url, data=fields, files=files, headers=headers, timeout=None)  # type: ignore[arg-type]


def _protocol_failure(subgraph: str, error: httpx.HTTPError) -> tuple[str, str]:
    """Code and message: a connection that ended too early is a failed request, garbage an invalid response."""
    if isinstance(error, httpx.DecodingError):
        return INVALID_RESPONSE, f"Subgraph '{subgraph}' answered with broken compressed data."
    text = str(error)
    if "disconnected" in text or "closed connection" in text:
        return REQUEST_FAILED, f"Subgraph '{subgraph}' closed the connection in the middle of its answer."
    return INVALID_RESPONSE, f"Subgraph '{subgraph}' answered with something other than HTTP/1.1."
