"""A subgraph that fails costs exactly the fields that it owns, with an error at each place."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from router.execution.answer import SubgraphAnswer
from router.execution.errors import SubgraphFailure
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, execute_event
from router.execution.subgraph_client import SubgraphResponse
from router.operation.model import Condition
from router.planning.query_plan import InputField, InputSelection, OwnedField, QueryPlan
from router.server.error_policy import ErrorPolicy
from tests.execution.scripted import (
    ScriptedSubgraphs,
    entities,
    errors,
    key,
    lookup,
    needs,
    owned,
    path,
    plan,
    root,
    run,
)

SHOP = {"data": {"products": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}}
ITEMS = lookup(path("products"), "Product", (key(),), "name", "size")


def shop_and_names() -> QueryPlan:
    return plan(root(0, "shop", "products"), entities(1, "names", 0, ITEMS))


NOT_GRAPHQL = "Subgraph 'names' answered with something other than JSON of GraphQL."
NEITHER = "Subgraph 'names' answered with neither data nor errors of GraphQL."


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "refused"), "SUBGRAPH_REQUEST_FAILED", "refused"),
        (SubgraphFailure("SUBGRAPH_TIMEOUT", "too late"), "SUBGRAPH_TIMEOUT", "too late"),
        (
            SubgraphResponse(503, b"<html>"),
            "SUBGRAPH_REQUEST_FAILED",
            "Subgraph 'names' answered with HTTP status 503.",
        ),
        (b"<html>", "SUBGRAPH_INVALID_RESPONSE", NOT_GRAPHQL),
        (b'{"data": {"_ent', "SUBGRAPH_INVALID_RESPONSE", NOT_GRAPHQL),
        (b"[]", "SUBGRAPH_INVALID_RESPONSE", NOT_GRAPHQL),
        (b"", "SUBGRAPH_INVALID_RESPONSE", NOT_GRAPHQL),
        (b"{}", "SUBGRAPH_INVALID_RESPONSE", NEITHER),
        (b'{"data": null}', "SUBGRAPH_INVALID_RESPONSE", NEITHER),
        (b'{"data": null, "errors": []}', "SUBGRAPH_INVALID_RESPONSE", NEITHER),
        (b'{"data": [], "errors": [{"message": "x"}]}', "SUBGRAPH_INVALID_RESPONSE", NEITHER),
        (
            b'{"data": {"_entities": [null]}}',
            "SUBGRAPH_INVALID_RESPONSE",
            "Subgraph 'names' answered with 1 entities where 2 were asked for.",
        ),
        (
            b'{"data": {"_entities": {"0": {}}}}',
            "SUBGRAPH_INVALID_RESPONSE",
            "Subgraph 'names' answered with no list of entities where 2 were asked for.",
        ),
        (
            b'{"data": {}}',
            "SUBGRAPH_INVALID_RESPONSE",
            "Subgraph 'names' answered with no list of entities where 2 were asked for.",
        ),
        (b'{"errors": [{"message": "no", "extensions": {"code": "NOPE"}}]}', "NOPE", "no"),
        (b'{"data": null, "errors": [{"message": "no"}]}', "SUBGRAPH_ERROR", "no"),
        (SubgraphResponse(500, b'{"errors": [{"message": "no"}]}'), "SUBGRAPH_ERROR", "no"),
        (
            b'{"data": {"_entities": null}, "errors": [{"message": "no", "path": ["_entities"]}]}',
            "SUBGRAPH_ERROR",
            "no",
        ),
        (
            b'{"errors": ["oops"]}',
            "SUBGRAPH_ERROR",
            "Subgraph 'names' reported an error without a message.",
        ),
    ],
)
async def test_every_owned_field_at_every_place_has_the_error(answer: Any, code: str, message: str) -> None:
    client = ScriptedSubgraphs(shop=SHOP, names=answer)
    result = await run(shop_and_names(), client)
    assert result.data == SHOP["data"]
    places = [("products", i, field) for i in range(3) for field in ("name", "size")]
    assert sorted(errors(result)) == [(place, message, code) for place in places]
    assert {error.extensions["service"] for error in result.errors} == {"names"}


@pytest.mark.asyncio
async def test_a_failed_root_fetch_leaves_the_others_whole() -> None:
    client = ScriptedSubgraphs(a=SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down"), b={"data": {"y": 2}})
    result = await run(plan(root(0, "a", "x", "w"), root(1, "b", "y")), client)
    assert result.data == {"y": 2}
    assert errors(result) == [
        (("x",), "down", "SUBGRAPH_REQUEST_FAILED"),
        (("w",), "down", "SUBGRAPH_REQUEST_FAILED"),
    ]


@pytest.mark.asyncio
async def test_what_depends_on_a_failed_root_is_not_asked_and_has_no_place_for_errors() -> None:
    client = ScriptedSubgraphs(shop=SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down"), names={})
    result = await run(shop_and_names(), client)
    assert client.names == ["shop"]
    assert errors(result) == [(("products",), "down", "SUBGRAPH_REQUEST_FAILED")]


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [401, 404, 418, 500])
async def test_data_beside_errors_counts_under_any_status(status: int) -> None:
    """As Apollo Server answers where a resolver's error says which status the answer has."""
    body = b'{"errors":[{"message":"not you","path":["y"]}],"data":{"x":1,"y":null}}'
    result = await run(plan(root(0, "a", "x", "y")), ScriptedSubgraphs(a=SubgraphResponse(status, body)))
    assert result.data == {"x": 1, "y": None}
    assert errors(result) == [(("y",), "not you", "SUBGRAPH_ERROR")]


