"""A supergraph document's definitions -> :class:`router.supergraph.query_graph.QueryGraph`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    print_ast,
)

from router.supergraph.field_set import FieldSet, FieldSetField
from router.supergraph.join_spec import (
    JoinField,
    JoinNames,
    JoinType,
    directive_values,
    is_machinery,
    read_join_fields,
    read_join_types,
)
from router.supergraph.query_graph import FieldEdge, Jump, MergedField, MergedType, QueryGraph, SubgraphType, TypeKind

Composite = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode | UnionTypeDefinitionNode


@dataclass(frozen=True, slots=True)
class _Joined:
    """A composite definition with all that the join spec says about it; ``graphs`` are the values of join__Graph."""

    node: Composite
    types: tuple[JoinType, ...]
    graphs: tuple[str, ...]
    owner: str | None
    implements: Mapping[str, frozenset[str]]
    members: Mapping[str, tuple[str, ...]]


def build_query_graph(document: DocumentNode, names: JoinNames, graphs: Mapping[str, str]) -> QueryGraph:
    """The query graph; ``graphs`` maps values of join__Graph to subgraph names. KeyError for an undeclared one."""
    joined = {
        definition.name.value: _read_joined(definition, names, tuple(graphs))
        for definition in document.definitions
        if isinstance(definition, Composite) and not is_machinery(definition.name.value, names)
    }
    types: dict[tuple[str, str], SubgraphType] = {}
    for joint in joined.values():
        for graph in joint.graphs:
            types[graphs[graph], joint.node.name.value] = _subgraph_type(joint, graph, joined, names)
    _add_provided_externals(types)
    roots = _roots(document, joined)
    jumps = {name: _jumps(joint, joined, graphs) for name, joint in joined.items()}
    for kind in ("query", "mutation"):
        if kind in roots:
            jumps[roots[kind]] = _jumps_to_root(joined[roots[kind]], graphs)
    contextual = (
        argument for type_ in types.values() for edge in type_.fields.values() for argument in edge.contextual
    )
    return QueryGraph(
        subgraphs=tuple(sorted(set(graphs.values()))),
        types=MappingProxyType(types),
        merged=MappingProxyType({name: _merged_type(joint, joined) for name, joint in joined.items()}),
        jumps=MappingProxyType(jumps),
        roots=MappingProxyType(roots),
        contexts=MappingProxyType(_contexts(joined, names)),
        contextual=tuple(dict.fromkeys(contextual)),
    )


def _contexts(joined: Mapping[str, _Joined], names: JoinNames) -> dict[str, frozenset[str]]:
    """The types that set each context; an abstract type sets it for all objects that it can be."""
    contexts: dict[str, frozenset[str]] = {}
    for name, joint in joined.items():
        for values in directive_values(joint.node.directives, names.context):
            context = values["name"]
            contexts[context] = contexts.get(context, frozenset()) | {name, *_possible(joint.node, joined)}
    return contexts


def _read_joined(node: Composite, names: JoinNames, all_graphs: tuple[str, ...]) -> _Joined:
    types = read_join_types(node.directives, names)
    owner = next((values["graph"] for values in directive_values(node.directives, f"{names.join}__owner")), None)
    # Up to v0.1 only entities say where they are: a value type may be anywhere a field returns it.
    graphs = tuple(dict.fromkeys(join.graph for join in types)) or all_graphs
    implements: dict[str, set[str]] = {}
    for values in directive_values(node.directives, f"{names.join}__implements"):
        implements.setdefault(values["graph"], set()).add(values["interface"])
    if not implements and names.version < (0, 2) and not isinstance(node, UnionTypeDefinitionNode):
        every = {interface.name.value for interface in node.interfaces or ()}
        implements = dict.fromkeys(graphs, every)
    members: dict[str, tuple[str, ...]] = {}
    for values in directive_values(node.directives, f"{names.join}__unionMember"):
        members[values["graph"]] = (*members.get(values["graph"], ()), values["member"])
    frozen = {graph: frozenset(interfaces) for graph, interfaces in implements.items()}
    return _Joined(node, types, graphs, owner, frozen, members)


def _subgraph_type(joint: _Joined, graph: str, joined: Mapping[str, _Joined], names: JoinNames) -> SubgraphType:
    name = joint.node.name.value
    fields: dict[str, FieldEdge] = {}
    if not isinstance(joint.node, UnionTypeDefinitionNode):
        for field in joint.node.fields or ():
            edge = _field_edge(field, joint, graph, joined, names)
            if edge is not None:
                fields[edge.name] = edge
    kind = _kind(joint, graph)
    return SubgraphType(name, kind, MappingProxyType(fields), _possible_in(joint, graph, kind, joined))


def _kind(joint: _Joined, graph: str) -> TypeKind:
    if isinstance(joint.node, UnionTypeDefinitionNode):
        return TypeKind.UNION
    if isinstance(joint.node, ObjectTypeDefinitionNode):
        return TypeKind.OBJECT
    if any(join.graph == graph and join.interface_object for join in joint.types):
        return TypeKind.INTERFACE_OBJECT
    return TypeKind.INTERFACE


def _possible_in(joint: _Joined, graph: str, kind: TypeKind, joined: Mapping[str, _Joined]) -> tuple[str, ...]:
    name = joint.node.name.value
    if kind is TypeKind.OBJECT:
        return (name,)
    if kind is TypeKind.INTERFACE_OBJECT:
        return ()
    if isinstance(joint.node, UnionTypeDefinitionNode):
        declared = tuple(member.name.value for member in joint.node.types or ())
        # Before v0.3 unions do not say who has which member.
        members = joint.members.get(graph, ()) if joint.members else declared
        return tuple(member for member in members if member in joined and graph in joined[member].graphs)
    return tuple(
        other.node.name.value
        for other in joined.values()
        if isinstance(other.node, ObjectTypeDefinitionNode) and name in other.implements.get(graph, ())
    )


def _field_edge(
    field: FieldDefinitionNode, joint: _Joined, graph: str, joined: Mapping[str, _Joined], names: JoinNames
) -> FieldEdge | None:
    joins = read_join_fields(field.directives, names)
    join = next((join for join in joins if join.graph == graph), None)
    is_key_of_v1 = names.version < (0, 2) and _is_in_key(field, joint, graph)
    if join is None and not is_key_of_v1 and (joins or joint.owner not in (None, graph)):
        return None
    join = join or JoinField(
        graph, (), (), None, external=False, override=None, override_label=None, used_overridden=False, contextual=()
    )
    type_node = join.type or field.type
    target = _named(type_node)
    return FieldEdge(
        name=field.name.value,
        type=print_ast(type_node),
        target=target,
        composite=target in joined,
        external=join.external or (join.used_overridden and join.override_label is None),
        requires=join.requires,
        provides=join.provides,
        label=join.override_label,
        when_active=join.override is not None,
        contextual=join.contextual,
    )


def _is_in_key(field: FieldDefinitionNode, joint: _Joined, graph: str) -> bool:
    """Whether ``graph`` has the field in a key, which up to v0.1 is all that tells that it has it at all."""
    keys = (join.key for join in joint.types if join.graph == graph and join.key)
    return any(isinstance(item, FieldSetField) and item.name == field.name.value for key in keys for item in key)


def _named(node: TypeNode) -> str:
    while not isinstance(node, NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]
    return node.name.value


def _merged_type(joint: _Joined, joined: Mapping[str, _Joined]) -> MergedType:
    node, name = joint.node, joint.node.name.value
    fields: dict[str, MergedField] = {}
    interfaces: frozenset[str] = frozenset()
    if not isinstance(node, UnionTypeDefinitionNode):
        interfaces = frozenset(interface.name.value for interface in node.interfaces or ())
        for field in node.fields or ():
            target = _named(field.type)
            fields[field.name.value] = MergedField(
                not isinstance(field.type, NonNullTypeNode), target, target in joined
            )
    abstract = not isinstance(node, ObjectTypeDefinitionNode)
    return MergedType(name, abstract, MappingProxyType(fields), _possible(node, joined), interfaces)


def _possible(node: Composite, joined: Mapping[str, _Joined]) -> tuple[str, ...]:
    if isinstance(node, ObjectTypeDefinitionNode):
        return (node.name.value,)
    if isinstance(node, UnionTypeDefinitionNode):
        return tuple(member.name.value for member in node.types or ())
    return tuple(
        other.node.name.value
        for other in joined.values()
        if isinstance(other.node, ObjectTypeDefinitionNode)
        and any(interface.name.value == node.name.value for interface in other.node.interfaces or ())
    )


def _jumps(joint: _Joined, joined: Mapping[str, _Joined], graphs: Mapping[str, str]) -> tuple[Jump, ...]:
    """Every resolvable key that lookups of the type may use; an object's also through its interface objects."""
    name = joint.node.name.value
    jumps = [Jump(graphs[join.graph], name, join.key) for join in joint.types if join.key and join.resolvable]
    if isinstance(joint.node, ObjectTypeDefinitionNode):
        for interface in joint.node.interfaces or ():
            jumps += (
                Jump(graphs[join.graph], interface.name.value, join.key)
                for join in joined[interface.name.value].types
                if join.key and join.resolvable and join.interface_object
            )
    return tuple(sorted(jumps, key=lambda jump: (jump.subgraph, _size(jump.key))))


