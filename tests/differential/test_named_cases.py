"""What the random search has found, each with its name, so that it stays mended."""

from __future__ import annotations

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
