"""The router's memory stays flat under load, and what it remembers of operations is bounded."""

from __future__ import annotations

import gc
import subprocess
import sys

import httpx
import pytest
from graphql import DocumentNode, FieldNode, Token

from router.server.config import RouterConfig
from router.server.config.graphql import GraphQLSettings
from router.server.operations.compiled_operation import CompiledOperation, OperationCompiler
from router.server.operations.recently_used import CacheSize
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH, Shop, client_of, router_over

WARM, LOAD = 1500, 3000
VARIED = 20_000
# Shapes of operations whose weight is measured, and how many of each.
WEIGHED = {"smallest": 1000, "ordinary": 1000, "big": 200, "objects": 100, "flat": 100}


async def ask(client: httpx.AsyncClient, number: int) -> None:
    """A query, an error, and a field that is down, in turns; variables differ in each request."""
    queries = (
        {"query": "query ($first: Int) { products(first: $first) { name } }", "variables": {"first": number % 3}},
        {"query": "query ($first: Int) { products(first: $first) { name } }", "variables": {"first": f"no {number}"}},
        {"query": "{ warehouses products { name available } }"},
    )
    response = await client.post("/graphql", json=queries[number % 3], headers={"authorization": f"Bearer {number}"})
    assert response.status_code == 200


def test_a_compiled_operation_does_not_keep_its_document() -> None:
    """Tokens know each other, and nodes know tokens: one node that is kept could keep the text in pieces."""
    compile_ = OperationCompiler(read_supergraph(SUPERGRAPH), CacheSize(10, 50_000_000))
    compile_("query First($first: Int) { products(first: $first) { name available } }", None)
    gc.collect()
    before = {id(each) for each in gc.get_objects()}
    kept = compile_("query Second($first: Int) { products(first: $first) { name available } }", None)
    gc.collect()
    added = [each for each in gc.get_objects() if id(each) not in before]

    assert isinstance(kept, CompiledOperation)
    assert not [each for each in added if isinstance(each, DocumentNode | FieldNode)]
    # A location holds two, and the operation keeps its variable's definition alone.
    assert len([each for each in added if isinstance(each, Token)]) <= 10


@pytest.mark.parametrize(("shape", "count"), WEIGHED.items())
def test_an_operation_weighs_between_two_thirds_and_twice_and_a_half_of_what_it_takes(shape: str, count: int) -> None:
    """It may be said to take more where it shares code with others, and little less than it does."""
    taken, weight = weighed(shape, count)
    assert taken / 1.5 < weight < taken * 2.5


def test_an_operation_of_five_fields_and_four_objects_takes_less_than_30_kb_and_a_thousand_of_them_are_kept() -> None:
    """No two of a thousand share a name."""
    taken, weight = weighed("ordinary", 1000)
    assert 1_000 < taken < 30_000
    settings = RouterConfig().graphql
    assert weight * settings.max_cached_operations <= settings.max_cached_operation_bytes


def weighed(shape: str, count: int) -> tuple[float, int]:
    """The bytes that each of so many operations takes, and its weight; in a process whose memory is theirs."""
    command = [sys.executable, "-m", "tests.server.operation_weight", shape, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    taken, weight = done.stdout.split()
    return float(taken), int(weight)


def held_blocks() -> int:
    """How many blocks of memory Python holds; resident bytes also tell what other tests left to be used again."""
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.timeout(400)
@pytest.mark.asyncio
async def test_memory_stays_flat_under_load(shop: Shop) -> None:
    async with client_of(router_over(shop, RouterConfig())) as client:
        shop.down.add("stock")
        for number in range(WARM):
            await ask(client, number)
        before = held_blocks()
        for number in range(LOAD):
            await ask(client, WARM + number)
        grown = held_blocks() - before

    assert grown < LOAD / 10


@pytest.mark.timeout(400)
def test_nothing_is_kept_of_requests_that_differ_in_all_that_may_differ() -> None:
    """Operations, variables, names, tokens, clients, hashes and mistakes: where one block is kept of each request, or
    ten of each operation, it shows."""
    command = [sys.executable, "-m", "tests.server.varied_load", str(VARIED)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=380)
    blocks, grown = map(int, done.stdout.split())
    assert blocks < VARIED / 10
    assert grown < 5_000_000


@pytest.mark.asyncio
async def test_operations_beyond_the_limit_are_forgotten(shop: Shop) -> None:
    app = router_over(shop, RouterConfig(graphql=GraphQLSettings(max_cached_operations=50)))
    async with client_of(app) as client:
        for number in range(120):
            response = await client.post("/graphql", json={"query": f"{{ p{number}: products {{ name }} }}"})
            assert response.status_code == 200

    assert len(app.service.served_graph().operations) == 50
