"""A router that waits for its subgraphs tries until a graph can be served, whatever was wrong in between."""

from __future__ import annotations

import asyncio
import logging
from itertools import repeat

import pytest

from router.errors import InputError
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph, open_graph
from router.server.graphs.startup import keep_opening
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH


@pytest.mark.asyncio
async def test_a_graph_that_cannot_be_served_is_waited_out_like_one_that_cannot_be_opened(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While it waits its settings may be changed, and be wrong for a moment."""
    graph, served = open_graph(read_supergraph(SUPERGRAPH), RouterConfig()), list[Graph]()
    faults = [InputError("INVALID_CONFIG", "explorer.tabs: gone"), InputError("SUBGRAPH_UNREACHABLE", "stock is away")]

    def open_() -> Graph:
        if len(faults) == 2:
            raise faults.pop()
        return graph

    def opened(found: Graph) -> None:
        if faults:
            raise faults.pop()
        served.append(found)

    with caplog.at_level(logging.INFO, "galleria.router"):
        async with asyncio.timeout(10):
            await keep_opening(open_, opened, repeat(0.0))
    assert served == [graph]
    assert caplog.messages == [
        "not ready: stock is away",
        "not ready: explorer.tabs: gone",
        "ready: the supergraph is loaded",
    ]
