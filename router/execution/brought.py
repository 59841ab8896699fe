"""What a fetch brings, and therefore costs where it fails: the response keys of the merged data, nested.

``{ products { id size: dims { h } } }`` brings ``{"products": {"id": {}, "size": {"h": {}}}}``. Read from the document
when something has failed, and kept with the fetch; nothing of it runs while all goes well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionNode, parse

from router.execution.executable import Brought, ExecutableFetch, ExecutableLookup
from router.execution.rewrites import RenamePath
from router.field_error import ClientPath

_NOTHING: Brought = {}


def brought_by_roots(fetch: ExecutableFetch) -> Brought:
    """What the root fields of ``fetch`` bring."""
    known = fetch.brought.get(())
    if known is None:
        aliases = {lookup.alias for lookup in fetch.lookups}
        roots = [one for one in _selections(fetch.plan.document) if _key(one) not in aliases]
        known = fetch.brought[()] = _tree(roots, fetch.rename_path)
    return known


def brought_by_lookup(fetch: ExecutableFetch, lookup: ExecutableLookup) -> Brought:
    """What ``lookup`` brings for each of its entities."""
    known = fetch.brought.get((lookup.alias,))
    if known is None:
        field = next(one for one in _selections(fetch.plan.document) if _key(one) == lookup.alias)
        below = field.selection_set.selections if isinstance(field, FieldNode) and field.selection_set else ()
        known = fetch.brought[lookup.alias,] = _tree(below, lookup.rename_path)
    return known


def brought_by_computed(
    fetch: ExecutableFetch, lookup: ExecutableLookup, representation: int, computed: int
) -> Brought:
    """What one computed field of ``lookup`` brings, by the numbers of its representation and of itself."""
    key = (lookup.alias, representation, computed)
    known = fetch.brought.get(key)
    if known is None:
        needs = lookup.by_need[representation]
        assert needs is not None  # noqa: S101 - only what is told apart by need has computed fields
        text = f"{{ {' '.join(needs.computed[computed].selections)} }}"
        known = fetch.brought[key] = _tree(_selections(text), lookup.rename_path)
    return known


def brought_at(brought: Brought, path: ClientPath) -> Brought:
    """The part of ``brought`` below ``path``, whatever the lists on its way."""
    for step in path:
        if isinstance(step, str):
            brought = brought.get(step, _NOTHING)
    return brought


def _selections(document: str) -> Sequence[SelectionNode]:
    operation = parse(document, no_location=True).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - the planner's own document
    return operation.selection_set.selections


def _tree(selections: Iterable[SelectionNode], rename_path: RenamePath) -> Brought:
    tree: dict[str, Brought] = {}
    for path in _paths(selections, ()):
        below = tree
        for step in rename_path(path):
            below = below.setdefault(step, {})  # type: ignore[arg-type, assignment]
    return tree


def _paths(selections: Iterable[SelectionNode], above: ClientPath) -> Iterator[ClientPath]:
    """The paths of all fields, by the names that they are sent under."""
    for node in selections:
        if isinstance(node, FieldNode):
            path = (*above, _key(node) or "")
            yield path
            if node.selection_set is not None:
                yield from _paths(node.selection_set.selections, path)
        elif isinstance(node, InlineFragmentNode):
            yield from _paths(node.selection_set.selections, above)


def _key(node: SelectionNode) -> str | None:
    if not isinstance(node, FieldNode):
        return None
    return node.alias.value if node.alias else node.name.value
