"""One case of the differential oracle, asked again and again through an entity cache over data that do not change.

Operations on one graph share a cache, so that each finds what others have left. While a subgraph fails, an answer may
have more than without a cache, and nothing that is not true; afterwards it is as if nothing had failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from router.errors import OperationError
from router.execution.execute import ExecutionContext, execute
from router.execution.json_numbers import decode_exact
from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.response.projection import ProjectedResult
from router.server.caching.client import CachingClient
from router.server.caching.memory_store import MemoryStore
from router.server.caching.open_cache import asked_before_of
from router.server.caching.selected import graph_facts
from router.server.config.entity_cache import EntityCacheSettings
from tests.differential.comparison import Case, Graph, Prepared, compare, compare_failed, prepare, true_answer_over
from tests.differential.failures import BROKEN_FIELDS
from tests.differential.servers import SubgraphServers
from tests.differential.world import World

# The others say what is not so without an error: nobody can tell it from what is, nor for how long it may be kept.
TOLD_FAILURES = ("refused", "timeout", BROKEN_FIELDS, "half a JSON", "errors and null", "errors in part")
PUBLIC = ((b"cache-control", b"public, max-age=600"),)


@dataclass
class PublicServers:
    """Subgraphs that say of all they answer that it may be kept; ``asked`` is how many requests came."""

    inner: SubgraphServers
    asked: int = 0

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        self.asked += 1
        response = await self.inner.send(request)
        return SubgraphResponse(response.status, response.body, PUBLIC)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class KeptWorld:
    """The subgraphs of one world, and a cache in front of them."""

    graph: Graph
    world: World
    servers: PublicServers
    cache: CachingClient
    hits: int = field(default=0)


def kept_world(graph: Graph, seed: int, admit: str) -> KeptWorld:
    """A world of which nothing is kept yet."""
    world = World(graph.model, seed)
    servers = PublicServers(SubgraphServers(world, graph.subgraphs))
    settings = EntityCacheSettings.model_validate({"enabled": True, "admit": admit})
    facts = graph_facts(graph.supergraph.graph, graph.supergraph.cache_hints)
    store = MemoryStore(settings.max_bytes, settings.max_entries)
    cache = CachingClient(servers, store, facts, settings, lambda: 1_000_000.0, asked_before_of(settings))
    return KeptWorld(graph, world, servers, cache)


def check_kept(kept: KeptWorld, case: Case) -> str | None:
    """What is wrong with any of the answers; None where all is well, or where the case is none."""
    prepared = prepare(case.subgraphs, case.operation, case.labels)
    if not isinstance(prepared, Prepared) or prepared.compiled.operation.kind.value != "query":
        return None
    turns: Sequence[str | None] = (None, case.failing, None, case.failing, None)
    return asyncio.run(_ask_in_turns(kept, case, prepared, turns))


async def _ask_in_turns(kept: KeptWorld, case: Case, prepared: Prepared, turns: Sequence[str | None]) -> str | None:
    servers = kept.servers.inner
    true_answer = true_answer_over(case.subgraphs)
    truth = true_answer(kept.world, kept.graph.supergraph.api_schema, prepared.document, dict(case.variables))
    for number, failing in enumerate(turns):
        servers.failing, servers.failure = failing, case.failure
        answer = await _answer(kept, case, prepared)
        if answer is None:
            return None
        if servers.broken:
            return f"asked wrongly: {servers.broken[0]}"
        told = replace(case, failing=failing)
        fails = failing is not None and any(one.subgraph == failing for one in prepared.compiled.plan.fetches)
        wrong = compare_failed(prepared.compiled.plan, told, truth, answer) if fails else compare(truth, answer)
        if wrong is not None:
            return f"the answer to request {number} of {turns}: {wrong}"
    return None


async def _answer(kept: KeptWorld, case: Case, prepared: Prepared) -> ProjectedResult | None:
    compiled = prepared.compiled
    try:
        values = compiled.coerce(dict(case.variables))
    except OperationError:
        return None
    result = await execute(compiled.executable, values, ExecutionContext(kept.cache, decode=decode_exact))
    return compiled.projection(result.data, result.errors, values, result.look_for_absent)
