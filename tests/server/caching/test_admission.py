"""What is asked for once is passed on as it came; it is kept from the second time on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from router.execution.errors import REQUEST_FAILED, SubgraphFailure
from router.execution.subgraph_client import SubgraphResponse
from router.server.caching.asked_before import AskedBefore
from router.server.caching.fetch_shape import BARREN_ANSWERS, TRY_EVERY
from router.server.caching.tags import dropped_with
from tests.execution.traffic.clients import settle
from tests.server.caching.larder import MUTATION, Larder, Subgraph, entities, larder, root

PRODUCT_1 = dropped_with(["Product"], "id", "1")
PUBLIC = ((b"cache-control", b"public, max-age=60"),)


def name_of_asker(_: str, headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {"name": headers[b"authorization"].decode()}


def at_second(subgraph: Subgraph | None = None, **settings: Any) -> Larder:
    return larder(subgraph, admit="second", **settings)


@pytest.mark.asyncio
async def test_an_entity_is_kept_when_it_is_asked_for_again() -> None:
    cache = at_second()
    for _ in range(5):
        assert await cache.names("1") == ["name of 1"]
    assert cache.subgraph.keys == [["1"], ["1"]]


@pytest.mark.asyncio
async def test_a_root_fetch_is_kept_when_it_is_asked_for_again() -> None:
    cache = at_second()
    for _ in range(5):
        assert await cache.answer(root()) == {"data": cache.subgraph.root}
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_of_a_list_those_are_kept_that_were_asked_for_before() -> None:
    cache = at_second()
    await cache.names("1")
    for _ in range(3):
        assert await cache.names("2", "1", "3") == ["name of 2", "name of 1", "name of 3"]
    assert cache.subgraph.keys == [["1"], ["2", "1", "3"], ["2", "3"]]


@pytest.mark.asyncio
async def test_a_flood_of_keys_takes_no_room_and_no_place_of_what_is_asked_for_often() -> None:
    cache = at_second(max_entries=10)
    for _ in range(2):
        await cache.names("often")
    for number in range(500):
        await cache.names(str(number))
    assert cache.client.store.size.entries == 1
    asked = len(cache.subgraph.asked)
    await cache.names("often")
    assert len(cache.subgraph.asked) == asked


@pytest.mark.asyncio
async def test_after_its_time_it_is_kept_at_once() -> None:
    cache = at_second()
    for _ in range(2):
        await cache.names("1")
    cache.later(60)
    for _ in range(3):
        await cache.names("1")
    assert len(cache.subgraph.asked) == 3


@pytest.mark.asyncio
async def test_what_is_for_one_alone_is_kept_when_he_asks_again() -> None:
    cache = at_second(Subgraph(says="private, max-age=60", tell=name_of_asker))
    for who in ("ada", "bob"):
        assert await cache.names("1", token=who) == [who]
    assert cache.client.store.size.entries == 0
    for who in ("ada", "ada", "bob", "bob", "ada"):
        assert await cache.names("1", token=who) == [who]
    assert len(cache.subgraph.asked) == 4


@pytest.mark.asyncio
async def test_what_is_for_all_is_kept_when_anybody_asks_again() -> None:
    cache = at_second()
    for who in ("ada", "bob", "eve", None):
        await cache.names("1", token=who)
    assert len(cache.subgraph.asked) == 2


@pytest.mark.asyncio
async def test_who_asks_at_the_same_time_asks_again_so_that_one_request_is_enough() -> None:
    cache = at_second()
    gate = cache.subgraph.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.names("1", "2")) for _ in range(100)]
    await settle()
    gate.set()
    assert await asyncio.gather(*tasks) == [["name of 1", "name of 2"]] * 100
    assert await cache.names("2", "1") == ["name of 2", "name of 1"]
    assert cache.subgraph.keys == [["1", "2"]]


@pytest.mark.asyncio
async def test_who_waits_for_one_of_several_has_that_one_kept_alone() -> None:
    cache = at_second()
    gate = cache.subgraph.gate = asyncio.Event()
    first, second = asyncio.create_task(cache.names("1", "2")), asyncio.create_task(cache.names("2"))
    await settle()
    gate.set()
    assert (await first, await second) == (["name of 1", "name of 2"], ["name of 2"])
    assert cache.client.store.size.entries == 1
    assert await cache.names("2") == ["name of 2"]
    assert cache.subgraph.keys == [["1", "2"]]


@pytest.mark.asyncio
async def test_who_waits_for_what_turns_out_to_be_for_one_asks_by_himself() -> None:
    cache = at_second()
    for key in ("0", "1"):
        await cache.names(key)
    cache.subgraph.says = "private, max-age=60"
    cache.subgraph.tell = name_of_asker
    gate = cache.subgraph.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.names("1", token=who)) for who in ("ada", "bob", "ada")]
    await settle()
    gate.set()
    assert await asyncio.gather(*tasks) == [["ada"], ["bob"], ["ada"]]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "says", [None, "no-store", "max-age=60", "private, max-age=9", "public, s-maxage=5, max-age=1"]
)
@pytest.mark.parametrize("vary", [None, b"authorization", b"*"])
@pytest.mark.parametrize("token", [None, "ada"])
async def test_what_is_passed_on_is_answered_and_told_as_what_is_kept(
    says: str | None, vary: bytes | None, token: str | None
) -> None:
    more = ((b"vary", vary),) if vary is not None else ()
    lifetimes = {"Product": {"max_age_s": 30}}
    kept, passed = (
        larder(Subgraph(says=says, more=more), admit=admit, lifetimes=lifetimes) for admit in ("always", "second")
    )
    for request in (entities("1", "2", token=token), root(token=token)):
        first, second = await kept.client.send(request), await passed.client.send(request)
        assert first == second
    assert passed.client.store.size.entries == 0


@pytest.mark.asyncio
async def test_what_nobody_may_keep_is_not_kept_the_second_time_either() -> None:
    cache = at_second(Subgraph(says="no-store"))
    for _ in range(3):
        await cache.names("1")
    assert len(cache.subgraph.asked) == 3
    assert cache.client.store.size.entries == 0


@pytest.mark.asyncio
async def test_what_can_never_be_kept_is_looked_up_no_more_until_it_can() -> None:
    cache = at_second(Subgraph(says=None))
    for number in range(BARREN_ANSWERS + 2 * TRY_EVERY):
        assert await cache.names(str(number)) == [f"name of {number}"]
    assert cache.client.counts["catalog", "Product", "miss"] == BARREN_ANSWERS + 2
    cache.subgraph.says = "public, max-age=60"
    for _ in range(TRY_EVERY + 2):
        assert await cache.names("1") == ["name of 1"]
    asked = len(cache.subgraph.asked)
    assert await cache.names("1") == ["name of 1"]
    assert len(cache.subgraph.asked) == asked


@pytest.mark.asyncio
async def test_what_was_kept_once_is_looked_up_however_often_the_subgraph_fails_or_takes_it_back() -> None:
    cache = at_second()
    for _ in range(2):
        await cache.names("1")
    cache.subgraph.says = "no-store"
    for number in range(3 * TRY_EVERY):
        await cache.names(f"other {number}")
    asked = len(cache.subgraph.asked)
    assert await cache.names("1") == ["name of 1"]
    assert len(cache.subgraph.asked) == asked


@pytest.mark.asyncio
async def test_a_subgraph_that_is_down_says_nothing_of_what_may_be_kept() -> None:
    cache = at_second(Subgraph(raw=SubgraphResponse(503, b"down", ((b"cache-control", b"no-store"),))))
    for number in range(2 * TRY_EVERY):
        await cache.client.send(entities(str(number)))
    assert cache.client.counts["catalog", "Product", "miss"] == 2 * TRY_EVERY


@pytest.mark.asyncio
async def test_what_the_settings_make_short_is_told_as_short_however_often() -> None:
    cache = at_second(Subgraph(says="public, max-age=60"), lifetimes={"Product": {"max_age_s": 0}})
    for number in range(2 * TRY_EVERY):
        response = await cache.client.send(entities(str(number)))
        assert response.headers == ((b"cache-control", b"no-store"),)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "response",
    [
        SubgraphResponse(200, b'{"data": {"_entities": [null]}, "errors": [{"message": "out of order"}]}', PUBLIC),
        SubgraphResponse(503, b"down for repair", PUBLIC),
        SubgraphResponse(200, b'{"data": {"_entities": []}}', PUBLIC),
        SubgraphResponse(200, b"no JSON", PUBLIC),
    ],
    ids=["error", "status", "too few", "no JSON"],
)
async def test_what_is_no_answer_is_never_kept(response: SubgraphResponse) -> None:
    cache = at_second(Subgraph(raw=response))
    passed = await cache.client.send(entities("1"))
    assert (passed.status, passed.body) == (response.status, response.body)
    for _ in range(2):
        try:
            answered = await cache.client.send(entities("1"))
            assert orjson.loads(answered.body) == orjson.loads(response.body)
        except SubgraphFailure:
            pass
    assert len(cache.subgraph.asked) == 3
    assert cache.client.store.size.entries == 0


@pytest.mark.asyncio
async def test_a_failure_is_one_as_often_as_it_is_asked() -> None:
    cache = at_second(Subgraph(failure=SubgraphFailure(REQUEST_FAILED, "down")))
    for _ in range(3):
        with pytest.raises(SubgraphFailure, match="down"):
            await cache.client.send(entities("1"))
    cache.subgraph.failure = None
    for _ in range(3):
        assert await cache.names("1") == ["name of 1"]
    assert len(cache.subgraph.asked) == 5


@pytest.mark.asyncio
async def test_what_was_dropped_between_the_first_time_and_the_second_is_kept_as_it_is_then() -> None:
    cache = at_second()
    await cache.names("1")
    await cache.client.drop(PRODUCT_1)
    cache.subgraph.tell = lambda key, _: {"name": "new"}
    assert [await cache.names("1") for _ in range(3)] == [["new"]] * 3
    assert len(cache.subgraph.asked) == 2
    await cache.client.drop(PRODUCT_1)
    cache.subgraph.tell = lambda key, _: {"name": "newer"}
    assert [await cache.names("1") for _ in range(3)] == [["newer"]] * 3
    assert len(cache.subgraph.asked) == 3


@pytest.mark.asyncio
@pytest.mark.parametrize("by", ["drop", "mutation"])
async def test_what_changed_while_it_was_asked_for_the_second_time_is_not_kept(by: str) -> None:
    cache = at_second()
    await cache.names("1")
    gate = cache.subgraph.gate = asyncio.Event()
    second = asyncio.create_task(cache.names("1"))
    await settle()
    cache.subgraph.gate = None
    await (cache.client.drop(PRODUCT_1) if by == "drop" else cache.answer(MUTATION))
    cache.subgraph.tell = lambda key, _: {"name": "new"}
    gate.set()
    assert await second == ["name of 1"]
    assert await cache.names("1") == ["new"]


@pytest.mark.asyncio
async def test_what_is_stale_is_kept_anew_even_if_the_first_time_was_forgotten() -> None:
    cache = at_second(max_entries=1, stale_s=30)
    for _ in range(2):
        await cache.names("1")
    for number in range(100):
        await cache.names(f"other {number}")
    cache.later(70)
    cache.subgraph.tell = lambda key, _: {"name": "new"}
    assert await cache.names("1") == ["name of 1"]
    await settle()
    asked = len(cache.subgraph.asked)
    assert await cache.names("1") == ["new"]
    assert len(cache.subgraph.asked) == asked


def test_a_key_was_asked_for_before_from_the_second_time_on() -> None:
    before = AskedBefore(100)
    assert [before.note(key) for key in (b"1", b"2", b"1", b"1", b"2")] == [False, False, True, True, True]


def test_keys_are_forgotten_when_many_others_have_come_and_not_sooner() -> None:
    before, keys = AskedBefore(1000), [hashlib.sha256(b"%d" % number).digest() for number in range(100_000)]
    for key in keys[:1000]:
        before.note(key)
    # 2048 places: a place is taken away by one of the 999 later keys with a chance of less than 0.39.
    assert sum(map(before.note, keys[:1000])) > 500
    for key in keys[1000:]:
        before.note(key)
    assert sum(map(before.note, keys[:1000])) < 100
