"""The fields of deferred fragments, made ready to be projected: compiled once per operation.

For each execution group: how to find its objects from those of the group above, and the projection of its fields by
the objects' concrete type. For each deferred fragment: the response keys that it selects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_abstract_type

from router.field_error import ClientPath, FieldError
from router.operation.authorization import NOTHING_DENIED, Denied
from router.operation.deferral import DeferredOperation, DeferUsages, ExecutionGroup
from router.operation.model import DeferUsage, Field, Operation, Selection
from router.response.completion import JsonObject
from router.response.fields import ConditionalSelections
from router.response.projection import Merged, selected_path
from router.response.projection_source import INTROSPECTION_FIELDS, ProjectionWriter, ProjectObject

Keys = dict[str, "Keys | None"]
Step = Field | frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """An object that was delivered: as the client has it, as it was merged, its path, and its type.

    The merged object tells its type where that is not certain from where it stands.
    """

    projected: JsonObject
    merged: JsonObject
    path: ClientPath
    type_name: str


@dataclass(frozen=True, slots=True, eq=False)
class DeferredFields:
    """An execution group, compiled; ``part`` is the part of the plan that fetches it."""

    usages: DeferUsages
    part: int
    selections: tuple[Selection, ...]
    below: tuple[DeferredFields, ...]
    _steps: tuple[Step, ...]
    _writer: ProjectionWriter
    _projections: dict[str, ProjectObject] = field(default_factory=dict)

    def places(self, above: Place) -> list[Place]:
        """The objects of this group within the object of the group above, where the client has them."""
        found = [above]
        for step in self._steps:
            if isinstance(step, Field):
                found = [below for place in found for below in self._below(place, step)]
            else:
                found = [place for place in found if place.type_name in step]
        return found

    def _below(self, place: Place, step: Field) -> Iterator[Place]:
        parent = self._writer.schema.type_map[place.type_name]
        assert isinstance(parent, GraphQLObjectType)  # noqa: S101 - an object that was delivered has an object type
        kind = get_named_type(parent.fields[step.name].type)
        key = step.response_key
        certain = kind.name if isinstance(kind, GraphQLObjectType) else None
        return _objects(place.projected.get(key), place.merged.get(key), (*place.path, key), certain)

    def projection(self, name: str) -> ProjectObject:
        """The projection of the group's fields of an object of the type ``name``."""
        project = self._projections.get(name)
        if project is None:
            selections = (ConditionalSelections((), self.selections),)
            project = self._projections[name] = self._writer.compile_object(name, selections)
        return project

    def selected_path(self, place: Place, path: ClientPath, variables: Mapping[str, object]) -> ClientPath:
        """The part of ``path`` below ``place``, up to the first key that this group does not select there."""
        merged = Merged(self._writer.schema, place.merged)
        return selected_path(self.selections, path[len(place.path) :], variables, merged)


@dataclass(frozen=True, slots=True)
class DeferredProjection:
    """All groups of an operation that stand at the root or below the first answer, and the keys of each fragment.

    ``operation`` is the one answered; ``planned`` is all of it without what is denied; None where nothing is.
    """

    operation: DeferredOperation
    groups: tuple[DeferredFields, ...]
    keys: Mapping[DeferUsage, Keys]
    planned: Operation | None = None

    def errors_at_first(self, errors: Sequence[FieldError], variables: Mapping[str, object]) -> list[FieldError]:
        """Of the ``errors`` of the first answer's fetches, those that are not at fields of deferred fragments."""
        first, marked = self.operation.first.selections, self.operation.marked.selections
        return [
            error
            for error in errors
            if selected_path(first, error.path, variables) == error.path
            or selected_path(marked, error.path, variables) != error.path
        ]


def compile_deferred(
    operation: DeferredOperation,
    api_schema: GraphQLSchema,
    parts: Mapping[DeferUsages, int],
    denied: Denied = NOTHING_DENIED,
    planned: Operation | None = None,
) -> DeferredProjection:
    """Compile the deferred groups of an operation; ``parts`` numbers the parts of its plan.

    What is ``denied`` is null, as ``compile_projection`` says; ``planned`` is the operation without it.
    """
    writer = ProjectionWriter(api_schema, denied)
    groups = tuple(_compile_group(group, writer, parts) for group in operation.groups)
    keys: dict[DeferUsage, Keys] = {}
    _collect_keys(operation.marked.selections, None, (), keys)
    return DeferredProjection(operation, groups, keys, planned if denied else None)


def _compile_group(group: ExecutionGroup, writer: ProjectionWriter, parts: Mapping[DeferUsages, int]) -> DeferredFields:
    return DeferredFields(
        usages=group.usages,
        part=parts[group.usages],
        selections=group.selections,
        below=tuple(_compile_group(below, writer, parts) for below in group.groups),
        _steps=tuple(_step(one, writer.schema) for one in group.path),
        _writer=writer,
    )


def _step(one: Selection, schema: GraphQLSchema) -> Step:
    if isinstance(one, Field):
        return one
    kind = schema.type_map[one.type_condition]
    possible = schema.get_possible_types(kind) if is_abstract_type(kind) else (kind,)
    return frozenset(type_.name for type_ in possible)


def _objects(projected: object, merged: object, path: ClientPath, certain: str | None) -> Iterator[Place]:
    """The objects there, of the type that is ``certain`` or that they tell."""
    if isinstance(projected, dict) and isinstance(merged, dict):
        yield Place(projected, merged, path, certain or merged["__typename"])
    elif isinstance(projected, list) and isinstance(merged, list):
        for index, (one, other) in enumerate(zip(projected, merged, strict=False)):
            yield from _objects(one, other, (*path, index), certain)


def _collect_keys(
    selections: tuple[Selection, ...], outer: DeferUsage | None, path: tuple[str, ...], keys: dict[DeferUsage, Keys]
) -> None:
    for one in selections:
        usage = one.deferred_by or outer
        if not isinstance(one, Field):
            _collect_keys(one.selections, usage, path, keys)
            continue
        here = (*path, one.response_key)
        is_object = bool(one.selections) and one.name not in INTROSPECTION_FIELDS
        if usage is not None:
            _add_key(keys.setdefault(usage, {}), here[len(usage.path) :], is_object=is_object)
        if is_object:
            _collect_keys(one.selections, usage, here, keys)


def _add_key(keys: Keys, path: tuple[str, ...], *, is_object: bool) -> None:
    for key in path[:-1]:
        inner = keys.get(key)
        if inner is None:
            inner = keys[key] = {}
        keys = inner
    if is_object:
        keys.setdefault(path[-1], {})
    else:
        keys[path[-1]] = None