@pytest.mark.asyncio
async def test_data_without_errors_does_not_count_under_a_status_of_failure() -> None:
    client = ScriptedSubgraphs(a=SubgraphResponse(500, b'{"data":{"x":1}}'))
    result = await run(plan(root(0, "a", "x")), client)
    assert result.data == {}
    assert errors(result) == [(("x",), "Subgraph 'a' answered with HTTP status 500.", "SUBGRAPH_REQUEST_FAILED")]


@pytest.mark.asyncio
async def test_an_error_of_one_entity_stands_at_every_place_of_it() -> None:
    answer = {
        "data": {"_entities": [{"name": "mug", "size": None}, None]},
        "errors": [
            {"message": "no size", "path": ["_entities", 0, "size"], "extensions": {"code": "NO_SIZE", "hint": 1}},
            {"message": "gone", "path": ["_entities", 1]},
        ],
    }
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=SHOP, names=answer))
    assert errors(result) == [
        (("products", 0, "size"), "no size", "NO_SIZE"),
        (("products", 2, "size"), "no size", "NO_SIZE"),
        (("products", 1, "name"), "gone", "SUBGRAPH_ERROR"),
        (("products", 1, "size"), "gone", "SUBGRAPH_ERROR"),
    ]
    assert result.errors[0].extensions == {"code": "NO_SIZE", "hint": 1, "service": "names"}
    assert [product.get("name") for product in result.data["products"]] == ["mug", None, "mug"]


@pytest.mark.asyncio
async def test_an_entity_that_is_no_object_fails_alone() -> None:
    client = ScriptedSubgraphs(shop=SHOP, names={"data": {"_entities": ["mug", {"name": "cup", "size": 2}]}})
    result = await run(shop_and_names(), client)
    message = "Subgraph 'names' answered with an entity that is not an object."
    places = [("products", i, field) for i in (0, 2) for field in ("name", "size")]
    assert errors(result) == [(place, message, "SUBGRAPH_INVALID_RESPONSE") for place in places]


@pytest.mark.asyncio
async def test_an_error_below_an_entity_that_is_null_costs_all_that_was_asked_of_it() -> None:
    answer = {
        "data": {"_entities": [None, {"name": "cup", "size": 2}]},
        "errors": [{"message": "deep", "path": ["_entities", 0, "secret", "x"]}],
    }
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=SHOP, names=answer))
    places = [("products", i, field) for i in (0, 2) for field in ("name", "size")]
    assert errors(result) == [(place, "deep", "SUBGRAPH_ERROR") for place in places]


