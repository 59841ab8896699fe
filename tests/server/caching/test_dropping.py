"""What has changed is dropped wherever it is kept, and what is asked for at that moment is not kept afterwards."""

from __future__ import annotations

import asyncio

import pytest

from router.server.caching.entry import EVERYTHING
from router.server.caching.tags import dropped_with, subgraph_tag, surrogate_tag
from tests.execution.traffic.clients import settle
from tests.server.caching.larder import Larder, Subgraph, entities, larder, root

PRODUCT_1 = dropped_with(["Product"], "id", "1")


async def kept(cache: Larder) -> list[str]:
    """What need not be asked for: the products 1 and 2, and two root fetches, one without ids."""
    names = []
    for name, request in (
        ("1", entities("1")),
        ("2", entities("2")),
        ("ids", root()),
        ("names", root("{products{name}}")),
        ("other", root("{whoami}")),
    ):
        before = len(cache.subgraph.asked)
        await cache.client.send(request)
        if len(cache.subgraph.asked) == before:
            names.append(name)
    return names


async def filled() -> Larder:
    cache = larder()
    assert await kept(cache) == []
    assert await kept(cache) == ["1", "2", "ids", "names", "other"]
    return cache


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("tags", "left"),
    [
        (PRODUCT_1, ["2", "other"]),
        (dropped_with(["Product"], "id", "2"), ["1", "other"]),
        (dropped_with(["Product"], "id", "9"), ["1", "2", "ids", "other"]),
        (["Product"], ["other"]),
        (["Query.whoami"], ["1", "2", "ids", "names"]),
        (["Query.products"], ["1", "2", "other"]),
        ([subgraph_tag("catalog")], []),
        ([subgraph_tag("stock")], ["1", "2", "ids", "names", "other"]),
        ([EVERYTHING], []),
        ([], ["1", "2", "ids", "names", "other"]),
    ],
    ids=["1", "2", "another", "type", "field", "list", "subgraph", "other subgraph", "everything", "nothing"],
)
async def test_what_is_dropped_is_asked_for_anew_and_nothing_else(tags: list[str], left: list[str]) -> None:
    cache = await filled()
    await cache.client.drop(tags)
    assert await kept(cache) == left
    assert await kept(cache) == ["1", "2", "ids", "names", "other"]


@pytest.mark.asyncio
async def test_an_entity_is_dropped_by_its_key_whatever_is_answered_under_the_name_of_the_key() -> None:
    cache = larder(Subgraph(tell=lambda key, _: {"id": f"name of {key}"}))
    request = entities("1", document="query($r:[_Any!]!){_entities(representations:$r){...on Product{id:name}}}")
    for _ in range(2):
        await cache.answer(request)
    assert len(cache.subgraph.asked) == 1
    await cache.client.drop(PRODUCT_1)
    await cache.answer(request)
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_what_a_subgraph_calls_by_a_name_of_its_own_is_dropped_by_it() -> None:
    cache = larder(Subgraph(more=((b"vary", b"accept"), (b"surrogate-key", b"sale Spring *"), (b"cache-tag", b"a,b"))))
    for name in ("sale", "Spring", "*", "a", "b"):
        await cache.names("1")
        asked = len(cache.subgraph.asked)
        await cache.client.drop([surrogate_tag("accept")])
        await cache.names("1")
        assert len(cache.subgraph.asked) == asked
        await cache.client.drop([surrogate_tag(name)])
        await cache.names("1")
        assert len(cache.subgraph.asked) == asked + 1


@pytest.mark.asyncio
async def test_what_was_asked_for_before_it_was_dropped_is_not_kept() -> None:
    cache = larder()
    gate = cache.subgraph.gate = asyncio.Event()
    before = asyncio.create_task(cache.names("1", "2"))
    await settle()
    await cache.client.drop(PRODUCT_1)
    cache.subgraph.gate = None
    cache.subgraph.tell = lambda key, _: {"name": f"new name of {key}"}
    gate.set()
    assert await before == ["name of 1", "name of 2"]
    assert await cache.names("1", "2") == ["new name of 1", "name of 2"]


@pytest.mark.asyncio
async def test_who_asks_after_it_was_dropped_waits_for_nothing_from_before() -> None:
    cache = larder()
    gate = cache.subgraph.gate = asyncio.Event()
    before = asyncio.create_task(cache.names("1"))
    await settle()
    await cache.client.drop(PRODUCT_1)
    cache.subgraph.gate = None
    cache.subgraph.tell = lambda key, _: {"name": "new"}
    assert await cache.names("1") == ["new"]
    gate.set()
    await before
    assert await cache.names("1") == ["new"]


@pytest.mark.asyncio
async def test_a_stale_entity_that_was_dropped_is_not_served() -> None:
    cache = larder(stale_s=60)
    await cache.names("1")
    cache.later(70)
    await cache.client.drop(PRODUCT_1)
    cache.subgraph.tell = lambda key, _: {"name": "new"}
    assert await cache.names("1") == ["new"]


@pytest.mark.asyncio
async def test_more_drops_than_are_remembered_drop_rather_more_than_less() -> None:
    cache = larder(max_entries=10)
    await cache.names("1", "2")
    await cache.client.drop(PRODUCT_1)
    for number in range(20):
        await cache.client.drop([surrogate_tag(str(number))])
    cache.subgraph.tell = lambda key, _: {"name": "new"}
    assert await cache.names("1") == ["new"]
