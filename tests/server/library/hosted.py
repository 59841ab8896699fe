"""A router over the shop's subgraphs, in this process, as applications mount it, and one question for it."""

from __future__ import annotations

from typing import Any

import httpx
from starlette.types import ASGIApp

import router
from router.server.access.host_identity import Identify
from tests.server.shop import SUPERGRAPH, Shop

SETTINGS: dict[str, Any] = {
    "subgraphs": {"apps": {name: f"tests.server.library.hosted:{name}" for name in ("catalog", "stock")}}
}
catalog = Shop().app("catalog")
stock = Shop().app("stock")


def hosted_router(identify: Identify | None = None, **more: Any) -> router.Router:
    return router.Router(SUPERGRAPH, {**SETTINGS, **more}, identify)


def browser(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host.test")


async def whoami(client: httpx.AsyncClient, **options: Any) -> Any:
    """Who a subgraph says is asking."""
    response = await client.post("/shop/graphql", json={"query": "{ whoami }"}, **options)
    return response.json()["data"]["whoami"]
