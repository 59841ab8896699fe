"""Literals become variables of their own; what means something at planning stays in the text."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from router.operation.document import parse_document
from router.operation.literals import LiftedDocument, lift_literals

SCHEMA = build_schema("""
type Query {
  user(id: ID, role: Role, filter: Filter, any: Any, ids: [ID!], n: Int, f: Float, on: Boolean, choice: Choice): User
  thing: Thing
}
interface Thing { at(day: String): Int }
type User implements Thing { at(day: String): Int name: String }
enum Role { ADMIN USER }
input Filter { limit: Int! = 10 tags: [String!] inner: Filter }
input Choice @oneOf { a: Int b: Int }
scalar Any
directive @mark(as: String) on FIELD
""")


def lift(text: str, schema: GraphQLSchema = SCHEMA) -> LiftedDocument:
    lifted = lift_literals(schema, parse_document(text), text)
    assert lifted is not None
    parse(lifted.text)
    return lifted


@pytest.mark.parametrize(
    ("argument", "type_", "value"),
    [
        ('id: "7"', "ID!", "7"),
        ("id: 7", "ID!", "7"),
        ("role: ADMIN", "Role!", "ADMIN"),
        ('filter: {limit: 3, tags: ["a", "b"]}', "Filter!", {"limit": 3, "tags": ["a", "b"]}),
        ("filter: {tags: null}", "Filter!", {"tags": None}),
        ('filter: {tags: "one"}', "Filter!", {"tags": ["one"]}),
        ('ids: ["1", 2]', "[ID!]!", ["1", "2"]),
        ("ids: 1", "[ID!]!", ["1"]),
        ("n: -3", "Int!", -3),
        ("f: 1", "Float!", 1.0),
        ("on: true", "Boolean!", True),
        ('any: "text"', "Any!", "text"),
    ],
)
def test_literal_becomes_a_variable_of_its_type(argument: str, type_: str, value: object) -> None:
    name = argument.partition(":")[0]

    assert lift(f"{{ user({argument}) {{ name }} }}") == LiftedDocument(
        f"{{ user({name}: $literal_0) {{ name }} }}", {"literal_0": type_}, {"literal_0": value}
    )


@pytest.mark.parametrize(
    "text",
    [
        "{ user(id: null) { name } }",
        "{ user(any: 1.50) { name } }",
        '{ user(any: {a: "b"}) { name } }',
        "{ user(choice: {a: null}) { name } }",
        "query ($id: ID = 5) { user(id: $id) { name } }",
        "{ user @include(if: true) { name @skip(if: false) } }",
        '{ user { name @mark(as: "x") } }',
        '{ __type(name: "User") { fields(includeDeprecated: true) { name } } }',
    ],
)
def test_what_means_something_stays(text: str) -> None:
    assert lift(text) == LiftedDocument(text, {}, {})


def test_parts_beside_variables_are_lifted_one_by_one() -> None:
    lifted = lift('query ($t: String!) { user(filter: {limit: 3, tags: [$t, "b"]}, choice: {a: 1}) { name } }')

    assert lifted.text == (
        "query ($t: String!) { user(filter: {limit: $literal_0, tags: [$t, $literal_1]}, choice: {a: $literal_2})"
        " { name } }"
    )
    assert lifted.types == {"literal_0": "Int!", "literal_1": "String!", "literal_2": "Int!"}
    assert lifted.values == {"literal_0": 3, "literal_1": "b", "literal_2": 1}


def test_equal_literals_are_one_variable_only_where_fields_merge() -> None:
    lifted = lift('{ thing { at(day: "1") ... on User { at(day: "1") x: at(day: "1") } } }')

    assert lifted.text == "{ thing { at(day: $literal_0) ... on User { at(day: $literal_0) x: at(day: $literal_1) } } }"


def test_literals_in_named_fragments_are_lifted() -> None:
    lifted = lift('{ thing { ...F } } fragment F on User { at(day: "1") }')

    assert lifted.text == "{ thing { ...F } } fragment F on User { at(day: $literal_0) }"


def test_variables_of_the_client_keep_their_names() -> None:
    lifted = lift("query ($literal_0: Int) { user(n: $literal_0, id: 5) { name } }")

    assert lifted.text == "query ($literal_0: Int) { user(n: $literal_0, id: $_literal_0) { name } }"


@pytest.mark.parametrize(
    "text",
    [
        "{ user(id: true) { name } }",
        "{ user(role: KING) { name } }",
        "{ user(n: 3000000000) { name } }",
        "{ user(filter: {limit: null}) { name } }",
        "{ user(filter: {limt: 1}) { name } }",
        "query ($n: Int) { user(filter: {limt: $n}) { name } }",
        "{ user(filter: {limit: 1, limit: 2}) { name } }",
        "{ user(ids: [null]) { name } }",
        "{ user(idd: 1) { name } }",
        "{ usr(id: 1) { name } }",
        "{ thing { name } }",
        "{ ... on Nothing { name } }",
    ],
)
def test_nothing_is_lifted_from_what_validation_refuses(text: str) -> None:
    assert lift_literals(SCHEMA, parse_document(text), text) is None
    assert validate(SCHEMA, parse_document(text))
