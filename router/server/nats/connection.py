"""The connection to NATS, and its key-value buckets: made when first asked for, and never worth waiting for long.

Theory of operation. Nothing connects until a bucket is asked for something. Whoever asks waits for at most
``timeout_s``, and gets NatsUnavailable where the server does not answer by then: it goes on with what this process
knows by itself. After a failure nobody waits again for RETRY_AFTER_S. Once connected, the client finds a lost server
by itself; meanwhile every question fails at once. Outages and their ends are told in the log, each once.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from router.server.config.nats import NatsSettings

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.kv import KeyValue

logger = logging.getLogger("galleria.router")

CONNECT_WITHIN_S = 2.0
RETRY_AFTER_S = 1.0
_RECONNECT_PAUSE_S = 1
_LOOK_FOR_LOSSES_S = 0.5
_T = TypeVar("_T")


class NatsUnavailable(Exception):  # noqa: N818 - a state of the server, which whoever asks can live with
    """The server cannot be asked at the moment, or did not answer in time."""


class NatsConnection:
    """One connection for all buckets. ``losses`` counts how often it was lost."""

    def __init__(self, settings: NatsSettings) -> None:
        self.settings = settings
        self.losses = 0
        self._client: Client | None = None
        self._connecting: asyncio.Task[Client] | None = None
        self._retry_at = 0.0
        self._is_told = False
        self._is_closed = False

    @property
    def is_connected(self) -> bool:
        """Whether the server is there at this moment."""
        return self._client is not None and self._client.is_connected

    def bucket(
        self, name: str, ttl_s: float | None = None, max_bytes: int | None = None, *, in_memory: bool = False
    ) -> Bucket:
        """The key-value bucket ``name``, made where it is not there yet, whose values are forgotten after ``ttl_s``.

        With ``max_bytes`` it takes no more than that: ``put`` fails then. ``in_memory`` it does not outlive the server.
        """
        return Bucket(self, BucketOptions(f"{self.settings.prefix}_{name}", ttl_s, max_bytes, in_memory))

    async def client(self) -> Client:
        """The connected client. NatsUnavailable."""
        if self._client is not None:
            if self._client.is_connected:
                return self._client
            raise NatsUnavailable("the connection is lost")
        loop = asyncio.get_running_loop()
        if self._is_closed or loop.time() < self._retry_at:
            raise NatsUnavailable("the server did not answer")
        if self._connecting is None:
            self._connecting = loop.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        try:
            return await self.within(asyncio.shield(self._connecting))
        except asyncio.CancelledError:
            if self._is_closed:
                raise NatsUnavailable("the connection is closed") from None
            raise

    async def within(self, answer: Awaitable[_T]) -> _T:
        """``answer``, if it comes in time and is no failure of the server. NatsUnavailable."""
        import nats.errors

        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await answer
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise NatsUnavailable(f"{type(error).__name__}: {error}".rstrip(": ")) from None

    async def close(self) -> None:
        """Leave the server; nobody is connected again."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._client is not None:
            await _close(self._client)

    def _connected(self, connecting: asyncio.Task[Client]) -> None:
        self._connecting = None
        if connecting.cancelled():
            return
        error = connecting.exception()
        if error is None:
            self._client = connecting.result()
            self._regained()
        else:
            self._retry_at = asyncio.get_running_loop().time() + RETRY_AFTER_S
            self._lost(_why(error))

    async def _connect(self) -> Client:
        # Here, because it takes a tenth of a second that a router without NATS need not wait.
        import nats.errors

        from router.server.nats.client import TlsAwareClient

        # The first tells most: a refused password, not the connection that ended by it.
        first: list[Exception] = []

        async def failed(error: Exception) -> None:
            if not first:
                first.append(error)

        async def lost() -> None:
            self.losses += 1
            # Of a connection that never was, _connected tells why.
            if self._client is not None and not self._is_closed:
                self._lost("the connection is lost")

        async def regained() -> None:
            self._regained()

        url = self.settings.url.get_secret_value() if self.settings.url is not None else ""
        client = TlsAwareClient()
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await client.connect(
                    url,
                    name="galleria router",
                    connect_timeout=2,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_PAUSE_S,
                    error_cb=failed,
                    disconnected_cb=lost,
                    reconnected_cb=regained,
                )
            return client
        except asyncio.CancelledError:
            await _close(client)
            raise
        except (TimeoutError, OSError, nats.errors.Error) as error:
            await _close(client)
            raise (first[0] if first else error) from None

    def _lost(self, reason: str) -> None:
        if not self._is_told:
            self._is_told = True
            logger.error("NATS cannot be reached, what replicas share is each one's own meanwhile: %s", reason)

    def _regained(self) -> None:
        if self._is_told:
            self._is_told = False
            logger.info("NATS is reached again")


