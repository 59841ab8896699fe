"""A shop, and clients of a router over it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from router.server.config import RouterConfig
from tests.server.shop import Shop, client_of, router_over


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest_asyncio.fixture
async def production(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a router with default settings."""
    async with client_of(router_over(shop, RouterConfig())) as client:
        yield client


@pytest_asyncio.fixture
async def development(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a router in development."""
    async with client_of(router_over(shop, RouterConfig(environment="development"))) as client:
        yield client
