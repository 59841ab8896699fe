"""What is sent to ``_entities``: exactly keys and inputs, equal ones once, nothing without a key."""

from __future__ import annotations

from typing import Any

import pytest

from router.execution.executable import compile_plan
from router.planning.query_plan import InputField, InputSelection, PathStep, Representation
from tests.execution.scripted import ScriptedSubgraphs, entities, errors, key, lookup, needs, path, plan, root, run

PRODUCTS = path("products")


def by_id(body: dict[str, Any]) -> dict[str, Any]:
    """Names each product after its id."""
    return {"data": {"_entities": [{"name": f"product {r['id']}"} for r in body["variables"]["r"]]}}


def names_of(*inputs: InputField) -> Any:
    return plan(root(0, "shop", "products"), entities(1, "names", 0, lookup(PRODUCTS, "Product", inputs, "name")))


@pytest.mark.asyncio
async def test_only_typename_and_inputs_are_sent() -> None:
    shop = {"data": {"products": [{"id": "1", "_w": 5, "color": "red"}]}}
    client = ScriptedSubgraphs(shop=shop, names=by_id)
    await run(names_of(key(), needs("weight", "_w")), client)
    assert client.representations("names") == [{"__typename": "Product", "id": "1", "weight": 5}]


@pytest.mark.asyncio
async def test_equal_representations_are_sent_once_and_answered_at_every_place() -> None:
    shop = {"data": {"products": [{"id": "1"}, {"id": "2"}, {"id": "1"}, {"id": "2"}]}}
    client = ScriptedSubgraphs(shop=shop, names=by_id)
    result = await run(names_of(key()), client)
    assert [r["id"] for r in client.representations("names")] == ["1", "2"]
    assert [p["name"] for p in result.data["products"]] == ["product 1", "product 2", "product 1", "product 2"]


@pytest.mark.asyncio
async def test_places_of_one_entity_share_no_object() -> None:
    shop = {"data": {"products": [{"id": "1"}, {"id": "1"}]}}
    client = ScriptedSubgraphs(shop=shop, names={"data": {"_entities": [{"maker": {"id": "m"}, "tags": [{"t": 1}]}]}})
    result = await run(names_of(key()), client)
    first, second = result.data["products"]
    assert first == second
    assert first["maker"] is not second["maker"]
    assert first["tags"][0] is not second["tags"][0]


@pytest.mark.asyncio
@pytest.mark.parametrize("values", [(1, True, 1.0, "1"), (0, False, "0", 0.5)])
async def test_values_that_python_takes_for_equal_stay_apart(values: tuple[object, ...]) -> None:
    client = ScriptedSubgraphs(shop={"data": {"products": [{"id": value} for value in values]}}, names=by_id)
    await run(names_of(key()), client)
    sent = [r["id"] for r in client.representations("names")]
    assert [(type(value), value) for value in sent] == [(type(value), value) for value in values]


@pytest.mark.asyncio
async def test_a_key_may_be_a_list_or_an_object_of_a_custom_scalar() -> None:
    ids: list[object] = [[1, 2], {"a": 1}, [1, 2]]
    client = ScriptedSubgraphs(shop={"data": {"products": [{"id": value} for value in ids]}}, names=by_id)
    await run(names_of(key()), client)
    assert [r["id"] for r in client.representations("names")] == [[1, 2], {"a": 1}]


@pytest.mark.asyncio
@pytest.mark.parametrize("keyless", [{"id": None}, {}, None])
async def test_an_entity_without_a_key_is_not_sent(keyless: dict[str, None] | None) -> None:
    client = ScriptedSubgraphs(shop={"data": {"products": [keyless, {"id": "2"}]}}, names=by_id)
    result = await run(names_of(key()), client)
    assert [r["id"] for r in client.representations("names")] == ["2"]
    assert result.data["products"] == [keyless, {"id": "2", "name": "product 2"}]
    assert result.errors == []


@pytest.mark.asyncio
async def test_nothing_is_sent_where_there_is_no_entity() -> None:
    client = ScriptedSubgraphs(shop={"data": {"products": []}}, names=by_id)
    await run(names_of(key()), client)
    assert client.names == ["shop"]


@pytest.mark.asyncio
@pytest.mark.parametrize("product", [{"id": "1", "weight": None}, {"id": "1"}])
async def test_a_nullable_input_is_sent_as_null(product: dict[str, Any]) -> None:
    client = ScriptedSubgraphs(shop={"data": {"products": [product]}}, names=by_id)
    await run(names_of(key(), needs("weight")), client)
    assert client.representations("names") == [{"__typename": "Product", "id": "1", "weight": None}]


