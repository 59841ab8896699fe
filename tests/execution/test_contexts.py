"""Arguments taken from the objects around an entity: one request, whatever the values, and errors at their places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.planning.query_plan import ContextVariable, EntityLookup, InputField, InputSelection, QueryPlan
from tests.execution.scripted import ScriptedSubgraphs, entities, key, lookup, path, plan, root, run

SHOPS = [{"cur": "EUR", "item": {"id": "1"}}, {"cur": "USD", "item": {"id": "1"}}, {"cur": "EUR", "item": {"id": "2"}}]
DOCUMENT = (
    "query ($own: Int, $r: [_Any!]!, $c: {type}) "
    '{{ _entities(representations: $r) {{ ... on Item {{ price(in: $c, own: $own, text: "$c") }} }} }}'
)


def prices(type_: str = "String") -> QueryPlan:
    context = ContextVariable("c", type_, 1, (InputSelection(None, (InputField("currency", "cur", nullable=True),)),))
    one = replace(lookup(path("shops", "item"), "Item", (key(),), "price"), contexts=(context,))
    fetch = replace(entities(1, "prices", 0, one), document=DOCUMENT.format(type=type_), variables=("own",))
    return plan(root(0, "shop", "shops"), fetch)


def subgraphs(prices: Any, shops: list[Any] = SHOPS) -> ScriptedSubgraphs:
    return ScriptedSubgraphs(
        shop={"data": {"shops": [dict(shop, item=dict(shop["item"])) for shop in shops]}}, prices=prices
    )


def field_of(group: str) -> str:
    alias = f"_entities{group}: _entities"
    return f'{alias}(representations: $r{group}) {{ ... on Item {{ price(in: $c{group}, own: $own, text: "$c") }} }}'


@pytest.mark.asyncio
async def test_entities_are_asked_once_for_each_value_in_one_request() -> None:
    client = subgraphs({"data": {"_entities": [{"price": 1}, {"price": 2}], "_entities__1": [{"price": 3}]}})
    result = await run(prices(), client, {"own": 7})

    assert client.requests[1:] == [
        (
            "prices",
            {
                "query": "query($own: Int, $r: [_Any!]!, $c: String, $r__1: [_Any!]!, $c__1: String) "
                f"{{ {field_of('')} {field_of('__1')} }}",
                "variables": {
                    "own": 7,
                    "r": [{"__typename": "Item", "id": "1"}, {"__typename": "Item", "id": "2"}],
                    "c": "EUR",
                    "r__1": [{"__typename": "Item", "id": "1"}],
                    "c__1": "USD",
                },
            },
        )
    ]
    assert [shop["item"]["price"] for shop in result.data["shops"]] == [1, 3, 2]
    assert result.errors == []


@pytest.mark.asyncio
async def test_errors_are_placed_at_the_entity_of_their_group() -> None:
    told = {"message": "no", "path": ["_entities__1", 0, "price"]}
    answer = {"data": {"_entities": [{"price": 1}, {"price": 2}], "_entities__1": [{"price": None}]}, "errors": [told]}
    result = await run(prices(), subgraphs(answer))

    assert [(error.path, error.message) for error in result.errors] == [(("shops", 1, "item", "price"), "no")]


@pytest.mark.asyncio
async def test_group_that_is_null_with_an_error_costs_its_own_entities() -> None:
    told = {"message": "no", "path": ["_entities__1"]}
    answer = {"data": {"_entities": [{"price": 1}, {"price": 2}], "_entities__1": None}, "errors": [told]}
    result = await run(prices(), subgraphs(answer))

    assert [shop["item"].get("price") for shop in result.data["shops"]] == [1, None, 2]
    assert [error.path for error in result.errors] == [("shops", 1, "item", "price")]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "nowhere", [["_entities__1", -1], ["_entities__1", 1], ["_entities__1", "0"], [{}, 0], [[], 0]]
)
async def test_error_at_no_entity_of_its_group_falls_on_all_that_is_null(nowhere: list[Any]) -> None:
    answer = {"data": {"_entities": [{"price": 1}, None], "_entities__1": [None]}, "errors": [{"path": nowhere}]}
    result = await run(prices(), subgraphs(answer))

    assert [error.path for error in result.errors] == [("shops", index, "item", "price") for index in (1, 2)]


@pytest.mark.asyncio
async def test_list_of_the_wrong_length_is_told_at_every_entity() -> None:
    answer = {"data": {"_entities": [{"price": 1}], "_entities__1": [{"price": 3}, {"price": 2}]}}
    result = await run(prices(), subgraphs(answer))

    assert [error.path for error in result.errors] == [("shops", index, "item", "price") for index in (0, 1, 2)]


@pytest.mark.asyncio
async def test_null_is_sent_only_where_the_argument_may_be_null() -> None:
    shops = [{"cur": None, "item": {"id": "1"}}]
    nullable = subgraphs({"data": {"_entities": [{"price": 1}]}}, shops)
    strict = subgraphs({"data": {"_entities": [{"price": 1}]}}, shops)
    await run(prices(), nullable)
    result = await run(prices("String!"), strict)

    assert nullable.requests[1][1]["variables"]["c"] is None
    assert strict.names == ["shop"]
    assert "price" not in result.data["shops"][0]["item"]


@pytest.mark.asyncio
async def test_variables_of_a_lookup_that_finds_nothing_are_not_sent() -> None:
    def price(number: int, place: str) -> EntityLookup:
        context = ContextVariable(
            f"c_{number}", "String", 1, (InputSelection(None, (InputField("currency", "cur", nullable=True),)),)
        )
        names = {"alias": f"_entities_{number}", "variable": f"r_{number}"}
        return replace(lookup(path(place, "item"), "Item", (key(),), "price", **names), contexts=(context,))

    document = (
        "query ($few: Int, $many: Int, $r_0: [_Any!]!, $c_0: String, $r_1: [_Any!]!, $c_1: String) {"
        " _entities_0: _entities(representations: $r_0) { ... on Item { price(in: $c_0, own: $few) } }"
        " _entities_1: _entities(representations: $r_1) { ... on Item { price(in: $c_1, own: $many) } } }"
    )
    fetch = entities(1, "prices", 0, price(0, "near"), price(1, "far"))
    fetch = replace(fetch, document=document, variables=("few", "many"))
    client = ScriptedSubgraphs(
        shop={"data": {"near": {"cur": "EUR", "item": {"id": "1"}}, "far": None}},
        prices={"data": {"_entities_0": [{"price": 1}]}},
    )
    await run(plan(root(0, "shop", "near", "far"), fetch), client, {"few": 2, "many": 100})

    assert client.requests[1][1]["variables"] == {
        "few": 2,
        "r_0": [{"__typename": "Item", "id": "1"}],
        "c_0": "EUR",
    }
