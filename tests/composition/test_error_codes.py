"""Each thing that is wrong has its own code, and the place where it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition

Q = "type Query { t: T }\n"

CASES: list[tuple[str, dict[str, str]]] = [
    ("INVALID_GRAPHQL", {"a": "type Query { x: Int @nothing }"}),
    ("INVALID_GRAPHQL", {"a": "type Query { x: Missing }"}),
    ("INVALID_GRAPHQL", {"a": "type Query { x: Int  x: Int }"}),
    ("INVALID_GRAPHQL", {"a": "type Query { x(a: Int! = null): Int }"}),
    ("INVALID_GRAPHQL", {"a": "type Query implements I { x: Int }  interface I { y: Int }"}),
    ("KEY_INVALID_FIELDS", {"a": Q + 'type T @key(fields: "nope") { id: ID }'}),
    ("KEY_INVALID_FIELDS", {"a": Q + 'type T @key(fields: "id {") { id: ID }'}),
    ("KEY_FIELDS_HAS_ARGS", {"a": Q + 'type T @key(fields: "id") { id(a: Int): ID }'}),
    ("KEY_FIELDS_SELECT_INVALID_TYPE", {"a": Q + 'type T @key(fields: "i") { i: I }  interface I { x: Int }'}),
    ("KEY_INVALID_FIELDS_TYPE", {"a": Q + "type T @key(fields: 1) { id: ID }"}),
    ("KEY_DIRECTIVE_IN_FIELDS_ARG", {"a": Q + 'type T @key(fields: "id @skip(if: true)") { id: ID }'}),
    ("EXTERNAL_UNUSED", {"a": Q + 'type T @key(fields: "id") { id: ID  x: Int @external }', "b": "type T { x: Int }"}),
    ("REQUIRES_FIELDS_MISSING_EXTERNAL", {"a": Q + 'type T { x: Int  y: Int @requires(fields: "x") }'}),
    ("REQUIRES_INVALID_FIELDS", {"a": Q + 'type T { y: Int @requires(fields: "x") }'}),
    ("PROVIDES_FIELDS_MISSING_EXTERNAL", {"a": 'type Query { t: T @provides(fields: "x") }  type T { x: Int }'}),
    ("PROVIDES_ON_NON_OBJECT_FIELD", {"a": 'type Query { t: Int @provides(fields: "x") }'}),
    ("ROOT_QUERY_USED", {"a": "schema { query: Q }  type Q { x: Int }  type Query { y: Int }"}),
    ("INVALID_SHAREABLE_USAGE", {"a": "type Query { i: I }  interface I { x: Int @shareable }"}),
    (
        "EXTERNAL_ON_INTERFACE",
        {"a": "type Query { j: J }  interface I { x: Int }  interface J implements I { x: Int @external }"},
    ),
    (
        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        {"a": Q + 'interface T @key(fields: "id") { id: ID }  type X implements T { id: ID }'},
    ),
    ("NO_QUERIES", {"a": "type T { x: Int }"}),
    ("TYPE_KIND_MISMATCH", {"a": Q + "type T { x: Int }", "b": "interface T { x: Int }"}),
    ("EXTENSION_WITH_NO_BASE", {"a": Q + "extend type T { x: Int }"}),
    ("FIELD_TYPE_MISMATCH", {"a": Q + "type T @shareable { x: Int }", "b": "type T @shareable { x: String }"}),
    (
        "FIELD_ARGUMENT_TYPE_MISMATCH",
        {"a": Q + "type T @shareable { x(a: Int): Int }", "b": "type T @shareable { x(a: ID): Int }"},
    ),
    (
        "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        {"a": Q + "type T @shareable { x(a: Int = 1): Int }", "b": "type T @shareable { x(a: Int = 2): Int }"},
    ),
    (
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        {"a": Q + "type T @shareable { x(a: Int!): Int }", "b": "type T @shareable { x: Int }"},
    ),
    (
        "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        {"a": "type Query { x(i: I): Int }  input I { a: Int!  b: Int }", "b": "input I { b: Int }"},
    ),
    ("EMPTY_MERGED_INPUT_TYPE", {"a": "type Query { x(i: I): Int }  input I { a: Int }", "b": "input I { b: Int }"}),
    ("ENUM_VALUE_MISMATCH", {"a": "type Query { x(e: E): E }  enum E { A B }", "b": "enum E { A }"}),
    ("EXTERNAL_MISSING_ON_BASE", {"a": Q + 'type T { x: Int @external  y: Int @requires(fields: "x") }'}),
    (
        "EXTERNAL_TYPE_MISMATCH",
        {
            "a": Q + 'type T @key(fields: "id") { id: ID  x: Int @external  y: Int @requires(fields: "x") }',
            "b": 'type T @key(fields: "id") { id: ID  x: String }',
        },
    ),
    ("OVERRIDE_FROM_SELF_ERROR", {"a": 'type Query { x: Int @override(from: "a") }'}),
    ("OVERRIDE_ON_INTERFACE", {"a": 'type Query { i: I }  interface I { x: Int @override(from: "b") }'}),
    (
        "OVERRIDE_LABEL_INVALID",
        {"a": 'type Query { x: Int @override(from: "b", label: "?") }', "b": "type Query { x: Int }"},
    ),
    (
        "OVERRIDE_SOURCE_HAS_OVERRIDE",
        {
            "a": 'type Query @shareable { x: Int @override(from: "b") }',
            "b": 'type Query @shareable { x: Int @override(from: "c") }',
        },
    ),
    ("INTERFACE_OBJECT_USAGE_ERROR", {"a": Q + 'type T @interfaceObject @key(fields: "id") { id: ID }'}),
    (
        "INTERFACE_FIELD_NO_IMPLEM",
        {"a": Q + "interface T { x: Int }  type X implements T { x: Int }", "b": "interface T { y: Int }"},
    ),
    ("DIRECTIVE_COMPOSITION_ERROR", {"a": 'type Query { x: Int }  extend schema @composeDirective(name: "@nope")'}),
    ("REFERENCED_INACCESSIBLE", {"a": Q + "type T @inaccessible { x: Int }"}),
    ("ONLY_INACCESSIBLE_CHILDREN", {"a": Q + "type T { x: Int @inaccessible }"}),
    ("QUERY_ROOT_TYPE_INACCESSIBLE", {"a": "type Query @inaccessible { x: Int }"}),
    ("REQUIRED_INACCESSIBLE", {"a": "type Query { x(a: Int! @inaccessible): Int }"}),
    ("SATISFIABILITY_ERROR", {"a": Q + "type T @shareable { x: Int }", "b": "type T @shareable { x: Int  y: Int }"}),
]


@pytest.mark.parametrize(("code", "sdls"), CASES, ids=[f"{i}-{code}" for i, (code, _) in enumerate(CASES)])
def test_code(compose_sdl: Callable[..., Composition], code: str, sdls: dict[str, str]) -> None:
    composition = compose_sdl(**sdls)
    assert composition.supergraph_sdl is None
    assert {str(error.code) for error in composition.errors} == {code}


PLACELESS = {"NO_QUERIES"}


@pytest.mark.parametrize(("code", "sdls"), [case for case in CASES if case[0] not in PLACELESS])
def test_error_has_a_place(compose_sdl: Callable[..., Composition], code: str, sdls: dict[str, str]) -> None:
    for error in compose_sdl(**sdls).errors:
        assert error.locations, code
        assert all(place.line >= 1 and place.column >= 1 for place in error.locations)
