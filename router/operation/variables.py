"""The values of an operation's variables, coerced once per request against the API schema.

Values that need no coercion are recognised by checks compiled once per operation, lists and input objects with all
their members too. For all else (defaults of input objects, one value for a list, Float, and whatever may be wrong)
graphql-core decides, at fifty times the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    is_enum_type,
    is_input_object_type,
    is_input_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    is_specified_scalar_type,
    type_from_ast,
)
from graphql.execution.values import get_variable_values

from router.errors import OperationError
from router.operation.document import with_code
from router.operation.model import Operation

BAD_USER_INPUT = "BAD_USER_INPUT"
MAX_ERRORS = 50

Coerce = Callable[[Mapping[str, object]], dict[str, object]]
IsSound = Callable[[object], bool]

_ABSENT = object()


def coerce_variables(api_schema: GraphQLSchema, operation: Operation, raw: Mapping[str, object]) -> dict[str, object]:
    """Coerced values by variable name, as :func:`compile_coercion` says."""
    return compile_coercion(api_schema, operation)(raw)


def compile_coercion(api_schema: GraphQLSchema, operation: Operation, *, hide_suggestions: bool = False) -> Coerce:
    """A function from raw to coerced values: defaults filled in, a variable left out by the client left out.

    The values are JSON (enums by name, custom scalars as they came). It raises OperationError(BAD_USER_INPUT) with one
    error for each value that does not fit (GraphQL specification, section 6.1.2).
    """
    definitions = operation.variable_definitions
    checks = [(one.variable.name.value, _compile_check(api_schema, one)) for one in definitions]

    def coerce(raw: Mapping[str, object]) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, is_sound in checks:
            value = raw.get(name, _ABSENT)
            if not is_sound(value):
                return _coerce_any(api_schema, operation, raw, hide_suggestions)
            if value is not _ABSENT:
                values[name] = value
        return values

    return coerce


def _coerce_any(
    api_schema: GraphQLSchema,
    operation: Operation,
    raw: Mapping[str, object],
    hide_suggestions: bool,
) -> dict[str, object]:
    definitions = operation.variable_definitions
    result = get_variable_values(api_schema, definitions, dict(raw), MAX_ERRORS, hide_suggestions)
    if isinstance(result, list):
        errors = tuple(with_code(error, BAD_USER_INPUT) for error in result)
        raise OperationError(BAD_USER_INPUT, errors[0].message, errors)
    return dict(result.coerced)


def _compile_check(api_schema: GraphQLSchema, definition: VariableDefinitionNode) -> IsSound:
    """Whether a raw value, or its absence, may be taken as it is; False where only graphql-core can tell."""
    kind = type_from_ast(api_schema, definition.type)
    if not is_input_type(kind):
        return _never
    is_sound = _sound_type(kind)
    if is_non_null_type(kind):
        return is_sound
    if definition.default_value is not None:
        return lambda value: value is not _ABSENT and is_sound(value)
    return lambda value: value is _ABSENT or is_sound(value)


def _sound_type(kind: GraphQLInputType) -> IsSound:
    """Whether a value of ``kind`` that is there is JSON that coercion would leave as it is."""
    if is_non_null_type(kind):
        return _not_null(kind.of_type)
    is_sound = _not_null(kind)
    return lambda value: value is None or is_sound(value)


def _not_null(kind: GraphQLInputType) -> IsSound:
    if is_list_type(kind):
        return _of_list(_sound_type(kind.of_type))
    if is_input_object_type(kind):
        return _of_input(kind)
    if is_enum_type(kind):
        return _of_enum(kind)
    assert isinstance(kind, GraphQLScalarType)  # noqa: S101 - what else is left of input types
    return _OF_SCALAR.get(kind.name, _never if is_specified_scalar_type(kind) else _is_there)


def _of_list(is_sound: IsSound) -> IsSound:
    return lambda value: type(value) is list and all(map(is_sound, value))


def _of_input(kind: GraphQLInputObjectType) -> IsSound:
    if kind.is_one_of:
        return _never
    fields: dict[str, IsSound] = {}
    expected: set[str] = set()

    def is_sound(value: object) -> bool:
        if not fields:
            # At the first value, because the fields of a type may be of the type itself.
            fields.update((name, _sound_type(field.type)) for name, field in kind.fields.items())
            expected.update(name for name, field in kind.fields.items() if _must_be_there(field))
        if type(value) is not dict or not expected <= value.keys() or not value.keys() <= fields.keys():
            return False
        return all(fields[name](member) for name, member in value.items())

    return is_sound


def _must_be_there(field: GraphQLInputField) -> bool:
    """Whether coercion would add it, or refuse, where it is not there."""
    return is_required_input_field(field) or field.default_value is not Undefined or field.default is not None


def _of_enum(kind: GraphQLEnumType) -> IsSound:
    values = kind.values
    return lambda value: type(value) is str and value in values


def _is_int(value: object) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_boolean(value: object) -> bool:
    return type(value) is bool


def _is_there(value: object) -> bool:
    return value is not None and value is not _ABSENT


def _never(_: object) -> bool:
    return False


_OF_SCALAR: Mapping[str, IsSound] = {"Int": _is_int, "String": _is_text, "ID": _is_text, "Boolean": _is_boolean}
