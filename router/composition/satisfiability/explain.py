"""Why a walk cannot go on: for each subgraph what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator

from router.composition.errors import CompositionError, SourceLocation, locate
from router.composition.satisfiability.conditions import Conditions
from router.composition.satisfiability.graph import QueryGraph
from router.composition.satisfiability.state import State
from router.composition.satisfiability.witness import witness_query
from router.composition.schema import Field, all_applied, applied
from router.composition.words import quoted
from router.federation.error_codes import ErrorCode
from router.federation.field_set import FieldSelection, print_field_set
from router.federation.type_ref import named_type


def explain_dead_end(
    graph: QueryGraph, conditions: Conditions, state: State, following: State, field: Field | None
) -> CompositionError:
    """The error for a step that no vertex of ``state`` can take; ``field`` is None where it narrows a type."""
    target = graph.merged.schema.kind_of(named_type(field.type)) if field else None
    is_leaf = target is not None and not target.is_composite
    query = witness_query(graph.merged, following, is_leaf=is_leaf)
    reasons = []
    for vertex in sorted(state.vertices):
        name = graph.subgraphs[graph.vertices[vertex].subgraph].name
        found = list(dict.fromkeys(_reasons(graph, conditions, vertex, following, field)))
        body = f" {found[0]}." if len(found) == 1 else "".join(f"\n  - {reason}." for reason in found)
        reasons.append(f'- from subgraph "{name}":{body}')
    message = f"The supergraph's query\n{query}\ncannot be answered by the subgraphs:\n" + "\n".join(reasons)
    return CompositionError(ErrorCode.SATISFIABILITY_ERROR, message, None, _places(graph, state, field))


def _places(graph: QueryGraph, state: State, field: Field | None) -> tuple[SourceLocation, ...]:
    if field is None:
        return ()
    return tuple(
        place
        for subgraph in graph.subgraphs
        if state.type in subgraph.schema.types and field.name in subgraph.schema.types[state.type].fields
        for place in locate(subgraph.name, (subgraph.schema.types[state.type].fields[field.name].node,))
    )


def _reasons(
    graph: QueryGraph, conditions: Conditions, vertex: int, following: State, field: Field | None
) -> Iterator[str]:
    at = graph.vertices[vertex]
    if field is None:
        yield f'it cannot tell which "{at.type}" is a "{following.type}", as "{at.type}" is an @interfaceObject'
        destinations = [
            index for index, subgraph in enumerate(graph.subgraphs) if following.type in subgraph.schema.types
        ]
    else:
        yield _field_reason(graph, conditions, vertex, field)
        destinations = [
            index
            for index, subgraph in enumerate(graph.subgraphs)
            if any(
                field.name in subgraph.schema.types[name].fields and not subgraph.is_external(name, field.name)
                for name in (at.type, following.parent.type if following.parent else at.type)
                if name in subgraph.schema.types
            )
        ]
    for index in destinations:
        if index != at.subgraph:
            yield from _hop_reasons(graph, conditions, vertex, index, field)


def _field_reason(graph: QueryGraph, conditions: Conditions, vertex: int, field: Field) -> str:
    at = graph.vertices[vertex]
    place = f'"{at.type}.{field.name}"'
    edge = graph.field(vertex, field.name)
    if edge is None:
        declared = field.name in graph.type_of(vertex).fields
        return f"it declares {place} as @external or overridden" if declared else f"it has no field {place}"
    if edge.requires and not conditions.hold(vertex, edge.requires):
        missing = f'what {place} requires ("{print_field_set(edge.requires)}") cannot be fetched'
        external = _external_key_fields(graph, vertex)
        return (
            f"{missing}, as {quoted(external)} of its @key is @external there: leave that out" if external else missing
        )
    if edge.requires:
        return f'what {place} requires can be fetched, but "{at.type}" has no usable @key to come back by'
    if edge.contexts and edge.label is None:
        names = quoted(sorted(need.context.partition("__")[2] for need in edge.contexts))
        return f"{place} needs the context {names}, which no object around it sets in this query"
    return f"{place} is resolved there for other override labels only"


def _external_key_fields(graph: QueryGraph, vertex: int) -> list[str]:
    """Fields of the type's own keys that are @external: what is left over of a Federation 1 subgraph, most likely."""
    at, subgraph = graph.vertices[vertex], graph.subgraphs[graph.vertices[vertex].subgraph]
    keys = [graph.selections(key.arguments.get("fields")) for key in all_applied(graph.type_of(vertex), "key")]
    names = {selection.name for key in keys for selection in key if isinstance(selection, FieldSelection)}
    return sorted(name for name in names if subgraph.is_external(at.type, name))


def _hop_reasons(
    graph: QueryGraph, conditions: Conditions, vertex: int, destination: int, field: Field | None
) -> Iterator[str]:
    at, subgraph = graph.vertices[vertex], graph.subgraphs[destination]
    there = subgraph.schema.types.get(at.type)
    where = f'one cannot move to subgraph "{subgraph.name}"'
    hops = [hop for hop in graph.hops(vertex) if graph.vertices[hop.target].subgraph == destination]
    for hop in hops:
        if hop.key is not None and not conditions.hold(vertex, hop.key):
            yield f'{where} by @key(fields: "{print_field_set(hop.key)}"), whose fields cannot be fetched'
        else:
            moved = f'one can move to subgraph "{subgraph.name}", but there'
            yield f"{moved} {_field_reason(graph, conditions, hop.target, field)}" if field else f"{moved} it ends"
    if hops:
        return
    if there is None:
        yield f'{where}, which does not define "{at.type}"'
    elif not all_applied(there, "key"):
        yield f'{where}, where "{at.type}" has no @key'
    elif applied(there, "key"):
        yield f'{where}, where no @key of "{at.type}" is resolvable'
