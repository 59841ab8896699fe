"""``@inaccessible``: what clients see must make sense without what is hidden from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from router.composition.errors import CompositionError, SourceLocation, locate
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import (
    DirectiveDefinition,
    EnumValue,
    Field,
    InputValue,
    Schema,
    TypeDefinition,
    TypeKind,
    applied,
)
from router.federation.directives import EXECUTABLE_LOCATIONS, NoDefault
from router.federation.error_codes import ErrorCode
from router.federation.literals import EnumLiteral, Literal, ObjectLiteral
from router.federation.type_ref import ListRef, NonNullRef, TypeRef, named_type

Owner = TypeDefinition | DirectiveDefinition


def check_inaccessible(schema: Schema, subgraphs: Sequence[PreparedSubgraph]) -> Iterator[CompositionError]:
    """Errors ``*INACCESSIBLE*`` of a merged schema."""
    yield from _Check(schema, subgraphs).check()


def is_hidden(element: TypeDefinition | Field | InputValue | EnumValue) -> bool:
    """Whether an element is marked ``@inaccessible`` itself."""
    return bool(element.directives) and applied(element, "inaccessible") is not None


@dataclass(frozen=True, slots=True)
class _Check:
    """The checks, bound to one schema."""

    schema: Schema
    subgraphs: Sequence[PreparedSubgraph]

    def error(self, code: ErrorCode, message: str, owner: Owner) -> CompositionError:
        return CompositionError(code, message, None, self._places(owner))

    def _places(self, owner: Owner) -> tuple[SourceLocation, ...]:
        found: list[SourceLocation] = []
        for subgraph in self.subgraphs:
            schema = subgraph.schema
            declared = (schema.types if isinstance(owner, TypeDefinition) else schema.directives).get(owner.name)
            if declared is not None:
                found += locate(subgraph.name, (declared.node,))
        return tuple(found)

    def check(self) -> Iterator[CompositionError]:
        query = self.schema.types["Query"]
        if is_hidden(query):
            message = 'The root type "Query" is @inaccessible, but clients need it'
            yield self.error(ErrorCode.QUERY_ROOT_TYPE_INACCESSIBLE, message, query)
        for type_ in self.schema.types.values():
            if is_hidden(type_):
                continue
            yield from self.children(type_)
            for field in type_.fields.values():
                if not is_hidden(field):
                    yield from self.field(type_, field)
            for value in type_.inputs.values():
                place = f"{type_.name}.{value.name}"
                yield from self.input_value(type_, place, value)
            if type_.interfaces:
                yield from self.implementations(type_)
        for directive in self.schema.directives.values():
            if not EXECUTABLE_LOCATIONS.isdisjoint(directive.locations):
                yield from self.directive(directive)

    def children(self, type_: TypeDefinition) -> Iterator[CompositionError]:
        members: Iterable[TypeDefinition | Field | InputValue | EnumValue]
        match type_.kind:
            case TypeKind.OBJECT | TypeKind.INTERFACE:
                members, what = type_.fields.values(), "fields"
            case TypeKind.INPUT_OBJECT:
                members, what = type_.inputs.values(), "fields"
            case TypeKind.ENUM:
                members, what = type_.values.values(), "values"
            case TypeKind.UNION:
                members, what = [self.schema.types[name] for name in type_.members], "members"
            case _:
                return
        hidden = [is_hidden(member) for member in members]
        if hidden and all(hidden):
            message = f'"{type_.name}" is visible to clients, but all its {what} are @inaccessible'
            yield self.error(ErrorCode.ONLY_INACCESSIBLE_CHILDREN, message, type_)

    def field(self, type_: TypeDefinition, field: Field) -> Iterator[CompositionError]:
        place = f"{type_.name}.{field.name}"
        yield from self.reference(type_, place, field.type)
        for argument in field.arguments.values():
            yield from self.input_value(type_, f"{place}({argument.name}:)", argument)

    def directive(self, directive: DirectiveDefinition) -> Iterator[CompositionError]:
        for argument in directive.arguments.values():
            yield from self.input_value(directive, f"@{directive.name}({argument.name}:)", argument)

    def reference(self, owner: Owner, place: str, reference: TypeRef) -> Iterator[CompositionError]:
        target = self.schema.types.get(named_type(reference))
        if target is not None and is_hidden(target):
            message = f'"{target.name}" is @inaccessible, but "{place}", which clients see, is of this type'
            yield self.error(ErrorCode.REFERENCED_INACCESSIBLE, message, owner)

    def input_value(self, owner: Owner, place: str, value: InputValue) -> Iterator[CompositionError]:
        if is_hidden(value):
            if value.is_required:
                message = f'"{place}" is @inaccessible, but clients would have to give it, as it is required'
                yield self.error(ErrorCode.REQUIRED_INACCESSIBLE, message, owner)
            return
        yield from self.reference(owner, place, value.type)
        if not isinstance(value.default, NoDefault):
            for used in self.hidden_in(value.default, value.type):
                message = f'"{used}" is @inaccessible, but the default value of "{place}", which clients see, uses it'
                yield self.error(ErrorCode.DEFAULT_VALUE_USES_INACCESSIBLE, message, owner)

    def hidden_in(self, value: Literal, type_: TypeRef) -> Iterator[str]:
        """The hidden enum values and input fields that a default value uses."""
        if isinstance(type_, NonNullRef):
            yield from self.hidden_in(value, type_.of)
        elif isinstance(type_, ListRef):
            for item in value if isinstance(value, tuple) else (value,):
                yield from self.hidden_in(item, type_.of)
        else:
            definition = self.schema.types.get(type_.name)
            if definition is not None:
                yield from self._hidden_in_named(value, definition)

    def _hidden_in_named(self, value: Literal, type_: TypeDefinition) -> Iterator[str]:
        if type_.kind is TypeKind.ENUM:
            name = value.name if isinstance(value, EnumLiteral) else value
            if isinstance(name, str) and name in type_.values and is_hidden(type_.values[name]):
                yield f"{type_.name}.{name}"
        elif isinstance(value, ObjectLiteral):
            inputs: Mapping[str, InputValue] = type_.inputs
            for name, inner in value.fields:
                declared = inputs.get(name)
                if declared is not None:
                    if is_hidden(declared):
                        yield f"{type_.name}.{name}"
                    yield from self.hidden_in(inner, declared.type)

    def implementations(self, type_: TypeDefinition) -> Iterator[CompositionError]:
        for name in type_.interfaces:
            interface = self.schema.types.get(name)
            if interface is None or is_hidden(interface):
                continue
            for field in interface.fields.values():
                own = type_.fields.get(field.name)
                if own is not None and not is_hidden(field):
                    yield from self.implemented_field(type_, own, interface, field)

    def implemented_field(
        self, type_: TypeDefinition, own: Field, interface: TypeDefinition, field: Field
    ) -> Iterator[CompositionError]:
        code = ErrorCode.IMPLEMENTED_BY_INACCESSIBLE
        place = f"{type_.name}.{own.name}"
        if is_hidden(own):
            message = f'"{place}" is @inaccessible, but implements "{interface.name}.{field.name}", which clients see'
            yield self.error(code, message, type_)
            return
        for argument in field.arguments.values():
            found = own.arguments.get(argument.name)
            if found is not None and is_hidden(found) and not is_hidden(argument):
                message = f'"{place}({found.name}:)" is @inaccessible, but clients see it on "{interface.name}"'
                yield self.error(code, message, type_)