@pytest.mark.asyncio
async def test_errors_at_values_of_an_entity_are_told_beside_these() -> None:
    """As at root fields; a subgraph may say of what it answers that it is stale."""
    at = [["_entities", 0, "name"], ["_entities", 0, "size"], ["_entities", 1, "name"]]
    entities = [{"name": "Mug", "size": 1}, {"name": "Cap", "size": None}]
    answer = {"data": {"_entities": entities}, "errors": [{"message": "stale", "path": path} for path in at]}
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=SHOP, names=answer))
    places = [("products", 0, "name"), ("products", 2, "name"), ("products", 0, "size"), ("products", 2, "size")]
    assert errors(result) == [(place, "stale", "SUBGRAPH_ERROR") for place in [*places, ("products", 1, "name")]]


@pytest.mark.asyncio
async def test_an_error_without_a_path_falls_on_what_is_null() -> None:
    answer = {"data": {"x": None, "y": 2}, "errors": [{"message": "somewhere"}]}
    result = await run(plan(root(0, "a", "x", "y")), ScriptedSubgraphs(a=answer))
    assert errors(result) == [(("x",), "somewhere", "SUBGRAPH_ERROR")]


@pytest.mark.asyncio
@pytest.mark.parametrize("nowhere", [["x", -1], ["x", True, "y"], ["x", 0.5], ["x", None], [["x"]], "x", {"x": 1}])
async def test_a_path_that_can_be_none_is_none(nowhere: object) -> None:
    answer = {"data": {"x": [1], "y": None}, "errors": [{"message": "somewhere", "path": nowhere}]}
    result = await run(plan(root(0, "a", "x", "y")), ScriptedSubgraphs(a=answer))
    assert errors(result) == [(("y",), "somewhere", "SUBGRAPH_ERROR")]


def nested(levels: int) -> object:
    value: object = 7
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.asyncio
@pytest.mark.parametrize(("levels", "told"), [(99, {"hint": nested(99)}), (100, {}), (900, {})])
async def test_extensions_that_are_nested_too_deeply_are_left_out_but_for_the_code(
    levels: int, told: dict[str, object]
) -> None:
    failed = {"message": "no", "path": ["x"], "extensions": {"code": "NO", "hint": nested(levels)}}
    answer = json.dumps({"data": {"x": None}, "errors": [failed]}).encode()
    (error,) = (await run(plan(root(0, "a", "x")), ScriptedSubgraphs(a=answer))).errors
    assert error.extensions == {**told, "code": "NO", "service": "a"}


@pytest.mark.asyncio
async def test_an_error_without_a_path_beside_whole_data_has_no_place() -> None:
    result = await run(plan(root(0, "a", "x")), ScriptedSubgraphs(a={"data": {"x": 1}, "errors": [{"message": "!"}]}))
    assert errors(result) == [((), "!", "SUBGRAPH_ERROR")]
    assert result.data == {"x": 1}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "where",
    [{}, {"path": None}, {"path": [{}]}, {"path": ["nowhere"]}, {"path": ["_entities"]}, {"path": ["_entities", 2]}],
)
async def test_of_errors_that_fall_on_the_same_nulls_each_is_told_and_the_first_stands_at_them(where: Any) -> None:
    answer = {"data": {"_entities": [None, None]}, "errors": [{"message": text, **where} for text in ("a", "b", "c")]}
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=SHOP, names=answer))
    places = [("products", index, field) for index in (0, 1, 2) for field in ("name", "size")]
    first = [(place, "a", "SUBGRAPH_ERROR") for place in places]
    assert errors(result) == [*first, ((), "b", "SUBGRAPH_ERROR"), ((), "c", "SUBGRAPH_ERROR")]


@pytest.mark.asyncio
async def test_of_errors_that_fall_on_the_same_entity_each_is_told_and_the_first_stands_at_its_fields() -> None:
    paths = (["_entities", 0], ["_entities", 0, "secret"], ["_entities", 1, "name"], ["_entities", 1, "size"])
    told = [{"message": text, "path": path} for text, path in zip("abcd", paths, strict=True)]
    answer = {"data": {"_entities": [None, {"name": None, "size": None}]}, "errors": told}
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=SHOP, names=answer))
    first = [(("products", index, field), "a", "SUBGRAPH_ERROR") for index in (0, 2) for field in ("name", "size")]
    own = [(("products", 1, "name"), "c", "SUBGRAPH_ERROR"), (("products", 1, "size"), "d", "SUBGRAPH_ERROR")]
    assert errors(result) == [*first, ((), "b", "SUBGRAPH_ERROR"), *own]


