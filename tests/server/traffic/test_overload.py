"""A router with too much to do refuses at the door, and answers what it lets in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from router.server.app import create_app
from router.server.config import RouterConfig
from router.server.request_error import RequestError
from router.server.shedding.load_limit import OverloadPolicy
from router.server.shedding.overload import LoadShedder, Overload
from tests.server.shop import Shop, client_of, router_over
from tests.server.subscriptions.live import until


def policy(max_in_flight: int, *, max_body_bytes: int = 100) -> OverloadPolicy:
    """One that no delay changes."""
    return OverloadPolicy(max_in_flight, 10.0, max_body_bytes, target_lag_s=10.0, initial=max_in_flight)


@dataclass
class Slow:
    """An app that answers when it is told to, after it has begun if it is a stream."""

    is_stream: bool = False
    begun: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        if self.is_stream:
            await send(start)
        await self.go_on.wait()
        if not self.is_stream:
            await send(start)
        await send({"type": "http.response.body", "body": b"ok"})


async def statuses(app: LoadShedder, slow: Slow, requests: int, begun: int) -> list[int]:
    """The statuses of ``requests`` at once, of which ``begun`` get through."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router.test") as client:
        tasks = [asyncio.create_task(client.post("/graphql")) for _ in range(requests)]
        await until(lambda: slow.begun == begun and sum(task.done() for task in tasks) == requests - begun)
        slow.go_on.set()
        return [(await task).status_code for task in tasks]


@pytest.mark.asyncio
async def test_what_is_beyond_the_bound_is_refused_and_the_rest_answered() -> None:
    slow, overload = Slow(), Overload(policy(2))
    assert await statuses(LoadShedder(slow, overload), slow, requests=5, begun=2) == [200, 200, 503, 503, 503]
    assert (overload.in_flight, overload.refused) == (0, 3)


@pytest.mark.asyncio
async def test_a_stream_that_has_begun_takes_no_room() -> None:
    slow, overload = Slow(is_stream=True), Overload(policy(1))
    assert await statuses(LoadShedder(slow, overload), slow, requests=3, begun=3) == [200, 200, 200]


@pytest.mark.asyncio
async def test_a_loop_that_is_held_up_is_noticed() -> None:
    slow, overload = Slow(), Overload(OverloadPolicy(100, 0.05, 100, target_lag_s=0.005, initial=100))
    app = LoadShedder(slow, overload)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router.test") as client:
        requests = [asyncio.create_task(client.post("/graphql")) for _ in range(10)]
        await until(lambda: slow.begun == 10)
        while not overload.is_overloaded:
            time.sleep(0.1)  # noqa: ASYNC251 - what holds up the loop
            await asyncio.sleep(0)
        assert overload.limit == 8
        assert overload.delay_s > 0.05
        assert (await client.post("/graphql")).status_code == 503
        slow.go_on.set()
        await asyncio.gather(*requests)


@pytest.mark.asyncio
async def test_requests_whose_heads_came_together_are_expected_together() -> None:
    """They enter in the next round of the loop, so those that find no room there are told at once."""
    overload = Overload(policy(4))
    places = [overload.enter(), overload.enter()]
    assert [overload.expect() for _ in range(4)] == [True, True, False, False]
    await asyncio.sleep(0)
    assert overload.expect()
    for place in places:
        assert place is not None
        overload.leave(place)


