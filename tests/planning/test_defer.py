"""Deferred fragments have fetches of their own, and none of them stands before the first answer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from router.operation import build_operation, parse_document, split_deferred
from router.planning import plan_deferred, plan_to_json, render_dot, render_mermaid, render_text
from router.planning.query_plan import QueryPlan
from tests.planning.plans import line_of, supergraph_of

SHOP = {
    "catalog": """
        type Query { product: Product  slow: Int }
        type Mutation { make: Made }
        type Made { note: String  product: Product }
        type Product @key(fields: "id") { id: ID!  name: String  size: Size  reviews: [Review] }
        type Size { width: Int  height: Int }
        type Review { body: String  author: User }
        type User @key(fields: "id") { id: ID! }
    """,
    "prices": 'type Product @key(fields: "id") { id: ID!  price: Int }',
    "users": 'type User @key(fields: "id") { id: ID!  name: String }',
}


def plan_of(text: str, values: Mapping[str, object] | None = None, subgraphs: Mapping[str, str] = SHOP) -> QueryPlan:
    supergraph = supergraph_of(subgraphs)
    operation = build_operation(supergraph.api_schema, parse_document(text), deferring_with=values or {})
    deferred = split_deferred(supergraph.api_schema, operation)
    assert deferred is not None
    return plan_deferred(supergraph, deferred)


def lines(text: str, subgraphs: Mapping[str, str] = SHOP) -> list[tuple[int, str]]:
    """The part and the text of each fetch."""
    return [(fetch.part, line_of(fetch)) for fetch in plan_of(text, subgraphs=subgraphs).fetches]


def test_entity_of_another_subgraph_is_looked_up_after_the_first_answer() -> None:
    assert lines("{ product { name ... @defer { price } } }") == [
        (0, "#0 catalog: { product { name id } }"),
        (1, "#1 prices after #0: Product { id } at product -> { _entities { ... on Product { price } } }"),
    ]


def test_entity_of_the_same_subgraph_is_a_fetch_of_its_own() -> None:
    assert lines("{ product { name ... @defer { reviews { body } } } }") == [
        (0, "#0 catalog: { product { name id } }"),
        (1, "#1 catalog after #0: Product { id } at product -> { _entities { ... on Product { reviews { body } } } }"),
    ]


def test_object_that_is_no_entity_is_read_from_the_nearest_entity_above() -> None:
    assert lines("{ product { size { width ... @defer { height } } } }") == [
        (0, "#0 catalog: { product { size { width } id } }"),
        (1, "#1 catalog after #0: Product { id } at product -> { _entities { ... on Product { size { height } } } }"),
    ]


def test_root_fields_are_asked_at_once_by_a_request_of_their_own() -> None:
    assert lines("{ product { name } ... @defer { slow } }") == [
        (0, "#0 catalog: { product { name } }"),
        (1, "#1 catalog: { slow }"),
    ]


def test_field_that_is_selected_without_defer_too_is_not_deferred() -> None:
    assert lines("{ product { ... @defer { name price } name } }") == [
        (0, "#0 catalog: { product { name id } }"),
        (1, "#1 prices after #0: Product { id } at product -> { _entities { ... on Product { price } } }"),
    ]


def test_key_field_comes_with_the_fetch_that_sends_the_key() -> None:
    assert lines("{ product { name ... @defer { theId: id price } } }") == [
        (0, "#0 catalog: { product { name theId: id } }"),
        (1, "#1 prices after #0: Product { id: theId } at product -> { _entities { ... on Product { price } } }"),
    ]


NOTES = {
    "notes": """
        type Query { notes: [Note] }
        interface Note { size: Int }
        type Memo implements Note @key(fields: "code { number }") { size: Int  code: Code @shareable }
        type Scrap implements Note { size: Int }
        type Code { number: ID! @shareable  hue: Int }
    """,
    "texts": """
        type Memo @key(fields: "code { number }") { code: Code @shareable  text: String }
        type Code { number: ID! @shareable }
    """,
}


def test_field_within_a_key_comes_with_the_fetch_that_sends_the_key_whatever_type_has_it() -> None:
    text = "{ notes { size ... @defer { ... on Memo { mine: code { theNumber: number } text } } } }"
    assert lines(text, NOTES) == [
        (0, "#0 notes: { notes { __typename size ... on Memo { mine: code { theNumber: number } } } }"),
        (
            1,
            "#1 texts after #0: Memo { code: mine { number: theNumber } } at notes[Memo] -> "
            "{ _entities { ... on Memo { text } } }",
        ),
    ]


def test_field_beside_one_within_a_key_is_asked_for_later() -> None:
    text = "{ notes { size ... on Memo { ... @defer { code { number hue } } } } }"
    assert lines(text, NOTES) == [
        (0, "#0 notes: { notes { __typename size ... on Memo { code { number } } } }"),
        (
            1,
            "#1 notes after #0: Memo { code { number } } at notes[Memo] -> "
            "{ _entities { ... on Memo { code { hue } } } }",
        ),
    ]


def test_nested_fragment_starts_from_what_the_outer_one_brings() -> None:
    plan = plan_of("{ product { name ... @defer { reviews { body author { id ... @defer { name } } } } } }")
    assert [(fetch.part, fetch.subgraph, fetch.depends_on) for fetch in plan.fetches] == [
        (0, "catalog", ()),
        (1, "catalog", (0,)),
        (2, "users", (1,)),
    ]
    assert [part.after for part in plan.deferred] == [(), (1,)]


def test_field_of_two_fragments_is_fetched_once() -> None:
    plan = plan_of('{ product { name ... @defer(label: "a") { price } ... @defer(label: "b") { price } } }')
    assert [(fetch.part, fetch.subgraph) for fetch in plan.fetches] == [(0, "catalog"), (1, "prices")]
    assert [[usage.label for usage in part.usages] for part in plan.deferred] == [["a", "b"]]


COMPUTED = {
    "catalog": 'type Query { product: Product } type Product @key(fields: "id") { id: ID!  name: String }',
    "prices": """
        type Product @key(fields: "id") {
          id: ID!  cost: Int @external  weight: Int @external
          price: Int @requires(fields: "cost")  postage: Int @requires(fields: "weight")
        }
    """,
    "costs": 'type Product @key(fields: "id") { id: ID!  cost: Int }',
    "scales": 'type Product @key(fields: "id") { id: ID!  weight: Int }',
    "totals": """
        type Product @key(fields: "id") { id: ID!  postage: Int @external  total: Int @requires(fields: "postage") }
    """,
}


def test_lookup_of_the_first_answer_waits_for_no_input_of_what_is_deferred() -> None:
    """``postage`` could be computed by the lookup of ``price``, but that one would then wait for the weight too."""
    product = "Product { id } at product -> { _entities { ... on Product"
    assert lines("{ product { name price ... @defer { total } } }", COMPUTED) == [
        (0, "#0 catalog: { product { name id } }"),
        (0, f"#1 costs after #0: {product} {{ cost }} }} }}"),
        (0, f"#2 prices after #0, #1: {product.replace('id', 'id cost')} {{ price }} }} }}"),
        (1, f"#3 scales after #0: {product} {{ weight }} }} }}"),
        (1, f"#4 prices after #0, #3: {product.replace('id', 'id weight')} {{ postage }} }} }}"),
        (1, f"#5 totals after #0, #4: {product.replace('id', 'id postage')} {{ total }} }} }}"),
    ]


def test_field_of_a_nested_fragment_and_another_comes_after_what_the_nested_one_stands_in() -> None:
    plan = plan_of(
        '{ product { id ... @defer(label: "a") { price } '
        '... @defer(label: "b") { name ... @defer(label: "c") { price } } } }'
    )
    parts = [(part.number, {usage.label for usage in part.usages}, part.after) for part in plan.deferred]
    assert parts == [(1, {"b"}, ()), (2, {"a", "c"}, (1,))]
    assert [(fetch.part, fetch.subgraph, fetch.depends_on) for fetch in plan.fetches] == [
        (0, "catalog", ()),
        (1, "catalog", (0,)),
        (2, "prices", (0,)),
    ]


def test_mutation_is_not_asked_twice_but_lookups_below_it_are_deferred() -> None:
    assert lines("mutation { make { note ... @defer { product { name price } } } }") == [
        (0, "#0 catalog: mutation { make { note product { name id } } }"),
        (1, "#1 prices after #0: Product { id } at make.product -> { _entities { ... on Product { price } } }"),
    ]


def test_each_mutation_is_planned_with_what_is_deferred_below_it_alone() -> None:
    subgraphs = {
        "catalog": """
            type Query { product: Product }
            type Mutation { make: Made }
            type Made { note: String  product: Product }
            type Product @key(fields: "id") { id: ID!  name: String }
        """,
        "prices": """
            type Mutation { mend: Mended }
            type Mended { bill: Int  product: Product }
            type Product @key(fields: "id") { id: ID!  price: Int }
        """,
    }
    text = "mutation { make { note ... @defer { product { price } } } mend { bill ... @defer { product { name } } } }"
    assert lines(text, subgraphs) == [
        (0, "#0 catalog: mutation { make { note product { id } } }"),
        (1, "#1 prices after #0: Product { id } at make.product -> { _entities { ... on Product { price } } }"),
        (0, "#2 prices after #0: mutation { mend { bill product { id } } }"),
        (2, "#3 catalog after #0, #2: Product { id } at mend.product -> { _entities { ... on Product { name } } }"),
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{ product { name ... @defer(if: false) { price } } }", {}),
        ("query ($on: Boolean!) { product { name ... @defer(if: $on) { price } } }", {"on": False}),
        ("query ($on: Boolean!) { product { name ... @include(if: $on) { ... @defer { price } } } }", {"on": False}),
        ("{ product { name ... @defer { name } } }", {}),
    ],
)
def test_nothing_is_deferred_where_conditions_or_other_selections_say_so(text: str, values: dict[str, object]) -> None:
    supergraph = supergraph_of(SHOP)
    operation = build_operation(supergraph.api_schema, parse_document(text), deferring_with=values)
    assert split_deferred(supergraph.api_schema, operation) is None


def test_plan_shows_what_is_primary_and_what_deferred() -> None:
    plan = plan_of('{ product { name ... @defer(label: "cost") { price } } }')
    text = render_text(plan)
    assert text.index("\n\nPrimary\n\n#0 catalog") < text.index(
        "\n\nDeferred 1: 'cost' at product\n\n#1 prices after #0"
    )
    assert "  subgraph part1[\"Deferred 1: 'cost' at product\"]\n  f1" in render_mermaid(plan)
    assert "  subgraph cluster_part1 { label=\"Deferred 1: 'cost' at product\";\n  f1" in render_dot(plan)
    written = plan_to_json(plan)
    assert written["primary"] == {"fetches": [0]}
    assert written["deferred"] == [
        {"part": 1, "fragments": [{"label": "cost", "path": ["product"]}], "after": [], "fetches": [1]}
    ]
