"""Contextual arguments: values of the nearest enclosing object that sets the context, read before they are needed."""

from __future__ import annotations

import pytest

from router import Subgraph, compose
from router.operation import build_operation, parse_document, split_deferred
from router.planning import plan_deferred, plan_operation
from router.supergraph import read_supergraph
from tests.planning.plans import line_of, operation_of

LINK = """
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@context", "@fromContext"])
"""
A = """
type Query { any: Node user: User }
interface Node { id: ID! item: Item! }
type User implements Node @key(fields: "id") @context(name: "c") { id: ID! age: Int item: Item! }
type Shop implements Node @key(fields: "id") @context(name: "c") { id: ID! age: Int item: Item! }
type Item @key(fields: "id") {
  id: ID!
  f(a: Int @fromContext(field: "$c { age }")): Int
  g(a: Int @fromContext(field: "$c { age }")): Int
}
"""
B = 'type Shop @key(fields: "id") { id: ID! size: Int }'


def lines(text: str) -> list[str]:
    composition = compose([Subgraph(name, f"http://{name}", LINK + sdl) for name, sdl in (("a", A), ("b", B))])
    assert composition.supergraph_sdl is not None, composition.errors
    supergraph = read_supergraph(composition.supergraph_sdl)
    return [line_of(fetch) for fetch in plan_operation(supergraph, operation_of(supergraph, text)).fetches]


def test_fields_that_take_the_same_value_share_a_variable() -> None:
    assert lines("{ user { item { f g } } }") == [
        "#0 a: { user { item { id } age } }",
        "#1 a after #0: Item { id } at user.item\n  $context_0: age of user -> "
        "query(, $context_0: Int) { _entities { ... on Item { f(a: $context_0) g(a: $context_0) } } }",
    ]


@pytest.mark.parametrize("name", ["context_0", "context", "representations", "representations__1"])
def test_variables_of_ours_have_no_name_of_the_client(name: str) -> None:
    text = lines(f"query (${name}: Boolean!) {{ user {{ item {{ f g @include(if: ${name}) }} }} }}")[1]

    assert text.count(f"${name}: Boolean!") == 1
    assert text.count(f"(if: ${name})") == 1
    assert text.count("(a: $") == 2
    assert f"(a: ${name})" not in text


def test_field_of_an_interface_is_read_type_by_type_where_its_types_set_the_context() -> None:
    first, second = lines("{ any { item { f } } }")

    assert first == "#0 a: { any { __typename item { id } ... on Shop { age } ... on User { age } } }"
    assert "$context_0: age of any[Shop]" in second
    assert "$context_1: age of any[User]" in second


SHELVES = {
    "a": """
        type Query @context(name: "c") { rate: Int }
        type Box @key(fields: "id") @context(name: "c") { id: ID! own: Int item: Item }
        type Item @key(fields: "id") {
          id: ID!
          name: String
          f(a: Int @fromContext(field: "$c ... on Query { rate } ... on Box { own }")): Int
        }
    """,
    "b": """
        type Query { any: [Holder] }
        interface Holder { boxes: [Box] }
        type Shelf implements Holder { boxes: [Box] }
        type Box implements Holder @key(fields: "id") { id: ID! boxes: [Box] }
    """,
}


def test_context_is_set_by_an_object_that_a_deferred_part_alone_has() -> None:
    composition = compose([Subgraph(name, f"http://{name}", LINK + sdl) for name, sdl in SHELVES.items()])
    assert composition.supergraph_sdl is not None, composition.errors
    supergraph = read_supergraph(composition.supergraph_sdl)
    document = parse_document("{ any { ... on Shelf @defer { boxes { item { name f } } } } }")
    operation = build_operation(supergraph.api_schema, document, deferring_with={})
    deferred = split_deferred(supergraph.api_schema, operation)
    assert deferred is not None

    assert [(fetch.part, line_of(fetch)) for fetch in plan_deferred(supergraph, deferred).fetches] == [
        (0, "#0 b: { any { __typename } }"),
        (1, "#1 b: { any { __typename ... on Shelf { boxes { id } } } }"),
        (
            1,
            "#2 a after #1: Box { id } at any[Shelf].boxes -> { _entities { ... on Box { item { name id } own } } }",
        ),
        (
            1,
            "#3 a after #2: Item { id } at any[Shelf].boxes.item\n  $context_0: own of any[Shelf].boxes -> "
            "query(, $context_0: Int) { _entities { ... on Item { f(a: $context_0) } } }",
        ),
    ]
