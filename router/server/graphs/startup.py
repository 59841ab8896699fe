"""Starting before the subgraphs: a supergraph that is composed from their running services may not be there yet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

from router.errors import InputError
from router.server.graphs.graph import Graph

logger = logging.getLogger("galleria.router")

SUBGRAPH_UNREACHABLE = "SUBGRAPH_UNREACHABLE"
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0

OpenGraph = Callable[[], Graph]


def open_or_wait(open_: OpenGraph) -> Graph | None:
    """The graph; None where a subgraph that must tell its schema cannot be reached yet. Raises any other InputError."""
    try:
        return open_()
    except InputError as error:
        if error.code != SUBGRAPH_UNREACHABLE:
            raise
        logger.warning("not ready: %s", error.message)
        return None


async def keep_opening(
    open_: OpenGraph, opened: Callable[[Graph], None], pauses: Iterator[float] | None = None
) -> None:
    """Try until there is a graph, with growing pauses; hand it to ``opened``.

    Subgraphs that answer but do not compose are waited for too: one of them may be about to be replaced. So are
    settings by which ``opened`` cannot serve the graph (InputError).
    """
    for pause in pauses or growing_pauses():
        await asyncio.sleep(pause)
        try:
            opened(await asyncio.to_thread(open_))
        except InputError as error:
            logger.warning("not ready: %s", error.message)
        else:
            logger.info("ready: the supergraph is loaded")
            return


def growing_pauses() -> Iterator[float]:
    """Half a second, then twice as long each time, up to ten seconds."""
    pause = FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE_S)
