"""Where the composer differs from the reference composer on purpose."""

from __future__ import annotations

from collections.abc import Callable

from router import Composition


def test_one_of_is_part_of_graphql_and_reaches_the_supergraph(compose_sdl: Callable[..., Composition]) -> None:
    """The reference refuses ``@oneOf`` as unknown; the GraphQL specification has it."""
    composition = compose_sdl(a="type Query { f(by: By): Int }  input By @oneOf { id: ID  sku: String }")
    assert composition.errors == ()
    assert "input By\n  @join__type(graph: A)\n  @oneOf\n{" in (composition.supergraph_sdl or "")


def test_a_single_value_stands_for_a_list_in_directive_arguments(compose_sdl: Callable[..., Composition]) -> None:
    """GraphQL coerces one value to a list of it; the reference reads the text letter by letter and refuses it."""
    sdl = """
    extend schema @link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@listSize"])
    type Query { users(first: Int): [Int] @listSize(slicingArguments: "first") }
    """
    assert compose_sdl(a=sdl).errors == ()


def test_requirements_that_need_each_other_are_an_error(compose_sdl: Callable[..., Composition]) -> None:
    """The reference exhausts its stack."""
    composition = compose_sdl(
        a="""type Query { t: T }
             type T @key(fields: "id") { id: ID  x: Int @requires(fields: "y")  y: Int @external }""",
        b="""type T @key(fields: "id") { id: ID  y: Int @requires(fields: "x")  x: Int @external }""",
    )
    assert [str(error.code) for error in composition.errors] == ["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"]


def test_a_directive_of_an_input_extension_is_checked_for_its_own_place(
    compose_sdl: Callable[..., Composition],
) -> None:
    """The reference takes the fields of ``extend input`` for arguments."""
    composition = compose_sdl(
        a="""directive @d on INPUT_FIELD_DEFINITION
             type Query { f(i: I): Int }
             input I { a: Int @d }
             extend input I { b: Int @d }"""
    )
    assert composition.errors == ()
