"""The query graph: where every field can be read, and how to come from one subgraph to another.

Theory of operation. A *node* is ``(subgraph, type, view)``: standing at an object, inside one subgraph, which knows the
object as ``type``; the view holds what a ``@provides`` on the way here made readable beyond the usual. Three kinds of
edge lead on:

=========  ==========================================  =====================================================
edge       from -> to                                  needs
=========  ==========================================  =====================================================
field      (S, T, v) -> (S, type of the field, v')     nothing, or the ``@requires`` of the field
cast       (S, abstract, v) -> (S, member, v)          that S has the member, and knows types by name
jump       any node of T -> (S', T or interface, -)    a resolvable ``@key`` of T in S', read before the jump
=========  ==========================================  =====================================================

A field with contextual arguments needs a jump too, and values of the objects around it: of the nearest one whose type
sets the context. A jump costs one request later in time, the others nothing. Planning is a search for the cheapest ways
over these edges; the graph itself is built once per supergraph, and never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from router.supergraph.field_set import FieldSet


class TypeKind(StrEnum):
    """What a subgraph knows a composite type as."""

    OBJECT = "object"
    INTERFACE = "interface"
    UNION = "union"
    INTERFACE_OBJECT = "interface object"


@dataclass(frozen=True, slots=True)
class ContextualArgument:
    """An argument with ``@fromContext``: ``selection`` of the nearest enclosing object whose type sets ``context``.

    ``type`` is the argument's type, as text.
    """

    name: str
    type: str
    context: str
    selection: FieldSet


@dataclass(frozen=True, slots=True)
class FieldEdge:
    """A field as one subgraph has it.

    ``type`` is the subgraph's own type of it, as text, and ``target`` the name at its core. ``external`` fields are
    readable under a view only. With a ``label`` (progressive ``@override``) the field is readable where the label's
    being active equals ``when_active``.
    """

    name: str
    type: str
    target: str
    composite: bool
    external: bool = False
    requires: FieldSet = ()
    provides: FieldSet = ()
    label: str | None = None
    when_active: bool = False
    contextual: tuple[ContextualArgument, ...] = ()

    @property
    def is_computed(self) -> bool:
        """Whether the field needs values that a request has to bring before."""
        return bool(self.requires or self.contextual)


@dataclass(frozen=True, slots=True)
class SubgraphType:
    """A composite type as one subgraph knows it; ``possible`` are the object types it can be there."""

    name: str
    kind: TypeKind
    fields: Mapping[str, FieldEdge]
    possible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """A way into ``subgraph`` at an entity: send ``key``, arrive at ``type_name`` (or its interface object)."""

    subgraph: str
    type_name: str
    key: FieldSet


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field as the supergraph has it: whether it may be null, and the name at the core of its type."""

    nullable: bool
    target: str
    composite: bool


@dataclass(frozen=True, slots=True)
class MergedType:
    """A composite type as the supergraph has it; ``possible`` are its object types, itself for an object."""

    name: str
    abstract: bool
    fields: Mapping[str, MergedField]
    possible: tuple[str, ...]
    interfaces: frozenset[str]


@dataclass(frozen=True, slots=True)
class QueryGraph:
    """All subgraphs' composite types, the jumps into each type, and the merged types above them.

    ``contexts`` names the types that set each context, those included that an abstract one of them can be;
    ``contextual`` are all arguments that take their value from one.
    """

    subgraphs: tuple[str, ...]
    types: Mapping[tuple[str, str], SubgraphType]
    merged: Mapping[str, MergedType]
    jumps: Mapping[str, tuple[Jump, ...]]
    roots: Mapping[str, str]
    contexts: Mapping[str, frozenset[str]]
    contextual: tuple[ContextualArgument, ...]
