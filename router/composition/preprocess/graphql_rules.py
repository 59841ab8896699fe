"""What GraphQL itself forbids in a schema, checked in one pass over the model (code ``INVALID_GRAPHQL``).

The rules are those of the GraphQL specification's type validation, but for what Federation allows a subgraph:
``extend type`` without a definition, and a ``Query`` without fields (each subgraph gains ``_service``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from graphql import Node

from router.composition.errors import CompositionError, subgraph_error
from router.composition.preprocess.known_directives import way_to_know
from router.composition.preprocess.values import fits
from router.composition.schema import (
    BUILT_IN_SCALARS,
    Application,
    DirectiveDefinition,
    EnumValue,
    Field,
    InputValue,
    Schema,
    TypeDefinition,
    TypeKind,
)
from router.federation.directives import NoDefault
from router.federation.error_codes import ErrorCode
from router.federation.literals import Literal, print_literal
from router.federation.type_ref import ListRef, NonNullRef, TypeRef, named_type

_TYPE_LOCATIONS = {
    TypeKind.SCALAR: "SCALAR",
    TypeKind.OBJECT: "OBJECT",
    TypeKind.INTERFACE: "INTERFACE",
    TypeKind.UNION: "UNION",
    TypeKind.ENUM: "ENUM",
    TypeKind.INPUT_OBJECT: "INPUT_OBJECT",
}


def check_graphql_rules(
    schema: Schema, directives: Mapping[str, DirectiveDefinition], machinery_types: Iterable[str], subgraph: str
) -> Iterator[CompositionError]:
    """All breaches of the rules on types in one schema; ``machinery_types`` are scalars that it need not define."""
    yield from _Rules(_with_scalars(schema, machinery_types), directives, subgraph).check()


def check_applied_directives(
    schema: Schema, directives: Mapping[str, DirectiveDefinition], machinery_types: Iterable[str], subgraph: str
) -> Iterator[CompositionError]:
    """All directives that are not known, out of place, repeated, or applied with wrong arguments in one schema."""
    rules = _Rules(_with_scalars(schema, machinery_types), directives, subgraph)
    yield from rules.applications(schema.applications, "SCHEMA", "the schema")
    for place, location, applications in _every_application(schema):
        yield from rules.applications(applications, location, place)


def unknown_directives(
    schema: Schema,
    directives: Mapping[str, DirectiveDefinition],
    subgraph: str,
    applications: Iterable[Application] | None = None,
) -> Iterator[CompositionError]:
    """Those of ``applications`` (None: of all in the schema) whose directive is not among ``directives``."""
    rules = _Rules(schema, directives, subgraph)
    if applications is None:
        applications = (application for _, _, found in _every_application(schema) for application in found)
    yield from (
        rules.unknown_directive(application) for application in applications if application.name not in directives
    )


def _with_scalars(schema: Schema, names: Iterable[str]) -> Schema:
    scalars = {name: TypeDefinition(TypeKind.SCALAR, name) for name in names if name not in schema.types}
    return replace(schema, types={**schema.types, **scalars})


def _every_application(schema: Schema) -> Iterator[tuple[str, str, tuple[Application, ...]]]:
    """What is applied to each element but the schema itself: its coordinate, the location, and the applications."""
    for definition in schema.directives.values():
        yield from _on_arguments(f"@{definition.name}", definition.arguments)
    for type_ in schema.types.values():
        yield type_.name, _TYPE_LOCATIONS[type_.kind], type_.directives
        for field in type_.fields.values():
            place = f"{type_.name}.{field.name}"
            if field.directives:
                yield place, "FIELD_DEFINITION", field.directives
            if field.arguments:
                yield from _on_arguments(place, field.arguments)
        for input_field in type_.inputs.values():
            yield f"{type_.name}.{input_field.name}", "INPUT_FIELD_DEFINITION", input_field.directives
        for value in type_.values.values():
            yield f"{type_.name}.{value.name}", "ENUM_VALUE", value.directives


def _on_arguments(
    place: str, arguments: Mapping[str, InputValue]
) -> Iterator[tuple[str, str, tuple[Application, ...]]]:
    for argument in arguments.values():
        yield f"{place}({argument.name}:)", "ARGUMENT_DEFINITION", argument.directives


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules, bound to one schema."""

    schema: Schema
    directives: Mapping[str, DirectiveDefinition]
    subgraph: str

    def error(self, message: str, *nodes: Node | None) -> CompositionError:
        return subgraph_error(ErrorCode.INVALID_GRAPHQL, message, self.subgraph, *nodes)

    def check(self) -> Iterator[CompositionError]:
        for definition in self.schema.directives.values():
            yield from self.arguments(definition.arguments, f"@{definition.name}")
            yield from self.undefined_machinery(definition)
        for type_ in self.schema.types.values():
            yield from self.type_definition(type_)
        yield from self.endless_inputs()
        for operation, name in self.schema.roots.items():
            if self.schema.kind_of(name) is not TypeKind.OBJECT:
                yield self.error(f'The {operation} root type "{name}" is not an object type of this schema')

    def type_definition(self, type_: TypeDefinition) -> Iterator[CompositionError]:
        yield from self.reserved_name(type_.name, type_.node)
        match type_.kind:
            case TypeKind.OBJECT | TypeKind.INTERFACE:
                if not type_.fields and type_.name != self.schema.roots.get("query"):
                    yield self.error(f'The {type_.kind.value} "{type_.name}" has no fields', type_.node)
                for field in type_.fields.values():
                    yield from self.output_field(type_, field)
                yield from self.implementations(type_)
            case TypeKind.INPUT_OBJECT:
                if not type_.inputs:
                    yield self.error(f'The input object type "{type_.name}" has no fields', type_.node)
                for value in type_.inputs.values():
                    yield from self.input_value(value, f"{type_.name}.{value.name}")
            case TypeKind.UNION:
                yield from self.union(type_)
            case TypeKind.ENUM:
                if not type_.values:
                    yield self.error(f'The enum "{type_.name}" has no values', type_.node)

    def undefined_machinery(self, definition: DirectiveDefinition) -> Iterator[CompositionError]:
        """A subgraph that writes out a specification's directive must also write out the scalars that it names."""
        for argument in definition.arguments.values():
            type_ = self.schema.types.get(named_type(argument.type))
            if type_ is not None and not type_.blocks:
                yield self.error(f'The type "{type_.name}" of "@{definition.name}" is not defined', argument.node)

    def reserved_name(self, name: str, node: Node | None) -> Iterator[CompositionError]:
        if name.startswith("__"):
            yield self.error(f'The name "{name}" begins with "__", which is reserved for introspection', node)

    def output_field(self, type_: TypeDefinition, field: Field) -> Iterator[CompositionError]:
        place = f"{type_.name}.{field.name}"
        yield from self.reserved_name(field.name, field.node)
        yield from self.reference(field.type, place, field.node, is_input=False)
        if field.arguments:
            yield from self.arguments(field.arguments, place)

    def arguments(self, arguments: Mapping[str, InputValue], place: str) -> Iterator[CompositionError]:
        for argument in arguments.values():
            yield from self.input_value(argument, f"{place}({argument.name}:)")

    def input_value(self, value: InputValue, place: str) -> Iterator[CompositionError]:
        yield from self.reserved_name(value.name, value.node)
        known = True
        for error in self.reference(value.type, place, value.node, is_input=True):
            known = False
            yield error
        if known:
            yield from self.default_value(value, place)
        if value.is_required and any(application.name == "deprecated" for application in value.directives):
            message = f'"{place}" is required, so clients cannot stop using it, and cannot be @deprecated'
            yield self.error(message, value.node)

    def default_value(self, value: InputValue, place: str) -> Iterator[CompositionError]:
        if not isinstance(value.default, NoDefault) and not fits(value.default, value.type, self.schema):
            message = f'The default value {print_literal(value.default)} of "{place}" is not of type {value.type}'
            yield self.error(message, value.node)

    def endless_inputs(self) -> Iterator[CompositionError]:
        """Input objects that must hold another of their own type, directly or through others."""
        waiting = {
            type_.name: {named_type(f.type) for f in type_.inputs.values() if _must_hold_one(f.type)}
            for type_ in self.schema.types.values()
            if type_.kind is TypeKind.INPUT_OBJECT
        }
        while finished := {name for name, needed in waiting.items() if waiting.keys().isdisjoint(needed)}:
            waiting = {name: needed for name, needed in waiting.items() if name not in finished}
        for name in waiting:
            message = f'The input object type "{name}" can never be written, as it must hold itself without end'
            yield self.error(message, self.schema.types[name].node)

    def reference(self, type_: TypeRef, place: str, node: Node | None, *, is_input: bool) -> Iterator[CompositionError]:
        """A field's or argument's type must exist and be of the right direction."""
        kind = self.schema.kind_of(named_type(type_))
        if kind is None:
            yield self.error(f'The type "{named_type(type_)}" of "{place}" is not defined', node)
        elif is_input and kind.is_composite:
            yield self.error(f'The type "{type_}" of "{place}" is not an input type', node)
        elif not is_input and kind is TypeKind.INPUT_OBJECT:
            yield self.error(f'The type "{type_}" of "{place}" is not an output type', node)

    def union(self, type_: TypeDefinition) -> Iterator[CompositionError]:
        if not type_.members:
            yield self.error(f'The union "{type_.name}" has no members', type_.node)
        for name, node in type_.members.items():
            if self.schema.kind_of(name) is not TypeKind.OBJECT:
                yield self.error(f'The member "{name}" of union "{type_.name}" is not an object type', node)

    def implementations(self, type_: TypeDefinition) -> Iterator[CompositionError]:
        for name, node in type_.interfaces.items():
            interface = self.schema.types.get(name)
            if interface is None or interface.kind is not TypeKind.INTERFACE:
                yield self.error(f'"{type_.name}" implements "{name}", which is not an interface of this schema', node)
            elif name == type_.name:
                yield self.error(f'The interface "{name}" implements itself', node)
            else:
                yield from self.implementation(type_, interface)

    def implementation(self, type_: TypeDefinition, interface: TypeDefinition) -> Iterator[CompositionError]:
        if type_.name in interface.interfaces:
            message = f'The interfaces "{type_.name}" and "{interface.name}" implement each other'
            yield self.error(message, type_.interfaces[interface.name])
        for transitive in interface.interfaces:
            if transitive not in type_.interfaces and transitive != type_.name:
                message = f'"{type_.name}" must implement "{transitive}", as the interface "{interface.name}" does'
                yield self.error(message, type_.node)
        for field in interface.fields.values():
            own = type_.fields.get(field.name)
            if own is None:
                message = f'"{type_.name}" lacks the field "{field.name}" of the interface "{interface.name}"'
                yield self.error(message, field.node, type_.node)
                continue
            if not is_subtype(own.type, field.type, self.schema):
                message = (
                    f'"{type_.name}.{field.name}" is of type {own.type}, which is no subtype of the {field.type} '
                    f'of "{interface.name}.{field.name}"'
                )
                yield self.error(message, field.node, own.node)
            yield from self.implemented_arguments(type_, own, interface, field)

    def implemented_arguments(
        self, type_: TypeDefinition, own: Field, interface: TypeDefinition, field: Field
    ) -> Iterator[CompositionError]:
        place = f"{type_.name}.{own.name}"
        for argument in field.arguments.values():
            found = own.arguments.get(argument.name)
            if found is None:
                message = f'"{place}" lacks the argument "{argument.name}" of "{interface.name}.{field.name}"'
                yield self.error(message, argument.node, own.node)
            elif found.type != argument.type:
                message = (
                    f'The argument "{place}({argument.name}:)" is of type {found.type}, '
                    f'but of type {argument.type} in the interface "{interface.name}"'
                )
                yield self.error(message, argument.node, found.node)
        for found in own.arguments.values():
            if found.name not in field.arguments and found.is_required:
                message = f'"{place}({found.name}:)" is required, but the interface "{interface.name}" does not have it'
                yield self.error(message, found.node, field.node)

    def applications(
        self, applications: Iterable[Application], location: str, place: str
    ) -> Iterator[CompositionError]:
        seen: set[str] = set()
        for application in applications:
            definition = self.directives.get(application.name)
            if definition is None:
                yield self.unknown_directive(application)
                continue
            if location not in definition.locations:
                message = f'The directive "@{application.name}" may not be used on {location} ("{place}")'
                yield self.error(message, application.node)
            if application.name in seen and not definition.repeatable:
                yield self.error(f'The directive "@{application.name}" is applied twice to "{place}"', application.node)
            seen.add(application.name)
            yield from self.application_arguments(application, definition, place)

    def unknown_directive(self, application: Application) -> CompositionError:
        advice = way_to_know(application.name, self.directives)
        return self.error(f'The directive "@{application.name}" is not known{advice}', application.node)

    def application_arguments(
        self, application: Application, definition: DirectiveDefinition, place: str
    ) -> Iterator[CompositionError]:
        name = application.name
        for key, value in application.arguments.items():
            argument = definition.arguments.get(key)
            if argument is None:
                yield self.error(f'The directive "@{name}" has no argument "{key}"', application.node)
            elif not fits(value, argument.type, self.schema) and not _is_tolerated_null(value, application, key):
                given = f'The value {print_literal(value)} for "@{name}({key}:)" on "{place}"'
                message = f"{given} is not of type {argument.type}"
                yield self.error(message, application.node)
        for argument in definition.arguments.values():
            if argument.is_required and argument.name not in application.arguments:
                message = f'The directive "@{name}" on "{place}" lacks its required argument "{argument.name}"'
                yield self.error(message, application.node)


