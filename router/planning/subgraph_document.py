"""Presences -> the text that a subgraph is sent.

``query Orders__payments__1($representations: [_Any!]!) { _entities(representations: $representations) { ... on Order {
payment { status } } } }``: one line, deterministic, with no more than the fetch needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import NameNode, ValueNode, VariableDefinitionNode, VariableNode, print_ast

from router.operation.model import OperationKind
from router.planning.conditions import print_conditions, shared, without
from router.planning.positions import Conditions
from router.planning.presences import Presence, Use
from router.planning.reach import TYPENAME, Reach
from router.planning.shapes import Sent
from router.planning.values import print_arguments, variables_in
from router.supergraph.query_graph import ContextualArgument, SubgraphType, TypeKind


class SelectionPrinter:
    """Prints the selections of one fetch, and collects the client's variables that they use.

    ``context_variables`` are those of the lookup that is being printed.
    """

    def __init__(self, reach: Reach, kind: OperationKind) -> None:
        self._reach = reach
        self._kind = kind
        self.variables: dict[str, bool] = {}
        self.context_variables: dict[ContextualArgument, str] = {}
        self._contexts = 0

    def selection_set(self, presence: Presence, sent: Sent, known: Conditions) -> str:
        """``{ ... }`` of a presence, where ``known`` conditions are certain to hold."""
        return f"{{ {' '.join(self.selections(presence, sent, known))} }}"

    def selections(self, presence: Presence, sent: Sent, known: Conditions) -> list[str]:
        """Every selection of a presence."""
        selections: dict[str, None] = {TYPENAME: None} if self._tells_type(presence) else {}
        for key, use in in_order(presence):
            selections |= dict.fromkeys(self.field(presence, key, use, sent, known))
        selections |= dict.fromkeys(self._casts(presence, sent, known))
        return list(selections) or [TYPENAME]

    def field(self, presence: Presence, key: str, use: Use, sent: Sent, known: Conditions) -> list[str]:
        """The selections that ask for one field of a presence."""
        type_ = self._reach.graph.types[presence.node.subgraph, presence.node.type_name]
        texts = self._field(presence, key, use, sent, known)
        if use.edge is not None and use.name not in type_.fields:
            # Its types all have the field, the interface or union itself does not.
            return [f"... on {name} {{ {text} }}" for name in type_.possible for text in texts]
        return texts

    def _tells_type(self, presence: Presence) -> bool:
        position = presence.position
        return position.abstract and self._reach.has_types(presence.node)

    def _field(self, presence: Presence, key: str, use: Use, sent: Sent, known: Conditions) -> list[str]:
        """The field, once for each alternative where that matters."""
        name = sent.name_of(presence, key)
        alternatives = without(use.conditions, known) or ((),)
        always = shared(alternatives)
        # A resolver that changes something must not be called without need; elsewhere the leaves' conditions suffice.
        apart = use.below is None or (self._kind is OperationKind.MUTATION and presence.position.parent is None)
        if alternatives != (always,) and apart:
            return [self._guarded(name, use, sent, known, conditions) for conditions in alternatives]
        return [self._guarded(name, use, sent, known, always)]

    def _guarded(self, name: str, use: Use, sent: Sent, known: Conditions, conditions: Conditions) -> str:
        for condition in conditions:
            self.variables[condition.variable] = True
        for _, value in use.arguments:
            self.variables.update((variable, True) for variable in variables_in(value))
        head = use.name if name == use.name else f"{name}: {use.name}"
        text = head + print_arguments((*use.arguments, *self._contextual(use)))
        directives = print_conditions(conditions)
        outer, own = directives[:-2], directives[-2:]
        if len(own) == 2 and conditions[-1].include is conditions[-2].include:
            outer, own = directives[:-1], directives[-1:]
        text = " ".join([text, *own])
        if use.below is not None:
            text += " " + self.selection_set(
                use.below, sent, tuple({**dict.fromkeys(known), **dict.fromkeys(conditions)})
            )
        for directive in reversed(outer):
            text = f"... {directive} {{ {text} }}"
        return text

    def _contextual(self, use: Use) -> Iterator[tuple[str, ValueNode]]:
        for argument in use.edge.contextual if use.edge is not None else ():
            variable = self.context_variables[argument]
            yield argument.name, VariableNode(name=NameNode(value=variable))

    def name_contexts(self, arguments: Iterable[ContextualArgument], prefix: str) -> None:
        """Take variables, ``prefix_0`` and so on, for the contextual arguments of the next lookup."""
        self.context_variables = {}
        for argument in arguments:
            self.context_variables[argument] = f"{prefix}_{self._contexts}"
            self._contexts += 1

    def _casts(self, presence: Presence, sent: Sent, known: Conditions) -> list[str]:
        """The fragments by type; what all types select alike is asked of the interface itself."""
        printed = {name: self.selections(cast, sent, known) for name, cast in presence.casts.items() if cast.uses}
        if not printed:
            return []
        type_ = self._reach.graph.types[presence.node.subgraph, presence.node.type_name]
        if type_.kind is TypeKind.OBJECT:
            return [text for name in printed if name == type_.name for text in printed[name]]
        alike: list[str] = []
        if type_.kind is TypeKind.INTERFACE and set(printed) == set(type_.possible):
            first, *others = printed.values()
            own = _alike_names(presence, type_)
            alike = [text for text in first if all(text in other for other in others) and _field_name(text) in own]
        fragments = []
        for name, texts in printed.items():
            rest = [text for text in texts if text not in alike]
            if rest:
                fragments.append(f"... on {name} {{ {' '.join(rest)} }}")
        return alike + fragments


def in_order(presence: Presence) -> list[tuple[str, Use]]:
    """A presence's fields: the client's in the client's order, then ours."""
    if len(presence.uses) < 2:
        return list(presence.uses.items())
    rank = {key: number for number, key in enumerate(presence.position.client_keys)}
    return sorted(presence.uses.items(), key=lambda item: rank.get(item[0], len(rank)))


def _alike_names(presence: Presence, type_: SubgraphType) -> set[str]:
    """Names of fields that mean the same on the interface as on the types that it is cast to."""
    uses = [use for cast in presence.casts.values() for use in cast.uses.values() if use.edge is not None]
    different = {use.name for use in uses if use.edge and use.edge.target != _target(type_, use.name)}
    return {use.name for use in uses} - different


def _target(type_: SubgraphType, name: str) -> str | None:
    edge = type_.fields.get(name)
    return edge.target if edge is not None else None


def _field_name(text: str) -> str:
    head = text.split(" ", 2)
    name = head[1] if head[0].endswith(":") and len(head) > 1 else head[0]
    return name.partition("(")[0]


def print_document(kind: OperationKind, name: str | None, definitions: Iterable[str], selections: Iterable[str]) -> str:
    """A whole operation."""
    declared = ", ".join(definitions)
    head = " ".join(part for part in (kind.value, name) if part) + (f"({declared})" if declared else "")
    body = f"{{ {' '.join(selections)} }}"
    return body if head == "query" else f"{head} {body}"


def print_definition(definition: VariableDefinitionNode) -> str:
    """``$first: Int = 10``, as the client wrote it, without directives."""
    text = f"${definition.variable.name.value}: {print_ast(definition.type)}"
    return f"{text} = {print_ast(definition.default_value)}" if definition.default_value else text
