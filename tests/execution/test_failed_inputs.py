"""A field whose inputs cannot be had costs no other field of its subgraph."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router import Subgraph, compose
from router.execution.errors import SubgraphFailure
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, ExecutionResult, execute
from router.execution.json_numbers import decode
from router.operation import build_operation, parse_document
from router.planning import plan_operation
from router.supergraph import read_supergraph
from tests.execution.scripted import Script, ScriptedSubgraphs

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8",'
    ' import: ["@key", "@external", "@requires", "@context", "@fromContext"]) '
)
SDLS = {
    "catalog": 'type Query { products: [Product!]! } type Product @key(fields: "id") { id: ID! }',
    "stock": 'type Product @key(fields: "id") { id: ID! weight: Int! size: Int }',
    "shipping": """type Product @key(fields: "id") { id: ID! weight: Int! @external size: Int @external carrier: String
        cost: Int @requires(fields: "weight") box: Int @requires(fields: "size") }""",
}
PRODUCTS = {"data": {"products": [{"id": "1"}, {"id": "2"}]}}
PLAIN = "query($representations_0: [_Any!]!) { _entities_0: _entities(representations: $representations_0)"


def run(operation: str, sdls: dict[str, str] | None = None, **scripts: Script) -> tuple[ExecutionResult, list[Any]]:
    """The result, and the bodies that the subgraph ``shipping`` was sent."""
    composition = compose([Subgraph(n, f"http://{n}.test", LINK + sdl) for n, sdl in (sdls or SDLS).items()])
    assert composition.supergraph_sdl is not None, composition.errors
    supergraph = read_supergraph(composition.supergraph_sdl)
    plan = plan_operation(supergraph, build_operation(supergraph.api_schema, parse_document(operation)))
    client = ScriptedSubgraphs(**scripts)
    result = asyncio.run(execute(compile_plan(plan), {}, ExecutionContext(client, decode=decode)))
    return result, [body for name, body in client.requests if name == "shipping"]


def shipping(body: dict[str, Any]) -> dict[str, Any]:
    """Every entity with all that is asked for, under the names of its ``_entities`` fields."""
    entities = {}
    for variable, sent in body["variables"].items():
        fields: dict[str, object] = {"carrier": "La Poste"} if "carrier" in body["query"] else {}
        if "cost" in body["query"]:
            fields["cost"] = 5
        if "box" in body["query"]:
            fields["box"] = 2
        alias = variable.replace("representations", "_entities")
        entities[alias] = [dict(fields) for _ in sent]
    return {"data": entities}


def test_fields_that_need_the_key_alone_are_asked_for_where_the_subgraph_of_inputs_is_down() -> None:
    result, sent = run(
        "{ products { carrier cost } }",
        catalog=PRODUCTS,
        stock=SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down"),
        shipping=shipping,
    )

    assert [product["carrier"] for product in result.data["products"]] == ["La Poste", "La Poste"]
    assert [error.path for error in result.errors] == [("products", 0, "cost"), ("products", 1, "cost")]
    assert {error.extensions["code"] for error in result.errors} == {"SUBGRAPH_INPUT_FAILED"}
    assert sent == [
        {
            "query": PLAIN + " { ... on Product { carrier } } }",
            "variables": {
                "representations_0": [{"__typename": "Product", "id": "1"}, {"__typename": "Product", "id": "2"}]
            },
        }
    ]


def test_entities_with_their_inputs_are_asked_for_everything_beside_those_without() -> None:
    stock = {
        "data": {"_entities": [{"weight": 300}, None]},
        "errors": [{"message": "lost", "path": ["_entities", 1, "weight"]}],
    }
    result, sent = run("{ products { carrier cost } }", catalog=PRODUCTS, stock=stock, shipping=shipping)

    assert result.data["products"][0]["cost"] == 5
    assert [product["carrier"] for product in result.data["products"]] == ["La Poste", "La Poste"]
    assert [error.path for error in result.errors] == [("products", 1, "cost")]
    assert sorted(next(iter(body["variables"].values()))[0]["id"] for body in sent) == ["1", "2"]


def test_computed_fields_whose_inputs_are_there_are_asked_for_without_the_one_whose_input_failed() -> None:
    stock = {
        "data": {"_entities": [{"weight": 300, "size": None}, {"weight": 200, "size": None}]},
        "errors": [{"message": "lost", "path": ["_entities", index, "size"]} for index in (0, 1)],
    }
    result, sent = run("{ products { cost box } }", catalog=PRODUCTS, stock=stock, shipping=shipping)

    assert [product["cost"] for product in result.data["products"]] == [5, 5]
    told = [error.path for error in result.errors if error.extensions["code"] == "SUBGRAPH_INPUT_FAILED"]
    assert told == [("products", 0, "box"), ("products", 1, "box")]
    assert [body["query"] for body in sent] == [PLAIN + " { ... on Product { cost } } }"]


def test_input_that_may_be_null_is_sent_as_null() -> None:
    stock = {"data": {"_entities": [{"size": None}, {"size": 3}]}}
    result, sent = run("{ products { carrier box } }", catalog=PRODUCTS, stock=stock, shipping=shipping)

    assert result.errors == []
    assert [one["size"] for body in sent for one in body["variables"]["representations"]] == [None, 3]


def test_entity_that_the_subgraph_of_inputs_does_not_know_keeps_what_needs_the_key_alone() -> None:
    result, sent = run(
        "{ products { carrier cost } }",
        catalog=PRODUCTS,
        stock={"data": {"_entities": [None, None]}},
        shipping=shipping,
    )

    assert [product["carrier"] for product in result.data["products"]] == ["La Poste", "La Poste"]
    assert [body["query"] for body in sent] == [PLAIN + " { ... on Product { carrier } } }"]


def test_failure_of_what_is_left_is_told_at_its_own_fields() -> None:
    down = SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down")
    result, _ = run("{ products { carrier cost } }", catalog=PRODUCTS, stock=down, shipping=down)

    assert [(error.path[1:], error.extensions["code"]) for error in result.errors] == [
        ((0, "cost"), "SUBGRAPH_INPUT_FAILED"),
        ((1, "cost"), "SUBGRAPH_INPUT_FAILED"),
        ((0, "carrier"), "SUBGRAPH_REQUEST_FAILED"),
        ((1, "carrier"), "SUBGRAPH_REQUEST_FAILED"),
    ]


def test_field_in_a_context_that_failed_costs_no_other_field() -> None:
    sdls = {
        "catalog": 'type Query { shops: [Shop!]! } type Shop @key(fields: "id") { id: ID! products: [Product!]! }'
        ' type Product @key(fields: "id") { id: ID! }',
        "rates": 'type Shop @key(fields: "id") { id: ID! currency: String }',
        "shipping": """type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String @external }
            type Product @key(fields: "id") { id: ID! carrier: String
            cost(currency: String @fromContext(field: "$shop { currency }")): Int }""",
    }
    result, sent = run(
        "{ shops { products { carrier cost } } }",
        sdls,
        catalog={"data": {"shops": [{"id": "s", "products": [{"id": "1"}]}]}},
        rates=SubgraphFailure("SUBGRAPH_REQUEST_FAILED", "down"),
        shipping=shipping,
    )

    assert result.data["shops"][0]["products"] == [{"id": "1", "carrier": "La Poste"}]
    assert [error.path for error in result.errors] == [("shops", 0, "products", 0, "cost")]
    assert [body["query"] for body in sent] == [PLAIN + " { ... on Product { carrier } } }"]


def test_object_of_which_only_what_takes_a_context_is_asked_for_is_there_without_it() -> None:
    sdls = {
        "catalog": 'type Query { shops: [Shop!]! } type Shop @key(fields: "id") { id: ID! currency: String }',
        "shipping": """type Shop @key(fields: "id") @context(name: "shop") {
              id: ID! currency: String @external parcels: [Parcel!]! }
            type Parcel @key(fields: "id") { id: ID!
              cost(currency: String @fromContext(field: "$shop { currency }")): Int }""",
    }
    catalog = {
        "data": {"shops": [{"id": "s", "currency": None}]},
        "errors": [{"message": "closed", "path": ["shops", 0, "currency"]}],
    }
    answer = {"data": {"_entities_0": [{"parcels": [{"_typename": "Parcel"}, {"_typename": "Parcel"}]}]}}
    result, sent = run("{ shops { parcels { cost } } }", sdls, catalog=catalog, shipping=answer)

    assert [body["query"] for body in sent] == [PLAIN + " { ... on Shop { parcels { _typename: __typename } } } }"]
    told = [error.path for error in result.errors if error.extensions["code"] == "SUBGRAPH_INPUT_FAILED"]
    assert told == [("shops", 0, "parcels", 0, "cost"), ("shops", 0, "parcels", 1, "cost")]


PETS = {
    "catalog": """type Query { pets: [Pet!]! } union Pet = Cat | Dog type Cat { tag: String }
        type Dog @key(fields: "tag") { tag: Int name: String }""",
    "shipping": 'type Dog @key(fields: "tag") { tag: Int age: Int }',
}


@pytest.mark.parametrize(
    ("cat", "dog", "asked", "answered", "tag_key"),
    [
        pytest.param("", "age", "tag", {"tag": None}, "tag", id="its own"),
        pytest.param("... on Cat { tag }", "age", "tag_Dog: tag", {"tag_Dog": None}, "tag", id="parted from a cat's"),
        pytest.param("", "tag: name age", "tag: name _tag: tag", {"tag": "Rex", "_tag": None}, "_tag", id="left to it"),
    ],
)
def test_error_of_a_key_is_told_at_what_needs_it_by_whatever_name_the_key_was_asked(
    cat: str, dog: str, asked: str, answered: dict[str, Any], tag_key: str
) -> None:
    def catalog(body: dict[str, Any]) -> dict[str, Any]:
        assert f"... on Dog {{ {asked} }}" in body["query"]
        pet = {"__typename": "Dog", **answered}
        return {"data": {"pets": [pet]}, "errors": [{"message": "lost", "path": ["pets", 0, list(answered)[-1]]}]}

    result, sent = run(f"{{ pets {{ {cat} ... on Dog {{ {dog} }} }} }}", PETS, catalog=catalog)

    assert sent == []
    told = "Not fetched from subgraph 'shipping', because what it needs failed: lost"
    assert [(error.path, error.message) for error in result.errors] == [
        (("pets", 0, tag_key), "lost"),
        (("pets", 0, "age"), told),
    ]