@pytest.mark.asyncio
async def test_the_refusal_says_what_to_do_and_health_checks_are_never_refused() -> None:
    app = router_over(Shop(), RouterConfig.model_validate({"traffic": {"shedding": {"max_in_flight": 1}}}))
    async with client_of(app) as client:
        app.overload.in_flight = 1
        refused = await client.post("/graphql", json={"query": "{ warehouses }"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        [error] = refused.json()["errors"]
        assert error["extensions"] == {"code": "OVERLOADED"}
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        assert "galleria_requests_shed_total 1.0" in (await client.get("/metrics")).text
        app.overload.in_flight = 0
        assert (await client.post("/graphql", json={"query": "{ warehouses }"})).status_code == 200


@pytest.mark.asyncio
async def test_shedding_can_be_switched_off() -> None:
    app = create_app(RouterConfig.model_validate({"traffic": {"shedding": {"enabled": False}}}))
    async with client_of(app) as client:
        app.overload.in_flight = 10**6
        assert (await client.post("/graphql", json={"query": "{ x }"})).json()["errors"][0]["extensions"]["code"] == (
            "NOT_READY"
        )


async def pieces(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


class Reading:
    """An app that reads the whole body, and answers when it is told to."""

    def __init__(self) -> None:
        self.read = 0
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 200
        try:
            while (await receive()).get("more_body"):
                pass
            self.read += 1
            await self.go_on.wait()
        except RequestError as refusal:
            status = refusal.status
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.asyncio
async def test_bodies_that_are_held_take_no_more_than_their_room_together() -> None:
    reading, overload = Reading(), Overload(policy(10, max_body_bytes=100_000))
    app = LoadShedder(reading, overload)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router.test") as client:
        held = asyncio.create_task(client.post("/graphql", content=pieces(60_000, 10_000)))
        await until(lambda: reading.read == 1)
        assert overload.body_bytes == 70_000
        assert (await client.post("/graphql", content=pieces(60_000, 10_000))).status_code == 503
        assert (overload.body_bytes, overload.refused) == (70_000, 1)
        small = asyncio.create_task(client.post("/graphql", content=pieces(30_000, 30_000)))
        await until(lambda: reading.read == 2)
        form = {"content-type": "multipart/form-data; boundary=x"}
        files = asyncio.create_task(client.post("/graphql", content=pieces(90_000, 90_000), headers=form))
        await until(lambda: reading.read == 3)
        reading.go_on.set()
        assert [(await one).status_code for one in (held, small, files)] == [200, 200, 200]
        assert overload.body_bytes == 0
        assert (await client.post("/graphql", content=pieces(60_000, 10_000))).status_code == 200


@pytest.mark.asyncio
async def test_small_bodies_have_a_room_of_their_own_and_tiny_ones_always() -> None:
    reading, overload = Reading(), Overload(policy(10, max_body_bytes=100_000))
    app = LoadShedder(reading, overload)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router.test") as client:

        async def held(size: int, count: int) -> asyncio.Task[httpx.Response]:
            task = asyncio.create_task(client.post("/graphql", content=b"x" * size))
            await until(lambda: reading.read == count)
            return task

        tasks = [await held(90_000, 1), await held(50_000, 2), await held(50_000, 3)]
        assert (overload.body_bytes, overload.small_body_bytes) == (90_000, 100_000)
        for size in (90_000, 5000):
            assert (await client.post("/graphql", content=b"x" * size)).status_code == 503
        tasks.append(await held(4096, 4))
        reading.go_on.set()
        assert [(await one).status_code for one in tasks] == [200] * 4
        assert (overload.body_bytes, overload.small_body_bytes, overload.refused) == (0, 0, 2)
        assert (await client.post("/graphql", content=b"x" * 90_000)).status_code == 200


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [90_000, 50_000])
@pytest.mark.parametrize(
    ("content_type", "held"),
    [
        ("text/event-stream; charset=utf-8", False),
        ('multipart/mixed;boundary="graphql";subscriptionSpec=1.0', False),
        ("application/json; charset=utf-8", False),
        ('multipart/mixed;boundary="-"', True),
        ('multipart/mixed;boundary="-";deferSpec=20220824', True),
    ],
)
async def test_a_body_is_held_until_its_answer_begins_or_the_last_part_of_one_in_parts(
    size: int, content_type: str, held: bool
) -> None:
    overload, begun, go_on = Overload(policy(10, max_body_bytes=100_000)), asyncio.Event(), asyncio.Event()

    async def stream(_: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        assert overload.body_bytes + overload.small_body_bytes == size
        headers = [(b"content-type", content_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        begun.set()
        await go_on.wait()
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(LoadShedder(stream, overload))
    async with httpx.AsyncClient(transport=transport, base_url="http://router.test") as client:
        asked = asyncio.create_task(client.post("/graphql", content=b"x" * size))
        await asyncio.wait_for(begun.wait(), 10)
        assert overload.body_bytes + overload.small_body_bytes == (size if held else 0)
        go_on.set()
        assert (await asked).status_code == 200
    assert (overload.body_bytes, overload.small_body_bytes) == (0, 0)


def test_bodies_that_come_in_one_round_of_the_loop_have_one_room_with_those_that_are_held() -> None:
    overload = Overload(policy(1))
    overload.hold(30)
    assert [overload.takes(size, now=1.0) for size in (40, 40, 30)] == [True, False, True]
    assert [overload.takes(size, now=2.0) for size in (70, 1)] == [True, False]
    assert [overload.takes(100, now=3.0, is_form=True), overload.takes(1, now=3.0, is_form=True)] == [True, False]
    assert (overload.body_bytes, overload.refused) == (30, 3)


@pytest.mark.asyncio
async def test_a_body_that_takes_its_time_takes_no_room() -> None:
    reading, overload = Reading(), Overload(policy(1))
    reading.go_on.set()
    app, go_on = LoadShedder(reading, overload), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"x"
        await go_on.wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://router.test") as client:
        slow = asyncio.create_task(client.post("/graphql", content=slowly()))
        await asyncio.sleep(0)
        for _ in range(3):
            assert (await client.post("/graphql", content=b"quick")).status_code == 200
        assert not slow.done()
        go_on.set()
        assert (await slow).status_code == 200
        assert overload.in_flight == 0
