"""Running a compiled plan: each fetch starts as soon as the fetches it depends on are merged.

``await execute(executable, variables, context)`` gives the merged data and the errors. It raises nothing but
CancelledError: whatever a subgraph does costs the fields that were asked of it, and an error at each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from time import monotonic
from types import MappingProxyType
from typing import Any, Protocol

from msgspec import Struct

from router.execution.absences import Answered, absent_keys, put_nulls
from router.execution.answer import Decode, SubgraphAnswer, read_answer
from router.execution.contexts import gather_in_contexts, lacks_contexts, put_together
from router.execution.errors import INVALID_RESPONSE, TIMEOUT, SubgraphFailure
from router.execution.executable import ExecutableFetch, ExecutableLookup, ExecutablePlan
from router.execution.failed_inputs import fail_late_entities, without_failed_inputs
from router.execution.failures import (
    ensure_told,
    fail_fetch,
    fail_group,
    fail_inside,
    fail_late_types,
    fail_lookup,
    fail_unnamed,
    place_subgraph_errors,
    places_of,
)
from router.execution.json_numbers import decode
from router.execution.merge import JsonObject, copy_object, merge_object
from router.execution.missing_values import Failures
from router.execution.places import collect_chains
from router.execution.remainders import remainder_of, set_unsent_apart
from router.execution.representations import Apart, Batch, gather
from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest
from router.execution.uploads import files_in
from router.field_error import FieldError

DEFAULT_TIMEOUT_S = 30.0
_NESTED = frozenset({dict, list})
_NO_TIMEOUTS: Mapping[str, float] = MappingProxyType({})


class FetchObserver(Protocol):
    """Told of every fetch that was sent, for metrics and logs."""

    def fetched(self, subgraph: str, seconds: float, failure_code: str | None) -> None:
        """``failure_code`` is None where the subgraph gave a GraphQL answer, even one with errors."""


class ExecutionContext(Struct, frozen=True):
    """What execution needs beside the plan and the variables.

    ``deadline`` is a time of the monotonic clock, which is the event loop's too: after it nothing is waited for any
    more. ``timeouts_s`` are the subgraphs' own limits. ``decode`` reads the JSON of answers. ``has_files`` where a
    variable may hold files.
    """

    client: SubgraphClient
    headers: Headers = ()
    deadline: float | None = None
    timeouts_s: Mapping[str, float] = _NO_TIMEOUTS
    decode: Decode = decode
    observer: FetchObserver | None = None
    has_files: bool = False


class ExecutionResult(Struct, frozen=True):
    """The merged data, with the keys that planning added, and the errors at the client's paths.

    ``look_for_absent`` gives the errors of keys that subgraphs left out. Who meets an absent key is to ask it, once: an
    answer that is all there need not be looked at again.
    """

    data: JsonObject
    errors: list[FieldError]
    look_for_absent: Callable[[], list[FieldError]] | None = None


async def execute(
    executable: ExecutablePlan, variables: Mapping[str, object], context: ExecutionContext
) -> ExecutionResult:
    """Run the fetches of a plan with coerced ``variables``."""
    data: JsonObject = {}
    run = PlanRun(executable, variables, context, data, Failures(data, variables))
    if executable.is_chain:
        for fetch in executable.fetches:
            await run.fetch(fetch)
    else:
        await run.fetch_all()
    run.tell_of_late_entities()
    return ExecutionResult(data, run.failures.errors, run.look_for_absent)


async def execute_event(
    executable: ExecutablePlan, variables: Mapping[str, object], context: ExecutionContext, event: SubgraphAnswer
) -> ExecutionResult:
    """What ``event`` of a subscription comes to: its first fetch has brought it, the others are run now."""
    data: JsonObject = {}
    run = PlanRun(executable, variables, context, data, Failures(data, variables))
    await run.fetch_all(event)
    run.tell_of_late_entities()
    return ExecutionResult(data, run.failures.errors, run.look_for_absent)


class PlanRun(Struct):
    """One execution of a plan; ``answered`` are the answers that were not looked through for absent keys yet."""

    executable: ExecutablePlan
    variables: Mapping[str, object]
    context: ExecutionContext
    data: JsonObject
    failures: Failures
    answered: list[Answered] = []

    async def fetch_all(self, first: SubgraphAnswer | None = None) -> None:
        """Run the fetches as their inputs come in, as many at once as there are ready.

        Where the answer of the ``first`` fetch is there already, it is taken instead of being asked for.
        """
        waits = list(self.executable.waits)
        if first is None:
            ready = [index for index, count in enumerate(waits) if count == 0]
        else:
            ready = self._take(self.executable.fetches[0], first, waits)
        async with asyncio.TaskGroup() as tasks:
            await self._follow(ready, waits, tasks)

    async def _follow(self, ready: list[int], waits: list[int], tasks: asyncio.TaskGroup) -> None:
        """Run the first of ``ready`` here and the others as tasks, then whatever became ready by each."""
        while ready:
            first, *others = ready
            for other in others:
                tasks.create_task(self._follow([other], waits, tasks))
            fetch = self.executable.fetches[first]
            await self.fetch(fetch)
            ready = made_ready(fetch, waits)

    def _take(self, fetch: ExecutableFetch, answer: SubgraphAnswer, waits: list[int]) -> list[int]:
        """Merge an answer that came by itself; the fetches that are ready then."""
        self._merge_soundly(fetch, (), answer)
        return made_ready(fetch, waits)

    def fetch(self, fetch: ExecutableFetch) -> Coroutine[Any, Any, None]:
        """Send one fetch, if it is needed and has something to ask for, and merge its answer."""
        if fetch.run_if and not fetch.is_needed(self.variables):
            return _nothing()
        if not fetch.lookups:
            return self._ask(fetch, ())
        batches = [self._gather(fetch, lookup) for lookup in fetch.lookups]
        if fetch.by_need:
            for batch in batches:
                if batch.apart:
                    return self._ask_apart(fetch, batches)
        return self._ask(fetch, batches)

    async def _ask_apart(self, fetch: ExecutableFetch, batches: Sequence[Batch]) -> None:
        """Ask at the same time for what needs none of the inputs that have failed."""
        remainder, left = remainder_of(fetch, batches)
        self.failures.remainders.append(remainder)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ask(remainder, left))
            await self._ask(fetch, batches)

    async def _ask(self, fetch: ExecutableFetch, batches: Sequence[Batch]) -> None:
        for batch in batches:
            if batch.representations:
                break
        else:
            if batches:
                return
        if fetch.at and not places_of(fetch, self.data):
            return
        try:
            answer = await self.send(fetch, fetch.body.render(self.variables, fetch.lookups, batches))
        except SubgraphFailure as failure:
            fail_fetch(self.failures, fetch, batches, failure)
            return
        if fetch.has_contexts:
            answer = put_together(answer, fetch.lookups, batches)
        self._merge_soundly(fetch, batches, answer)

    def _merge_soundly(self, fetch: ExecutableFetch, batches: Sequence[Batch], answer: SubgraphAnswer) -> None:
        try:
            self._merge(fetch, batches, answer)
        except RecursionError:
            message = f"Subgraph '{fetch.subgraph}' answered with values that are nested too deeply."
            fail_fetch(self.failures, fetch, batches, SubgraphFailure(INVALID_RESPONSE, message))

    def look_for_absent(self) -> list[FieldError]:
        """The errors of keys that are absent from the answers so far, and not yet told."""
        told, self.failures.errors = self.failures.errors, []
        self._see_absent()
        absent = self.failures.errors
        self.failures.errors = [*told, *absent]  # Another list: a result may have the first.
        return absent

    def _see_absent(self) -> bool:
        """Take what is absent from the answers so far for null, with errors; whether there is any."""
        answered = self.answered.copy()
        self.answered.clear()
        is_any = False
        for failures, fetch, batches, answer in answered:
            errors = absent_keys(fetch, batches, answer, self.variables)
            if errors:
                is_any = True
                put_nulls(fetch, batches, self.data, errors)
                place_subgraph_errors(failures, fetch, batches, errors, answer.data)
        return is_any

    def tell_of_late_entities(self) -> None:
        """Errors for entities, and types, that came from elsewhere after what they were needed for had failed."""
        if self.failures.first_loss is None:
            return
        self.failures.see_late_objects()
        fail_late_types(self.failures)
        fail_inside(self.failures)
        for fetch in self.executable.fetches:
            if not fetch.run_if or fetch.is_needed(self.variables):
                for lookup in fetch.lookups:
                    fail_late_entities(self.failures, fetch, lookup)
        fail_unnamed(self.failures)

    def _gather(self, fetch: ExecutableFetch, lookup: ExecutableLookup) -> Batch:
        if lookup.contexts:
            return self._gather_in_contexts(fetch, lookup)
        entities = lookup.entities(self.data)
        apart: Apart | None = None
        if self.failures.is_any:
            sound, apart = without_failed_inputs(self.failures, fetch, lookup, [(entity,) for entity in entities])
            entities = [entity for (entity,) in sound]
        else:
            self.failures.complete.add(id(lookup))
        batch = gather(entities, lookup.builders)
        if batch.lacks_inputs and self._see_absent():
            self.failures.complete.discard(id(lookup))
            return self._gather(fetch, lookup)
        if lookup.by_need:
            batch.apart = apart
            if batch.sent < len(entities):
                set_unsent_apart(lookup, batch, [(entity,) for entity in entities])
        return batch

    def _gather_in_contexts(self, fetch: ExecutableFetch, lookup: ExecutableLookup) -> Batch:
        chains = collect_chains(self.data, lookup.paths[0])
        apart: Apart | None = None
        if self.failures.is_any:
            chains, apart = without_failed_inputs(self.failures, fetch, lookup, chains)
        else:
            self.failures.complete.add(id(lookup))
        batch = gather_in_contexts(chains, lookup.contexts, lookup.builders)
        if (batch.lacks_inputs or lacks_contexts(chains, lookup.contexts)) and self._see_absent():
            self.failures.complete.discard(id(lookup))
            return self._gather_in_contexts(fetch, lookup)
        if lookup.by_need:
            batch.apart = apart
            if batch.sent < len(chains):
                set_unsent_apart(lookup, batch, chains)
        return batch

    async def send(self, fetch: ExecutableFetch, body: bytes) -> SubgraphAnswer:
        """The subgraph's answer. SubgraphFailure."""
        context = self.context
        started = monotonic()
        timeout_s = context.timeouts_s.get(fetch.subgraph, DEFAULT_TIMEOUT_S)
        if context.deadline is not None and context.deadline - started < timeout_s:
            timeout_s = context.deadline - started
        code: str | None = None
        try:
            if timeout_s <= 0:
                raise _out_of_time(fetch.subgraph)
            files = files_in(self.variables, fetch.body.variables) if context.has_files else ()
            request = SubgraphRequest(fetch.subgraph, body, context.headers, fetch.repeatable, timeout_s, files)
            response = await context.client.send(request)
            return read_answer(fetch.subgraph, response, context.decode)
        except SubgraphFailure as failure:
            is_over = context.deadline is not None and monotonic() >= context.deadline
            told = _out_of_time(fetch.subgraph) if is_over else failure
            code = told.code
            raise told from failure
        finally:
            if context.observer is not None:
                context.observer.fetched(fetch.subgraph, monotonic() - started, code)

    def _merge(self, fetch: ExecutableFetch, batches: Sequence[Batch], answer: SubgraphAnswer) -> None:
        misshapen: list[JsonObject] = []
        if answer.data is not None:
            if fetch.renames:  # Under their new names, keys are not found in what was asked for.
                misshapen += absent_keys(fetch, batches, answer, self.variables)
            else:
                self.answered.append((self.failures, fetch, batches, answer))
            if fetch.lookups:
                for lookup, batch in zip(fetch.lookups, batches, strict=True):
                    misshapen += self._merge_entities(fetch, lookup, batch, answer)
            else:
                if fetch.check_shapes is not None:
                    misshapen += fetch.check_shapes(answer.data, ())
                if fetch.rename is not None:
                    fetch.rename(answer.data)
                if fetch.at:
                    _merge_into_all(answer.data, [target for _, target in places_of(fetch, self.data)])
                else:
                    merge_object(self.data, answer.data)
        if answer.errors or misshapen:
            place_subgraph_errors(self.failures, fetch, batches, [*answer.errors, *misshapen], answer.data)
            if answer.data is None:
                ensure_told(self.failures, fetch, batches, answer.errors[0])

    def _merge_entities(
        self, fetch: ExecutableFetch, lookup: ExecutableLookup, batch: Batch, answer: SubgraphAnswer
    ) -> list[JsonObject]:
        """Merge the entities of one lookup; the errors of what had another shape than others need."""
        entities = answer.data.get(lookup.alias) if answer.data is not None else None
        if entities is None and answer.errors:
            return []  # The errors tell of it.
        if type(entities) is not list or len(entities) != len(batch.objects):
            fail_lookup(self.failures, fetch, lookup, batch, _wrong_entities(fetch, entities, len(batch.objects)))
            return []
        misshapen: list[JsonObject] = []
        for index, (entity, group) in enumerate(zip(entities, batch.objects, strict=True)):
            if type(entity) is dict:
                if lookup.check_shapes is not None:
                    misshapen += lookup.check_shapes(entity, (lookup.alias, index))
                if lookup.rename is not None:
                    lookup.rename(entity)
                if len(group) == 1:
                    merge_object(group[0], entity)
                else:
                    _merge_into_all(entity, group)
            elif entity is not None:
                message = f"Subgraph '{fetch.subgraph}' answered with an entity that is not an object."
                fail_group(self.failures, fetch, lookup, group, SubgraphFailure(INVALID_RESPONSE, message))
        return misshapen


