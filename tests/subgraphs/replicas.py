"""Replicas of a service as processes, and the streams that they send."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from stack.daemon import free_port
from tests.services import DEADLINE_S, ServiceClient, eventually

MALL = Path(sys.prefix) / "bin" / "mall"


@asynccontextmanager
async def replica(service: str, environment: Mapping[str, str]) -> AsyncIterator[ServiceClient]:
    """A process of ``service``, from the moment it is ready."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(str(MALL), "serve", service, "--port", str(port), env=environment)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S) as http:
        try:

            async def ready() -> bool:
                try:
                    return (await http.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(ready, "a ready replica")
            yield ServiceClient.over(http, Path(environment["GALLERIA_DATA"]) / "keys")
        finally:
            process.terminate()
            assert await process.wait() == 0


async def next_event(lines: AsyncIterator[str]) -> dict[str, Any]:
    """The next result of a stream of server-sent events."""
    async with asyncio.timeout(DEADLINE_S):
        async for line in lines:
            if line.startswith("data: {"):
                event: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return event
    raise AssertionError("the stream ended")