def _jumps_to_root(root: _Joined, graphs: Mapping[str, str]) -> tuple[Jump, ...]:
    """A root object below the root (as mutations return ``Query``) is the same in every subgraph, once it is there."""
    name = root.node.name.value
    there = (FieldSetField("__typename"),)
    return tuple(Jump(subgraph, name, there) for subgraph in sorted({graphs[graph] for graph in root.graphs}))


def _size(key: FieldSet) -> int:
    return sum(1 + _size(item.selections) for item in key)


def _roots(document: DocumentNode, joined: Mapping[str, _Joined]) -> dict[str, str]:
    roots = {kind: kind.capitalize() for kind in ("query", "mutation", "subscription") if kind.capitalize() in joined}
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode):
            roots |= {operation.operation.value: operation.type.name.value for operation in definition.operation_types}
    return roots


def _add_provided_externals(types: dict[tuple[str, str], SubgraphType]) -> None:
    """Give subgraphs the external fields that their ``@provides`` name: up to v0.1 nothing else tells of them."""
    for (subgraph, _), type_ in list(types.items()):
        for edge in type_.fields.values():
            if edge.provides:
                _add_externals(types, subgraph, edge.target, edge.provides)


def _add_externals(
    types: dict[tuple[str, str], SubgraphType], subgraph: str, type_name: str, provides: FieldSet
) -> None:
    for item in provides:
        if not isinstance(item, FieldSetField):
            _add_externals(types, subgraph, item.type_condition, item.selections)
            continue
        type_ = types.get((subgraph, type_name))
        if type_ is None:
            continue
        edge = type_.fields.get(item.name) or _borrowed_edge(types.values(), type_name, item.name)
        if edge is None:
            continue
        if item.name not in type_.fields:
            fields = MappingProxyType({**type_.fields, item.name: edge})
            types[subgraph, type_name] = replace(type_, fields=fields)
        _add_externals(types, subgraph, edge.target, item.selections)


def _borrowed_edge(types: Iterable[SubgraphType], type_name: str, field_name: str) -> FieldEdge | None:
    for type_ in types:
        if type_.name == type_name and field_name in type_.fields:
            return replace(type_.fields[field_name], external=True, requires=(), provides=())
    return None
