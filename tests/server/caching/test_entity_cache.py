"""The entity cache in a router: behind what cuts the operation, inside of header rules, and kept over reloads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from router.server.caching.entry import EntryStore
from router.server.config import check_config
from router.server.graphs.graph import open_graph
from router.server.to_subgraphs.subgraph_traffic import SubgraphTraffic
from router.supergraph.read import read_supergraph
from tests.server.access.issuer import IssuerNow
from tests.server.caching.stand import PROTECTED, Stand, believing, opened
from tests.server.shop import SUPERGRAPH

ON: Mapping[str, Any] = {"entity_cache": {"enabled": True, "admit": "always"}}
BOTH = "{ products { name available } }"
NAMES = "{ products { name } }"
FIRST = "query ($first: Int) { products(first: $first) { available } }"
ANSWER = {"products": [{"name": "Mug", "available": 10}, {"name": "Cup", "available": 20}]}


def stand_saying(catalog: str | None, stock: str | None) -> Stand:
    stand = Stand()
    for name, said in (("catalog", catalog), ("stock", stock)):
        stand.says[name] = {"cache-control": said} if said is not None else {}
    return stand


@pytest.mark.asyncio
async def test_a_router_by_itself_keeps_nothing() -> None:
    async with opened({}, stand_saying("public, max-age=60", "public, max-age=60")) as router:
        for _ in range(2):
            assert await router.data(BOTH) == ANSWER
        assert router.stand.asked == {"catalog": 2, "stock": 2}


@pytest.mark.asyncio
async def test_what_is_kept_is_not_asked_for_again() -> None:
    async with opened(ON, stand_saying("public, max-age=60", "public, max-age=60")) as router:
        for token in (None, "Bearer a", "Bearer b"):
            assert await router.data(BOTH, token) == ANSWER
        assert router.stand.asked == {"catalog": 1, "stock": 1}
        await router.data(FIRST, first=3)
        assert router.stand.sent_keys("stock") == [["1", "2"], ["3"]]
        metrics = (await router.client.get("/metrics")).text
        assert 'galleria_entity_cache_total{outcome="hit",subgraph="stock",type="Product"} 6.0' in metrics
        assert 'galleria_entity_cache_total{outcome="miss",subgraph="stock",type="Product"} 3.0' in metrics
        assert "galleria_entity_cache_entries 5.0" in metrics


@pytest.mark.asyncio
async def test_by_default_what_is_asked_for_again_is_kept() -> None:
    settings = {"entity_cache": {"enabled": True}}
    async with opened(settings, stand_saying("public, max-age=60", "public, max-age=60")) as router:
        for asked in (1, 2, 2, 2):
            assert await router.data(BOTH) == ANSWER
            assert router.stand.asked == {"catalog": asked, "stock": asked}


@pytest.mark.asyncio
async def test_a_subgraph_that_says_nothing_is_asked_each_time_unless_the_settings_know_better() -> None:
    async with opened(ON, stand_saying(None, None)) as router:
        for _ in range(2):
            await router.data(BOTH)
        assert router.stand.asked == {"catalog": 2, "stock": 2}
    lifetimes = {"Product": {"max_age_s": 60}}
    async with opened(
        {"entity_cache": {"enabled": True, "admit": "always", "lifetimes": lifetimes}}, stand_saying(None, None)
    ) as router:
        for token in ("Bearer a", "Bearer b"):
            await router.data(BOTH, token)
        assert router.stand.asked == {"catalog": 1, "stock": 1}
    async with opened(
        {"entity_cache": {"enabled": True, "admit": "always", "default_ttl_s": 60}}, stand_saying(None, None)
    ) as router:
        for token in ("Bearer a", "Bearer b", "Bearer a"):
            await router.data(BOTH, token)
        assert router.stand.asked == {"catalog": 2, "stock": 2}


@pytest.mark.asyncio
async def test_what_a_caller_may_not_see_is_cut_before_anything_is_looked_for(tmp_path: Path) -> None:
    issuer = IssuerNow()
    settings = {**ON, "authentication": believing(issuer, tmp_path)}
    async with opened(settings, stand_saying("public, max-age=60", "public, max-age=60"), PROTECTED) as router:
        assert await router.data(BOTH, f"Bearer {issuer.token()}") == ANSWER
        refused = (await router.ask(BOTH)).json()
        assert [one["available"] for one in refused["data"]["products"]] == [None, None]
        assert {error["extensions"]["code"] for error in refused["errors"]} == {"UNAUTHORIZED_FIELD_OR_TYPE"}
        assert await router.data(BOTH, f"Bearer {issuer.token(sub='bob')}") == ANSWER
        # The one without stock selects no ids, which is another fetch; stock was asked for those alone who may see it.
        assert router.stand.asked == {"catalog": 2, "stock": 1}


@pytest.mark.asyncio
async def test_answers_out_of_the_cache_say_how_long_they_may_be_kept() -> None:
    settings = {**ON, "cache_control": {"enabled": True}}
    async with opened(settings, stand_saying("public, max-age=60", "public, max-age=30, s-maxage=90")) as router:
        first, second = await router.cache_control(BOTH), await router.cache_control(BOTH)
        assert first == "public, max-age=30, s-maxage=60"
        told = dict(one.strip().partition("=")[::2] for one in second.split(","))
        assert 25 <= int(told["max-age"]) < 30
        assert 55 <= int(told["s-maxage"]) < 60


@pytest.mark.asyncio
async def test_keys_hold_what_a_subgraph_gets_by_the_header_rules() -> None:
    rules = {"propagate": ["authorization", "x-tenant"], "subgraphs": {"stock": {"remove": ["x-tenant"]}}}
    async with opened({**ON, "headers": rules}, stand_saying("public, max-age=60", "public, max-age=60")) as router:
        for tenant in ("a", "b"):
            await router.client.post("/graphql", json={"query": BOTH}, headers={"x-tenant": tenant})
        assert router.stand.asked == {"catalog": 2, "stock": 1}


@pytest.mark.asyncio
async def test_one_subgraph_that_is_down_costs_nothing_that_is_kept() -> None:
    async with opened(ON, stand_saying("public, max-age=60", "public, max-age=60")) as router:
        await router.data(FIRST, first=1)
        await router.data("{ products { name } }")
        router.stand.down |= {"catalog", "stock"}
        assert await router.data(FIRST, first=1) == {"products": [{"available": 10}]}
        answer = (await router.ask(FIRST, first=2)).json()
        assert (answer["data"], answer["errors"][0]["extensions"]["code"]) == (
            {"products": None},
            "SUBGRAPH_REQUEST_FAILED",
        )


def cache_of(settings: Mapping[str, Any], kept: SubgraphTraffic | None, sdl: str = SUPERGRAPH) -> SubgraphTraffic:
    traffic = open_graph(read_supergraph(sdl), check_config(settings, "settings"), kept=kept).traffic
    assert traffic is not None
    assert traffic.caching is not None
    return traffic


def test_what_is_kept_outlives_a_reload_while_the_bounds_are_the_same() -> None:
    first = cache_of(ON, None)
    assert cache_of(ON, first) is first
    changed = SUPERGRAPH.replace("  name: String @", "  title: String @join__field(graph: CATALOG)\n  name: String @")
    other = cache_of(ON, first, changed)
    assert other.caching is not first.caching
    assert store_of(other) is store_of(first)
    assert store_of(
        cache_of({"entity_cache": {"enabled": True, "admit": "always", "max_bytes": 10}}, first)
    ) is not store_of(first)


def store_of(traffic: SubgraphTraffic) -> EntryStore | None:
    return traffic.caching.store if traffic.caching is not None else None


def test_what_was_asked_for_before_outlives_a_reload_but_not_the_setting() -> None:
    first = cache_of({"entity_cache": {"enabled": True}}, None)
    assert first.caching is not None
    assert first.caching.asked_before is not None
    shorter = cache_of({"entity_cache": {"enabled": True, "default_ttl_s": 5}}, first)
    assert shorter.caching is not first.caching
    assert shorter.caching is not None
    assert shorter.caching.asked_before is first.caching.asked_before
    at_once = cache_of(ON, shorter)
    assert at_once.caching is not None
    assert at_once.caching.asked_before is None
    assert store_of(at_once) is store_of(first)
