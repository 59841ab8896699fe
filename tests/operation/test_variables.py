"""Variables are coerced by the specification, and stay JSON."""

from __future__ import annotations

import pytest
from graphql import GraphQLSchema

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