@pytest.mark.asyncio
async def test_a_thousand_errors_without_a_path_are_no_more_than_they_and_the_nulls() -> None:
    shop = {"data": {"products": [{"id": str(number)} for number in range(300)]}}
    answer = {"data": {"_entities": [None] * 300}, "errors": [{"message": "no"}] * 1000}
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=shop, names=answer))
    assert len(result.errors) == 300 * 2 + 999


@pytest.mark.asyncio
async def test_root_data_of_null_is_told_at_every_root_field() -> None:
    answer = {"data": None, "errors": [{"message": "deep", "path": ["x", 0, "name"]}]}
    result = await run(plan(root(0, "a", "x", "y")), ScriptedSubgraphs(a=answer))
    assert errors(result) == [(("x", 0, "name"), "deep", "SUBGRAPH_ERROR"), (("y",), "deep", "SUBGRAPH_ERROR")]


@pytest.mark.asyncio
async def test_an_entity_whose_input_failed_is_not_sent_and_says_so() -> None:
    """``shipping`` needs the weight; ``weights`` fails for one product, so only the other one is asked after."""
    weights = {
        "data": {"_entities": [{"_w": None}, {"_w": 7}]},
        "errors": [{"message": "scale broken", "path": ["_entities", 0, "_w"]}],
    }
    shipping = {"data": {"_entities": [{"fee": 3}]}}
    client = ScriptedSubgraphs(
        shop={"data": {"products": [{"id": "1"}, {"id": "2"}]}}, weights=weights, shipping=shipping
    )
    weigh = entities(1, "weights", 0, lookup(path("products"), "Product", (key(),)))
    ship = entities(2, "shipping", 1, lookup(path("products"), "Product", (key(), needs("weight", "_w")), "fee"))
    result = await run(plan(root(0, "shop", "products"), weigh, ship), client)
    assert client.representations("shipping") == [{"__typename": "Product", "id": "2", "weight": 7}]
    message = "Not fetched from subgraph 'shipping', because what it needs failed: scale broken"
    assert errors(result)[-1] == (("products", 0, "fee"), message, "SUBGRAPH_INPUT_FAILED")
    assert [product.get("fee") for product in result.data["products"]] == [None, 3]


@pytest.mark.asyncio
async def test_a_whole_failed_fetch_of_inputs_keeps_its_dependents_back() -> None:
    client = ScriptedSubgraphs(shop=SHOP, weights=b"", shipping={})
    weigh = entities(1, "weights", 0, lookup(path("products"), "Product", (key(),)), brings="weight")
    ship = entities(2, "shipping", 1, lookup(path("products"), "Product", (key(), needs("weight")), "fee"))
    result = await run(plan(root(0, "shop", "products"), weigh, ship), client)
    assert client.names == ["shop", "weights"]
    assert [(path, code) for path, _, code in errors(result)] == [
        (("products", i, "fee"), "SUBGRAPH_INPUT_FAILED") for i in range(3)
    ]


@pytest.mark.asyncio
async def test_owned_fields_of_another_type_or_condition_get_no_error() -> None:
    when = (Condition("v", include=True),)
    names = lookup(path("items"), "Item", (key(),))
    fields = (OwnedField("pages", ("Book",)), OwnedField("minutes", ("Film",)), OwnedField("extra", None, when))
    found = type(names)(names.alias, names.variable, names.paths, names.representations, fields)
    items = [{"__typename": "Book", "id": "1"}, {"__typename": "Film", "id": "2"}]
    client = ScriptedSubgraphs(shop={"data": {"items": items}}, names=b"")
    result = await run(plan(root(0, "shop", "items"), entities(1, "names", 0, found)), client, {"v": False})
    assert [error.path for error in result.errors] == [("items", 0, "pages"), ("items", 1, "minutes")]


