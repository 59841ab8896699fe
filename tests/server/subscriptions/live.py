"""An auction whose bids are events, a catalog that knows the names, and a router over both: all on real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import strawberry
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.types import Info
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from router import Subgraph, compose
from router.server.app import RouterApp, create_app
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph, open_graph
from router.server.service import GraphQLService
from router.supergraph.read import read_supergraph

BIDS = "subscription { bids { amount product { id name } } }"
NAMES = {"1": "Mug", "2": "Cup"}
PATIENCE_S = 30.0


@strawberry.federation.type(keys=["id"], name="Product")
class AuctionedProduct:
    id: strawberry.ID


@strawberry.federation.type(keys=["id"])
class Product:
    id: strawberry.ID
    name: str

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Product:  # noqa: A002 - the key's name
        return cls(id=id, name=NAMES[id])


@strawberry.type(name="Query")
class CatalogQuery:
    @strawberry.field
    def product(self) -> Product:
        return Product(id=strawberry.ID("1"), name="Mug")


@strawberry.type
class Bid:
    amount: int
    product: AuctionedProduct


@dataclass(slots=True)
class Auction:
    """The bids, and who follows them; ``signatures`` tells whether each was asked for with a signature."""

    followers: list[asyncio.Queue[Bid | Exception | None]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    signatures: list[bool] = field(default_factory=list)
    begun: int = 0

    def bid(self, amount: int, product: str = "1") -> None:
        self._tell(Bid(amount=amount, product=AuctionedProduct(id=strawberry.ID(product))))

    def fail(self, message: str) -> None:
        self._tell(ValueError(message))

    def finish(self) -> None:
        self._tell(None)

    async def followed_by(self, count: int) -> None:
        """Return when so many follow."""
        await until(lambda: len(self.followers) == count)

    def _tell(self, event: Bid | Exception | None) -> None:
        for queue in self.followers:
            queue.put_nowait(event)

    async def follow(self, authorization: str | None) -> AsyncGenerator[Bid, None]:
        queue: asyncio.Queue[Bid | Exception | None] = asyncio.Queue()
        self.begun += 1
        self.authorizations.append(authorization)
        self.followers.append(queue)
        try:
            while (event := await queue.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.followers.remove(queue)


def auction_app(auction: Auction) -> tuple[str, ASGIApp]:
    """SDL and app of the auction, by Strawberry."""

    @strawberry.type
    class Query:
        @strawberry.field
        def highest(self) -> int:
            return 100

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def bids(self, info: Info[Any, Any], minimum: int = 0) -> AsyncGenerator[Bid, None]:
            auction.signatures.append("signature" in info.context["request"].headers)
            async for bid in auction.follow(info.context["request"].headers.get("authorization")):
                if bid.amount >= minimum:
                    yield bid

    schema = strawberry.federation.Schema(query=Query, subscription=Subscription, types=[AuctionedProduct])
    return schema.as_str(), GraphQL(schema)


def catalog_app() -> tuple[str, ASGIApp]:
    """SDL and app of the catalog."""

    schema = strawberry.federation.Schema(query=CatalogQuery, types=[Product])
    return schema.as_str(), GraphQL(schema)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True)
class Served:
    """An app on a port of its own."""

    server: uvicorn.Server
    task: asyncio.Task[None]
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def stop(self) -> None:
        self.server.should_exit = True
        await self.task


async def serve(app: ASGIApp, port: int = 0, ws: Any = "websockets-sansio", http: Any = "auto") -> Served:
    """Serve ``app``, WebSockets by the protocol ``ws``; it accepts connections when this returns."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app, log_config=None, ws=ws, http=http, lifespan="off", timeout_graceful_shutdown=1, ws_ping_interval=None
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    return Served(server, task, listener.getsockname()[1])


