"""A router process that is sent twice what it can answer, by an open loop; and one with a subgraph that hangs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.running_router import RunningRouter, running_router

# Eight at once, each of which waits a twentieth of a second for its subgraph: 160 requests a second.
AT_ONCE, TAKES_S, SENT_A_SECOND, SECONDS = 8, 0.05, 320, 3
CONFIG = f"traffic: {{share: false, shedding: {{max_in_flight: {AT_ONCE}}}}}\n"
TICK_S = 0.025
HEAD = b"POST /graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request got, and when, seconds after it was sent."""

    status: int
    retry_after: str | None
    after_s: float


async def catalog(exchange: Exchange) -> None:
    await asyncio.sleep(TAKES_S)
    await exchange.write(ok(b'{"data":{"whoami":"Ada"}}'))


async def hang(_: Exchange) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def slow_shop(folder: Path, config: str) -> AsyncIterator[RunningRouter]:
    """A router over a catalog that takes its time and a stock that hangs."""
    settings = folder / "router.yaml"
    settings.write_text(config)
    async with raw_server(catalog) as shop, raw_server(hang) as hanging:
        router_process = running_router(folder, "--config", str(settings), catalog=shop.url, stock=hanging.url)
        with router_process as router:
            yield router


async def ask(router: RunningRouter, query: str = "{ whoami }") -> Answer:
    """Ask on a connection of its own: a client with a pool of hundreds would take longer than the router."""
    began, body = time.monotonic(), json.dumps({"query": query}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(router.url).port)
    try:
        writer.write(HEAD % len(body) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split()[1]), headers.get("retry-after"), time.monotonic() - began)
    finally:
        writer.close()


async def send_steadily(router: RunningRouter) -> list[Answer]:
    """Send at the rate, however late the answers are."""
    began, sending = time.monotonic(), list[asyncio.Task[Answer]]()
    while (passed := time.monotonic() - began) < SECONDS:
        while len(sending) < passed * SENT_A_SECOND:
            sending.append(asyncio.create_task(ask(router)))
        await asyncio.sleep(TICK_S)
    return list(await asyncio.gather(*sending))


def p99_s(answers: list[Answer]) -> float:
    return sorted(one.after_s for one in answers)[int(len(answers) * 0.99)]


@pytest.mark.asyncio
async def test_what_is_let_in_is_answered_in_time_and_the_rest_is_told_to_come_back(tmp_path: Path) -> None:
    async with slow_shop(tmp_path, CONFIG) as router:
        assert (await ask(router)).status == 200
        memory = psutil.Process(router.process.pid).memory_info
        before = memory().rss
        answers = await send_steadily(router)
        assert {(one.status, one.retry_after) for one in answers} == {(200, None), (503, "1")}
        assert p99_s([one for one in answers if one.status == 200]) < 1.0
        # A third of what it can: the machine of a test is not its own.
        assert sum(one.status == 200 for one in answers) > AT_ONCE / TAKES_S * SECONDS / 3
        assert memory().rss - before < 50_000_000
        next_one = await ask(router)
        assert next_one.status == 200
        assert next_one.after_s < 0.5


@pytest.mark.asyncio
async def test_a_query_that_needs_no_hanging_subgraph_takes_no_longer(tmp_path: Path) -> None:
    async with slow_shop(tmp_path, "traffic: {share: false}\n") as router:
        await ask(router)
        hanging = [asyncio.create_task(ask(router, "{ warehouses }")) for _ in range(100)]
        answers = [await ask(router) for _ in range(20)]
        assert [one.status for one in answers] == [200] * 20
        assert p99_s(answers) < 1.0
        assert not any(one.done() for one in hanging)
        for one in hanging:
            one.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
