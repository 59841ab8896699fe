"""Several workers of one process: what is dropped by one of them is dropped by all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.server.caching.stand import Stand
from tests.server.processes.test_workers import await_workers
from tests.server.running_router import running_router
from tests.server.subscriptions.live import serve

SECRET = "planted-secret-of-the-cache"
NAMES = {"query": "{ products { name } }"}
SETTINGS = f"entity_cache: {{enabled: true, admit: always, invalidation: {{secret: {SECRET}}}}}"


async def names(url: str) -> set[str]:
    """The first product's names that many connections get, which the kernel spreads over the workers."""
    found = set()
    for _ in range(20):
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            answer = (await client.post(f"{url}/graphql", json=NAMES)).json()
            found.add(answer["data"]["products"][0]["name"])
    return found


@pytest.mark.asyncio
async def test_what_one_worker_is_told_to_drop_all_of_them_drop(tmp_path: Path) -> None:
    stand = Stand()
    stand.says["catalog"] = {"cache-control": "public, max-age=600"}
    served = await serve(stand.app("catalog"))
    settings = tmp_path / "router.yaml"
    settings.write_text(SETTINGS)
    options = ("--workers", "2", "--config", str(settings))
    with running_router(tmp_path, *options, catalog=f"http://{served.address}/graphql") as router:
        await asyncio.to_thread(await_workers, router, 2)
        assert await names(router.url) == {"Mug"}
        stand.names["1"] = "Pot"
        assert await names(router.url) == {"Mug"}
        secret = {"authorization": f"Bearer {SECRET}"}
        async with httpx.AsyncClient(headers=secret, trust_env=False, timeout=60) as client:
            what = {"type": "Product", "key": {"id": "1"}}
            response = await client.post(f"{router.url}/cache/invalidate", json=what)
            assert (response.status_code, response.json()) == (200, {"dropped": True})
        assert await names(router.url) == {"Pot"}
    await served.stop()
