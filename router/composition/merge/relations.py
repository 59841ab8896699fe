"""What kind each type of the supergraph is, and which are subtypes of which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router.composition.errors import CompositionError, locate, subgraph_error
from router.composition.merge.context import TypeRelations, merged_kind
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import ROOT_NAMES, TypeDefinition, TypeKind, applied
from router.composition.words import subgraphs_named
from router.federation.error_codes import ErrorCode


def read_relations(subgraphs: Sequence[PreparedSubgraph]) -> TypeRelations:
    """Collect kinds, implemented interfaces and union members over all subgraphs; the first kind wins."""
    kinds: dict[str, TypeKind] = {}
    mixed: set[str] = set()
    interfaces: dict[str, set[str]] = {}
    members: dict[str, set[str]] = {}
    for subgraph in subgraphs:
        for name, type_ in subgraph.schema.types.items():
            kind = merged_kind(type_)
            if kinds.setdefault(name, kind) is not kind:
                mixed.add(name)
            if type_.interfaces:
                interfaces.setdefault(name, set()).update(type_.interfaces)
            if type_.members:
                members.setdefault(name, set()).update(type_.members)
    return TypeRelations(
        kinds,
        {name: frozenset(names) for name, names in interfaces.items()},
        {name: frozenset(names) for name, names in members.items()},
        frozenset(mixed),
    )


def extensions_without_base(subgraphs: Sequence[PreparedSubgraph]) -> Iterator[CompositionError]:
    """Errors ``EXTENSION_WITH_NO_BASE`` for types that are extended somewhere and defined nowhere."""
    defined = {
        (name, merged_kind(type_))
        for subgraph in subgraphs
        for name, type_ in subgraph.schema.types.items()
        if not type_.is_extension_only
    }
    for subgraph in subgraphs:
        for name, type_ in subgraph.schema.types.items():
            is_defined = (name, merged_kind(type_)) in defined
            is_root = name in ROOT_NAMES.values() and type_.kind is TypeKind.OBJECT
            if type_.is_extension_only and not is_defined and not is_root:
                message = f'"{name}" is extended, but no subgraph defines it'
                yield subgraph_error(ErrorCode.EXTENSION_WITH_NO_BASE, message, subgraph.name, type_.node)


def kind_mismatches(subgraphs: Sequence[PreparedSubgraph]) -> Iterator[CompositionError]:
    """Errors ``TYPE_KIND_MISMATCH`` for types of different kinds, and for ``@interfaceObject`` without interface.

    An ``@interfaceObject`` stands for an interface that some other subgraph defines.
    """
    by_type: dict[str, dict[int, TypeDefinition]] = {}
    for index, subgraph in enumerate(subgraphs):
        for name, type_ in subgraph.schema.types.items():
            by_type.setdefault(name, {})[index] = type_
    for name, sources in by_type.items():
        by_kind: dict[TypeKind, list[int]] = {}
        for index, type_ in sources.items():
            by_kind.setdefault(merged_kind(type_), []).append(index)
        places = tuple(p for i, type_ in sources.items() for p in locate(subgraphs[i].name, (type_.node,)))
        if len(by_kind) > 1:
            found = " but ".join(
                f"{kind.value} in {subgraphs_named([subgraphs[i].name for i in indices])}"
                for kind, indices in by_kind.items()
            )
            message = f'The type "{name}" is of different kinds: {found}'
            yield CompositionError(ErrorCode.TYPE_KIND_MISMATCH, message, None, places)
        elif all(applied(type_, "interfaceObject") for type_ in sources.values()):
            where = subgraphs_named([subgraphs[i].name for i in sources])
            message = f'"{name}" is an @interfaceObject in {where}, but no subgraph defines it as an interface'
            yield CompositionError(ErrorCode.INTERFACE_OBJECT_USAGE_ERROR, message, None, places)
