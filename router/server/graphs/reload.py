"""Taking over a changed supergraph, and changed settings, while the router serves.

The files are looked at in short intervals, by their stamps; what changed is read and built in a thread, the operations
that were used last are planned on it, and then it takes the old graph's place in one assignment. Requests under way
end on the graph that they began with. What does not build is refused and told, and the old graph serves on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from router.errors import InputError
from router.execution.subgraph_client import SubgraphClient
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph, GraphInput, build_graph
from router.server.graphs.graph_files import GraphFiles, Stamp
from router.server.graphs.startup import SUBGRAPH_UNREACHABLE
from router.server.graphs.supergraph_file import CompositionFailed
from router.server.metrics.telemetry import ReloadOutcome, Telemetry

logger = logging.getLogger("galleria.router")

SETTLE_S = 0.1
RELOAD_FAILED = "RELOAD_FAILED"
# All others of the section are taken over at the next start alone, which is told.
_SERVER_SETTINGS_TAKEN_OVER = ("drain_s",)


class Reloader:
    """Watches ``files`` and hands each new graph to ``swap``; ``served`` gives the graph that is served now.

    ``swap`` serves the graph with the settings that it was made from, or raises InputError and changes nothing.
    """

    def __init__(
        self, files: GraphFiles, served: Callable[[], Graph], swap: Callable[[Graph], None], telemetry: Telemetry
    ) -> None:
        self._files = files
        self._served = served
        self._swap = swap
        self._telemetry = telemetry
        self._asked = asyncio.Event()
        self._stamps: tuple[Stamp, ...] = ()
        self._read_at = 0.0
        self._refused: str | None = None
        self._retired: dict[SubgraphClient, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def reload_soon(self) -> None:
        """Read the files at once, changed or not (SIGHUP)."""
        self._asked.set()

    async def watch(self) -> None:
        """Reload whatever changes, until cancelled.

        What is served was read before anybody watched, and may have changed since: the first look reads it once more.
        """
        self._read_at = asyncio.get_running_loop().time()
        while True:
            settings = self._config().supergraph
            is_asked = await self._is_asked_within(settings.watch_interval_s if settings.watch else None)
            if is_asked or self._may_have_changed():
                await self._until_written()
                await self.reload()
                if is_asked and self._refused is None:
                    logger.info("reload: the supergraph is up to date")

    async def reload(self) -> None:
        """Read the files; serve what they hold if it is new and builds, else say why not."""
        self._remember_reading()
        try:
            await self._read_and_serve()
        except InputError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001 - ours: it ends no watch, so that the next change is read
            self._refuse(InputError(RELOAD_FAILED, f"the router's own fault: {type(error).__name__}: {error}"), error)

    async def close(self) -> None:
        """Close the clients of graphs that are not served any more."""
        retired = list(self._retired)
        for client in retired:
            self._retired.pop(client).cancel()
            await client.close()

    async def _read_and_serve(self) -> None:
        old = self._served()
        read = await asyncio.to_thread(self._files.read)
        if read == old.made_from:
            self._forget_refusal()
            return
        graph = await asyncio.to_thread(build_graph, read, old)
        await self._take_over(old, graph, read)

    async def _take_over(self, old: Graph, graph: Graph, read: GraphInput) -> None:
        settings = read.config.supergraph
        keys = old.operations.most_recent(settings.warm_operations)
        deadline = asyncio.get_running_loop().time() + settings.warm_timeout_s
        ready = await graph.operations.warm(keys, deadline)
        await graph.deferrals.warm(old.deferrals.most_recent(settings.warm_operations), deadline)
        try:
            self._swap(graph)
        except InputError:
            if graph.client is not old.client:
                await graph.client.close()
            raise
        self._refused = None
        self._telemetry.reloaded("swapped")
        logger.info("reload: %s (%d of %d recent operations planned)", _what_is_new(old, read), ready, len(keys))
        _tell_settings_that_wait(old, read.config)
        if graph.client is not old.client:
            before = old.made_from.config if old.made_from is not None else read.config
            self._retire(old.client, max(before.graphql.timeout_s, read.config.graphql.timeout_s))

    def _refuse(self, error: InputError, fault: Exception | None = None) -> None:
        """Tell it once for as long as it stays the same; a ``fault`` of ours with its traceback, for the log."""
        if self._refused == error.message:
            return
        self._refused = error.message
        outcome: ReloadOutcome = "unreachable" if error.code == SUBGRAPH_UNREACHABLE else "refused"
        self._telemetry.reloaded(outcome, f"{error.code}: {error.message}")
        for one in error.composition.errors if isinstance(error, CompositionFailed) else ():
            logger.error("reload: %s", one)
        message = "reload: refused, the old supergraph is served on: %s: %s"
        logger.error(message, error.code, error.message, exc_info=fault)

    def _forget_refusal(self) -> None:
        if self._refused is not None:
            self._refused = None
            self._telemetry.restored()
            logger.info("reload: the files hold again what is served")

    def _retire(self, client: SubgraphClient, longest_request_s: float) -> None:
        """Close ``client`` when no request that began with it can be under way any more."""
        loop = asyncio.get_running_loop()
        self._retired[client] = loop.call_later(longest_request_s + 1, self._close_retired, client)

    def _close_retired(self, client: SubgraphClient) -> None:
        del self._retired[client]
        task = asyncio.get_running_loop().create_task(client.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _is_asked_within(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _until_written(self) -> None:
        """A file is read when it rests: the first half of a supergraph can be a supergraph too."""
        made_from = self._served().made_from
        before, now = None, self._files.stamps(made_from)
        while now != before:
            await asyncio.sleep(SETTLE_S)
            before, now = now, self._files.stamps(made_from)

    def _remember_reading(self) -> None:
        # Before reading: a change meanwhile is then seen the next time.
        self._stamps = self._files.stamps(self._served().made_from)
        self._read_at = asyncio.get_running_loop().time()

    def _may_have_changed(self) -> bool:
        made_from = self._served().made_from
        if self._files.stamps(made_from) != self._stamps:
            return True
        # Running subgraphs leave no stamp, nor does a file that a refused supergraph.yaml is the first to name.
        is_told = made_from is not None and made_from.source.is_told_by_subgraphs
        waited_s = asyncio.get_running_loop().time() - self._read_at
        return (is_told or self._refused is not None) and waited_s >= self._config().supergraph.poll_interval_s

    def _config(self) -> RouterConfig:
        made_from = self._served().made_from
        return made_from.config if made_from is not None else RouterConfig()


def _what_is_new(old: Graph, read: GraphInput) -> str:
    is_same = old.made_from is not None and old.made_from.source == read.source
    return "changed settings are in force" if is_same else "a changed supergraph is served"


def _tell_settings_that_wait(old: Graph, config: RouterConfig) -> None:
    if old.made_from is None:
        return
    before = old.made_from.config
    names = [name for name in type(config.server).model_fields if name not in _SERVER_SETTINGS_TAKEN_OVER]
    changed = [f"server.{name}" for name in names if getattr(before.server, name) != getattr(config.server, name)]
    if before.graphql.max_body_bytes != config.graphql.max_body_bytes:
        changed.append("graphql.max_body_bytes (of messages of WebSockets)")
    if changed:
        logger.warning("reload: changed settings that take effect at the next start: %s", ", ".join(changed))