@pytest.mark.asyncio
async def test_an_input_that_cannot_be_null_keeps_the_entity_back() -> None:
    client = ScriptedSubgraphs(shop={"data": {"products": [{"id": "1", "weight": None}]}}, names=by_id)
    await run(names_of(key(), key("weight")), client)
    assert client.names == ["shop"]


@pytest.mark.asyncio
async def test_nested_inputs_reach_through_lists_and_types() -> None:
    """An input of an abstract type takes from each object what its type has, and its typename where asked."""
    box = InputSelection(("Box",), (key("width"), key("height", "_h")), send_typename=True)
    bag = InputSelection(("Bag",), (key("volume"),), send_typename=True)
    shape = {"__typename": "Box", "width": 1, "_h": 2, "color": "red"}
    shop = {"data": {"products": [{"id": "1", "parts": [[shape, None], [{"__typename": "Bag", "volume": 3}]]}]}}
    client = ScriptedSubgraphs(shop=shop, names=by_id)
    await run(names_of(key(), InputField("parts", "parts", nullable=False, inputs=(box, bag))), client)
    parts = [[{"__typename": "Box", "width": 1, "height": 2}, None], [{"__typename": "Bag", "volume": 3}]]
    assert client.representations("names") == [{"__typename": "Product", "id": "1", "parts": parts}]


@pytest.mark.asyncio
async def test_the_form_of_a_representation_is_chosen_by_type() -> None:
    """Several types in one lookup, one of them sent under the name of an interface, and one that no form fits."""
    forms = (Representation(("Book", "Film"), "Media", (key(),)), Representation(("Toy",), None, (key("sku"),)))
    found = lookup(PRODUCTS, "", (), "name", representations=forms)
    items = [
        {"__typename": "Book", "id": "1"},
        {"__typename": "Toy", "sku": "t"},
        {"__typename": "Film", "id": "1"},
        {"__typename": "Other", "id": "9"},
        {"id": "no type"},
    ]
    answer = {"data": {"_entities": [{"name": "media 1"}, {"name": "toy t"}]}}
    client = ScriptedSubgraphs(shop={"data": {"products": items}}, names=answer)
    result = await run(plan(root(0, "shop", "products"), entities(1, "names", 0, found)), client)
    assert client.representations("names") == [{"__typename": "Media", "id": "1"}, {"__typename": "Toy", "sku": "t"}]
    assert [p.get("name") for p in result.data["products"]] == ["media 1", "toy t", "media 1", None, None]


@pytest.mark.asyncio
async def test_one_request_looks_up_entities_of_several_types_and_places() -> None:
    products = lookup((path("products"), path("best", "product")), "Product", (key(),), "name", alias="a", variable="r")
    makers = lookup(path("products", "maker"), "Maker", (key(),), "name", alias="b", variable="s")
    shop = {"data": {"products": [{"id": "1", "maker": {"id": "m"}}], "best": {"product": {"id": "1"}}}}
    answer = {"data": {"a": [{"name": "mug"}], "b": [{"name": "potter"}]}}
    client = ScriptedSubgraphs(shop=shop, names=answer)
    result = await run(plan(root(0, "shop", "products", "best"), entities(1, "names", 0, products, makers)), client)
    assert client.names == ["shop", "names"]
    assert client.representations("names", "s") == [{"__typename": "Maker", "id": "m"}]
    assert result.data["best"]["product"]["name"] == result.data["products"][0]["name"] == "mug"
    assert result.data["products"][0]["maker"]["name"] == "potter"


@pytest.mark.asyncio
async def test_a_path_follows_only_the_types_that_it_names() -> None:
    books = (PathStep("products", ("Book",)),)
    items = [{"__typename": "Book", "id": "1"}, {"__typename": "Toy", "id": "2"}, {"id": "3"}]
    client = ScriptedSubgraphs(shop={"data": {"products": items}}, names=by_id)
    found = lookup(books, "Book", (key(),), "name")
    await run(plan(root(0, "shop", "products"), entities(1, "names", 0, found)), client)
    assert [r["id"] for r in client.representations("names")] == ["1"]


@pytest.mark.asyncio
async def test_big_numbers_in_keys_keep_their_digits() -> None:
    from router.execution.json_numbers import decode_exact

    shop = b'{"data": {"products": [{"id": 123456789012345678901234567890}, {"id": 1.10000000000000000001}]}}'
    client = ScriptedSubgraphs(shop=shop, names={"data": {"_entities": [None, None]}})
    result = await run(names_of(key()), client, decode=decode_exact)
    sent = client.raw[-1].body
    assert b'"id":123456789012345678901234567890' in sent
    assert b'"id":1.10000000000000000001' in sent
    assert errors(result) == []


def test_an_empty_plan_compiles() -> None:
    assert compile_plan(plan()).fetches == ()
