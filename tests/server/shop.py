"""A small shop of two subgraphs that really execute, its supergraph, and a router over both in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSchema, build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router.execution.httpx_client import HttpxSubgraphClient
from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph

SUPERGRAPH = (Path(__file__).parent / "supergraph.graphql").read_text()

CATALOG = build_schema(
    """
    scalar _Any
    union _Entity = Product
    type Query { products(first: Int = 2): [Product!] whoami: String _entities(representations: [_Any!]!): [_Entity]! }
    type Mutation { rename(id: ID!, name: String!): Product }
    type Product { id: ID! name: String }
    """
)
STOCK = build_schema(
    """
    scalar _Any
    union _Entity = Product
    type Query { warehouses: [String!] _entities(representations: [_Any!]!): [_Entity]! }
    type Product { id: ID! available: Int }
    """
)


class Shop:
    """The data of both subgraphs, and how often each was asked. Where ``opened`` is an event, answers wait for it."""

    def __init__(self) -> None:
        self.names = {"1": "Mug", "2": "Cup", "3": "Jug"}
        self.asked: dict[str, int] = {"catalog": 0, "stock": 0}
        self.down: set[str] = set()
        self.opened: asyncio.Event | None = None

    def app(self, name: str) -> Starlette:
        """The subgraph ``name`` as an ASGI app."""
        schema = {"catalog": CATALOG, "stock": STOCK}[name]

        async def answer(request: Request) -> Response:
            self.asked[name] += 1
            if self.opened is not None:
                await self.opened.wait()
            if name in self.down:
                return Response("down for repair", 503)
            return JSONResponse(self._execute(schema, await request.json(), request.headers))

        return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])

    def _execute(self, schema: GraphQLSchema, sent: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        root = {
            "products": lambda _, first: [self._product(key) for key in list(self.names)[:first]],
            "whoami": lambda _: headers.get("authorization"),
            "warehouses": ["north", "south"],
            "_entities": lambda _, representations: [self._product(r["id"]) for r in representations],
            "rename": lambda _, id, name: self._rename(id, name),  # noqa: A006 - the argument's name in the schema
        }
        result = graphql_sync(schema, sent["query"], root, variable_values=sent.get("variables"))
        return dict(result.formatted)

    def _product(self, key: str) -> dict[str, Any]:
        return {"__typename": "Product", "id": key, "name": self.names[key], "available": int(key) * 10}

    def _rename(self, key: str, name: str) -> dict[str, Any]:
        self.names[key] = name
        return self._product(key)


def router_over(shop: Shop, config: RouterConfig) -> RouterApp:
    """A router whose subgraphs are in this process."""
    mounts = {
        f"http://{name}.test": httpx.ASGITransport(shop.app(name), raise_app_exceptions=True)
        for name in ("catalog", "stock")
    }
    supergraph = read_supergraph(SUPERGRAPH)
    urls = {name: info.url for name, info in supergraph.subgraphs.items()}
    client = HttpxSubgraphClient(urls, httpx.AsyncClient(mounts=mounts, trust_env=False))
    return create_app(config, open_graph(supergraph, config, client))


@asynccontextmanager
async def client_of(app: RouterApp) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of ``app``."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://router.test") as client:
        yield client


def codes(response: httpx.Response) -> list[str]:
    """``extensions.code`` of every error in the answer."""
    return [error["extensions"]["code"] for error in json.loads(response.content)["errors"]]
