"""What a fetch selects, as the cache reads it: which entities are where in its answer, and how long they may be kept.

Tags of an answer are taken from the answer itself: ``{"products": [{"id": "1", "name": "Mug"}]}`` has, beside others,
``Product`` and ``Product.id=1``. Where an entity's key is not selected, ``Product.id=*``: any product may be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from router.server.caching.cache_control import CachePolicy, smallest
from router.server.caching.tags import ANY, entity_tag, of_any
from router.supergraph.cache_hints import CacheHint, CacheHints
from router.supergraph.field_set import FieldSetField
from router.supergraph.query_graph import QueryGraph

# Beyond it, an answer is tagged by types alone.
MAX_TAGS = 200
_TYPENAME = "__typename"
_PLAIN = (str, int, float)


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What the cache knows of the supergraph: its types, their lifetimes, and the leaves of each entity's keys."""

    graph: QueryGraph
    hints: CacheHints
    key_fields: Mapping[str, tuple[str, ...]]

    def related(self, type_name: str) -> frozenset[str]:
        """The types that an object of ``type_name`` may be known as: itself, what it implements, what implements it."""
        merged = self.graph.merged.get(type_name)
        if merged is None:
            return frozenset({type_name})
        return frozenset({type_name, *merged.interfaces, *merged.possible})


def graph_facts(graph: QueryGraph, hints: CacheHints) -> GraphFacts:
    """The facts about ``graph``, whose types and fields may be kept as ``hints`` say."""
    fields: dict[str, dict[str, None]] = {}
    for name, jumps in graph.jumps.items():
        for jump in jumps:
            for one in jump.key:
                if isinstance(one, FieldSetField) and not one.selections and not one.name.startswith("__"):
                    fields.setdefault(name, {})[one.name] = None
                    fields.setdefault(jump.type_name, {})[one.name] = None
    return GraphFacts(graph, hints, {name: tuple(found) for name, found in fields.items()})


@dataclass(frozen=True, slots=True)
class Hint:
    """The smallest lifetime of what is selected; where not ``is_complete``, of some of it: then it only narrows."""

    policy: CachePolicy | None = None
    is_complete: bool = False


@dataclass(slots=True)
class Selected:
    """The selection on objects of ``types``: ``keys`` by type, each a response key and its field, and what is below.

    ``hint`` is the smallest lifetime of the fields, as far as they have any.
    """

    types: tuple[str, ...]
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    below: dict[str, Selected] = field(default_factory=dict)
    hint: CachePolicy | None = None

    def tags(self, value: Any, facts: GraphFacts) -> frozenset[str]:
        """The tags of ``value``, which is what this selection was answered with."""
        found: set[str] = set()
        self._collect(value, facts, found)
        if len(found) > MAX_TAGS:
            return frozenset(of_any(tag) for tag in found)
        return frozenset(found)

    def entity_tags(self, representation: Mapping[str, Any], value: Any, facts: GraphFacts) -> frozenset[str]:
        """The tags of an entity that was asked for by ``representation``."""
        name = representation[_TYPENAME]
        found = {name}
        for key_field in facts.key_fields.get(name, ()):
            # What it was asked for by is so, whatever stands under that name in the answer.
            told = representation.get(key_field)
            if told is None and type(value) is dict:
                told = self._key_in(value, name, key_field)
            found.add(entity_tag(name, key_field, told if isinstance(told, _PLAIN) else ANY))
        if type(value) is dict:
            for key, below in self.below.items():
                below._collect(value.get(key), facts, found)
        if len(found) > MAX_TAGS:
            return frozenset(of_any(tag) for tag in found)
        return frozenset(found)

    def _key_in(self, value: Mapping[str, Any], type_name: str, key_field: str) -> Any:
        """The value of a key field in an answer; None where it was not selected."""
        for response_key, name in self.keys.get(type_name, {}).items():
            if name == key_field and response_key in value:
                return value[response_key]
        return None

    def _collect(self, value: Any, facts: GraphFacts, found: set[str]) -> None:
        if type(value) is list:
            for one in value:
                self._collect(one, facts, found)
        elif type(value) is dict:
            told = value.get(_TYPENAME)
            for name in (told,) if told in self.types else self.types:
                found.update(_own_tags(name, value, self.keys.get(name, {}), facts))
            for key, below in self.below.items():
                below._collect(value.get(key), facts, found)


