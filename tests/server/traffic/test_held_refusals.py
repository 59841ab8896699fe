"""A refusal waits a moment, so that who comes again at once does not keep the router from its work."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from router.server.shedding.held_refusals import HELD_S, MAX_HELD, RELEASED_PER_S, HeldRefusals
from tests.server.subscriptions.live import until
from tests.server.traffic.test_early_refusal import BODY, HEAD, POST, REFUSED, connected


@pytest.mark.asyncio
async def test_refusals_are_told_in_their_order_after_a_moment() -> None:
    refusals, told, clock = HeldRefusals(), list[tuple[int, float]](), asyncio.get_running_loop().time
    began = clock()

    def tell(number: int) -> None:
        told.append((number, clock() - began))

    for number in range(3):
        refusals.hold(partial(tell, number))
    await until(lambda: len(told) == 3)
    assert [number for number, _ in told] == [0, 1, 2]
    assert min(after for _, after in told) >= HELD_S


@pytest.mark.asyncio
async def test_no_more_are_told_in_a_second_than_the_loop_can_spare() -> None:
    refusals, told, clock = HeldRefusals(), list[float](), asyncio.get_running_loop().time
    began, count = clock(), RELEASED_PER_S // 4
    for _ in range(count):
        refusals.hold(lambda: told.append(clock()))
    await until(lambda: len(told) == count)
    assert told[-1] - began >= HELD_S + 0.9 * count / RELEASED_PER_S


@pytest.mark.asyncio
async def test_whose_client_is_gone_takes_nobodys_turn() -> None:
    refusals, told = HeldRefusals(), list[int]()
    held = [refusals.hold(partial(told.append, number)) for number in range(1000)]
    for one in held[:-1]:
        one.tell = None
    await until(lambda: bool(told))
    assert told == [999]


@pytest.mark.asyncio
async def test_of_too_many_the_first_is_told_at_once() -> None:
    refusals, told = HeldRefusals(), list[int]()
    for number in range(MAX_HELD + 2):
        refusals.hold(partial(told.append, number))
    assert told == [0, 1]


@pytest.mark.asyncio
async def test_clients_that_come_again_at_once_do_so_ten_times_a_second() -> None:
    """Without a wait each would be refused some hundred times within that time."""
    async with connected() as client:
        clock = asyncio.get_running_loop().time
        began = clock()
        for _ in range(5):
            assert (await client.ask(HEAD + BODY)).status == REFUSED
        assert clock() - began >= 5 * HELD_S
        assert client.router.overload.refused == 5


@pytest.mark.asyncio
@pytest.mark.parametrize("head", [HEAD, POST + b"te: trailers\r\n\r\n"], ids=["at sight", "by the parser"])
async def test_a_client_that_says_no_more_is_told_all_the_same(head: bytes) -> None:
    async with connected() as client:
        client.writer.write(head + BODY)
        client.writer.write_eof()
        assert (await client.reader.read()).startswith(REFUSED)


@pytest.mark.asyncio
async def test_a_client_that_sends_more_is_told_before_that_is_read() -> None:
    async with connected() as client:
        client.writer.write(HEAD + BODY)
        await until(lambda: client.router.overload.refused == 1)
        client.router.overload.limit = 1
        client.writer.write(HEAD + BODY)
        assert [(await client.ask(b"")).status for _ in range(2)] == [REFUSED, b"HTTP/1.1 200 OK"]


@pytest.mark.asyncio
async def test_a_client_that_is_gone_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as client:
        client.writer.write(HEAD + BODY)
        await until(lambda: client.router.overload.refused == 1)
        client.writer.transport.abort()
        await until(lambda: not client.served.server.server_state.connections)
        await until(lambda: client.router.overload.refusals._timer is None)
    assert caplog.messages == []


@pytest.mark.asyncio
async def test_at_the_end_of_the_router_all_are_told() -> None:
    async with connected() as client:
        client.writer.write(HEAD + BODY)
        await until(lambda: client.router.overload.refused == 1)
        await client.served.stop()
        assert (await client.reader.read()).startswith(REFUSED)


@pytest.mark.asyncio
async def test_what_layers_tell_of_waits_as_well() -> None:
    async with connected(cors={"origins": ["https://shop.test"]}) as client:
        clock = asyncio.get_running_loop().time
        began = clock()
        refused = await client.ask(POST + b"origin: https://shop.test\r\n\r\n" + BODY)
        assert refused.status == REFUSED
        assert clock() - began >= HELD_S
