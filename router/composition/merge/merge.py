"""The merge: prepared subgraphs -> the supergraph's schema and links, with errors and hints.

Implemented interfaces and union members are known first, as they decide which types are subtypes; then types are
merged by kind, enums last, as their values depend on where the merged fields and arguments use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router.composition.errors import CompositionError
from router.composition.hints import CompositionHint
from router.composition.merge.applied_directives import DirectiveMerge, MergedDirective, graphql_directive
from router.composition.merge.auth import propagate_auth
from router.composition.merge.compose_directives import ComposedDirectives, read_composed_directives
from router.composition.merge.context import MergeContext
from router.composition.merge.core_features import SupergraphLink, read_core_features
from router.composition.merge.descriptions import merge_description
from router.composition.merge.enum_types import merge_enum_type, type_positions
from router.composition.merge.executable_directives import merge_executable_directives
from router.composition.merge.fields import FieldOverridesByCoordinate
from router.composition.merge.input_types import merge_input_type_definition
from router.composition.merge.interface_types import add_interface_object_fields, merge_interface_type
from router.composition.merge.join_directive import (
    add_join_directives,
    connect_links,
    implicit_upgrade_hints,
    join_schema_directives,
)
from router.composition.merge.object_types import merge_object_type
from router.composition.merge.relations import extensions_without_base, kind_mismatches, read_relations
from router.composition.merge.scalar_types import merge_scalar_type
from router.composition.merge.scoped_contexts import with_scoped_contexts
from router.composition.merge.union_types import merge_union_type
from router.composition.preprocess.prepared import PreparedSubgraph
from router.composition.schema import ROOT_NAMES, Schema, TypeDefinition, TypeKind
from router.federation.error_codes import ErrorCode
from router.federation.feature_url import Version
from router.federation.join_spec import graph_enum_names, join_version

_GRAPHQL_DIRECTIVES = (("deprecated", ""), ("specifiedBy", ""), ("oneOf", "oneOf"))


@dataclass(frozen=True, slots=True)
class Merged:
    """The supergraph before it is checked as a whole; ``schema`` is None where there are errors.

    ``directive_definitions`` and ``type_definitions`` are the SDL of what the linked features define.
    """

    subgraphs: tuple[PreparedSubgraph, ...]
    graphs: tuple[str, ...]
    schema: Schema
    links: tuple[SupergraphLink, ...]
    join_version: Version
    directive_definitions: Mapping[str, str]
    type_definitions: Mapping[str, str]
    overrides: FieldOverridesByCoordinate
    errors: tuple[CompositionError, ...]
    hints: tuple[CompositionHint, ...]


def merge_subgraphs(subgraphs: Sequence[PreparedSubgraph]) -> Merged:
    """Merge subgraphs, which are in the order of their names; errors and hints are collected in the result."""
    scoped = tuple(with_scoped_contexts(subgraph) for subgraph in subgraphs)
    names = graph_enum_names(subgraph.name for subgraph in scoped)
    graphs = tuple(names[subgraph.name] for subgraph in scoped)
    context = MergeContext(scoped, graphs, read_relations(scoped))
    features = read_core_features(context)
    composed = read_composed_directives(context)
    implicit_upgrade_hints(context)
    merge = _Merge(context, features.directives, composed)
    schema = merge.schema() if not context.errors else Schema()
    version = join_version(max(subgraph.effective_version for subgraph in scoped))
    return Merged(
        scoped,
        graphs,
        schema,
        (*features.links, *connect_links(context), *composed.links),
        version,
        features.directive_definitions,
        features.type_definitions,
        merge.overrides,
        tuple(context.errors),
        tuple(context.hints),
    )


class _Merge:
    """Merges one kind of type after the other."""

    def __init__(
        self, context: MergeContext, features: Sequence[MergedDirective], composed: ComposedDirectives
    ) -> None:
        self.context = context
        self.composed = composed
        self.overrides: FieldOverridesByCoordinate = {}
        graphql = tuple(graphql_directive(name, spec) for name, spec in _GRAPHQL_DIRECTIVES)
        self.directives = DirectiveMerge(context, (*features, *graphql, *composed.directives))

    def schema(self) -> Schema:
        """The merged schema; errors are in the context."""
        context = self.context
        context.errors.extend((*kind_mismatches(context.subgraphs), *extensions_without_base(context.subgraphs)))
        types = self._types()
        add_interface_object_fields(context, types)
        propagate_auth(context, self.directives, types)
        executable = merge_executable_directives(context, self.directives, self.composed.definitions)
        positions = type_positions(types.values(), executable.values())
        for name in self._of_kind(TypeKind.ENUM):
            sources = context.type_sources(name)
            types[name] = merge_enum_type(context, self.directives, name, sources, positions)
        if not types[ROOT_NAMES["query"]].fields:
            context.error(ErrorCode.NO_QUERIES, "No subgraph has a query: a supergraph needs at least one", {})
        schemas = {index: subgraph.schema for index, subgraph in enumerate(context.subgraphs)}
        applications = self.directives.merge("schema", {i: schema.applications for i, schema in schemas.items()}, {})
        roots = {op: name for op, name in ROOT_NAMES.items() if any(op in s.roots for s in schemas.values())}
        return Schema(
            add_join_directives(context, types),
            {**executable, **self.composed.definitions},
            roots,
            (*join_schema_directives(context), *applications),
            merge_description(context, None, {i: _Described(schema.description) for i, schema in schemas.items()}),
        )

    def _of_kind(self, kind: TypeKind) -> list[str]:
        return [name for name, found in self.context.relations.kinds.items() if found is kind]

    def _types(self) -> dict[str, TypeDefinition]:
        """All types but enums."""
        context, directives = self.context, self.directives
        types: dict[str, TypeDefinition] = {}
        for name in self._of_kind(TypeKind.UNION):
            types[name] = merge_union_type(context, directives, name, context.type_sources(name))
        for name in self._of_kind(TypeKind.SCALAR):
            types[name] = merge_scalar_type(context, directives, name, context.type_sources(name))
        for name in self._of_kind(TypeKind.INPUT_OBJECT):
            types[name] = merge_input_type_definition(context, directives, name, context.type_sources(name))
        for kind, merge_type in (
            (TypeKind.INTERFACE, merge_interface_type),
            (TypeKind.OBJECT, merge_object_type),
        ):
            for name in self._of_kind(kind):
                types[name] = merge_type(context, directives, name, context.type_sources(name), self.overrides)
        return types


@dataclass(frozen=True, slots=True)
class _Described:
    """The schema itself, for its description."""

    description: str | None
    node: None = None
