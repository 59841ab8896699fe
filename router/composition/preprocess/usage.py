"""How a subgraph's fields take part in federation: which are external, used by directives, provided and shareable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from router.composition.schema import Application, Field, Schema, TypeDefinition, TypeKind, all_applied, applied
from router.federation.field_set import FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.type_ref import named_type

Coordinate = tuple[str, str]
"""A type's name and a field's name."""

_NOTHING: frozenset[Coordinate] = frozenset()


@dataclass(frozen=True, slots=True)
class FieldUsage:
    """Sets of field coordinates of one subgraph.

    ``external``: declared ``@external`` and so resolved elsewhere; key fields of type extensions are not, whatever
    they declare (``fake_external``). ``provided``: reached by some ``@provides``. ``used``: selected by a federation
    directive, or implementing an interface's field. ``shareable``: others may resolve them too.
    """

    external: frozenset[Coordinate] = _NOTHING
    fake_external: frozenset[Coordinate] = _NOTHING
    provided: frozenset[Coordinate] = _NOTHING
    used: frozenset[Coordinate] = _NOTHING
    shareable: frozenset[Coordinate] = _NOTHING

    def is_external(self, type_name: str, field_name: str) -> bool:
        """Whether this subgraph cannot resolve the field by itself, apart from where it is provided."""
        return (type_name, field_name) in self.external

    def is_fully_external(self, type_name: str, field_name: str) -> bool:
        """Whether this subgraph resolves the field nowhere: external and never provided."""
        return (type_name, field_name) in self.external and (type_name, field_name) not in self.provided

    def is_external_or_implemented_so(self, schema: Schema, parent: TypeDefinition, field_name: str) -> bool:
        """Whether the field is external, on an interface in any of its implementations."""
        if self.is_external(parent.name, field_name):
            return True
        if parent.kind is not TypeKind.INTERFACE:
            return False
        return any(self.is_external(name, field_name) for name in schema.possible_types(parent.name))


def collect_coordinates(schema: Schema, parent: str, selections: Sequence[Selection], found: list[Coordinate]) -> bool:
    """Add to ``found`` the coordinates of the fields that a field set selects, up to the first that does not exist.

    Returns whether all exist.
    """
    type_ = schema.types.get(parent)
    if type_ is None:
        return False
    for selection in selections:
        target = parent
        if isinstance(selection, FragmentSelection):
            target = selection.type_condition or parent
        elif selection.name != "__typename":
            field = type_.fields.get(selection.name)
            if field is None:
                return False
            found.append((parent, selection.name))
            target = named_type(field.type)
        inner = selection.selections
        if inner and not collect_coordinates(schema, target, inner, found):
            return False
    return True


def application_coordinates(schema: Schema, parent: str, application: Application) -> tuple[Coordinate, ...]:
    """The coordinates that ``fields`` of a directive's application selects; none where it cannot be read."""
    found: list[Coordinate] = []
    _collect(schema, parent, application, found)
    return tuple(found)


def is_readable(schema: Schema, parent: str, application: Application) -> bool:
    """Whether ``fields`` of a directive's application is a field set of fields that exist."""
    return _collect(schema, parent, application, [])


def _collect(schema: Schema, parent: str, application: Application, found: list[Coordinate]) -> bool:
    text = application.arguments.get("fields")
    try:
        return isinstance(text, str) and collect_coordinates(schema, parent, parse_field_set(text), found)
    except FieldSetError:
        return False


def is_extension_key(type_: TypeDefinition, key: Application) -> bool:
    """Whether a ``@key`` is on an extension of its type, by ``extend type`` or ``@extends``."""
    if applied(type_, "extends"):
        return True
    return key.block < len(type_.blocks) and type_.blocks[key.block].is_extension


def compute_usage(schema: Schema, context_coordinates: frozenset[Coordinate] = _NOTHING) -> FieldUsage:
    """Read the usage of all fields of a schema; ``context_coordinates`` are those that @fromContext selects."""
    keys: set[Coordinate] = set()
    fake: set[Coordinate] = set()
    provided: set[Coordinate] = set()
    used: set[Coordinate] = set(context_coordinates)
    declared_external: set[Coordinate] = set()
    shareable: set[Coordinate] = set()
    for type_ in schema.types.values():
        for key in all_applied(type_, "key"):
            selected = application_coordinates(schema, type_.name, key)
            keys.update(selected)
            if is_extension_key(type_, key):
                fake.update(selected)
        external_type = applied(type_, "external") is not None
        shared_blocks = {application.block for application in all_applied(type_, "shareable")}
        used.update(_implementing(schema, type_))
        for field in type_.fields.values():
            coordinate = (type_.name, field.name)
            if field.block in shared_blocks:
                shareable.add(coordinate)
            if external_type:
                declared_external.add(coordinate)
            if field.directives:
                _read_field(schema, type_, field, declared_external, shareable, used, provided)
    external = frozenset(declared_external - fake)
    provided_external = external & provided
    return FieldUsage(
        external,
        frozenset(declared_external & fake),
        frozenset(provided),
        frozenset(used | keys | provided),
        frozenset(shareable | keys | provided_external),
    )


def _implementing(schema: Schema, type_: TypeDefinition) -> Iterator[Coordinate]:
    for name in type_.interfaces:
        interface = schema.types.get(name)
        for field_name in interface.fields if interface else ():
            yield type_.name, field_name


def _read_field(
    schema: Schema,
    type_: TypeDefinition,
    field: Field,
    external: set[Coordinate],
    shareable: set[Coordinate],
    used: set[Coordinate],
    provided: set[Coordinate],
) -> None:
    coordinate = (type_.name, field.name)
    for application in field.directives:
        match application.spec:
            case "external":
                external.add(coordinate)
            case "shareable":
                shareable.add(coordinate)
            case "requires":
                used.update(application_coordinates(schema, type_.name, application))
            case "provides":
                for parent, name in application_coordinates(schema, named_type(field.type), application):
                    provided.add((parent, name))
                    provided.update((possible, name) for possible in schema.possible_types(parent))