def _must_hold_one(type_: TypeRef) -> bool:
    return isinstance(type_, NonNullRef) and not isinstance(type_.of, ListRef)


def _is_tolerated_null(value: Literal, application: Application, argument: str) -> bool:
    """Null for a custom directive, as published SDL has it; and for a field set, whose own check has a better code."""
    return value is None and (not application.spec or argument == "fields")


def is_subtype(type_: TypeRef, of: TypeRef, schema: Schema) -> bool:
    """Whether every value of ``type_`` is one of ``of``: equal, non-null for nullable, implementation for interface."""
    if type_ == of:
        return True
    if isinstance(of, NonNullRef):
        return isinstance(type_, NonNullRef) and is_subtype(type_.of, of.of, schema)
    if isinstance(type_, NonNullRef):
        return is_subtype(type_.of, of, schema)
    if isinstance(type_, ListRef) or isinstance(of, ListRef):
        return isinstance(type_, ListRef) and isinstance(of, ListRef) and is_subtype(type_.of, of.of, schema)
    if type_.name in BUILT_IN_SCALARS:
        return False
    wide, narrow = schema.types.get(of.name), schema.types.get(type_.name)
    if wide is None or narrow is None:
        return False
    return of.name in narrow.interfaces or type_.name in wide.members


def check_merged_rules(schema: Schema) -> Iterator[CompositionError]:
    """Breaches that merging itself can cause: fields that no longer fit their interface, defaults their type."""
    rules = _Rules(schema, {}, "")
    for type_ in schema.types.values():
        for error in (*rules.implementations(type_), *_unfit_defaults(rules, type_)):
            yield replace(error, subgraph=None, locations=())
        yield from _out_of_place(schema, type_)
        for place, applications in _applications_within(type_):
            for application in applications:
                definition = schema.directives.get(application.name)
                if definition is not None:
                    for error in rules.application_arguments(application, definition, place):
                        yield replace(error, subgraph=None)


