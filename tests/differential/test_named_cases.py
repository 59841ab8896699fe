"""What the random search has found, each with its name, so that it stays mended."""

from __future__ import annotations

from dataclasses import replace

from tests.differential.comparison import Case, check, graph_of
from tests.differential.subgraph_sets import LINK


def case_of(operation: str, failing: str | None = None, **subgraphs: str) -> Case:
    case = Case(tuple((name, LINK + sdl) for name, sdl in subgraphs.items()), operation, failing=failing)
    assert graph_of(case.subgraphs) is not None, "the subgraphs do not compose"
    return case


def test_input_inside_an_object_that_another_subgraph_brought_is_told_when_it_fails() -> None:
    case = case_of(
        "{ all { sku extra } }",
        failing="keys",
        names="type E { sku: String } type Query { all: [E!]! @shareable }",
        keys='type E @key(fields: "id") { id: ID! } type Query { all: [E!]! @shareable }',
        extras='type E @key(fields: "id") { id: ID! extra: String }',
    )

    assert check(case) is None


def test_fields_between_fragments_of_one_type_keep_their_place() -> None:
    case = case_of(
        "{ all { ... on A { name } } all { id ... on A { id name size } } }",
        shop="""
        interface I { id: ID! }
        type A implements I { id: ID! name: String size: Int }
        type B implements I { id: ID! }
        type Query { all: [I!]! }
        """,
    )

    assert check(case) is None


def test_failed_part_of_a_shared_object_is_told_at_objects_of_its_type_only() -> None:
    case = case_of(
        "{ all { ... on A { value { left right } } ... on B { name } } }",
        failing="rights",
        lefts="""
        type A @key(fields: "id") { id: ID! value: Value @shareable }
        type B @key(fields: "id") { id: ID! }
        type Value { left: Int }
        union U = A | B
        type Query { all: [U!]! also: [U!]! }
        """,
        rights="""
        type A @key(fields: "id") { id: ID! value: Value @shareable }
        type B @key(fields: "id") { id: ID! name: String }
        type Value { right: Int }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(5)] == [None] * 5


def test_object_whose_type_comes_late_from_another_subgraph_is_told_of() -> None:
    case = case_of(
        "{ best { ... on Film { stars length } ... on Book { pages } } }",
        failing="films",
        books="""
        interface Item @key(fields: "id") { id: ID! }
        type Book implements Item @key(fields: "id") { id: ID! pages: Int }
        type Film implements Item @key(fields: "id") { id: ID! }
        """,
        films="""
        interface Item @key(fields: "id") { id: ID! }
        type Book implements Item @key(fields: "id") { id: ID! }
        type Film implements Item @key(fields: "id") { id: ID! length: Int }
        """,
        ratings="""
        type Item @interfaceObject @key(fields: "id") { id: ID! stars: Int }
        type Query { best: Item }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8
