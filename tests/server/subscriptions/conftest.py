"""A stack with default settings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.server.subscriptions.live import Stack, live_stack


@pytest_asyncio.fixture
async def stack() -> AsyncIterator[Stack]:
    async with live_stack() as stack:
        yield stack
