"""A cache over a subgraph that says what a test lets it say, and clocks that stand still until they are moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.execution.errors import SubgraphFailure
from router.execution.subgraph_client import Headers, SubgraphRequest, SubgraphResponse
from router.server.caching.client import CachingClient
from router.server.caching.entry import EntryStore
from router.server.caching.lifetime import configured_hints
from router.server.caching.memory_store import MemoryStore
from router.server.caching.open_cache import asked_before_of
from router.server.caching.selected import GraphFacts, graph_facts
from router.server.config.entity_cache import EntityCacheSettings
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH

NAMES = "query($r:[_Any!]!){_entities(representations:$r){...on Product{name}}}"
ROOT = "{products{id name}}"


def facts_of(settings: EntityCacheSettings, sdl: str = SUPERGRAPH) -> GraphFacts:
    supergraph = read_supergraph(sdl)
    return graph_facts(supergraph.graph, configured_hints(supergraph.cache_hints, settings))


@dataclass
class Subgraph:
    """Answers for entities with ``tell(id, headers)``, for root fields with ``root``; keeps what it was ``asked``.

    ``extend`` makes the answer's extensions of the ids that were asked for.
    """

    says: str | None = "public, max-age=60"
    more: Headers = ()
    tell: Callable[[str, Mapping[bytes, bytes]], Any] = lambda key, _: {"name": f"name of {key}"}
    root: Any = field(default_factory=lambda: {"products": [{"id": "1", "name": "Mug"}, {"id": "2", "name": "Cup"}]})
    errors: list[Any] = field(default_factory=list)
    extend: Callable[[list[str]], Any] | None = None
    failure: SubgraphFailure | None = None
    raw: SubgraphResponse | None = None
    gate: asyncio.Event | None = None
    asked: list[SubgraphRequest] = field(default_factory=list)
    is_closed: bool = False

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        self.asked.append(request)
        # Read before the gate: what is answered is what was true when it was asked.
        answer = self._answer(request)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.raw or answer

    async def close(self) -> None:
        self.is_closed = True

    def _answer(self, request: SubgraphRequest) -> SubgraphResponse:
        sent = orjson.loads(request.body)
        ids = [one["id"] for one in sent.get("variables", {}).get("r", ())]
        headers = dict(request.headers)
        data = {"_entities": [self.tell(key, headers) for key in ids]} if ids else self.root
        body = {"data": data, **({"errors": self.errors} if self.errors else {})}
        if self.extend is not None:
            body["extensions"] = self.extend(ids)
        said = ((b"cache-control", self.says.encode()),) if self.says is not None else ()
        return SubgraphResponse(200, orjson.dumps(body), (*said, *self.more))

    @property
    def keys(self) -> list[list[str]]:
        """The ids of the entities of each request."""
        return [[one["id"] for one in orjson.loads(sent.body)["variables"]["r"]] for sent in self.asked]


@dataclass
class Larder:
    """A cache, what it is over, and the time."""

    subgraph: Subgraph
    client: CachingClient
    time: list[float]

    def later(self, seconds: float) -> None:
        self.time[0] += seconds

    async def answer(self, request: SubgraphRequest) -> Any:
        """The answer as JSON."""
        return orjson.loads((await self.client.send(request)).body)

    async def names(self, *keys: str, token: str | None = None, headers: Headers = ()) -> list[str | None]:
        """The names of the products with these ids."""
        answer = await self.answer(entities(*keys, token=token, headers=headers))
        assert "errors" not in answer, answer
        return [one["name"] if one is not None else None for one in answer["data"]["_entities"]]


def entities(*keys: str, token: str | None = None, headers: Headers = (), document: str = NAMES) -> SubgraphRequest:
    representations = [{"__typename": "Product", "id": key} for key in keys]
    body = orjson.dumps({"query": document, "variables": {"r": representations}})
    said = ((b"authorization", token.encode()),) if token is not None else ()
    return SubgraphRequest("catalog", body, (*said, *headers), timeout_s=5)


def root(document: str = ROOT, token: str | None = None, **variables: Any) -> SubgraphRequest:
    said = ((b"authorization", token.encode()),) if token is not None else ()
    return SubgraphRequest("catalog", orjson.dumps({"query": document, "variables": variables}), said, timeout_s=5)


MUTATION = SubgraphRequest("catalog", b'{"query":"mutation{rename{id}}"}', repeatable=False, timeout_s=5)


def larder(
    subgraph: Subgraph | None = None, store: EntryStore | None = None, sdl: str = SUPERGRAPH, **settings: Any
) -> Larder:
    """A cache that keeps everything at once, unless the ``settings`` say otherwise."""
    wanted = EntityCacheSettings.model_validate({"enabled": True, "admit": "always", **settings})
    inner, time = subgraph or Subgraph(), [1_000_000.0]
    kept = store or MemoryStore(wanted.max_bytes, wanted.max_entries)
    clock, before = (lambda: time[0]), asked_before_of(wanted)
    return Larder(inner, CachingClient(inner, kept, facts_of(wanted, sdl), wanted, clock, before), time)
