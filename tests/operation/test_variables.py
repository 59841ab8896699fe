"""Variables are coerced by the specification, and stay JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import get_variable_values

from router.errors import OperationError
from router.operation import build_operation, coerce_variables, parse_document

TEXT = """
query ($id: ID = "7", $role: Role, $filter: Filter) { user(id: $id, role: $role, filter: $filter) { id } }
"""


def test_defaults_are_filled_in_and_what_is_left_out_stays_out(schema: GraphQLSchema) -> None:
    operation = build_operation(schema, parse_document(TEXT))

    assert coerce_variables(schema, operation, {}) == {"id": "7"}
    assert coerce_variables(schema, operation, {"id": None, "unknown": 1}) == {"id": None}


def test_enums_and_inputs_stay_json(schema: GraphQLSchema) -> None:
    operation = build_operation(schema, parse_document(TEXT))

    assert coerce_variables(schema, operation, {"id": 5, "role": "ADMIN", "filter": {"tags": "one"}}) == {
        "id": "5",
        "role": "ADMIN",
        "filter": {"limit": 10, "tags": ["one"]},
    }


def test_values_that_do_not_fit_are_told_one_by_one(schema: GraphQLSchema) -> None:
    operation = build_operation(schema, parse_document(TEXT))

    with pytest.raises(OperationError) as caught:
        coerce_variables(schema, operation, {"role": "KING", "filter": {"limit": "x"}})

    assert caught.value.code == "BAD_USER_INPUT"
    assert [error.message for error in caught.value.errors] == [
        "Variable '$role' has invalid value: Value 'KING' does not exist in 'Role' enum.",
        "Variable '$filter' has invalid value at .limit: Int cannot represent non-integer value: 'x'",
    ]
    assert {error.extensions["code"] for error in caught.value.errors if error.extensions} == {"BAD_USER_INPUT"}


ABSENT = ...
TYPES = (
    "Int", "String", "ID", "Boolean", "Float", "Role", "Filter", "Date", "Range",
    "[Int]", "[Role!]", "[[ID!]!]", "[Range!]"
)  # fmt: skip
VALUES: tuple[object, ...] = (
    ABSENT,
    None,
    0,
    -5,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    1.0,
    1.5,
    "",
    "7",
    "ADMIN",
    "KING",
    True,
    False,
    [],
    [1],
    [1, None, 2],
    [["7"], []],
    ["ADMIN", "USER"],
    {},
    {"limit": 1},
    {"limit": 1, "tags": ["one", None]},
    {"limit": 1, "tags": ["one"], "more": 1},
    {"least": 1},
    {"least": 1, "most": None, "inner": [{"least": 1}]},
    {"least": 1, "inner": [{"least": "x"}]},
    [{"least": 1}, {"least": 2, "at": {"any": [1]}}],
)


@pytest.mark.parametrize("kind", [*TYPES, *(f"{kind}!" for kind in TYPES), "Int = 3", "Int! = 3", "Role = ADMIN"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_is_taken_as_it_is_graphql_core_takes_too(schema: GraphQLSchema, kind: str, value: object) -> None:
    operation = build_operation(schema, parse_document(TEXT))
    definition = parse_document(f"query ($value: {kind}) {{ x }}").definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    operation = replace(operation, variable_definitions=tuple(definition.variable_definitions or ()))
    raw = {} if value is ABSENT else {"value": value}

    expected = get_variable_values(schema, operation.variable_definitions, dict(raw))

    if isinstance(expected, list):
        with pytest.raises(OperationError) as caught:
            coerce_variables(schema, operation, raw)
        assert [error.message for error in caught.value.errors] == [error.message for error in expected]
    else:
        coerced = coerce_variables(schema, operation, raw)
        assert coerced == expected.coerced
        assert [type(one) for one in coerced.values()] == [type(one) for one in expected.coerced.values()]