async def until(holds: Callable[[], bool]) -> None:
    """Return when ``holds``; TimeoutError after half a minute, which no machine is too busy for."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - of code that has no event to wait for, and needs none
            await asyncio.sleep(0.01)


class Switch:
    """An app that can be exchanged, so that a subgraph can change or break while it is served."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Stack:
    """The router over auction and catalog."""

    auction: Auction
    subgraphs: dict[str, Served]
    sdls: dict[str, str]
    config: RouterConfig
    app: RouterApp
    router: Served

    @property
    def url(self) -> str:
        return f"http://{self.router.address}/graphql"

    @property
    def service(self) -> GraphQLService:
        return self.app.service

    def graph(self, **sdls: str) -> Graph:
        """A graph of the subgraphs, of which some have another SDL now."""
        return graph_of(self.config, self.subgraphs, self.sdls | sdls)

    def socket(
        self, payload: object = None, *, acknowledged: bool = True, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Client]:
        """A client over WebSocket."""
        return socket_of(self.router, payload, acknowledged=acknowledged, headers=headers)


@dataclass(slots=True)
class Client:
    """A WebSocket client that says exactly what it is told to."""

    connection: ClientConnection

    async def send(self, **message: object) -> None:
        await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.connection.recv())

    async def subscribe(self, query: str = BIDS, id_: str = "1", **parameters: object) -> None:
        await self.send(type="subscribe", id=id_, payload={"query": query, **parameters})

    async def closed_with(self) -> int | None:
        """The code with which the router closes the connection."""
        async with asyncio.timeout(PATIENCE_S):
            await self.connection.wait_closed()
        return self.connection.close_code


@asynccontextmanager
async def socket_of(
    router: Served, payload: object = None, *, acknowledged: bool = True, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Client]:
    """A client of ``router`` over WebSocket, that opened with ``payload``, after a handshake with ``headers``."""
    url, subprotocols = f"ws://{router.address}/graphql", [Subprotocol("graphql-transport-ws")]
    opening = connect(url, subprotocols=subprotocols, additional_headers=headers, proxy=None, ping_interval=None)
    async with opening as connection:
        client = Client(connection)
        if acknowledged:
            await client.send(type="connection_init", payload=payload)
            assert await client.receive() == {"type": "connection_ack"}
        yield client


def graph_of(config: RouterConfig, subgraphs: dict[str, Served], sdls: dict[str, str]) -> Graph:
    composition = compose(
        [Subgraph(name, f"http://{subgraphs[name].address}/graphql", sdl) for name, sdl in sdls.items()]
    )
    assert composition.supergraph_sdl is not None, composition.errors
    return open_graph(read_supergraph(composition.supergraph_sdl), config)


@asynccontextmanager
async def live_stack(config: RouterConfig | None = None) -> AsyncIterator[Stack]:
    """The stack, until the block ends."""
    auction, config = Auction(), config or RouterConfig()
    async with AsyncExitStack() as resources:
        subgraphs: dict[str, Served] = {}
        sdls: dict[str, str] = {}
        for name, (sdl, app) in {"auction": auction_app(auction), "catalog": catalog_app()}.items():
            subgraphs[name], sdls[name] = await serve(app), sdl
            resources.push_async_callback(subgraphs[name].stop)
        graph = graph_of(config, subgraphs, sdls)
        app = create_app(config, graph)
        router = await serve(app)
        stack = Stack(auction, subgraphs, sdls, config, app, router)
        resources.push_async_callback(_close, stack)
        yield stack


async def _close(stack: Stack) -> None:
    stack.app.end_streams()
    await stack.router.stop()
    await stack.service.served_graph().client.close()


@asynccontextmanager
async def streaming(
    stack: Stack, accept: str, query: str = BIDS, headers: dict[str, str] | None = None
) -> AsyncIterator[httpx.Response]:
    """A subscription over a stream of HTTP."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        sent = {"accept": accept, **(headers or {})}
        async with client.stream("POST", stack.url, json={"query": query}, headers=sent) as response:
            yield response
