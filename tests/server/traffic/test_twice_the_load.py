"""A router process that is sent twice what it can answer, by an open loop; and one with a subgraph that hangs.

What it can do, and in which time, is measured right before, in the same process and on the same machine.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.awake_clock import awake_clock
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.running_router import RunningRouter, running_router

# Eight at once, each of which waits a twentieth of a second for its subgraph: 160 requests a second at most.
AT_ONCE, TAKES_S, SECONDS = 8, 0.05, 3
CALM = 160
CONFIG = f"traffic: {{share: false, shedding: {{max_in_flight: {AT_ONCE}}}}}\n"
TICK_S = 0.025
HEAD = b"POST /graphql HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


Clock = Callable[[], float]


@pytest.fixture
def clock() -> Iterator[Clock]:
    with awake_clock() as now:
        yield now


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request got, and when, seconds after it was sent."""

    status: int
    retry_after: str | None
    after_s: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of requests that were sent together, and how long all of it took."""

    answers: list[Answer]
    took_s: float

    @property
    def answered(self) -> list[Answer]:
        return [one for one in self.answers if one.status == 200]

    @property
    def goodput(self) -> float:
        """How many a second were answered."""
        return len(self.answered) / self.took_s

    @property
    def p99_s(self) -> float:
        return sorted(one.after_s for one in self.answered)[int(len(self.answered) * 0.99)]


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


async def ask(router: RunningRouter, clock: Clock, query: str = "{ whoami }") -> Answer:
    """Ask on a connection of its own: a client with a pool of hundreds would take longer than the router."""
    began, body = clock(), json.dumps({"query": query}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(router.url).port)
    try:
        writer.write(HEAD % len(body) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split()[1]), headers.get("retry-after"), clock() - began)
    finally:
        writer.close()


async def ask_calmly(router: RunningRouter, clock: Clock, at_once: int, count: int) -> Seen:
    """``at_once`` clients, each of which waits for its answer before it asks again."""

    async def one() -> list[Answer]:
        return [await ask(router, clock) for _ in range(count // at_once)]

    began = clock()
    answers = await asyncio.gather(*(one() for _ in range(at_once)))
    return Seen([answer for some in answers for answer in some], clock() - began)


async def send_steadily(router: RunningRouter, clock: Clock, per_second: float) -> Seen:
    """Send at the rate, however late the answers are."""
    began, sending = clock(), list[asyncio.Task[Answer]]()
    while (passed := clock() - began) < SECONDS:
        while len(sending) < passed * per_second:
            sending.append(asyncio.create_task(ask(router, clock)))
        await asyncio.sleep(TICK_S)
    return Seen(list(await asyncio.gather(*sending)), clock() - began)


@pytest.mark.asyncio
async def test_what_is_let_in_is_answered_in_time_and_the_rest_is_told_to_come_back(
    tmp_path: Path, clock: Clock
) -> None:
    async with slow_shop(tmp_path, CONFIG) as router:
        assert (await ask(router, clock)).status == 200
        calm = await ask_calmly(router, clock, AT_ONCE, CALM)
        assert len(calm.answered) == CALM
        memory = psutil.Process(router.process.pid).memory_info
        before = memory().rss
        seen = await send_steadily(router, clock, 2 * calm.goodput)
        assert {(one.status, one.retry_after) for one in seen.answers} == {(200, None), (503, "1")}
        assert seen.p99_s < 10 * calm.p99_s
        # A third of what it can: the machine of a test is not its own.
        assert seen.goodput > calm.goodput / 3
        assert memory().rss - before < 50_000_000
        next_one = await ask(router, clock)
        assert next_one.status == 200
        assert next_one.after_s < 5 * calm.p99_s


@pytest.mark.asyncio
async def test_a_query_that_needs_no_hanging_subgraph_takes_no_longer(tmp_path: Path, clock: Clock) -> None:
    async with slow_shop(tmp_path, "traffic: {share: false}\n") as router:
        await ask(router, clock)
        calm = await ask_calmly(router, clock, 1, 20)
        hanging = [asyncio.create_task(ask(router, clock, "{ warehouses }")) for _ in range(100)]
        seen = await ask_calmly(router, clock, 1, 20)
        assert len(seen.answered) == len(calm.answered) == 20
        assert seen.p99_s < 10 * calm.p99_s
        assert not any(one.done() for one in hanging)
        for one in hanging:
            one.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
