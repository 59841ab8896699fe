"""What a lookup does without where inputs failed: only the fields that need them get errors.

Nothing here runs while all goes well. An entity of which other fields can be asked for all the same is set ``apart``,
for :mod:`router.execution.remainders`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from router.execution.brought import brought_by_computed, brought_by_lookup
from router.execution.contexts import CompiledContext
from router.execution.errors import INPUT_FAILED
from router.execution.executable import ExecutableFetch, ExecutableLookup
from router.execution.failures import fail_computed, fail_fields
from router.execution.merge import JsonObject
from router.execution.missing_values import Failures
from router.execution.representations import Apart, Chain
from router.field_error import FieldError
from router.planning.query_plan import InputField, InputSelection, SelectionsByNeed


def without_failed_inputs(
    failures: Failures, fetch: ExecutableFetch, lookup: ExecutableLookup, chains: Iterable[Chain]
) -> tuple[list[Chain], Apart]:
    """The entities (at the ends of ``chains``) of which no input failed, and those of which only some fields did."""
    failures.see_late_objects()
    failures.see_late_entities(fetch.plan.depends_on)
    failures.made.setdefault(fetch.plan.id, {})[id(lookup)] = fetch, lookup
    sound: list[Chain] = []
    apart: Apart = {}
    for chain in chains:
        entity = chain[-1]
        failures.met.add((id(lookup), id(entity)))
        builder = lookup.builders.of(entity)
        cause = _failed_input(failures, entity, builder.input_fields) if builder is not None else None
        cause = cause or _failed_context(failures, chain, lookup.contexts)
        if cause is None:
            sound.append(chain)
            continue
        needs = lookup.by_need[builder.number] if builder is not None and lookup.by_need else None
        lost = _lost_fields(failures, lookup, needs, chain) if needs is not None else None
        if builder is None or needs is None or lost is None or not is_anything_left(needs, lost):
            _fail_entity(failures, fetch, lookup, entity, cause)
            continue
        for number, own_cause in lost.items():
            error = _input_error(fetch, own_cause)
            fail_computed(failures, lookup, entity, needs.computed[number].owned, error)
            failures.lose([entity], brought_by_computed(fetch, lookup, builder.number, number), error)
        apart.setdefault((builder.number, frozenset(lost)), []).append(chain)
    return sound, apart


def is_anything_left(needs: SelectionsByNeed, lost: Iterable[int]) -> bool:
    """Whether there is anything to ask for without the computed fields ``lost``."""
    return bool(needs.selections) or len(set(lost)) < len(needs.computed)


def fail_late_entities(failures: Failures, fetch: ExecutableFetch, lookup: ExecutableLookup) -> None:
    """Tell of the entities that a lookup did not find: what leads to them failed, and they came later."""
    if failures.first_loss is None or id(lookup) in failures.complete:
        return
    for entity in lookup.entities(failures.data):
        if (id(lookup), id(entity)) not in failures.met:
            _fail_entity(failures, fetch, lookup, entity, failures.first_loss)


def _lost_fields(
    failures: Failures, lookup: ExecutableLookup, needs: SelectionsByNeed, chain: Chain
) -> dict[int, FieldError] | None:
    """The computed fields, by number, whose inputs failed; None where the key did, and all is lost."""
    entity = chain[-1]
    if _failed_input(failures, entity, needs.key) is not None:
        return None
    lost: dict[int, FieldError] = {}
    for number, one in enumerate(needs.computed):
        contexts = [context for context in lookup.contexts if context.variable.decode() in one.contexts]
        cause = _failed_input(failures, entity, one.inputs) or _failed_context(failures, chain, contexts)
        if cause is not None:
            lost[number] = cause
    return lost


def _fail_entity(
    failures: Failures, fetch: ExecutableFetch, lookup: ExecutableLookup, entity: JsonObject, cause: FieldError
) -> None:
    error = _input_error(fetch, cause)
    fail_fields(failures, lookup, [entity], lookup.owned, error)
    failures.lose([entity], brought_by_lookup(fetch, lookup), error)


def _input_error(fetch: ExecutableFetch, cause: FieldError) -> FieldError:
    message = f"Not fetched from subgraph '{fetch.subgraph}', because what it needs failed: {cause.message}"
    return FieldError((), message, {"code": INPUT_FAILED, "service": fetch.subgraph}, subgraph=cause.subgraph)


def _failed_context(failures: Failures, chain: Chain, contexts: Sequence[CompiledContext]) -> FieldError | None:
    causes = (
        _failed_selection(failures, chain[context.depth], selection)
        for context in contexts
        for selection in context.selections
    )
    return next((cause for cause in causes if cause is not None), None)


def _failed_input(failures: Failures, entity: Any, fields: Sequence[InputField]) -> FieldError | None:
    """The error that cost one of the inputs ``fields`` of ``entity``, or None where all are as the subgraphs said."""
    if type(entity) is list:
        return next((c for member in entity if (c := _failed_input(failures, member, fields)) is not None), None)
    if type(entity) is not dict:
        return None
    for one in fields:
        value = entity.get(one.response_key)
        cause = _cause_of_null(failures, entity, one) if value is None else None
        if type(value) is list:  # Of a list that lacks one of its members, nothing can be made.
            cause = failures.causes.get(id(entity), {}).get(one.response_key)
        for selection in one.inputs or ():
            cause = cause or _failed_selection(failures, value, selection)
        if cause is not None:
            return cause
    return None


def _cause_of_null(failures: Failures, entity: JsonObject, one: InputField) -> FieldError | None:
    cause = failures.causes.get(id(entity), {}).get(one.response_key)
    if cause is None and one.response_key not in entity:
        return failures.absent.get(id(entity), {}).get(one.response_key)
    return cause


def _failed_selection(failures: Failures, value: Any, selection: InputSelection) -> FieldError | None:
    if type(value) is list:
        return next((c for member in value if (c := _failed_selection(failures, member, selection)) is not None), None)
    if selection.types is not None and type(value) is dict and value.get("__typename") not in selection.types:
        return None
    return _failed_input(failures, value, selection.fields)