def _own_tags(type_name: str, value: Mapping[str, Any], keys: Mapping[str, str], facts: GraphFacts) -> list[str]:
    found = [type_name]
    key_fields = facts.key_fields.get(type_name)
    if key_fields is not None:
        known = {name: value[response_key] for response_key, name in keys.items() if response_key in value}
        for name in key_fields:
            told = known.get(name)
            found.append(entity_tag(type_name, name, told if isinstance(told, _PLAIN) else ANY))
    return found


class SelectionReader:
    """Reads selections on one subgraph's types."""

    def __init__(self, facts: GraphFacts, subgraph: str) -> None:
        self._facts = facts
        self._subgraph = subgraph

    def read(self, nodes: SelectionSetNode | None, type_name: str) -> Selected:
        """What is selected of an object of ``type_name``, with the smallest lifetime of what is inside."""
        selected = Selected(self._possible(type_name))
        if nodes is not None:
            self._read(nodes, type_name, selected)
        return selected

    def read_root(self, fields: Iterable[FieldNode], root_type: str) -> tuple[Selected, Hint]:
        """What root fields select, and their lifetime, which is complete where each of them has one."""
        selected = Selected((root_type,))
        policies = [self._read_field(node, root_type, selected) for node in fields]
        is_complete = bool(policies) and all(policy is not None for policy in policies)
        return selected, Hint(_smallest_of(policies), is_complete)

    def knows(self, type_name: str) -> bool:
        """Whether the supergraph has the type."""
        return type_name in self._facts.graph.merged

    def entity_hint(self, type_name: str, selected: Selected) -> Hint:
        """The lifetime of an entity of which ``selected`` was asked; complete where its type has one."""
        own = self.lifetime_of(type_name)
        return Hint(_smallest_of((own, selected.hint)), own is not None)

    def lifetime_of(self, type_name: str) -> CachePolicy | None:
        """How long objects of a type may be kept, of which no more is known; None where one of its types is unknown."""
        own = self._hint(type_name)
        if own is not None:
            return own
        policies = [self._hint(name) for name in self._possible(type_name) if name != type_name]
        return None if None in policies else _smallest_of(policies)

    def _read(self, nodes: SelectionSetNode, type_name: str, selected: Selected) -> None:
        for node in nodes.selections:
            if isinstance(node, FieldNode):
                selected.hint = _smallest_of((selected.hint, self._read_field(node, type_name, selected)))
            elif isinstance(node, InlineFragmentNode):
                on = node.type_condition.name.value if node.type_condition else type_name
                self._read(node.selection_set, on, selected)

    def _read_field(self, node: FieldNode, type_name: str, selected: Selected) -> CachePolicy | None:
        """Note a field; its lifetime: its own, or that of its type, and what is below it."""
        name = node.name.value
        response_key = node.alias.value if node.alias else name
        for possible in self._possible(type_name):
            if name in self._facts.key_fields.get(possible, ()):
                selected.keys.setdefault(possible, {})[response_key] = name
        type_ = self._facts.graph.types.get((self._subgraph, type_name))
        edge = type_.fields.get(name) if type_ is not None else None
        on = (type_name, *self._possible(type_name))
        own = _smallest_of(self._hint(f"{possible}.{name}") for possible in dict.fromkeys(on))
        if edge is None or node.selection_set is None:
            return own
        below = selected.below.get(response_key)
        if below is None:
            below = selected.below[response_key] = Selected(self._possible(edge.target))
        else:
            below.types = tuple(dict.fromkeys((*below.types, *self._possible(edge.target))))
        self._read(node.selection_set, edge.target, below)
        return _smallest_of((own or self.lifetime_of(edge.target), below.hint))

    def _possible(self, type_name: str) -> tuple[str, ...]:
        type_ = self._facts.graph.types.get((self._subgraph, type_name))
        return tuple(dict.fromkeys((*type_.possible, type_name))) if type_ is not None else (type_name,)

    def _hint(self, coordinate: str) -> CachePolicy | None:
        hint = self._facts.hints.get(coordinate)
        return _policy_of(hint) if hint is not None else None


def _policy_of(hint: CacheHint) -> CachePolicy:
    seconds = hint.max_age_s if hint.max_age_s is not None else float("inf")
    return CachePolicy(
        seconds, seconds, is_private=hint.is_private, is_public=not hint.is_private, stale_s=float("inf")
    )


def _smallest_of(policies: Iterable[CachePolicy | None]) -> CachePolicy | None:
    found: CachePolicy | None = None
    for policy in policies:
        if policy is not None:
            found = policy if found is None else smallest(found, policy)
    return found
