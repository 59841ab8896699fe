"""Rules of single fields over several subgraphs: override labels, external arguments, directives on external fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition


def codes(composition: Composition) -> list[str]:
    return [str(error.code) for error in composition.errors]


@pytest.mark.parametrize(
    ("label", "is_valid"),
    [
        *(("percent(0)", True), ("percent(05)", True), ("percent(99.12345678)", True), ("percent(100)", True)),
        *(("percent(100.0)", False), ("percent(101)", False), ("percent(007)", False), ("percent(1.)", False)),
        *(("percent(.5)", False), ("percent(1.123456789)", False), ("a-b_c:./1", True), ("1a", False), ("a b", False)),
    ],
)
def test_override_label(label: str, compose_sdl: Callable[..., Composition], *, is_valid: bool) -> None:
    composition = compose_sdl(
        a=f'type Query {{ x: Int @override(from: "b", label: "{label}") }}', b="type Query { x: Int }"
    )
    assert codes(composition) == ([] if is_valid else ["OVERRIDE_LABEL_INVALID"])


@pytest.mark.parametrize("b", ["type Query { y: Int }", "type Other { x: Int }"])
def test_the_label_of_an_override_of_nothing_is_not_judged(b: str, compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(a='type Query { x: Int @override(from: "b", label: "?") }', b=b)
    assert codes(composition) == []
    assert [str(hint.code) for hint in composition.hints] == ["OVERRIDE_DIRECTIVE_CAN_BE_REMOVED"]


@pytest.mark.parametrize(
    ("external", "owner", "expected"),
    [
        ("Int", "Int!", []),
        ("[Int]", "[Int!]", []),
        ("Int!", "Int", ["EXTERNAL_ARGUMENT_TYPE_MISMATCH"]),
        ("Int", "ID", ["EXTERNAL_ARGUMENT_TYPE_MISMATCH"]),
    ],
)
def test_an_external_argument_may_take_more_than_its_owners(
    external: str, owner: str, expected: list[str], compose_sdl: Callable[..., Composition]
) -> None:
    composition = compose_sdl(
        a=f"""type Query {{ t: T }}
              type T @key(fields: "id") {{
                id: ID  x(o: {external}): Int @external  y: Int @requires(fields: "x(o: 1)")
              }}""",
        b=f'type T @key(fields: "id") {{ id: ID  x(o: {owner}): Int }}',
    )
    assert codes(composition) == expected


@pytest.mark.parametrize("directive", ['@tag(name: "a")', "@inaccessible", "@deprecated"])
def test_what_reaches_the_supergraph_cannot_be_on_an_external_field(
    directive: str, compose_sdl: Callable[..., Composition]
) -> None:
    composition = compose_sdl(
        a=f"""type Query {{ t: T }}
              type T @key(fields: "id") {{ id: ID  x: Int @external {directive}  y: Int @requires(fields: "x") }}""",
        b='type T @key(fields: "id") { id: ID  x: Int }',
    )
    assert codes(composition) == ["MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"]


def test_a_required_argument_cannot_be_deprecated(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(a="type Query { x(a: Int! @deprecated, b: Int! = 1 @deprecated): Int }")
    assert [str(error) for error in composition.errors] == [
        'INVALID_GRAPHQL: [a] "Query.x(a:)" is required, so clients cannot stop using it, and cannot be @deprecated '
        "(a:2:16)"
    ]


def test_a_mutation_that_is_no_object_is_just_a_type(compose_sdl: Callable[..., Composition]) -> None:
    assert compose_sdl(a="type Query { x: Int }  interface Mutation { x: Int }").errors == ()


def test_an_empty_description_is_kept_where_no_subgraph_has_a_better_one(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a='type Query { x: T }  "" type T @shareable { x: Int }', b="type T @shareable { x: Int }"
    )
    assert '""""""\ntype T' in (composition.supergraph_sdl or "")


def test_a_directive_that_is_composed_has_no_hint_as_an_executable_one(
    compose_sdl: Callable[..., Composition],
) -> None:
    spec = 'extend schema @link(url: "https://x.dev/foo/v1.0", import: ["@foo"]) @composeDirective(name: "@foo")\n'
    composition = compose_sdl(
        a=spec + "directive @foo on FIELD | OBJECT  type Query { x: Int }", b="type Query { y: Int }"
    )
    assert (composition.errors, composition.hints) == ((), ())
