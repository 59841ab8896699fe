"""The default subgraph client: a keep-alive pool of HTTP/1.1 connections for each subgraph.

A repeatable request (a query) that meets a kept connection which the subgraph had just closed is sent once more, on a
fresh connection, if nothing of an answer was received. A mutation is never sent twice: it takes a kept connection
only if that was in use moments ago.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from router.content_coding import CODINGS, Coding
from router.errors import InputError
from router.execution.errors import REQUEST_FAILED, SUBGRAPH_TIMEOUT, NotSent, SubgraphFailure
from router.execution.http.connection import Connection, ConnectionUnused
from router.execution.http.deadlines import Deadlines
from router.execution.http.header_keeping import HeaderKeepingConnection
from router.execution.http.known_heads import KnownHeads
from router.execution.http.slots import Slots
from router.execution.http.tls import Tls
from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse
from router.told_url import told_url

MUTATION_IDLE_LIMIT_S = 1.0
# The line of a header, of its name and value.
_LINE = b": ".join


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of each subgraph's pool. ``keep_alive_s`` is how long an unused connection is kept.

    ``codings`` are those in which answers may be compressed; ``max_response_bytes`` holds for what they come to.
    """

    max_connections: int = 200
    max_response_bytes: int = 32 * 1024 * 1024
    keep_alive_s: float = 30.0
    codings: tuple[Coding, ...] = CODINGS

    @property
    def accept_encoding(self) -> str:
        """The header by which a subgraph is told so."""
        return ", ".join(self.codings) or "identity"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a subgraph listens.

    ``host`` is what to connect to; certificates know it as ``server_name``, HTTP as ``host_header``. ``target`` is the
    path and query of the endpoint.
    """

    host: str
    port: int
    is_tls: bool
    host_header: str
    target: str
    server_name: str


def parse_address(subgraph: str, url: str) -> Address:
    """The address in a subgraph's URL. Raises InputError (INVALID_SUBGRAPH_URL)."""
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # As it is asked for; its labels have from 1 to 63 characters.
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        wrong = f"is not an http or https URL: {told_url(url)!r}"
        message = f"The URL of subgraph '{subgraph}' {wrong}. Correct its routing_url."
        raise InputError("INVALID_SUBGRAPH_URL", message)
    is_tls = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host_header = host if port is None else f"{host}:{port}"
    return Address(parts.hostname, port or (443 if is_tls else 80), is_tls, host_header, target, parts.hostname)


class HttpSubgraphClient:
    """A SubgraphClient over HTTP/1.1 and TLS; ``urls`` are the subgraphs' endpoints by name."""

    def __init__(
        self,
        urls: Mapping[str, str],
        limits: HttpLimits | None = None,
        tls: Mapping[str, Tls] | None = None,
        hosts: Mapping[str, str] | None = None,
        *,
        keeps_cache_headers: bool = False,
    ) -> None:
        """Connects nowhere until the first request; then to one of ``hosts``, by name, in place of the URL's own host.

        Over ``tls``, by name, where the URL is https; a subgraph that it does not have must have a certificate that the
        system trusts. Where it ``keeps_cache_headers``, responses bear those headers. InputError: INVALID_SUBGRAPH_URL.
        """
        addresses = {name: parse_address(name, url) for name, url in urls.items()}
        for name, host in (hosts or {}).items():
            addresses[name] = replace(addresses[name], host=host)
        self._tls = tls or {}
        needs_default = any(address.is_tls and name not in self._tls for name, address in addresses.items())
        default = Tls(ssl.create_default_context()) if needs_default else None
        self._urls = dict(urls)
        self._limits = limits or HttpLimits()
        self._uploads: dict[str, SubgraphClient] = {}
        kind = HeaderKeepingConnection if keeps_cache_headers else Connection
        self._pools = {
            name: _Pool(name, address, self._limits, self._tls.get(name, default), kind)
            for name, address in addresses.items()
        }

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        if request.files:
            return self._upload_client(request.subgraph).send(request)
        pool = self._pools.get(request.subgraph)
        if pool is None:
            raise SubgraphFailure(REQUEST_FAILED, f"Subgraph '{request.subgraph}' has no address.")
        return pool.send(request)

    async def close(self) -> None:
        """As the protocol says."""
        for pool in self._pools.values():
            pool.close()
        for client in self._uploads.values():
            await client.close()

    def _upload_client(self, subgraph: str) -> SubgraphClient:
        """httpx streams multipart bodies; only a router that passes files on pays for it."""
        if subgraph not in self._uploads:
            import httpx

            from router.execution.httpx_client import HttpxSubgraphClient

            tls = self._tls.get(subgraph)
            client = httpx.AsyncClient(trust_env=False, verify=tls.context if tls is not None else True)
            server_name = tls.server_name if tls is not None else None
            self._uploads[subgraph] = HttpxSubgraphClient(self._urls, client, self._limits, server_name)
        return self._uploads[subgraph]


