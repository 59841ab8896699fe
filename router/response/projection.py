"""Merged data -> the client's answer: its selection and nothing else, in its order, nulls where they belong.

``projection = compile_projection(operation, api_schema)`` once, then ``projection(data, errors, variables)`` per
request. With ``{ shop: store { name } }`` the data ``{"shop": {"name": "Mall", "_key_id": "1"}}`` becomes
``{"shop": {"name": "Mall"}}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import DocumentNode, GraphQLSchema, is_object_type
from msgspec import Struct

from router.field_error import ClientPath, FieldError
from router.operation.authorization import NOTHING_DENIED, Denied
from router.operation.model import Field, Operation, Selection
from router.operation.typename_alias import restore_names, restore_path
from router.response.completion import Completion, JsonObject, LookForAbsent
from router.response.fields import ConditionalSelections, applies
from router.response.introspection import introspect, introspection_document
from router.response.projection_source import ProjectionWriter, ProjectObject

_NOTHING: Mapping[str, object] = {}


class ProjectedResult(Struct, frozen=True):
    """What the client gets: ``data`` is None where a null went up to the root, ``extensions`` where there are none.

    ``cost`` is what it did cost, None where nobody counts that.
    """

    data: JsonObject | None
    errors: list[FieldError]
    extensions: Mapping[str, object] | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """Merged ``data``, or the object of it that paths begin at, and the ``schema`` that its types are of."""

    schema: GraphQLSchema
    data: JsonObject

    def kind_of(self, value: object) -> str | None:
        """The object type that ``value`` says it is of; None where it says none that clients know."""
        name = value.get("__typename") if type(value) is dict else None
        return name if type(name) is str and is_object_type(self.schema.get_type(name)) else None


@dataclass(frozen=True, slots=True)
class Projection:
    """The compiled projection of one operation; holds no state of any request.

    ``planned`` is what was asked of the subgraphs: the ``operation``, without what is denied.
    """

    api_schema: GraphQLSchema
    operation: Operation
    project: ProjectObject
    introspection: DocumentNode | None
    planned: Operation
    _introspected: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def __call__(
        self,
        data: JsonObject,
        errors: Sequence[FieldError],
        variables: Mapping[str, object],
        look_for_absent: LookForAbsent | None = None,
    ) -> ProjectedResult:
        """The answer for merged ``data``, the ``errors`` of execution and coerced ``variables``.

        ``look_for_absent`` gives errors of execution that it tells only where a key is absent from the data.
        """
        introspected = _NOTHING if self.introspection is None else self._introspect(self.introspection, variables)
        if self.planned is not self.operation:
            # What is fetched for inner use alone tells nothing at the place of a field that is denied.
            errors = self._visible(errors, data, variables) if errors else errors
            look_for_absent = self._visible_absent(look_for_absent, data, variables)
        completion = Completion(variables, errors, introspected, look_for_absent)
        project = self.project
        projected = project(data, None, completion)
        if not completion.has_earlier:
            told = completion.errors
        else:
            merged = Merged(self.api_schema, data)
            visible = visible_errors(self.operation, completion.all_errors(), variables, merged)
            told = [e for e in visible if not e.explains_null or is_null(projected, e.path)]
        stand_in = self.operation.typename_stand_in
        if stand_in is not None:
            projected = restore_names(projected, self.operation.selections, stand_in)
            told = [replace(error, path=restore_path(error.path, stand_in)) for error in told]
        return ProjectedResult(projected, told)

    def _visible(
        self, errors: Sequence[FieldError], data: JsonObject, variables: Mapping[str, object]
    ) -> list[FieldError]:
        return visible_errors(self.planned, errors, variables, Merged(self.api_schema, data))

    def _visible_absent(
        self, look_for_absent: LookForAbsent | None, data: JsonObject, variables: Mapping[str, object]
    ) -> LookForAbsent | None:
        if look_for_absent is None:
            return None
        return lambda: self._visible(look_for_absent(), data, variables)

    def _introspect(self, document: DocumentNode, variables: Mapping[str, object]) -> Mapping[str, object]:
        """Introspection without variables is answered once, since the schema does not change."""
        if self.operation.variable_definitions:
            return introspect(self.api_schema, document, variables)
        if "all" not in self._introspected:
            self._introspected["all"] = introspect(self.api_schema, document, variables)
        return self._introspected["all"]


def compile_projection(
    operation: Operation, api_schema: GraphQLSchema, denied: Denied = NOTHING_DENIED, planned: Operation | None = None
) -> Projection:
    """Compile the projection of an operation that is valid against ``api_schema``.

    What is ``denied`` is null, with an error UNAUTHORIZED_FIELD_OR_TYPE at each place, whatever the data holds;
    ``planned`` is the operation without it.
    """
    selections = (ConditionalSelections((), operation.selections),)
    project = ProjectionWriter(api_schema, denied).compile_object(operation.root_type, selections)
    return Projection(api_schema, operation, project, introspection_document(operation), planned or operation)


def visible_errors(
    operation: Operation,
    errors: Sequence[FieldError],
    variables: Mapping[str, object],
    merged: Merged | None = None,
) -> list[FieldError]:
    """Errors at paths that the client selected; any other at its nearest object, unless one below that is told.

    Where there is ``merged`` data, its objects tell what was selected of them by their types.
    """
    paths = [selected_path(operation.selections, error.path, variables, merged) for error in errors]
    told = {
        error.path[:length]
        for error, path in zip(errors, paths, strict=True)
        if path == error.path
        for length in range(len(path) + 1)
    }
    return [
        error if path == error.path else error.at(path)
        for error, path in zip(errors, paths, strict=True)
        if path == error.path or path not in told
    ]


def is_null(data: JsonObject | None, path: ClientPath) -> bool:
    """Whether null is at ``path``, or above it."""
    value: Any = data
    for step in path:
        if type(value) is dict:
            value = value.get(step)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
        else:
            return value is None
    return value is None


def selected_path(
    selections: Sequence[Selection], path: ClientPath, variables: Mapping[str, object], merged: Merged | None = None
) -> ClientPath:
    """``path`` up to the first key that ``selections`` do not select in this request.

    Keys that planning added are no one's business; nor are those that the client has skipped, or selects of objects of
    other types, and we needed. Types are read from the ``merged`` data and not from the answer: a null that has gone up
    leaves none of them there.
    """
    value: Any = merged.data if merged is not None else None
    for position, step in enumerate(path):
        if isinstance(step, str):
            kind = merged.kind_of(value) if merged is not None else None
            found = [one for one in _fields(selections, variables, merged, kind) if one.response_key == step]
            if not found:
                return path[:position]
            selections = [below for one in found for below in one.selections]
            value = value.get(step) if type(value) is dict else None
        else:
            value = value[step] if type(value) is list and step < len(value) else None
    return path


def _fields(
    selections: Sequence[Selection], variables: Mapping[str, object], merged: Merged | None, kind: str | None
) -> list[Field]:
    """The fields selected of an object of the type ``kind``; of any, where that is None."""
    fields: list[Field] = []
    for one in selections:
        if not all(condition.holds(variables) for condition in one.conditions):
            continue
        if isinstance(one, Field):
            fields.append(one)
        elif merged is None or kind is None or applies(merged.schema, kind, one.type_condition):
            fields += _fields(one.selections, variables, merged, kind)
    return fields
