"""The composer's model of a schema: what an SDL document says, by name, with the places where it says it.

The same model holds a subgraph before merging and the supergraph after it. Extensions are merged into their type;
``block`` numbers say which definition or extension of the type an element was written in (0 is the first).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from graphql import Node

from router.federation.directives import NO_DEFAULT, NoDefault
from router.federation.literals import Literal
from router.federation.type_ref import NonNullRef, TypeRef


class TypeKind(Enum):
    """The six kinds of named types; the value is how messages call them."""

    SCALAR = "scalar"
    OBJECT = "object type"
    INTERFACE = "interface"
    UNION = "union"
    ENUM = "enum"
    INPUT_OBJECT = "input object type"

    @property
    def is_composite(self) -> bool:
        """Whether a selection set may follow a field of this kind."""
        return self in _COMPOSITE

    @property
    def is_abstract(self) -> bool:
        """Whether values are of another, concrete type."""
        return self in {TypeKind.INTERFACE, TypeKind.UNION}


_COMPOSITE = frozenset({TypeKind.OBJECT, TypeKind.INTERFACE, TypeKind.UNION})
BUILT_IN_SCALARS = ("Int", "Float", "String", "Boolean", "ID")
ROOT_NAMES = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


@dataclass(frozen=True, slots=True)
class Application:
    """A directive applied to an element.

    ``spec`` is the name that the Federation specification gives the directive (``key`` for ``@federation__key``), or
    the empty string if it is none of Federation's.
    """

    name: str
    arguments: Mapping[str, Literal] = field(default_factory=dict)
    spec: str = ""
    node: Node | None = None
    block: int = 0


@dataclass(frozen=True, slots=True)
class InputValue:
    """An argument or an input object's field."""

    name: str
    type: TypeRef
    default: Literal | NoDefault = NO_DEFAULT
    description: str | None = None
    directives: tuple[Application, ...] = ()
    node: Node | None = None

    @property
    def is_required(self) -> bool:
        """Whether a value must be given: non-null without a default."""
        return isinstance(self.type, NonNullRef) and isinstance(self.default, NoDefault)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface type."""

    name: str
    type: TypeRef
    arguments: Mapping[str, InputValue] = field(default_factory=dict)
    description: str | None = None
    directives: tuple[Application, ...] = ()
    node: Node | None = None
    block: int = 0


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum."""

    name: str
    description: str | None = None
    directives: tuple[Application, ...] = ()
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One definition or extension that a type is made of."""

    is_extension: bool
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A named type with everything its definition and extensions add up to; what its kind has not is empty."""

    kind: TypeKind
    name: str
    description: str | None = None
    directives: tuple[Application, ...] = ()
    interfaces: Mapping[str, Node | None] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    inputs: Mapping[str, InputValue] = field(default_factory=dict)
    members: Mapping[str, Node | None] = field(default_factory=dict)
    values: Mapping[str, EnumValue] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()

    @property
    def node(self) -> Node | None:
        """Where the type is defined first."""
        return self.blocks[0].node if self.blocks else None

    @property
    def is_extension_only(self) -> bool:
        """Whether the type is extended here and defined nowhere."""
        return bool(self.blocks) and all(block.is_extension for block in self.blocks)


@dataclass(frozen=True, slots=True)
class DirectiveDefinition:
    """The definition of a directive."""

    name: str
    locations: tuple[str, ...]
    arguments: Mapping[str, InputValue] = field(default_factory=dict)
    repeatable: bool = False
    description: str | None = None
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """All types and directives by name; ``roots`` maps ``query``, ``mutation``, ``subscription`` to type names."""

    types: Mapping[str, TypeDefinition] = field(default_factory=dict)
    directives: Mapping[str, DirectiveDefinition] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)
    applications: tuple[Application, ...] = ()
    description: str | None = None

    def kind_of(self, name: str) -> TypeKind | None:
        """The kind of the type ``name``, or None if there is no such type."""
        if name in self.types:
            return self.types[name].kind
        return TypeKind.SCALAR if name in BUILT_IN_SCALARS else None

    def possible_types(self, name: str) -> tuple[str, ...]:
        """The object types that a value of type ``name`` can be of."""
        definition = self.types.get(name)
        if definition is None:
            return ()
        if definition.kind is TypeKind.UNION:
            return tuple(definition.members)
        if definition.kind is TypeKind.INTERFACE:
            return tuple(
                other.name
                for other in self.types.values()
                if other.kind is TypeKind.OBJECT and name in other.interfaces
            )
        return (name,)


def applied(element: TypeDefinition | Field | InputValue | EnumValue | Schema, spec: str) -> Application | None:
    """The first application of Federation's directive ``spec`` on an element, or None."""
    applications = element.applications if isinstance(element, Schema) else element.directives
    return next((application for application in applications if application.spec == spec), None)


def all_applied(element: TypeDefinition | Field | Schema, spec: str) -> tuple[Application, ...]:
    """All applications of Federation's directive ``spec`` on an element, in the order written."""
    applications = element.applications if isinstance(element, Schema) else element.directives
    return tuple(application for application in applications if application.spec == spec)
