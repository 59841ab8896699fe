"""Registered documents in a NATS key-value bucket, so that what one replica was sent all of them know.

Theory of operation. Each replica follows the bucket and remembers what is put there, so that a document is looked for
in memory alone: no request waits for NATS, and no unknown hash is worth a question to it. What a client registers is
remembered at once, and put into the bucket behind the request. While NATS is away each replica has what it has, and
what is registered meanwhile is put when it is back.

A key is the SHA-256 of its document, which is looked at again in each replica: what is not is no document of ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from router.server.config import PersistedDocumentSettings
from router.server.nats.connection import Bucket, NatsConnection, NatsUnavailable
from router.server.persisted_documents.manifest import hash_of
from router.server.persisted_documents.registered import RegisteredDocuments

logger = logging.getLogger("galleria.router")

BUCKET = "documents"
MAX_UNSENT = 1000
RETRY_AFTER_S = 1.0


class SharedDocuments:
    """Keeps ``registered`` and ``bucket`` the same. ``refused`` counts what was there and is no document."""

    def __init__(self, registered: RegisteredDocuments, bucket: Bucket, connection: NatsConnection) -> None:
        self.registered = registered
        self.refused = 0
        self._is_receiving = False
        self._bucket = bucket
        self._connection = connection
        self._unsent: deque[tuple[str, str]] = deque(maxlen=MAX_UNSENT)
        self._has_unsent = asyncio.Event()
        registered.on_registered = self._registered

    @property
    def is_following(self) -> bool:
        """Whether this replica hears at this moment of what others register."""
        return self._is_receiving and self._connection.is_connected

    async def run(self) -> None:
        """Share until cancelled."""
        try:
            await asyncio.gather(self._receive(), self._send())
        finally:
            # A reload may have put another in its place.
            if self.registered.on_registered == self._registered:
                self.registered.on_registered = None
            self._is_receiving = False

    def _registered(self, hash_: str, text: str) -> None:
        self._unsent.append((hash_, text))
        self._has_unsent.set()

    async def _receive(self) -> None:
        while True:
            self._is_receiving = True
            try:
                async for hash_, text in self._bucket.entries():
                    self._learn(hash_, text)
            except NatsUnavailable:
                self._is_receiving = False
            await asyncio.sleep(RETRY_AFTER_S)

    def _learn(self, hash_: str, sent: bytes) -> None:
        try:
            text = sent.decode()
        except UnicodeDecodeError:
            text = ""
        if hash_of(text) != hash_:
            self.refused += 1
            logger.warning("the shared document %.64s is not the one that its hash says, and is refused", hash_)
            return
        self.registered.remember(hash_, text)

    async def _send(self) -> None:
        while True:
            await self._has_unsent.wait()
            while self._unsent:
                hash_, text = self._unsent[0]
                if await self._put(hash_, text):
                    # Others may have come meanwhile, and pushed this one out.
                    if self._unsent and self._unsent[0][0] == hash_:
                        self._unsent.popleft()
                else:
                    await asyncio.sleep(RETRY_AFTER_S)
            self._has_unsent.clear()

    async def _put(self, hash_: str, text: str) -> bool:
        """Put one document; False where it is to be tried again."""
        try:
            await self._bucket.put(hash_, text.encode())
        except NatsUnavailable as error:
            if not self._connection.is_connected:
                return False
            logger.warning("a document could not be shared, and is this replica's own: %s", error)
        return True


class DocumentSharing(Collector):
    """The sharing that the settings want, exchanged when they change; tells /metrics of it."""

    def __init__(self) -> None:
        self.shared: SharedDocuments | None = None
        self._made_from: tuple[object, ...] = ()
        self._task: asyncio.Task[None] | None = None

    def follow(
        self,
        settings: PersistedDocumentSettings,
        registered: RegisteredDocuments | None,
        connection: NatsConnection | None,
    ) -> None:
        """Share ``registered`` from now on, in the running event loop, where the settings want it."""
        made_from = settings, registered, connection
        if made_from == self._made_from:
            return
        self.close()
        self._made_from = made_from
        if not settings.apq_shared or registered is None or connection is None:
            return
        bucket = connection.bucket(BUCKET, settings.apq_ttl_s, settings.apq_max_bytes)
        self.shared = SharedDocuments(registered, bucket, connection)
        self._task = asyncio.get_running_loop().create_task(self.shared.run())

    def close(self) -> None:
        """Share nothing any more."""
        if self._task is not None:
            self._task.cancel()
        self.shared = self._task = None
        self._made_from = ()

    def collect(self) -> Iterator[Metric]:
        """Whether replicas share what they know (of prometheus-client's Collector)."""
        shared = self.shared
        if shared is None:
            return
        about = "1 while registered documents are shared with other replicas."
        yield GaugeMetricFamily("galleria_documents_shared", about, shared.is_following)
        about = "Registered documents that this process remembers."
        yield GaugeMetricFamily("galleria_documents_registered", about, len(shared.registered))
        about = "What was shared and is not the document that its hash says."
        yield CounterMetricFamily("galleria_documents_refused", about, shared.refused)