def made_ready(fetch: ExecutableFetch, waits: list[int]) -> list[int]:
    """The fetches that waited for ``fetch`` alone; ``waits`` are counted down."""
    ready = []
    for dependent in fetch.dependents:
        waits[dependent] -= 1
        if waits[dependent] == 0:
            ready.append(dependent)
    return ready


async def _nothing() -> None:
    """A fetch that is not needed."""


def _merge_into_all(entity: JsonObject, group: list[JsonObject]) -> None:
    """Merge into every place; what is nested is copied, because later fetches may differ from place to place."""
    if len(group) > 1 and not _NESTED.isdisjoint(map(type, entity.values())):
        for place in group[1:]:
            merge_object(place, copy_object(entity))
        merge_object(group[0], entity)
        return
    for place in group:
        merge_object(place, entity)


def _wrong_entities(fetch: ExecutableFetch, entities: object, expected: int) -> SubgraphFailure:
    found = f"{len(entities)} entities" if isinstance(entities, list) else "no list of entities"
    message = f"Subgraph '{fetch.subgraph}' answered with {found} where {expected} were asked for."
    return SubgraphFailure(INVALID_RESPONSE, message)


def _out_of_time(subgraph: str) -> SubgraphFailure:
    return SubgraphFailure(
        TIMEOUT, f"The time limit of the request was over before subgraph '{subgraph}' had answered."
    )
