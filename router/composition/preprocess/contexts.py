"""``@context`` and ``@fromContext``: arguments whose values come from an enclosing object of the response.

``f(a: Int @fromContext(field: "$user { age }"))`` takes ``age`` of the nearest enclosing object whose type sets the
context ``user``. This file reads them; the checks are in :mod:`router.composition.preprocess.context_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from router.composition.preprocess.usage import Coordinate, collect_coordinates
from router.composition.schema import Application, Field, InputValue, Schema, TypeDefinition, all_applied, applied
from router.federation.field_set import FieldSetError, parse_field_set

_CONTEXT_FIELD = re.compile(r"^[\s,]*\$[\s,]*([A-Za-z_]\w*)(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ContextualArgument:
    """An argument with ``@fromContext``; ``context`` and ``selection`` are None where they cannot be read."""

    type: TypeDefinition
    field: Field
    argument: InputValue
    application: Application
    context: str | None
    selection: str | None


def contextual_arguments(schema: Schema) -> Iterator[ContextualArgument]:
    """All arguments of a schema's fields that take their value from a context."""
    for type_ in schema.types.values():
        for field in type_.fields.values():
            for argument in field.arguments.values():
                application = applied(argument, "fromContext") if argument.directives else None
                if application is not None:
                    yield ContextualArgument(type_, field, argument, application, *split_context_field(application))


def split_context_field(application: Application) -> tuple[str | None, str | None]:
    """The context's name and the selection of a ``@fromContext``: ``"$user { id }"`` is ``user`` and ``{ id }``."""
    value = application.arguments.get("field")
    match = _CONTEXT_FIELD.match(value) if isinstance(value, str) else None
    return (match[1], match[2]) if match else (None, None)


def context_types(schema: Schema) -> dict[str, list[str]]:
    """The names of the types that set each context."""
    contexts: dict[str, list[str]] = {}
    for type_ in schema.types.values():
        for application in all_applied(type_, "context"):
            name = application.arguments.get("name")
            if isinstance(name, str):
                contexts.setdefault(name, []).append(type_.name)
    return contexts


def context_coordinates(schema: Schema) -> frozenset[Coordinate]:
    """The coordinates of all fields that the selections of ``@fromContext`` name."""
    arguments = [argument for argument in contextual_arguments(schema) if argument.selection]
    contexts = context_types(schema) if arguments else {}
    found: list[Coordinate] = []
    for argument in arguments:
        try:
            selections = parse_field_set(argument.selection or "")
        except FieldSetError:
            continue
        for type_name in contexts.get(argument.context or "", ()):
            collect_coordinates(schema, type_name, selections, found)
    return frozenset(found)
