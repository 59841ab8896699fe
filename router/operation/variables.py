"""The values of an operation's variables, coerced once per request against the API schema."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import GraphQLSchema
from graphql.execution.values import get_variable_values

from router.errors import OperationError
from router.operation.document import with_code
from router.operation.model import Operation

BAD_USER_INPUT = "BAD_USER_INPUT"
MAX_ERRORS = 50


def coerce_variables(api_schema: GraphQLSchema, operation: Operation, raw: Mapping[str, object]) -> dict[str, object]:
    """Coerced values by variable name: defaults filled in, a variable left out by the client left out.

    The values are JSON (enums by name, custom scalars as they came). OperationError(BAD_USER_INPUT) with one error for
    each value that does not fit (GraphQL specification, section 6.1.2).
    """
    if not operation.variable_definitions:
        return {}
    result = get_variable_values(api_schema, operation.variable_definitions, dict(raw), max_errors=MAX_ERRORS)
    if isinstance(result, list):
        errors = tuple(with_code(error, BAD_USER_INPUT) for error in result)
        raise OperationError(BAD_USER_INPUT, errors[0].message, errors)
    return dict(result.coerced)