def _unfit_defaults(rules: _Rules, type_: TypeDefinition) -> Iterator[CompositionError]:
    """Default values with an enum value or input field that is left out, as not all subgraphs have it."""
    for value in type_.inputs.values():
        yield from rules.default_value(value, f"{type_.name}.{value.name}")
    for field in type_.fields.values():
        for argument in field.arguments.values():
            yield from rules.default_value(argument, f"{type_.name}.{field.name}({argument.name}:)")


def _out_of_place(schema: Schema, type_: TypeDefinition) -> Iterator[CompositionError]:
    """What is applied to an ``@interfaceObject`` is on an interface in the supergraph."""
    if type_.kind is not TypeKind.INTERFACE:
        return
    for application in type_.directives:
        definition = schema.directives.get(application.name)
        locations = definition.locations if definition else ("INTERFACE",)
        if "INTERFACE" not in locations or application.spec == "cost":
            message = f'The directive "@{application.name}" on "{type_.name}" may not be used on an interface'
            yield CompositionError(ErrorCode.INVALID_GRAPHQL, f"{message}, as which the supergraph has it")


def _applications_within(type_: TypeDefinition) -> Iterator[tuple[str, tuple[Application, ...]]]:
    yield type_.name, type_.directives
    members: tuple[Field | InputValue | EnumValue, ...] = (
        *type_.fields.values(),
        *type_.inputs.values(),
        *type_.values.values(),
    )
    for member in members:
        if member.directives:
            yield f"{type_.name}.{member.name}", member.directives