@pytest.mark.asyncio
async def test_past_the_deadline_the_rest_is_null_with_timeout_errors() -> None:
    """The first answer has come, the second subgraph is not even asked: the time is over."""
    client = ScriptedSubgraphs(shop=SHOP, names={})
    loop = asyncio.get_running_loop()
    over = loop.time() - 1
    result = await run(shop_and_names(), client, deadline=over)
    assert client.names == []
    message = "The time limit of the request was over before subgraph 'shop' had answered."
    assert errors(result) == [(("products",), message, "TIMEOUT")]


@pytest.mark.asyncio
async def test_the_time_left_is_what_a_fetch_may_take() -> None:
    client = ScriptedSubgraphs(a={"data": {"x": 1}}, b={"data": {"y": 1}})
    deadline = asyncio.get_running_loop().time() + 100
    await run(plan(root(0, "a", "x"), root(1, "b", "y")), client, deadline=deadline, timeouts_s={"a": 5, "b": 1000})
    first, second = client.raw
    assert first.timeout_s == 5
    assert 99 < second.timeout_s <= 100


@pytest.mark.asyncio
async def test_every_fetch_is_observed_with_its_outcome() -> None:
    seen: list[tuple[str, str | None]] = []

    class Observer:
        def fetched(self, subgraph: str, seconds: float, failure_code: str | None) -> None:
            assert seconds >= 0
            seen.append((subgraph, failure_code))

    client = ScriptedSubgraphs(a={"data": {"x": 1}}, b=b"")
    await run(plan(root(0, "a", "x"), root(1, "b", "y")), client, observer=Observer())
    assert seen == [("a", None), ("b", "SUBGRAPH_INVALID_RESPONSE")]


@pytest.mark.asyncio
async def test_values_nested_too_deeply_cost_what_was_asked_of_that_subgraph() -> None:
    deep = b'{"data": {"_entities": [{"name": ' + b"[" * 1000 + b"]" * 1000 + b"}, null]}}"
    result = await run(shop_and_names(), ScriptedSubgraphs(shop=SHOP, names=deep))
    message = "Subgraph 'names' answered with values that are nested too deeply."
    assert {(text, code) for _, text, code in errors(result)} == {(message, "SUBGRAPH_INVALID_RESPONSE")}
    assert [product.get("id") for product in result.data["products"]] == ["1", "2", "1"]


@pytest.mark.asyncio
async def test_object_that_several_fields_are_missing_of_is_told_of_once() -> None:
    inside = path("value")
    at = lookup(path("products"), "Product", (key(),))
    lookup_ = replace(at, owned=(OwnedField("left", path=inside), OwnedField("right", path=inside)))
    result = await run(
        plan(root(0, "shop", "products"), entities(1, "names", 0, lookup_)),
        ScriptedSubgraphs(shop={"data": {"products": [{"id": "1"}, {"id": "2", "value": {"own": 1}}]}}, names=b""),
    )
    assert [at for at, _, _ in errors(result)] == [
        ("products", 0, "value"),
        ("products", 1, "value", "left"),
        ("products", 1, "value", "right"),
    ]


def boxes_from_two(weights: Any) -> tuple[QueryPlan, ScriptedSubgraphs]:
    """``boxes`` comes from two subgraphs; ``fees`` needs the key of one and the weight of the other."""
    client = ScriptedSubgraphs(
        names={"data": {"boxes": [{"id": "1"}, {"id": "2"}]}},
        weights=weights,
        fees=lambda body: {"data": {"_entities": [{"fee": 1} for _ in body["variables"]["r"]]}},
    )
    fees = entities(2, "fees", 1, lookup(path("boxes"), "Box", (key(), needs("weight")), "fee"))
    names = replace(root(0, "names", "boxes"), document="{boxes{id}}")
    weights_ = replace(root(1, "weights", "boxes"), document="{boxes{weight}}")
    return plan(names, weights_, replace(fees, depends_on=(0, 1))), client


