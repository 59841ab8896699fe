"""What has not come whole is bounded over all connections, and who began first makes room."""

from __future__ import annotations

import pytest

from router.server.config import RouterConfig
from router.server.connections.known_heads import KnownHeads
from router.server.connections.unfinished import UnfinishedRequests
from router.server.shedding.overload import Overload, overload_policy
from tests.server.connections.test_known_heads import POST, Server


class Connection:
    """Notes whether it was refused."""

    def __init__(self) -> None:
        self.is_refused = False

    def refuse_unfinished(self) -> None:
        self.is_refused = True


def test_what_each_holds_last_counts_until_it_is_forgotten() -> None:
    requests, first, second = UnfinishedRequests(), Connection(), Connection()
    held = [requests.hold(first, 30, 100), requests.hold(first, 40, 100), requests.hold(second, 60, 100)]
    assert (held, requests.total_bytes) == ([0, 0, 0], 100)
    requests.forget(first)
    requests.forget(first)
    assert requests.total_bytes == 60
    assert not first.is_refused


def test_those_that_began_first_are_refused_until_there_is_room() -> None:
    requests, connections = UnfinishedRequests(), [Connection() for _ in range(4)]
    for one in connections[:3]:
        requests.hold(one, 30, 100)
    requests.hold(connections[0], 31, 100)
    assert requests.hold(connections[3], 50, 100) == 2
    assert [one.is_refused for one in connections] == [True, True, False, False]
    assert requests.total_bytes == 80


def test_one_that_is_larger_than_the_room_is_refused_itself() -> None:
    requests, one = UnfinishedRequests(), Connection()
    assert requests.hold(one, 101, 100) == 1
    assert one.is_refused
    assert requests.total_bytes == 0


@pytest.mark.asyncio
async def test_bodies_that_have_begun_have_one_room_over_all_connections() -> None:
    settings = RouterConfig.model_validate({"traffic": {"shedding": {"max_body_bytes": 130_000}}})
    overload = Overload(overload_policy(settings))
    first, second, third = (Server(KnownHeads(), overload) for _ in range(3))
    for server in (first, second):
        server.send(POST + b"Content-Length: 60000\r\n\r\n" + bytes(50_000))
    assert (first.transport.written, overload.refused) == ([], 0)
    third.send(POST + b"Content-Length: 60000\r\n\r\n" + bytes(50_000))
    assert first.transport.written[0].startswith(b"HTTP/1.1 503 ")
    assert overload.refused == 1
    assert first.protocol.cycle.body == b""  # It lets go of what it held.
    second.send(bytes(10_000))
    third.send(bytes(10_000))
    assert [(await one.answered())[0][:15] for one in (second, third)] == [b"HTTP/1.1 200 OK"] * 2
    assert overload.unfinished.total_bytes == 0


@pytest.mark.asyncio
async def test_heads_that_have_begun_have_one_room_with_them() -> None:
    settings = RouterConfig.model_validate({"traffic": {"shedding": {"max_body_bytes": 70_000}}})
    overload = Overload(overload_policy(settings))
    first, second, third = (Server(KnownHeads(), overload) for _ in range(3))
    for server in (first, second, third):
        server.send(POST + b"x: " + b"y" * 30_000)
    assert first.transport.written[0].startswith(b"HTTP/1.1 503 ")
    assert (second.transport.written, third.transport.written, overload.refused) == ([], [], 1)
