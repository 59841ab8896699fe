"""The shop on real sockets, whose subgraphs say to caches what a test lets them say, and a router over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig, check_config
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from tests.server.access.issuer import AUDIENCE, NAME, Issuer
from tests.server.shop import CATALOG, STOCK, SUPERGRAPH, Shop, client_of
from tests.server.subscriptions.live import serve

PROTECTED = (
    SUPERGRAPH.replace(
        '@link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)',
        '@link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)\n'
        '  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)',
    )
    .replace("scalar join__FieldSet", "directive @authenticated on FIELD_DEFINITION\nscalar join__FieldSet")
    .replace("available: Int", "available: Int @authenticated")
)
"""The shop's supergraph, where stock is for those alone who are known."""


def believing(issuer: Issuer, folder: Path) -> dict[str, Any]:
    """The section ``authentication`` of a router that believes ``issuer``; its keys are written to ``folder``."""
    path = folder / "jwks.json"
    path.write_bytes(issuer.jwks())
    return {"issuers": [{"issuer": NAME, "audiences": [AUDIENCE], "jwks_file": str(path)}]}


@dataclass
class Stand(Shop):
    """``says`` are the headers of each subgraph's answers, ``bodies`` what each was sent; ``broken`` fail by status."""

    says: dict[str, dict[str, str]] = field(default_factory=lambda: {"catalog": {}, "stock": {}})
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"catalog": [], "stock": []})
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    tells_errors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def app(self, name: str) -> Starlette:
        schema = {"catalog": CATALOG, "stock": STOCK}[name]

        async def answer(request: Request) -> Response:
            sent = await request.json()
            self.asked[name] += 1
            self.bodies[name].append(sent)
            if name in self.down:
                return Response("down for repair", 503)
            answered = self._execute(schema, sent, request.headers)
            if name in self.gates:
                await self.gates[name].wait()
            if name in self.tells_errors:
                answered["errors"] = [{"message": "half of it"}]
            return Response(orjson.dumps(answered), headers=self.says[name])

        return Starlette(routes=[Route("/graphql", answer, methods=["POST"])])

    def sent_keys(self, name: str) -> list[list[str]]:
        """The ids of the entities that each request to ``name`` asked for."""
        return [[one["id"] for one in body["variables"]["representations"]] for body in self.bodies[name]]


@dataclass(frozen=True, slots=True)
class Open:
    """A router over a stand, and its client."""

    stand: Stand
    app: RouterApp
    client: httpx.AsyncClient

    async def ask(self, query: str, token: str | None = None, **variables: Any) -> httpx.Response:
        headers = {"authorization": token} if token is not None else {}
        return await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def data(self, query: str, token: str | None = None, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answered = (await self.ask(query, token, **variables)).json()
        assert "errors" not in answered, answered
        return answered["data"]

    async def cache_control(self, query: str, token: str | None = None) -> str:
        """What the answer says to caches."""
        response = await self.ask(query, token)
        return str(response.headers["cache-control"])


@asynccontextmanager
async def opened(
    settings: Mapping[str, Any], stand: Stand | None = None, supergraph: str = SUPERGRAPH
) -> AsyncIterator[Open]:
    """A router with these settings over a stand on free ports, until the block ends."""
    stand = stand or Stand()
    config: RouterConfig = check_config(settings, "settings")
    async with AsyncExitStack() as resources:
        sdl = supergraph
        for name in ("catalog", "stock"):
            served = await serve(stand.app(name))
            resources.push_async_callback(served.stop)
            sdl = sdl.replace(f"http://{name}.test", f"http://{served.address}")
        app = create_app(config, open_graph(read_supergraph(sdl), config))
        await resources.enter_async_context(app.lifespan())
        client = await resources.enter_async_context(client_of(app))
        yield Open(stand, app, client)