@pytest.mark.asyncio
async def test_field_inside_an_object_is_missing_of_the_types_alone_that_it_is_asked_of() -> None:
    inside = OwnedField("city", path=path("maker"), start_types=("Cup",))
    names = replace(lookup(path("products"), "Product", (key(),)), owned=(inside,))
    products = [{"__typename": name, "id": name, "maker": {"own": 1}} for name in ("Cup", "Mug")]
    result = await run(
        plan(root(0, "shop", "products"), entities(1, "names", 0, names)),
        ScriptedSubgraphs(shop={"data": {"products": products}}, names=SubgraphFailure("SUBGRAPH_TIMEOUT", "late")),
    )
    assert errors(result) == [(("products", 0, "maker", "city"), "late", "SUBGRAPH_TIMEOUT")]


@pytest.mark.asyncio
@pytest.mark.parametrize("is_event", [False, True], ids=["a query", "an event"])
async def test_field_of_one_type_that_was_lost_is_told_where_another_subgraph_tells_the_type_later(
    is_event: bool,
) -> None:
    names = replace(lookup(path("product"), "Product", (key(),)), owned=(OwnedField("name", ("Cup",)),))
    a_plan = plan(
        root(0, "shop", "product"),
        entities(1, "names", 0, names),
        entities(2, "types", 1, lookup(path("product"), "Product", (key(),))),
    )
    shop = {"product": {"id": "1"}}
    client = ScriptedSubgraphs(
        shop={"data": shop},
        names=SubgraphFailure("SUBGRAPH_TIMEOUT", "late"),
        types={"data": {"_entities": [{"__typename": "Cup"}]}},
    )
    if is_event:
        event = SubgraphAnswer(shop, [])
        result = await execute_event(compile_plan(a_plan), {}, ExecutionContext(client), event)
    else:
        result = await run(a_plan, client)
    assert result.data == {"product": {"id": "1", "__typename": "Cup"}}
    assert errors(result) == [(("product", "name"), "late", "SUBGRAPH_TIMEOUT")]


@pytest.mark.asyncio
async def test_null_that_went_up_costs_all_that_it_took_along() -> None:
    """The weight of the second box is broken, which cost the subgraph the whole list: the first has none either."""
    broken = {"data": {"boxes": None}, "errors": [{"message": "scale", "path": ["boxes", 1, "weight"]}]}
    a_plan, client = boxes_from_two(broken)
    result = await run(a_plan, client)
    assert client.names == ["names", "weights"]
    assert [(at, code) for at, _, code in errors(result)] == [
        (("boxes", 1, "weight"), "SUBGRAPH_ERROR"),
        (("boxes", 0, "fee"), "SUBGRAPH_INPUT_FAILED"),
        (("boxes", 1, "fee"), "SUBGRAPH_INPUT_FAILED"),
    ]


@pytest.mark.asyncio
async def test_null_in_place_of_one_object_costs_what_is_missing_of_it_alone() -> None:
    broken = {"data": {"boxes": [None, {"weight": 5}]}, "errors": [{"message": "scale", "path": ["boxes", 0]}]}
    a_plan, client = boxes_from_two(broken)
    result = await run(a_plan, client)
    assert client.representations("fees") == [{"__typename": "Box", "id": "2", "weight": 5}]
    assert [(at, code) for at, _, code in errors(result)] == [
        (("boxes", 0), "SUBGRAPH_ERROR"),
        (("boxes", 0, "fee"), "SUBGRAPH_INPUT_FAILED"),
    ]


@pytest.mark.asyncio
async def test_error_at_a_value_that_is_there_costs_no_input_below_it() -> None:
    """It explains no null, so the weight that is not there has not failed: it is null as an input."""
    answer = {"data": {"boxes": [{"weight": 5}, {}]}, "errors": [{"message": "scale", "path": ["boxes"]}]}
    a_plan, client = boxes_from_two(answer)
    result = await run(a_plan, client)
    assert [sent["weight"] for sent in client.representations("fees")] == [5, None]
    assert [(at, message) for at, message, _ in errors(result)] == [(("boxes",), "scale")]


