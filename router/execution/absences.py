"""Keys that were asked for and that a subgraph left out: null, with an error as the subgraph would have told it itself.

Nothing here runs while no key is absent. Who meets an absent key, as an input or in the answer to the client, has all
answers so far looked through: it is honest where no subgraph knows the entity, or null stands above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from router.execution.answer import SubgraphAnswer
from router.execution.asked_keys import absent_from_entities, absent_from_roots
from router.execution.executable import ExecutableFetch, ExecutableLookup
from router.execution.failures import places_of
from router.execution.merge import JsonObject
from router.execution.missing_values import Failures
from router.execution.representations import Batch

Answered = tuple[Failures, ExecutableFetch, Sequence[Batch], SubgraphAnswer]


def absent_keys(
    fetch: ExecutableFetch, batches: Sequence[Batch], answer: SubgraphAnswer, variables: Mapping[str, object]
) -> list[JsonObject]:
    """Put null into the data of ``answer`` for what it leaves out; an error for each place, at its path there."""
    if answer.data is None:
        return []
    asked = fetch.asked_keys.of_request(variables)
    if not fetch.lookups:
        return absent_from_roots(asked, answer.data, answer.errors)
    errors: list[JsonObject] = []
    for lookup, batch in zip(fetch.lookups, batches, strict=True):
        entities = answer.data.get(lookup.alias)
        if type(entities) is list and len(entities) == len(batch.objects):
            types_at = partial(_types_sent, lookup, batch)
            errors += absent_from_entities(asked, lookup.alias, entities, types_at, answer.errors)
    return errors


def put_nulls(fetch: ExecutableFetch, batches: Sequence[Batch], data: JsonObject, errors: Sequence[JsonObject]) -> None:
    """Put the nulls of ``errors``, which ``absent_keys`` gave, wherever the answer was merged, unless more is there."""
    roots = [target for _, target in places_of(fetch, data)] if not fetch.lookups else []
    groups = {lookup.alias: batch.objects for lookup, batch in zip(fetch.lookups, batches, strict=True)}
    for error in errors:
        path = error["path"]
        within, targets = (path[2:], groups[path[0]][path[1]]) if groups else (path, roots)
        for target in targets:
            _put_null(target, within)


def _put_null(value: Any, path: Sequence[str | int]) -> None:
    *above, key = path
    for step in above:
        if type(value) is dict:
            value = value.get(step)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
    if type(value) is dict:
        value.setdefault(key, None)


def _types_sent(lookup: ExecutableLookup, batch: Batch, index: int) -> tuple[str | None, ...]:
    """The names that the entities at ``index`` go by: their own, and that of their representation."""
    entity = batch.objects[index][0]
    builder = lookup.builders.of(entity)
    return entity.get("__typename"), builder.typename if builder is not None else None
