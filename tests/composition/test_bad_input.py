"""Whatever a subgraph's SDL is, composition answers with errors and never raises."""

from __future__ import annotations

import pytest

from router import Subgraph, compose

DEEP = 10_000


@pytest.mark.parametrize(
    ("sdl", "code"),
    [
        ("", "SYNTAX"),
        ("# nothing but a comment", "SYNTAX"),
        ("type Query { x: Int } \x00", "SYNTAX"),
        ("type Query { x: Int }" + "#" * 20_000_000, "SYNTAX"),
        ("query { x }", "INVALID_GRAPHQL"),
        (f"type Query {{ x: {'[' * DEEP}Int{']' * DEEP} }}", "SYNTAX"),
        (f"type Query {{ x(a: J = {'[' * DEEP}{']' * DEEP}): Int }} scalar J", "SYNTAX"),
        (
            f'type Query {{ t: T }} type T @key(fields: "{"t {" * DEEP} id {"}" * DEEP}") {{ id: ID t: T }}',
            "KEY_INVALID_FIELDS",
        ),
        ("type Query { x: Int } type Query { y: Int }", "INVALID_GRAPHQL"),
        ("type Query { x: Int } interface A implements A { x: Int }", "INVALID_GRAPHQL"),
        (
            "type Query { x: Int } interface A implements B { x: Int } interface B implements A { x: Int }",
            "INVALID_GRAPHQL",
        ),
        ("type Query { x: Int } union U = U", "INVALID_GRAPHQL"),
    ],
    ids=range(12),
)
def test_bad_sdl_is_an_error(sdl: str, code: str) -> None:
    composition = compose([Subgraph("a", "http://a", sdl)])
    assert composition.supergraph_sdl is None
    assert {str(error.code) for error in composition.errors} == {code}
    assert all(error.locations for error in composition.errors)


def test_two_subgraphs_of_one_name_are_an_error() -> None:
    subgraph = Subgraph("a", "http://a", "type Query { x: Int }")
    assert [str(error.code) for error in compose([subgraph, subgraph]).errors] == ["INVALID_SUBGRAPH_NAME"]


def test_no_subgraphs_at_all_are_an_error() -> None:
    assert [str(error.code) for error in compose([]).errors] == ["NO_QUERIES"]