@pytest.mark.asyncio
async def test_input_that_its_subgraph_does_not_know_is_null_whatever_else_has_failed() -> None:
    """``weights`` knows only the first product; that ``worths`` is down has nothing to do with it."""
    client = ScriptedSubgraphs(
        shop={"data": {"products": [{"id": "1"}, {"id": "2"}], "brand": {"id": "3"}}},
        worths=SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down"),
        weights={"data": {"_entities": [{"weight": 7}, None]}},
        shipping={"data": {"_entities": [{"fee": 3}, {"fee": 4}]}},
    )
    at = path("products")
    a_plan = plan(
        root(0, "shop", "products", "brand"),
        entities(1, "worths", 0, lookup(path("brand"), "Brand", (key(),), "worth")),
        entities(2, "weights", 1, lookup(at, "Product", (key(),))),
        entities(3, "shipping", 2, lookup(at, "Product", (key(), needs("weight")), "fee")),
    )
    result = await run(a_plan, client)
    assert [sent["weight"] for sent in client.representations("shipping")] == [7, None]
    assert [at for at, _, _ in errors(result)] == [("brand", "worth")]


@pytest.mark.asyncio
async def test_input_of_one_type_does_not_count_as_failed_at_members_of_other_types() -> None:
    """Cups have no weight: that ``worths`` is down has nothing to do with it."""
    client = ScriptedSubgraphs(
        shop={"data": {"box": {"id": "1", "items": [{"__typename": "Cup"}, {"__typename": "Mug", "weight": 2}]}}},
        worths=SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down"),
        shipping={"data": {"_entities": [{"fee": 3}]}},
    )
    items = InputField("items", "items", nullable=True, inputs=(InputSelection(("Mug",), (needs("weight"),)),))
    a_plan = plan(
        root(0, "shop", "box"),
        entities(1, "worths", 0, lookup(path("box"), "Box", (key(),), "worth")),
        entities(2, "shipping", 1, lookup(path("box"), "Box", (key(), items), "fee")),
    )
    result = await run(a_plan, client)
    assert client.representations("shipping") == [{"__typename": "Box", "id": "1", "items": [{}, {"weight": 2}]}]
    assert [at for at, _, _ in errors(result)] == [("box", "worth")]


@pytest.mark.asyncio
async def test_what_a_masked_error_said_is_masked_where_it_cost_an_input_too() -> None:
    """Whose words they are goes with the error, by which they are masked."""
    weights = {"data": {"_entities": [{"weight": None}]}, "errors": [{"message": "s3cret", "path": ["_entities", 0]}]}
    client = ScriptedSubgraphs(shop={"data": {"products": [{"id": "1"}]}}, weights=weights, shipping={})
    weigh = entities(1, "weights", 0, lookup(path("products"), "Product", (key(),), "weight"))
    ship = entities(2, "shipping", 1, lookup(path("products"), "Product", (key(), needs("weight")), "fee"))
    result = await run(plan(root(0, "shop", "products"), weigh, ship), client)
    policy = ErrorPolicy((), ())
    assert ["s3cret" in error.message for error in result.errors] == [True, True]
    assert not any("s3cret" in error.message for error in policy.presented(result.errors))


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", ["all fail", "each fails", "none is an object"])
async def test_a_thousand_failed_entities_cost_little(answer: str) -> None:
    """The cost grows with their number, and not with its square."""

    def said(count: int) -> Any:
        each = [{"message": "no", "path": ["_entities", index, "weight"]} for index in range(count)]
        return {
            "all fail": b"",
            "each fails": {"data": {"_entities": [{"weight": None}] * count}, "errors": each},
            "none is an object": {"data": {"_entities": [7] * count}},
        }[answer]

    async def walked(count: int) -> int:
        """How many steps of Python it takes to answer for ``count`` entities."""
        shop = {"data": {"products": [{"id": str(index)} for index in range(count)]}}
        client = ScriptedSubgraphs(shop=shop, weights=said(count), shipping={})
        weigh = entities(1, "weights", 0, lookup(path("products"), "Product", (key(),), "weight"))
        ship = entities(2, "shipping", 1, lookup(path("products"), "Product", (key(), needs("weight")), "fee"))
        calls = 0

        def count_call(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count_call)
        try:
            result = await run(plan(root(0, "shop", "products"), weigh, ship), client)
        finally:
            sys.setprofile(None)
        assert len(result.errors) == 2 * count
        return calls

    assert await walked(400) < 5 * await walked(100)


def test_owned_is_made_of_plain_fields() -> None:
    assert owned("a") == (OwnedField("a"),)
