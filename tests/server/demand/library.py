"""A library whose lists have sizes and whose authors come from another subgraph, both scripted; and routers over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from router import Subgraph, compose
from router.execution.subgraph_client import SubgraphClient
from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.execution.scripted import ScriptedSubgraphs
from tests.server.shop import client_of

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@cost", "@listSize", "@authenticated"])\n'
)
SDLS = {
    "books": """
        type Query {
          books(first: Int): [Book] @listSize(slicingArguments: ["first"])
          shelf: [Book]
          archive: [Book] @authenticated
        }
        type Mutation { borrow(id: ID!): Book }
        type Book @key(fields: "id") { id: ID! title: String }
    """,
    "authors": 'type Book @key(fields: "id") { id: ID! author: Author }  type Author @cost(weight: 4) { name: String }',
}
# A book of weight 1 with its author of weight 4.
BOOKS = "query($n: Int) { books(first: $n) { title author { name } } }"
TWO_BOOKS = [{"title": "Mort", "id": "1"}, {"title": "Sourcery", "id": "2"}]


def library(**more: Any) -> ScriptedSubgraphs:
    """Two books, of which one has an author."""

    def books(body: Mapping[str, Any]) -> Mapping[str, Any]:
        key = next(name for name in ("books", "shelf", "borrow") if f"{name}" in body["query"].partition("{")[2])
        return {"data": {key: TWO_BOOKS[0] if key == "borrow" else TWO_BOOKS}}

    authors = {"data": {"_entities": [{"author": {"name": "Terry Pratchett"}}, {"author": None}]}}
    return ScriptedSubgraphs(**{"books": books, "authors": authors, **more})


def router_over(subgraphs: SubgraphClient, settings: Mapping[str, Any]) -> RouterApp:
    """A router with the settings of a router.yaml."""
    composition = compose([Subgraph(name, f"http://{name}.test/graphql", LINK + sdl) for name, sdl in SDLS.items()])
    assert composition.supergraph_sdl is not None, composition.errors
    config = RouterConfig.model_validate(settings)
    return create_app(config, open_graph(read_supergraph(composition.supergraph_sdl), config, subgraphs))


@asynccontextmanager
async def client(subgraphs: SubgraphClient, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a router with these settings."""
    async with client_of(router_over(subgraphs, settings)) as opened:
        yield opened


async def metric(client: httpx.AsyncClient, name: str) -> list[str]:
    """The lines of /metrics that begin with ``name``."""
    return [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith(name)]
