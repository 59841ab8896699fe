"""The router as an ASGI app: it sends each request to what is served now, and exchanges that at a reload."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from router.execution.in_process.asgi_client import AsgiSubgraphClient
from router.execution.in_process.lifespan import StartFailed
from router.server.access.host_identity import HostIdentity
from router.server.caching.client import CachingClient
from router.server.caching.events import CacheEvents
from router.server.caching.metrics import EntityCacheCollector
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph
from router.server.graphs.graph_files import GraphFiles
from router.server.graphs.reload import Reloader
from router.server.graphs.startup import keep_opening
from router.server.lasting import Lasting
from router.server.metrics.telemetry import Telemetry
from router.server.metrics.traffic_metrics import OverloadCollector, TrafficCollector
from router.server.metrics.worker_metrics import WorkerPeers
from router.server.nats.metrics import NatsCollector
from router.server.persisted_documents.shared import DocumentSharing
from router.server.rate_limits.metrics import RateLimitCollector
from router.server.service import GraphQLService
from router.server.serving import assemble
from router.server.shedding.overload import Overload, overload_policy
from router.server.status.recent import NOTED_EVERY_S
from router.server.subscriptions.hub import SubscriptionHub
from router.server.to_subgraphs.subgraph_traffic import SubgraphTraffic

logger = logging.getLogger("galleria.router")

LAST_SPANS_WITHIN_S = 2.0


class RouterApp:
    """Sends requests for the GraphQL path to the endpoint of their protocol, and all others to Starlette.

    Raises InputError as assemble does.
    """

    def __init__(
        self,
        config: RouterConfig,
        graph: Graph | None = None,
        files: GraphFiles | None = None,
        host: HostIdentity | None = None,
    ) -> None:
        if graph is not None and graph.made_from is not None:
            config = graph.made_from.config  # The file may have changed since ``config`` was read for the start.
        telemetry = Telemetry()
        self._subscriptions = SubscriptionHub(config, telemetry)
        self._is_draining = self._is_alive = False
        self._closing: set[asyncio.Task[None]] = set()
        self.overload = Overload(overload_policy(config))
        self._lasting = Lasting(
            telemetry, self._subscriptions, self.overload, lambda: self.service, lambda: self._is_draining, host
        )
        telemetry.operations.limit(config.telemetry.metrics)
        self._serving = assemble(config, graph, self._lasting)
        self._subscriptions.watch(self._serving.events, self.service.tell)
        self._tell_own_delay()
        self._files = files
        self._reloader = Reloader(files, self._served_graph, self.replace_graph, telemetry) if files else None
        self._lifespan = Starlette(lifespan=self.lifespan)
        telemetry.watch_cache(self._cached_operations)
        telemetry.registry.register(TrafficCollector(self._traffic))
        telemetry.registry.register(OverloadCollector(self.overload))
        self._cache_events = CacheEvents(self._entity_cache)
        self._document_sharing = DocumentSharing()
        telemetry.registry.register(self._document_sharing)
        telemetry.registry.register(EntityCacheCollector(self._entity_cache, self._cache_events))
        telemetry.registry.register(NatsCollector(lambda: self._serving.nats))
        telemetry.registry.register(RateLimitCollector(lambda: self._serving.limiter))

    @property
    def service(self) -> GraphQLService:
        """The service that is served now."""
        return self._serving.service

    def replace_graph(self, graph: Graph) -> None:
        """Serve ``graph`` from now on, with the settings that it was made with; requests under way keep theirs.

        InputError as assemble: nothing is changed then.
        """
        config = graph.made_from.config if graph.made_from is not None else self._serving.config
        old, self._serving = self._serving, assemble(config, graph, self._lasting, self._serving)
        if old.spans is not None and old.spans is not self._serving.spans:
            # Not before the requests that began with it have ended.
            asyncio.get_running_loop().call_later(old.config.graphql.timeout_s + 1, old.spans.close)
        self._tell_own_delay()
        self.overload.policy = overload_policy(config)
        self._lasting.telemetry.operations.limit(config.telemetry.metrics)
        self._subscriptions.watch(self._serving.events, self.service.tell)
        self._subscriptions.replace_graph(graph, config, self.service.gate)
        if self._is_alive:
            self._follow_what_is_shared()
        for before, now in ((old.limiter, self._serving.limiter), (old.nats, self._serving.nats)):
            if before is not None and before is not now:
                self._close_soon(before.close())

    def join(self, peers: WorkerPeers) -> None:
        """Be one of several workers."""
        self._lasting.telemetry.peers = peers

    def reload_soon(self) -> None:
        """Read the supergraph and the settings anew; nothing where they are not files."""
        if self._reloader is not None:
            self._reloader.reload_soon()

    def begin_draining(self) -> float:
        """Say that the router is not ready from now on; for how many seconds it still takes requests."""
        self._is_draining = True
        return self._serving.config.server.drain_s

    def end_streams(self) -> None:
        """End what would never end by itself, before the server waits for the end of all else."""
        self._subscriptions.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        await self.answer(scope, receive, send)

    def answer(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """As ``__call__``, and no coroutine of its own: for a server that does not ask for one."""
        serving = self._serving
        kind = scope["type"]
        if kind == "lifespan":
            return self._lifespan(scope, receive, send)
        if _path_in(scope) != serving.graphql_path:
            return serving.others(scope, receive, send)
        return serving.http(scope, receive, send) if kind == "http" else serving.websocket(scope, receive, send)

    def is_shed(self, scope: Scope) -> bool:
        """Whether a request is refused for overload by its head alone, and counts as refused.

        What the layers have to tell of goes through them: the access log, and CORS for pages of other origins.
        """
        serving = self._serving
        if not serving.sheds_early or scope["path"] != serving.graphql_path or self.overload.expect():
            return False
        if scope["method"] == "OPTIONS" or any(name == b"origin" for name, _ in scope["headers"]):
            return False
        self.overload.refuse()
        return True

    @asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """The time in which the router serves: files are followed, and connections kept, until it ends.

        An app that mounts this one takes it as its own lifespan, or enters it within that. Once in its life.
        """
        async with AsyncExitStack() as resources:
            resources.push_async_callback(self._close_connections)
            if self._files is not None and self._reloader is not None:
                following = asyncio.create_task(self._follow(self._files, self._reloader))
                resources.push_async_callback(self._reloader.close)
                resources.callback(following.cancel)
            resources.callback(self._subscriptions.close)
            noting = asyncio.create_task(self._note_traffic())
            resources.callback(noting.cancel)
            await self._start_subgraphs()
            self._is_alive = True
            self._follow_what_is_shared()
            resources.callback(self._cache_events.close)
            resources.callback(self._document_sharing.close)
            try:
                yield
            finally:
                self._is_alive = False

    async def _close_connections(self) -> None:
        # Side by side: what hangs takes its time from nothing else.
        spans = _sent(self._serving.spans.close() if self._serving.spans is not None else None)
        await asyncio.gather(self._close_graph(), self._close_sharing(), spans, *self._closing)

    async def _close_graph(self) -> None:
        if self.service.graph is not None:
            await self.service.graph.client.close()

    async def _close_sharing(self) -> None:
        for sharing in (self._serving.limiter, self._serving.nats):
            if sharing is not None:
                await sharing.close()

    def _close_soon(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _start_subgraphs(self) -> None:
        """Start the subgraphs of this process. One that cannot start costs its own fields, as one elsewhere would."""
        traffic = self._traffic()
        for name, client in traffic.in_process.items() if traffic is not None else ():
            if isinstance(client, AsgiSubgraphClient):
                try:
                    await client.start()
                except StartFailed as failed:
                    logger.error("subgraph '%s' cannot start: %s", name, failed)

    async def _note_traffic(self) -> None:
        while True:
            await asyncio.sleep(NOTED_EVERY_S)
            self._lasting.telemetry.recent.note()

    async def _follow(self, files: GraphFiles, reloader: Reloader) -> None:
        if self.service.graph is None:
            await keep_opening(files.open, self.replace_graph)
        await reloader.watch()

    def _served_graph(self) -> Graph:
        return self.service.served_graph()

    def _cached_operations(self) -> int:
        graph = self.service.graph
        return len(graph.operations) if graph is not None else 0

    def _traffic(self) -> SubgraphTraffic | None:
        graph = self.service.graph
        return graph.traffic if graph is not None else None

    def _tell_own_delay(self) -> None:
        traffic = self._traffic()
        if traffic is not None and traffic.limiting is not None:
            traffic.limiting.own_delay_s = partial(getattr, self.overload, "delay_s")

    def _follow_what_is_shared(self) -> None:
        config, nats = self._serving.config, self._serving.nats
        self._cache_events.follow(config.entity_cache.events if config.entity_cache.enabled else (), nats)
        documents = self.service.documents
        registered = documents.registered if documents is not None else None
        self._document_sharing.follow(config.persisted_documents, registered, nats)
        if self._serving.limiter is not None:
            self._serving.limiter.start()

    def _entity_cache(self) -> CachingClient | None:
        traffic = self._traffic()
        return traffic.caching if traffic is not None else None


async def _sent(closing: threading.Thread | None) -> None:
    """Wait until the last spans are sent, for a moment: a collector that is gone keeps no router from ending."""
    if closing is not None:
        await asyncio.to_thread(closing.join, LAST_SPANS_WITHIN_S)


def _path_in(scope: Scope) -> str:
    """The path without that of the mount (ASGI: ``root_path``)."""
    path: str = scope["path"]
    return path.removeprefix(scope["root_path"]) if scope.get("root_path") else path


def create_app(config: RouterConfig, graph: Graph | None = None, files: GraphFiles | None = None) -> RouterApp:
    """The router's app. Raises InputError as the explorer does.

    Without ``graph`` it answers that it is not ready, until ``files`` give one; a later change of them is taken over.
    """
    return RouterApp(config, graph, files)
