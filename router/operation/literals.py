"""Literals of a document lifted to variables, so that operations which differ in nothing else share one plan.

``{ product(upc: "1") { name } }`` becomes ``{ product(upc: $literal_0) { name } }`` with ``{"literal_0": "1"}``.

Lifted are the constant arguments of fields, or the constant parts of those that hold variables too. What stays where
it is: arguments of directives (``@include(if: true)`` is folded), default values of variables, ``null`` (no value is
not a value), numbers, objects and lists of custom scalars (JSON would not carry each of them without loss), and
introspection, which is answered once for each text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_required_input_field,
    is_specified_scalar_type,
)

INTROSPECTION = frozenset({"__typename", "__schema", "__type"})


@dataclass(frozen=True, slots=True)
class LiftedDocument:
    """A document's text with variables for literals: ``types`` and ``values`` by name, the values as JSON."""

    text: str
    types: Mapping[str, str]
    values: Mapping[str, object]


class _StaysError(Exception):
    """A literal that has to stay."""


class _UnsoundError(Exception):
    """What validation is going to refuse."""


def lift_literals(schema: GraphQLSchema, document: DocumentNode, text: str) -> LiftedDocument | None:
    """``text``, parsed with locations as ``document``, without its literals; None if something in it is not valid.

    What is lifted is valid for its place in ``schema``. Whether the document is valid otherwise depends on the lifted
    text alone: literals that have to be equal, in fields that merge, are one variable, and others never are.
    """
    try:
        return _Lifting(schema, document).lift(document, text)
    except (_UnsoundError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class _Site:
    """A literal at its place in the text."""

    start: int
    end: int
    name: str


@dataclass(slots=True)
class _Lifting:
    """The walk over one document; ``prefix`` begins no name of the client's variables."""

    schema: GraphQLSchema
    document: DocumentNode
    prefix: str = "literal"
    sites: list[_Site] = field(default_factory=list)
    names: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)

    def lift(self, document: DocumentNode, text: str) -> LiftedDocument:
        declared = {name for one in document.definitions for name in _variables(one)}
        while any(name.startswith(self.prefix) for name in declared):
            self.prefix = f"_{self.prefix}"
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                root = self.schema.get_root_type(definition.operation)
                self._walk(definition.selection_set, root, text)
            elif isinstance(definition, FragmentDefinitionNode):
                condition = self.schema.get_type(definition.type_condition.name.value)
                self._walk(definition.selection_set, condition, text)
        return LiftedDocument(self._spliced(text), self.types, self.values)

    def _spliced(self, text: str) -> str:
        parts: list[str] = []
        last = 0
        for site in sorted(self.sites, key=lambda site: site.start):
            parts += (text[last : site.start], "$", site.name)
            last = site.end
        return "".join([*parts, text[last:]])

    def _walk(self, selection_set: SelectionSetNode, parent: object, text: str) -> None:
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                self._read_field(node, parent, text)
            elif isinstance(node, InlineFragmentNode):
                condition = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                self._walk(node.selection_set, condition, text)

    def _read_field(self, node: FieldNode, parent: object, text: str) -> None:
        if node.name.value in INTROSPECTION:
            return
        definition = (
            parent.fields.get(node.name.value) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        )
        if definition is None:
            raise _UnsoundError
        for given in node.arguments or ():
            argument = definition.args.get(given.name.value)
            if argument is None:
                raise _UnsoundError
            place = (node.alias or node.name).value, f"{node.name.value}.{given.name.value}"
            self._read_value(given.value, argument.type, place, text)
        if node.selection_set:
            self._walk(node.selection_set, get_named_type(definition.type), text)

    def _read_value(self, node: ValueNode, type_: GraphQLInputType, place: tuple[str, str], text: str) -> None:
        """Lift ``node``, or those of its parts that can be."""
        if isinstance(node, VariableNode | NullValueNode):
            return
        nullable = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        try:
            self._lift(node, json_of(node, nullable), f"{nullable}!", place, text)
        except _StaysError:
            for name, part, part_type in _parts(node, nullable):
                self._read_value(part, part_type, (place[0], f"{place[1]}.{name}"), text)

    def _lift(self, node: ValueNode, value: object, type_: str, place: tuple[str, str], text: str) -> None:
        if node.loc is None:
            raise _UnsoundError
        start, end = node.loc.start, node.loc.end
        # Equal literals are one variable where fields may merge, and nowhere else, so that few texts differ.
        name = self.names.setdefault((*place, type_, text[start:end]), f"{self.prefix}_{len(self.names)}")
        self.types[name], self.values[name] = type_, value
        self.sites.append(_Site(start, end, name))


def _variables(definition: object) -> Iterator[str]:
    if isinstance(definition, OperationDefinitionNode):
        for one in definition.variable_definitions or ():
            yield one.variable.name.value


def _parts(node: ValueNode, type_: GraphQLInputType) -> Iterator[tuple[str, ValueNode, GraphQLInputType]]:
    """The parts of an input object or list with their types. What is no literal of a type is for validation."""
    if isinstance(node, ObjectValueNode) and isinstance(type_, GraphQLInputObjectType):
        for member in node.fields:
            if member.name.value not in type_.fields:
                raise _UnsoundError
            yield member.name.value, member.value, type_.fields[member.name.value].type
    elif isinstance(node, ListValueNode) and isinstance(type_, GraphQLList):
        for item in node.values:
            yield "*", item, type_.of_type


def json_of(node: ValueNode, type_: GraphQLInputType) -> object:
    """A literal as the JSON that a variable of ``type_`` has for it; input fields left out stay left out.

    Raises _StaysError where it holds variables or has to stay, _UnsoundError where it does not fit.
    """
    if isinstance(node, VariableNode):
        raise _StaysError
    if isinstance(type_, GraphQLNonNull):
        if isinstance(node, NullValueNode):
            raise _UnsoundError
        return json_of(node, type_.of_type)
    if isinstance(node, NullValueNode):
        return None
    if isinstance(type_, GraphQLList):
        items = node.values if isinstance(node, ListValueNode) else (node,)
        return [json_of(item, type_.of_type) for item in items]
    if isinstance(type_, GraphQLInputObjectType):
        return _object_of(node, type_)
    if isinstance(type_, GraphQLEnumType):
        if not isinstance(node, EnumValueNode) or node.value not in type_.values:
            raise _UnsoundError
        return node.value
    return _scalar_of(node, type_)


def _object_of(node: ValueNode, type_: GraphQLInputObjectType) -> dict[str, object]:
    if not isinstance(node, ObjectValueNode):
        raise _UnsoundError
    given = {member.name.value: member.value for member in node.fields}
    required = {name for name, member in type_.fields.items() if is_required_input_field(member)}
    if len(given) < len(node.fields) or not given.keys() <= type_.fields.keys() or not required <= given.keys():
        raise _UnsoundError
    if getattr(type_, "is_one_of", False):
        raise _StaysError
    return {name: json_of(value, type_.fields[name].type) for name, value in given.items()}


def _scalar_of(node: ValueNode, type_: GraphQLScalarType) -> object:
    if not is_specified_scalar_type(type_):
        if not isinstance(node, StringValueNode | BooleanValueNode):
            raise _StaysError
        return node.value
    try:
        return type_.parse_literal(node)
    except GraphQLError:
        raise _UnsoundError from None
