"""Entities are kept each by itself: what is missing is asked for, and the answer is as if all had been."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from msgspec import structs

from router.execution.errors import REQUEST_FAILED, SubgraphFailure
from router.execution.subgraph_client import SubgraphResponse
from tests.execution.traffic.clients import settle
from tests.server.caching.larder import MUTATION, Larder, Subgraph, entities, larder, root

DOWN = SubgraphFailure(REQUEST_FAILED, "Subgraph 'catalog' could not be reached: connection refused.")
RENAMED = {"name": "renamed"}


@pytest.mark.asyncio
async def test_an_entity_is_asked_for_once_within_its_time() -> None:
    cache = larder()
    for _ in range(3):
        assert await cache.names("1") == ["name of 1"]
    assert cache.subgraph.keys == [["1"]]
    cache.later(59)
    await cache.names("1")
    assert len(cache.subgraph.asked) == 1
    cache.later(1)
    await cache.names("1")
    assert cache.subgraph.keys == [["1"], ["1"]]


@pytest.mark.asyncio
async def test_only_what_is_missing_is_asked_for_and_comes_in_its_order() -> None:
    cache = larder()
    await cache.names("2", "4")
    assert await cache.names("4", "3", "2", "1") == ["name of 4", "name of 3", "name of 2", "name of 1"]
    assert cache.subgraph.keys == [["2", "4"], ["3", "1"]]
    assert await cache.names("1", "2", "3", "4") == [f"name of {key}" for key in "1234"]
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_entities_that_come_twice_in_one_request_stay_at_their_places() -> None:
    cache = larder()
    assert await cache.names("1", "2", "1") == ["name of 1", "name of 2", "name of 1"]
    assert await cache.names("3", "1", "3", "1") == ["name of 3", "name of 1", "name of 3", "name of 1"]
    assert await cache.names("1", "1", "3") == ["name of 1", "name of 1", "name of 3"]
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_the_same_selection_in_another_operation_is_the_same() -> None:
    cache = larder()
    await cache.names("1")
    other = "query Shop__catalog__1($r: [_Any!]!) { _entities(representations: $r) {...on Product{name}} }"
    assert await cache.answer(entities("1", document=other)) == {"data": {"_entities": [{"name": "name of 1"}]}}
    assert len(cache.subgraph.asked) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "document",
    [
        "query($r:[_Any!]!){_entities(representations:$r){...on Product{id}}}",
        "query($r:[_Any!]!,$s:Int=1){_entities(representations:$r){...on Product{name(s:$s)}}}",
        "query($r:[_Any!]!){_entities(representations:$r){...on Product{n:name}}}",
    ],
)
async def test_what_is_selected_differently_is_another(document: str) -> None:
    cache = larder()
    await cache.names("1")
    await cache.answer(entities("1", document=document))
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_variables_in_the_selection_count_and_others_do_not() -> None:
    cache = larder()
    document = "query($r:[_Any!]!,$s:Int=1,$t:Int){_entities(representations:$r){...on Product{name(s:$s)}}}"
    sent = orjson.loads(entities("1", document=document).body)
    for variables in ({}, {"t": 1}, {"s": 1}, {"s": 2}, {"s": 2, "t": 3}):
        body = orjson.dumps({**sent, "variables": {**sent["variables"], **variables}})
        await cache.answer(structs.replace(entities("1"), body=body))
    assert len(cache.subgraph.asked) == 3


@pytest.mark.asyncio
@pytest.mark.parametrize("more", [{"extensions": {"tenant": "a"}}, {"query": None, "id": "4f1b"}], ids=["more", "less"])
async def test_what_a_plugin_sends_beyond_document_and_variables_is_not_kept(more: dict[str, Any]) -> None:
    cache = larder()
    await cache.names("1")
    sent = {key: value for key, value in {**orjson.loads(entities("1").body), **more}.items() if value is not None}
    for _ in range(2):
        await cache.answer(structs.replace(entities("1"), body=orjson.dumps(sent)))
    assert len(cache.subgraph.asked) == 3


@pytest.mark.asyncio
async def test_numbers_beyond_a_double_are_kept_to_the_last_digit() -> None:
    number = b"12345678901234567890123"
    body = b'{"data":{"_entities":[{"name":%b}]}}' % number
    cache = larder(Subgraph(raw=SubgraphResponse(200, body, ((b"cache-control", b"public, max-age=60"),))))
    for _ in range(2):
        assert number in (await cache.client.send(entities("1"))).body
    assert len(cache.subgraph.asked) == 1


@pytest.mark.asyncio
async def test_an_entity_that_is_not_there_is_remembered_as_such() -> None:
    cache = larder(Subgraph(tell=lambda key, _: None if key == "9" else {"name": key}))
    assert await cache.names("9", "1") == [None, "1"]
    assert await cache.names("1", "9") == ["1", None]
    assert len(cache.subgraph.asked) == 1


@pytest.mark.asyncio
async def test_nothing_is_kept_of_an_answer_with_errors() -> None:
    cache = larder(Subgraph(errors=[{"message": "half of it", "path": ["_entities", 0, "name"]}]))
    await cache.answer(entities("1"))
    assert await cache.answer(entities("1")) == {
        "data": {"_entities": [{"name": "name of 1"}]},
        "errors": [{"message": "half of it", "path": ["_entities", 0, "name"]}],
    }
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_errors_of_what_was_missing_are_told_at_its_place() -> None:
    cache = larder()
    await cache.names("1", "3")
    cache.subgraph.errors = [{"message": "gone", "path": ["_entities", 1, "name"]}, {"message": "of nothing"}]
    answer = await cache.answer(entities("1", "2", "3", "4"))
    assert answer["errors"] == [{"message": "gone", "path": ["_entities", 3, "name"]}, {"message": "of nothing"}]
    assert [one["name"] for one in answer["data"]["_entities"]] == [f"name of {key}" for key in "1234"]
    cache.subgraph.errors = []
    await cache.names("1", "2", "3", "4")
    assert cache.subgraph.keys[-2:] == [["2", "4"], ["2", "4"]]


@pytest.mark.asyncio
async def test_what_is_kept_is_served_while_the_subgraph_is_down() -> None:
    cache = larder()
    await cache.names("1")
    cache.subgraph.failure = DOWN
    assert await cache.names("1") == ["name of 1"]
    assert await cache.answer(entities("2", "1")) == {
        "data": {"_entities": [None, {"name": "name of 1"}]},
        "errors": [{"message": DOWN.message, "path": ["_entities", 0], "extensions": {"code": REQUEST_FAILED}}],
    }
    with pytest.raises(SubgraphFailure) as caught:
        await cache.answer(entities("2"))
    assert (caught.value.code, caught.value.message) == (DOWN.code, DOWN.message)


@pytest.mark.asyncio
async def test_a_wrong_number_of_entities_puts_none_at_a_wrong_place() -> None:
    cache = larder()
    await cache.names("1")
    body = orjson.dumps({"data": {"_entities": [{"name": "a"}, {"name": "b"}]}})
    cache.subgraph.raw = SubgraphResponse(200, body, ((b"cache-control", b"public, max-age=60"),))
    answer = await cache.answer(entities("1", "2"))
    assert answer["data"] == {"_entities": [{"name": "name of 1"}, None]}
    message = "Subgraph 'catalog' answered with 2 entities where 1 were asked for."
    code = "SUBGRAPH_INVALID_RESPONSE"
    assert answer["errors"] == [{"message": message, "path": ["_entities", 1], "extensions": {"code": code}}]


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [404, 503])
async def test_nothing_is_kept_of_an_answer_with_another_status(status: int) -> None:
    raw = SubgraphResponse(status, b'{"data":{"_entities":[{"name":"a"}]}}', ((b"cache-control", b"max-age=60"),))
    cache = larder(Subgraph(raw=raw))
    for _ in range(2):
        with pytest.raises(SubgraphFailure):
            await cache.client.send(entities("1"))
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_several_lists_of_entities_in_one_request_are_kept_together_and_apart() -> None:
    fields = [f"{key}:_entities(representations:$r){{...on Product{{{key}}}}}" for key in ("name", "id")]
    document = "query($r:[_Any!]!){" + "".join(fields) + "}"
    one = {"data": {"name": [{"name": "Mug"}], "id": [{"id": "1"}]}}
    cache = larder(Subgraph(raw=SubgraphResponse(200, orjson.dumps(one), ((b"cache-control", b"public, max-age=9"),))))
    for _ in range(2):
        assert await cache.answer(entities("1", document=document)) == one
    assert await cache.names("1") == ["Mug"]
    assert len(cache.subgraph.asked) == 1


@pytest.mark.asyncio
async def test_a_root_fetch_is_kept_as_a_whole() -> None:
    cache = larder()
    for _ in range(2):
        assert await cache.answer(root()) == {"data": cache.subgraph.root}
    await cache.answer(root(first=1))
    await cache.answer(root("{products{id}}"))
    assert len(cache.subgraph.asked) == 3


@pytest.mark.asyncio
async def test_a_mutation_passes_by() -> None:
    cache = larder()
    for _ in range(2):
        await cache.answer(MUTATION)
    assert len(cache.subgraph.asked) == 2
    assert cache.client.store.size.entries == 0


@pytest.mark.asyncio
async def test_what_is_found_is_counted_by_subgraph_and_type() -> None:
    cache = larder(stale_s=10)
    await cache.names("1")
    await cache.names("1", "2")
    cache.later(65)
    await cache.names("1")
    await cache.answer(root())
    assert cache.client.counts == {
        ("catalog", "Product", "miss"): 2,
        ("catalog", "Product", "hit"): 1,
        ("catalog", "Product", "stale"): 1,
        ("catalog", "Query", "miss"): 1,
    }
    await cache.client.close()


@pytest.mark.asyncio
async def test_a_stale_entity_is_served_while_one_request_asks_for_a_newer_one() -> None:
    cache = larder(Subgraph(says="public, max-age=60, stale-while-revalidate=30"))
    await cache.names("1", "2")
    cache.later(70)
    cache.subgraph.tell = lambda key, _: RENAMED
    gate = cache.subgraph.gate = asyncio.Event()
    for _ in range(3):
        assert await cache.names("1") == ["name of 1"]
    await settle()
    assert cache.subgraph.keys == [["1", "2"], ["1"]]
    gate.set()
    await settle()
    assert await cache.names("1", "2") == ["renamed", "name of 2"]
    cache.later(30)
    cache.subgraph.failure = DOWN
    with pytest.raises(SubgraphFailure):
        await cache.names("2")
    assert await cache.names("1") == ["renamed"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("says", "settings", "stale_for"),
    [
        ("public, max-age=60", {}, 0),
        ("public, max-age=60", {"stale_s": 20}, 20),
        ("public, max-age=60, stale-while-revalidate=90", {"max_stale_s": 40}, 40),
        ("public, max-age=60, must-revalidate", {"stale_s": 20}, 0),
    ],
)
async def test_how_long_a_stale_entity_is_served(says: str, settings: dict[str, Any], stale_for: float) -> None:
    cache = larder(Subgraph(says=says), **settings)
    await cache.names("1")
    cache.subgraph.failure = DOWN
    if stale_for:
        cache.later(60 + stale_for - 0.1)
        assert await cache.names("1") == ["name of 1"]
        cache.later(0.1)
    else:
        cache.later(60)
    with pytest.raises(SubgraphFailure):
        await cache.names("1")


async def at_once(cache: Larder, *requests: tuple[str, ...], token: str | None = None) -> list[list[str | None]]:
    """The names that several requests get which are all under way before the subgraph answers the first."""
    gate = cache.subgraph.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.names(*keys, token=token)) for keys in requests]
    await settle()
    gate.set()
    return await asyncio.gather(*tasks)


@pytest.mark.asyncio
async def test_a_hundred_who_miss_the_same_ask_once() -> None:
    cache = larder()
    assert await at_once(cache, *[("1", "2")] * 100) == [["name of 1", "name of 2"]] * 100
    assert cache.subgraph.keys == [["1", "2"]]


@pytest.mark.asyncio
async def test_a_hundred_people_who_miss_what_is_for_all_ask_once() -> None:
    cache = larder()
    await cache.names("0")
    gate = cache.subgraph.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.names("1", token=f"of {number}")) for number in range(100)]
    await settle()
    gate.set()
    assert await asyncio.gather(*tasks) == [["name of 1"]] * 100
    assert cache.subgraph.keys == [["0"], ["1"]]


@pytest.mark.asyncio
async def test_who_misses_some_that_others_ask_for_asks_for_the_rest_alone() -> None:
    cache = larder()
    assert await at_once(cache, ("1", "2"), ("2", "3"), ("3", "1")) == [
        ["name of 1", "name of 2"],
        ["name of 2", "name of 3"],
        ["name of 3", "name of 1"],
    ]
    assert cache.subgraph.keys == [["1", "2"], ["3"]]


@pytest.mark.asyncio
async def test_who_waits_asks_where_the_first_was_given_up() -> None:
    cache = larder()
    gate = cache.subgraph.gate = asyncio.Event()
    first, *others = [asyncio.create_task(cache.names("1")) for _ in range(5)]
    await settle()
    first.cancel()
    await settle()
    assert cache.subgraph.keys == [["1"], ["1"]]
    gate.set()
    assert await asyncio.gather(*others) == [["name of 1"]] * 4


@pytest.mark.asyncio
async def test_who_waits_gets_the_failure_of_the_first_as_an_error_of_its_own() -> None:
    cache = larder(Subgraph(failure=DOWN))
    gate = cache.subgraph.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.names("1")) for _ in range(3)]
    await settle()
    gate.set()
    failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(failure) for failure in failures] == [DOWN.message] * 3
    assert len({id(failure) for failure in failures}) == 3
    assert len(cache.subgraph.asked) == 1


@pytest.mark.asyncio
async def test_who_has_less_time_than_the_first_waits_no_longer() -> None:
    cache = larder()
    gate = cache.subgraph.gate = asyncio.Event()
    first = asyncio.create_task(cache.names("1"))
    await settle()
    with pytest.raises(SubgraphFailure) as caught:
        await cache.client.send(structs.replace(entities("1"), timeout_s=0.01))
    assert caught.value.code == "SUBGRAPH_TIMEOUT"
    gate.set()
    assert await first == ["name of 1"]


@pytest.mark.asyncio
async def test_who_asks_after_a_mutation_waits_for_nothing_from_before() -> None:
    cache = larder()
    gate = cache.subgraph.gate = asyncio.Event()
    before = asyncio.create_task(cache.names("1"))
    await settle()
    cache.subgraph.gate = None
    await cache.answer(MUTATION)
    cache.subgraph.tell = lambda key, _: RENAMED
    assert await cache.names("1") == ["renamed"]
    gate.set()
    assert await before == ["name of 1"]
    assert await cache.names("1") == ["renamed"]
