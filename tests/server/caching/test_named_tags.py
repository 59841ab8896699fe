"""A subgraph names what it answers in the extensions of its answer, each entity by itself: it is dropped by that."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from router.execution.subgraph_client import SubgraphRequest, SubgraphResponse
from router.server.caching.tags import surrogate_tag
from tests.server.caching.larder import Larder, Subgraph, larder, root

EACH = "apolloEntityCacheTags"
ALL = "apolloCacheTags"


def by_id(ids: list[str]) -> Any:
    """Each entity is named by its id, and all of them are for sale."""
    return {ALL: ["sale"], EACH: [[f"product-{key}", "product"] for key in ids]}


async def asked_after_dropping(cache: Larder, name: str, *keys: str) -> list[str]:
    """The products among ``keys`` that are asked for after ``name`` was dropped, and only then."""
    await cache.names(*keys)
    before = len(cache.subgraph.asked)
    await cache.names(*keys)
    assert len(cache.subgraph.asked) == before
    await cache.client.drop([surrogate_tag(name)])
    await cache.names(*keys)
    return [key for ids in cache.subgraph.keys[before:] for key in ids]


@pytest.mark.asyncio
async def test_each_entity_is_dropped_by_a_name_of_its_own_or_of_the_answer() -> None:
    cache = larder(Subgraph(extend=by_id))
    assert await asked_after_dropping(cache, "product-2", "1", "2", "3") == ["2"]
    assert await asked_after_dropping(cache, "product", "1", "2", "3") == ["1", "2", "3"]
    assert await asked_after_dropping(cache, "sale", "1", "2", "3") == ["1", "2", "3"]
    assert await asked_after_dropping(cache, "product-9", "1", "2", "3") == []


@pytest.mark.asyncio
async def test_names_are_those_of_what_was_asked_for_and_not_of_what_was_there() -> None:
    cache = larder(Subgraph(extend=by_id))
    await cache.names("2")
    await cache.names("1", "2", "3")
    assert cache.subgraph.keys == [["2"], ["1", "3"]]
    assert await asked_after_dropping(cache, "product-3", "1", "2", "3") == ["3"]
    assert await asked_after_dropping(cache, "product-2", "1", "2", "3") == ["2"]


@pytest.mark.asyncio
async def test_names_by_headers_hold_beside_those_in_extensions() -> None:
    cache = larder(Subgraph(extend=by_id, more=((b"cache-tag", b"spring"),)))
    assert await asked_after_dropping(cache, "spring", "1", "2") == ["1", "2"]
    assert await asked_after_dropping(cache, "product-1", "1", "2") == ["1"]


@pytest.mark.asyncio
async def test_a_root_fetch_is_dropped_by_the_names_of_its_answer() -> None:
    cache = larder(Subgraph(extend=lambda _: {ALL: ["shop window"]}))
    for name, asked in (("other", 1), ("shop window", 2)):
        await cache.client.send(root())
        await cache.client.drop([surrogate_tag(name)])
        await cache.client.send(root())
        assert len(cache.subgraph.asked) == asked


@pytest.mark.asyncio
async def test_the_names_of_several_lists_of_entities_stand_one_after_the_other() -> None:
    document = "query($p:[_Any!]!,$q:[_Any!]!){a:_entities(representations:$p){...on Product{name}} b:_entities("
    document += "representations:$q){...on Product{name}}}"
    listed = {"p": ["1"], "q": ["2", "3"]}
    variables = {name: [{"__typename": "Product", "id": key} for key in ids] for name, ids in listed.items()}
    request = SubgraphRequest("catalog", orjson.dumps({"query": document, "variables": variables}), timeout_s=5)
    answered: dict[str, Any] = {"data": {"a": [{"name": "1"}], "b": [{"name": "2"}, {"name": "3"}]}}
    answered["extensions"] = {EACH: [["first"], ["second"], ["third"]]}
    said = ((b"cache-control", b"public, max-age=60"),)
    cache = larder(Subgraph(raw=SubgraphResponse(200, orjson.dumps(answered), said)))
    await cache.client.send(request)
    await cache.client.drop([surrogate_tag("second")])
    cache.subgraph.raw = SubgraphResponse(200, b'{"data":{"a":[],"b":[{"name":"new"}]}}', said)
    answer = await cache.answer(request)
    assert answer == {"data": {"a": [{"name": "1"}], "b": [{"name": "new"}, {"name": "3"}]}}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "extensions",
    [
        {EACH: [["a"]]},
        {EACH: [["a"], ["b"], ["c"]]},
        {EACH: ["a", "b"]},
        {EACH: [["a"], None]},
        {EACH: [["a"], [1]]},
        {EACH: {"0": ["a"]}},
        {EACH: None},
        {ALL: "sale"},
        {ALL: [None]},
        {ALL: [f"name {number}" for number in range(201)]},
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_could_not_be_dropped_by_its_names_is_not_kept(extensions: Any) -> None:
    cache = larder(Subgraph(extend=lambda _: extensions))
    for _ in range(2):
        assert await cache.names("1", "2") == ["name of 1", "name of 2"]
    assert cache.subgraph.keys == [["1", "2"]] * 2


@pytest.mark.asyncio
@pytest.mark.parametrize("extensions", [None, [], {"tracing": {"says": 'apolloCacheTags"'}}, {ALL: [], EACH: [[], []]}])
async def test_other_extensions_name_nothing(extensions: Any) -> None:
    cache = larder(Subgraph(extend=lambda _: extensions, tell=lambda key, _: {"name": f'{key} "{EACH}"'}))
    for _ in range(2):
        await cache.names("1", "2")
    assert cache.subgraph.keys == [["1", "2"]]
