"""The field sets of ``@key``, ``@requires`` and ``@provides``, resolved against their subgraph and checked.

``@key(fields: "org { id }")`` on ``User`` resolves to the coordinates ``User.org`` and ``Org.id``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from router.composition.errors import CompositionError, subgraph_error
from router.composition.preprocess.usage import FieldUsage
from router.composition.preprocess.values import fits
from router.composition.schema import (
    Application,
    Field,
    Schema,
    TypeDefinition,
    all_applied,
)
from router.composition.words import shorten
from router.federation.error_codes import ErrorCode
from router.federation.field_set import FieldSelection, FieldSetError, FragmentSelection, Selection, parse_field_set
from router.federation.literals import print_literal
from router.federation.type_ref import named_type

_SKIP_OR_INCLUDE = ("@skip", "@include")


@dataclass(frozen=True, slots=True)
class FieldSetUse:
    """One application of a directive with a field set: on ``coordinate``, selecting from ``parent``."""

    directive: str
    application: Application
    coordinate: str
    parent: str

    @property
    def text(self) -> str | None:
        """The field set's text, or None where ``fields`` is not a string."""
        value = self.application.arguments.get("fields")
        return value if isinstance(value, str) else None


def field_set_uses(schema: Schema) -> Iterator[FieldSetUse]:
    """Every ``@key``, ``@requires`` and ``@provides`` of a schema."""
    for type_ in schema.types.values():
        for key in all_applied(type_, "key"):
            yield FieldSetUse("key", key, type_.name, type_.name)
        for field in type_.fields.values():
            for application in field.directives:
                if application.spec == "requires":
                    yield FieldSetUse("requires", application, f"{type_.name}.{field.name}", type_.name)
                elif application.spec == "provides":
                    yield FieldSetUse("provides", application, f"{type_.name}.{field.name}", named_type(field.type))


def check_field_sets(schema: Schema, usage: FieldUsage, subgraph: str, *, lenient: bool) -> Iterator[CompositionError]:
    """Errors of every field set; ``lenient`` is for Federation 1, whose sets may hold fields that are not external."""
    for use in field_set_uses(schema):
        yield from _FieldSetCheck(schema, usage, subgraph, use, lenient).check()


