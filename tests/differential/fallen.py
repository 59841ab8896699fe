"""Which of the client's fields may be null when a subgraph fails: those that it brings, and those that need these.

Worked out from the plan alone, field by field: of a lookup that falls in part, what its inputs cost and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse

from router.execution.rewrites import RenamePath, compile_path_rewrites
from router.planning.query_plan import (
    EntityLookup,
    Fetch,
    InputField,
    InputSelection,
    OwnedField,
    Path,
    QueryPlan,
)

Keys = tuple[str, ...]
TYPENAME = "__typename"


def fallen_fields(plan: QueryPlan, failing: str, *, in_part: bool) -> set[Keys]:
    """The client's paths that may be null where ``failing`` fails.

    A fetch that waits for one that fell falls as a whole, unless ``in_part``: where an entity is not known, nulls are
    sent as inputs, and the subgraphs here refuse a request with such inputs as one.
    """
    fall = _Fall(plan, failing, in_part=in_part)
    for fetch in plan.fetches:
        fall.add(fetch)
    return fall.fields


class _Fall:
    """``brought`` says of each path of the merged data whether the fetches that bring it fall."""

    def __init__(self, plan: QueryPlan, failing: str, *, in_part: bool) -> None:
        self.in_part = in_part
        self.plan = plan
        self.failing = failing
        self.fields: set[Keys] = set()
        self.brought: defaultdict[Keys, set[bool]] = defaultdict(set)
        self.fetches: set[int] = set()

    def add(self, fetch: Fetch) -> None:
        """Take in a fetch, after all those that it waits for."""
        waits = bool(self.fetches & set(fetch.depends_on)) and (bool(fetch.lookups) or self.plan.kind != "mutation")
        fails = fetch.subgraph == self.failing or (waits and not (self.in_part and fetch.lookups))
        if not fetch.lookups:
            rename = compile_path_rewrites(fetch.rewrites)
            self._add_all(_root(fetch), fetch.at or ((),), fetch.owned, rename, fails)
        for lookup in fetch.lookups:
            self._add_lookup(fetch, lookup, fails)
        if fails or waits:
            self.fetches.add(fetch.id)

    def _add_lookup(self, fetch: Fetch, lookup: EntityLookup, fails: bool) -> None:
        rename = compile_path_rewrites(lookup.rewrites)
        for number, representation in enumerate(lookup.representations):
            typed = representation.types is not None
            needs = lookup.by_need[number] if lookup.by_need else None
            if needs is None:
                falls = fails or self._lacks(
                    lookup, representation.fields, tuple(context.variable for context in lookup.contexts), typed=typed
                )
                self._add_all(_entities(fetch, lookup), lookup.paths, lookup.owned, rename, falls)
                continue
            falls = fails or self._lacks(lookup, needs.key, (), typed=typed)
            self._add_all(_parsed(needs.selections), lookup.paths, needs.owned, rename, falls)
            for one in needs.computed:
                falls = fails or self._lacks(lookup, one.inputs, one.contexts, typed=typed)
                self._add_all(_parsed(one.selections), lookup.paths, one.owned, rename, falls)

    def _add_all(
        self,
        selected: SelectionSetNode | None,
        places: Iterable[Path],
        owned: Sequence[OwnedField],
        rename: RenamePath,
        falls: bool,
    ) -> None:
        for place in map(_keys, places):
            for within in _paths(selected):
                renamed = tuple(step for step in rename(within) if isinstance(step, str))
                self.brought[*place, *renamed].add(falls)
            if falls:
                self.fields |= {(*place, *_keys(one.path), one.response_key) for one in owned}
                if TYPENAME in {within[-1] for within in _paths(selected)}:
                    self.fields.add(place)  # An object whose type is not known is null.

    def _lacks(
        self, lookup: EntityLookup, inputs: Sequence[InputField], contexts: Sequence[str], *, typed: bool
    ) -> bool:
        """Whether something that is sent may have fallen, or the entities themselves."""
        return any(
            self._lacks_at(_keys(place), inputs, typed=typed)
            or any(
                self._lacks_any(_keys(place)[: context.depth], context.selections)
                for context in lookup.contexts
                if context.variable in contexts
            )
            for place in lookup.paths
        )

    def _lacks_at(self, place: Keys, inputs: Sequence[InputField], *, typed: bool) -> bool:
        if any(self.brought[place[:length]] == {True} for length in range(1, len(place) + 1)):
            return True
        if typed and True in self.brought[*place, TYPENAME]:
            return True
        return any(
            True in self.brought[*place, one.response_key]
            if one.inputs is None
            else self._lacks_any((*place, one.response_key), one.inputs)
            for one in inputs
        )

    def _lacks_any(self, place: Keys, selections: Sequence[InputSelection]) -> bool:
        return any(self._lacks_at(place, one.fields, typed=one.send_typename) for one in selections)


def _root(fetch: Fetch) -> SelectionSetNode:
    return _selection_set(fetch.document)


@lru_cache(maxsize=256)
def _selection_set(document: str) -> SelectionSetNode:
    """What the only operation of ``document`` selects; a plan falls in several ways, with the same documents."""
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.selection_set


def _entities(fetch: Fetch, lookup: EntityLookup) -> SelectionSetNode | None:
    """What a lookup selects of its entities."""
    return next(
        node.selection_set
        for node in _root(fetch).selections
        if isinstance(node, FieldNode) and _key(node) == lookup.alias
    )


def _parsed(selections: Sequence[str]) -> SelectionSetNode | None:
    if not selections:
        return None
    return _selection_set(f"{{ {' '.join(selections)} }}")


def _paths(selected: SelectionSetNode | None, above: Keys = ()) -> Iterator[Keys]:
    for node in selected.selections if selected is not None else ():
        if isinstance(node, FieldNode):
            yield (*above, _key(node))
            yield from _paths(node.selection_set, (*above, _key(node)))
        elif isinstance(node, InlineFragmentNode):
            yield from _paths(node.selection_set, above)


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _keys(path: Path) -> Keys:
    return tuple(step.response_key for step in path)
