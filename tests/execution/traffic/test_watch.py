"""Replicas follow the addresses that a name has, and what they say of themselves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from router.execution.traffic.balance import BalancingClient, Replica
from router.execution.traffic.breaker import BreakerPolicy, CircuitBreaker
from router.execution.traffic.watch import Watching, WatchingClient
from tests.execution.traffic.clients import OK, QUERY, Does, Doors, ObedientClient, StillClock, settle


@dataclass
class Town:
    """The addresses of ``stock`` as a name server knows them, the clients made for them, and who is not ready."""

    addresses: list[str]
    is_unknown: bool = False
    clients: dict[str, ObedientClient] = field(default_factory=dict)
    not_ready: set[str] = field(default_factory=set)
    health_is_closed: bool = False
    does: Does = OK

    def replica(self, _: str, address: str) -> Replica:
        client = self.clients[address] = ObedientClient([self.does])
        return Replica(address, client, CircuitBreaker(BreakerPolicy(), StillClock(), lambda _: None))

    async def resolve(self, _: str) -> list[str]:
        if self.is_unknown:
            raise OSError("Name or service not known")
        return list(self.addresses)

    async def is_ready(self, _: str, address: str) -> bool:
        return address not in self.not_ready

    async def close(self) -> None:
        self.health_is_closed = True


def watching(town: Town) -> tuple[WatchingClient, BalancingClient]:
    inner = BalancingClient({"stock": [town.replica("stock", "http://stock.test/")]})
    return WatchingClient(inner, Watching(3600, town.replica, ("stock",), town.resolve, town)), inner


def known(inner: BalancingClient) -> list[str]:
    return [replica.address for replica in inner.replicas["stock"]]


@pytest.mark.asyncio
async def test_each_address_of_the_name_becomes_a_replica() -> None:
    town = Town(["10.0.0.1", "10.0.0.2"])
    client, inner = watching(town)
    assert await client.send(QUERY) == OK
    await settle()
    assert known(inner) == ["10.0.0.1", "10.0.0.2"]
    await client.close()


@pytest.mark.asyncio
async def test_replicas_that_stay_keep_their_connections_and_those_that_go_are_closed() -> None:
    town = Town(["10.0.0.1", "10.0.0.2"])
    client, inner = watching(town)
    await client.look()
    town.addresses = ["10.0.0.2", "10.0.0.3"]
    await client.look()
    assert known(inner) == ["10.0.0.2", "10.0.0.3"]
    assert {address: one.is_closed for address, one in town.clients.items()} == {
        "http://stock.test/": True,
        "10.0.0.1": True,
        "10.0.0.2": False,
        "10.0.0.3": False,
    }
    await client.close()
    assert town.clients["10.0.0.3"].is_closed


@pytest.mark.asyncio
async def test_a_replica_that_goes_finishes_what_it_has() -> None:
    doors = Doors()
    town = Town(["10.0.0.1"], does=doors)
    client, _ = watching(town)
    await client.look()
    request = asyncio.create_task(client.send(QUERY))
    await settle()
    town.addresses = ["10.0.0.2"]
    await client.look()
    assert not town.clients["10.0.0.1"].is_closed
    doors.held[0].set_result(OK)
    assert await request == OK
    await client.close()
    assert town.clients["10.0.0.1"].is_closed


@pytest.mark.asyncio
@pytest.mark.parametrize("is_unknown", [True, False], ids=["error", "no address"])
async def test_where_the_name_server_knows_nothing_the_old_replicas_serve_on(is_unknown: bool) -> None:
    town = Town(["10.0.0.1"])
    client, inner = watching(town)
    await client.look()
    town.is_unknown, town.addresses = is_unknown, []
    await client.look()
    assert known(inner) == ["10.0.0.1"]
    await client.close()


@pytest.mark.asyncio
async def test_a_replica_that_is_not_ready_is_told_apart_and_a_single_one_is_not_asked() -> None:
    town = Town(["10.0.0.1", "10.0.0.2"], not_ready={"10.0.0.2"})
    client, inner = watching(town)
    await client.look()
    assert [replica.is_draining for replica in inner.replicas["stock"]] == [False, True]
    town.not_ready.clear()
    await client.look()
    assert [replica.is_draining for replica in inner.replicas["stock"]] == [False, False]
    town.addresses, town.not_ready = ["10.0.0.1"], {"10.0.0.1"}
    await client.look()
    assert [replica.is_draining for replica in inner.replicas["stock"]] == [False]
    await client.close()
    assert town.health_is_closed