@dataclass(frozen=True, slots=True)
class _FieldSetCheck:
    """The checks of one field set; codes begin with the directive's name, as in ``KEY_INVALID_FIELDS``."""

    schema: Schema
    usage: FieldUsage
    subgraph: str
    use: FieldSetUse
    lenient: bool

    def error(self, suffix: str, message: str) -> CompositionError:
        use = self.use
        code = ErrorCode(f"{use.directive.upper()}_{suffix}")
        shown = shorten(print_literal(use.application.arguments.get("fields")))
        text = f'On "{use.coordinate}", for @{use.directive}(fields: {shown}): {message}'
        return subgraph_error(code, text, self.subgraph, use.application.node)

    def check(self) -> Iterator[CompositionError]:
        parent = self.schema.types.get(self.use.parent)
        if "fields" not in self.use.application.arguments or parent is None or not parent.kind.is_composite:
            return
        text = self.use.text
        if text is None:
            if not self.lenient:
                yield self.error("INVALID_FIELDS_TYPE", "the field set must be a string")
            return
        try:
            selections = parse_field_set(text)
        except FieldSetError as error:
            yield self.error("INVALID_FIELDS", error.message)
            return
        faults = list(self.selections(parent, selections, under_external=False))
        unreadable = [fault for fault in faults if fault.code.endswith("INVALID_FIELDS")]
        yield from unreadable[:1] or faults

    def selections(
        self, parent: TypeDefinition, selections: Sequence[Selection], *, under_external: bool
    ) -> Iterator[CompositionError]:
        for selection in selections:
            yield from self.directives(selection.directives)
            if isinstance(selection, FragmentSelection):
                yield from self.fragment(parent, selection, under_external=under_external)
            elif selection.name == "__typename":
                yield from self.typename(parent, under_external=under_external)
            else:
                yield from self.field(parent, selection, under_external=under_external)

    def directives(self, directives: Sequence[str]) -> Iterator[CompositionError]:
        for directive in directives:
            name = directive[1:].partition("(")[0]
            if name not in self.schema.directives and not directive.startswith(_SKIP_OR_INCLUDE):
                yield self.error("INVALID_FIELDS", f'unknown directive "@{name}"')
            else:
                yield self.error("DIRECTIVE_IN_FIELDS_ARG", f"a field set cannot apply directives, but has {directive}")

    def fragment(
        self, parent: TypeDefinition, fragment: FragmentSelection, *, under_external: bool
    ) -> Iterator[CompositionError]:
        target = parent
        if fragment.type_condition is not None:
            found = self.schema.types.get(fragment.type_condition)
            if found is None or not found.kind.is_composite:
                yield self.error("INVALID_FIELDS", f'there is no type "{fragment.type_condition}" to select from')
                return
            target = found
        yield from self.selections(target, fragment.selections, under_external=under_external)

    def typename(self, parent: TypeDefinition, *, under_external: bool) -> Iterator[CompositionError]:
        """Every subgraph with a type can tell ``__typename``, so it is never external by itself."""
        if self.use.directive != "key" and not under_external and not self.lenient:
            message = f'"{parent.name}.__typename" is resolved by this subgraph itself'
            yield self.error("FIELDS_MISSING_EXTERNAL", f"{message} and should not be part of a @{self.use.directive}")

    def field(
        self, parent: TypeDefinition, selection: FieldSelection, *, under_external: bool
    ) -> Iterator[CompositionError]:
        if selection.alias is not None:
            yield self.error("INVALID_FIELDS", f'a field set cannot use aliases, such as "{selection.alias}"')
            return
        field = parent.fields.get(selection.name)
        if field is None:
            message = f'there is no field "{parent.name}.{selection.name}" in this subgraph'
            yield self.error("INVALID_FIELDS", f"{message}; declare it, with @external if another subgraph resolves it")
            return
        place = f"{parent.name}.{field.name}"
        if self.use.directive != "requires" and field.arguments:
            yield self.error(
                "FIELDS_HAS_ARGS", f'"{place}" has arguments and cannot be part of a @{self.use.directive}'
            )
        for fault in argument_faults(self.schema, place, field, selection):
            yield self.error("INVALID_FIELDS", fault)
        external = under_external or self.usage.is_external_or_implemented_so(self.schema, parent, field.name)
        target = self.schema.types.get(named_type(field.type))
        if target is not None and target.kind.is_composite:
            yield from self.composite(place, target, selection, under_external=external)
        elif selection.has_braces:
            yield self.error("INVALID_FIELDS", f'"{place}" has no fields to select')
        elif self.use.directive != "key" and not external and not self.lenient:
            message = f'"{place}" is resolved by this subgraph itself (it is not @external)'
            yield self.error("FIELDS_MISSING_EXTERNAL", f"{message} and should not be part of a @{self.use.directive}")

    def composite(
        self, place: str, target: TypeDefinition, selection: FieldSelection, *, under_external: bool
    ) -> Iterator[CompositionError]:
        if self.use.directive == "key" and target.kind.is_abstract:
            message = f'"{place}" is of the {target.kind.value} "{target.name}", which a @key cannot select'
            yield self.error("FIELDS_SELECT_INVALID_TYPE", message)
            return
        if not selection.selections:
            yield self.error(
                "INVALID_FIELDS", f'"{place}" is of type "{target.name}" and needs a selection of its fields'
            )
            return
        yield from self.selections(target, selection.selections, under_external=under_external)


def argument_faults(schema: Schema, place: str, field: Field, selection: FieldSelection) -> Iterator[str]:
    """What is wrong with the arguments that a selection gives to the ``field`` at ``place``."""
    for name, value in selection.arguments.items():
        argument = field.arguments.get(name)
        if argument is None:
            yield f'"{place}" has no argument "{name}"'
        elif not fits(value, argument.type, schema):
            yield f'the value {print_literal(value)} for "{place}({name}:)" is not of type {argument.type}'
    for argument in field.arguments.values():
        if argument.is_required and argument.name not in selection.arguments:
            yield f'"{place}" lacks its required argument "{argument.name}"'