class _Pool:
    """The connections to one subgraph; the one used last is used first, so that surplus ones grow old."""

    def __init__(
        self,
        subgraph: str,
        address: Address,
        limits: HttpLimits,
        tls: Tls | None,
        connection: type[Connection],
    ) -> None:
        self._connection = connection
        self._subgraph = subgraph
        self._address = address
        self._limits = limits
        self._tls = tls if address.is_tls else None
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._slots = Slots(limits.max_connections)
        self._deadlines = Deadlines()
        self._heads = KnownHeads()
        self._head = (
            f"POST {address.target} HTTP/1.1\r\nhost: {address.host_header}\r\ncontent-type: application/json\r\n"
            "accept: application/graphql-response+json, application/json\r\n"
            f"accept-encoding: {limits.accept_encoding}\r\ncontent-length: "
        ).encode()

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        now = monotonic()
        deadline = now + request.timeout_s
        payload = self._payload(request.headers, request.body)
        try:
            if not self._slots.take_free():
                async with asyncio.timeout_at(deadline):
                    await self._slots.take()
            try:
                kept = self._take_idle(now, self._limits.keep_alive_s if request.repeatable else MUTATION_IDLE_LIMIT_S)
                connection = kept or await self._connect(deadline)
                while True:
                    # A coroutine for each of these steps would be one more to wake at every answer.
                    waiter = connection.begin(payload)
                    self._deadlines.watch(waiter, deadline)
                    try:
                        return await waiter
                    except ConnectionUnused:
                        if connection is not kept or not request.repeatable:
                            raise
                    except (asyncio.CancelledError, TimeoutError):
                        connection.close()
                        raise
                    finally:
                        self._deadlines.forget(waiter)
                    connection = await self._connect(deadline)
            finally:
                self._slots.give_back()
        except ConnectionUnused:
            raise self._closed() from None
        except TimeoutError:
            message = f"Subgraph '{self._subgraph}' did not answer within {request.timeout_s:.3g} seconds."
            raise SubgraphFailure(SUBGRAPH_TIMEOUT, message) from None

    def close(self) -> None:
        self._deadlines.close()
        for connection in list(self._open):
            connection.close()

    def _payload(self, headers: Headers, body: bytes) -> bytes:
        if not headers:
            return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        more = b"\r\n".join(map(_LINE, headers))
        return b"%b%d\r\n%b\r\n\r\n%b" % (self._head, len(body), more, body)

    def _take_idle(self, now: float, max_idle_s: float) -> Connection | None:
        idle = self._idle
        while idle and now - idle[0].idle_since > self._limits.keep_alive_s:
            idle.pop(0).close()
        while idle and now - idle[-1].idle_since <= max_idle_s:
            connection = idle.pop()
            if connection.is_open():
                return connection
        return None

    async def _connect(self, deadline: float) -> Connection:
        """A new connection, made until ``deadline``. ConnectionUnused, TimeoutError, NotSent."""
        async with asyncio.timeout_at(deadline):
            connection = await self._open_connection()
        if not connection.is_open():
            raise ConnectionUnused
        return connection

    async def _open_connection(self) -> Connection:
        address = self._address
        loop = asyncio.get_running_loop()
        limits = self._limits
        try:
            _, connection = await loop.create_connection(
                lambda: self._connection(
                    self._subgraph,
                    limits.max_response_bytes,
                    limits.codings,
                    self._heads,
                    self._keep,
                    self._forget,
                ),
                address.host,
                address.port,
                ssl=self._tls.context if self._tls is not None else None,
                server_hostname=(self._tls.server_name or address.server_name) if self._tls is not None else None,
            )
        except OSError as error:
            message = f"Subgraph '{self._subgraph}' could not be reached: {_reason(error)}."
            raise NotSent(message) from None
        self._open.add(connection)
        return connection

    def _keep(self, connection: Connection) -> None:
        connection.idle_since = monotonic()
        self._idle.append(connection)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def _closed(self) -> SubgraphFailure:
        what = "closed the connection without an answer"
        if self._tls is not None:
            # With TLS 1.3 a server says no to a client's certificate after the handshake, in place of an answer.
            what += ", which may be its no to the router's certificate"
        return SubgraphFailure(REQUEST_FAILED, f"Subgraph '{self._subgraph}' {what}.")


def _reason(error: OSError) -> str:
    """Why connecting failed, without addresses: those are not for clients."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ssl.SSLError):
        return "TLS handshake failed"
    return "name not found" if type(error).__name__ == "gaierror" else "connection failed"