@dataclass(frozen=True, slots=True)
class BucketOptions:
    """Name, and bounds, of a bucket."""

    name: str
    ttl_s: float | None
    max_bytes: int | None
    in_memory: bool


class Bucket:
    """A JetStream key-value store. Keys have letters, digits and ``-_=/.`` alone; each has its latest value."""

    def __init__(self, connection: NatsConnection, options: BucketOptions) -> None:
        self._connection = connection
        self._options = options
        self._opened: tuple[int, KeyValue] | None = None

    @property
    def losses(self) -> int:
        """How often the connection was lost: after each, what the bucket had may be gone, as the server's memory is."""
        return self._connection.losses

    async def get(self, key: str) -> bytes | None:
        """The value of ``key``; None where there is none. NatsUnavailable."""
        from nats.js.errors import KeyNotFoundError

        store = await self._store()
        entry = await self._connection.within(_unless(KeyNotFoundError, store.get(key)))
        return entry.value if entry is not None else None

    async def put(self, key: str, value: bytes) -> None:
        """Store ``value``, in place of an older one. NatsUnavailable."""
        store = await self._store()
        await self._connection.within(store.put(key, value))

    async def entries(self) -> AsyncGenerator[tuple[str, bytes], None]:
        """Every key with its value, and from then on each that is put. It ends by NatsUnavailable.

        After a lost connection it must be asked again: a server that comes back may not know who was listening.
        """
        store = await self._store()
        losses = self._connection.losses
        watcher = await self._connection.within(store.watchall(ignore_deletes=True))
        try:
            while losses == self._connection.losses:
                try:
                    # Not by the watcher's own timeout: that is asyncio.wait_for, which can swallow a cancellation.
                    async with asyncio.timeout(_LOOK_FOR_LOSSES_S):
                        entry = await anext(watcher)
                except TimeoutError:
                    continue
                # None stands between what was there and what is put since.
                if entry is not None:
                    yield entry.key, entry.value or b""
            raise NatsUnavailable("the connection was lost")
        finally:
            with suppress(NatsUnavailable):
                await self._connection.within(watcher.stop())  # type: ignore[no-untyped-call]

    async def _store(self) -> KeyValue:
        client = await self._connection.client()
        if self._opened is None or self._opened[0] != self.losses:
            opening = _open(client, self._options, self._connection.settings)
            self._opened = self.losses, await self._connection.within(opening)
        return self._opened[1]


def open_connection(settings: NatsSettings, previous: NatsConnection | None) -> NatsConnection | None:
    """The connection that the settings ask for, which is the ``previous`` one where they are the same; None for none.

    Nothing is connected yet. Whoever puts another in its place closes the previous one.
    """
    if settings.url is None:
        return None
    return previous if previous is not None and previous.settings == settings else NatsConnection(settings)


def _why(error: BaseException) -> str:
    from nats.errors import SecureConnWantedError

    # The server says in words alone that it does not let us in.
    if re.search("authorization|authentication", str(error), re.IGNORECASE):
        return f"it refuses the user or password of nats.url ({error})"
    if isinstance(error, SecureConnWantedError):
        return f"it has no TLS, which nats.url asks for ({error})"
    return f"{type(error).__name__}: {error}".rstrip(": ")


async def _close(client: Client) -> None:
    # It may be half connected, and then fail in any way; its socket is closed all the same.
    with suppress(Exception):
        await client.close()


async def _open(client: Client, options: BucketOptions, settings: NatsSettings) -> KeyValue:
    from nats.js.api import KeyValueConfig, StorageType
    from nats.js.errors import BucketNotFoundError

    jetstream = client.jetstream(timeout=settings.timeout_s)
    try:
        return await jetstream.key_value(options.name)
    except BucketNotFoundError:
        config = KeyValueConfig(
            bucket=options.name,
            ttl=options.ttl_s,
            max_bytes=options.max_bytes,
            replicas=settings.replicas,
            storage=StorageType.MEMORY if options.in_memory else StorageType.FILE,
        )
        return await jetstream.create_key_value(config)


async def _unless(missing: type[Exception], answer: Awaitable[_T]) -> _T | None:
    """``answer``; None where it is ``missing``."""
    try:
        return await answer
    except missing:
        return None
