"""A query plan made ready to run: everything that does not depend on the request is done here, once per operation.

``compile_plan(plan)`` turns paths into functions that collect objects, representations into functions that build them,
rewrites into functions that rename, and documents into the bytes of a request body with gaps for what varies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router.execution.asked_keys import AskedKeys, compile_asked_keys
from router.execution.contexts import CompiledContext, ContextualBody, compile_contexts, compile_contextual_body
from router.execution.json_numbers import encode
from router.execution.merge import JsonObject
from router.execution.places import Collect, compile_collect
from router.execution.representations import Batch, Builders, compile_builders
from router.execution.rewrites import Rename, RenamePath, compile_path_rewrites, compile_rewrites
from router.execution.shapes import ShapeCheck, compile_shape_check
from router.operation.model import Condition, OperationKind
from router.planning.query_plan import DeferredPart, EntityLookup, Fetch, OwnedField, Path, QueryPlan, SelectionsByNeed

Brought = Mapping[str, "Brought"]


@dataclass(frozen=True, slots=True)
class ExecutableLookup:
    """One ``_entities`` field of a fetch, compiled; ``prefix`` is its variable's name as JSON with the colon."""

    alias: str
    variable: bytes
    prefix: bytes
    paths: tuple[Path, ...]
    collects: tuple[Collect, ...]
    builders: Builders
    owned: tuple[OwnedField, ...]
    rename: Rename | None
    rename_path: RenamePath
    contexts: tuple[CompiledContext, ...]
    check_shapes: ShapeCheck | None
    by_need: tuple[SelectionsByNeed | None, ...]

    def entities(self, data: JsonObject) -> list[JsonObject]:
        """The objects of the merged data that this lookup is about, in the order of its paths."""
        if len(self.collects) == 1:
            return self.collects[0](data)
        return [entity for collect in self.collects for entity in collect(data)]


@dataclass(frozen=True, slots=True)
class ExecutableFetch:
    """One request to one subgraph, compiled. ``dependents`` are the fetches that wait for it, by index; ``at`` is where
    root fields go that are asked again below the root. ``part`` is the part of the answer that needs it. Where
    ``by_need`` is true, entities that lack some inputs are asked for what needs none of them, as the ``plan`` tells: by
    ``remainders``. Like what it has ``brought``, these are compiled when they are needed first."""

    index: int
    subgraph: str
    repeatable: bool
    body: RequestBody | ContextualBody
    lookups: tuple[ExecutableLookup, ...]
    owned: tuple[OwnedField, ...]
    at: tuple[Path, ...]
    rename: Rename | None
    rename_path: RenamePath
    run_if: tuple[tuple[Condition, ...], ...]
    dependents: tuple[int, ...]
    check_shapes: ShapeCheck | None
    asked_keys: AskedKeys
    part: int
    by_need: bool
    renames: bool
    has_contexts: bool
    plan: Fetch
    remainders: dict[object, ExecutableFetch] = field(default_factory=dict, compare=False)
    brought: dict[object, Brought] = field(default_factory=dict, compare=False)

    def is_needed(self, variables: Mapping[str, object]) -> bool:
        """Whether one of the alternatives under which the fetch is needed holds."""
        return not self.run_if or any(all(c.holds(variables) for c in alternative) for alternative in self.run_if)


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The JSON body of a fetch: ``head`` up to the variables, which ``variables`` tells by name, each as JSON.

    Variables that the client left out, and that have no default, are left out here too.
    """

    head: bytes
    variables: Mapping[str, bytes]

    def render(
        self, variables: Mapping[str, object], lookups: Sequence[ExecutableLookup], batches: Sequence[Batch]
    ) -> bytes:
        """The body for these variables and representations."""
        parts = [name + encode(variables[n]) for n, name in self.variables.items() if n in variables]
        for lookup, batch in zip(lookups, batches, strict=True):
            parts.append(lookup.prefix + encode(batch.representations))
        return self.head + b',"variables":{' + b",".join(parts) + b"}}" if parts else self.head + b"}"


@dataclass(frozen=True, slots=True)
class ExecutablePlan:
    """A compiled plan: ``fetches`` by index, ``waits`` the number of fetches that each waits for, ``is_chain`` where
    each waits for the one before it and nothing can run at once. ``parts`` has, for each part of the answer, the parts
    whose fetches may have brought some of it."""

    kind: OperationKind
    fetches: tuple[ExecutableFetch, ...]
    waits: tuple[int, ...]
    is_chain: bool
    parts: tuple[tuple[int, ...], ...] = ((),)


def compile_plan(plan: QueryPlan) -> ExecutablePlan:
    """Compile ``plan``; the result holds no state of any request and may be shared by all."""
    index_of = {fetch.id: index for index, fetch in enumerate(plan.fetches)}
    dependents: list[list[int]] = [[] for _ in plan.fetches]
    for index, fetch in enumerate(plan.fetches):
        for needed in fetch.depends_on:
            dependents[index_of[needed]].append(index)
    fetches = tuple(compile_fetch(i, fetch, tuple(dependents[i])) for i, fetch in enumerate(plan.fetches))
    is_chain = all(i == 0 or plan.fetches[i - 1].id in f.depends_on for i, f in enumerate(plan.fetches))
    waits = tuple(len(fetch.depends_on) for fetch in plan.fetches)
    return ExecutablePlan(plan.kind, fetches, waits, is_chain, ((), *(_sources(plan, one) for one in plan.deferred)))


def _sources(plan: QueryPlan, part: DeferredPart) -> tuple[int, ...]:
    earlier = plan.deferred[: part.number - 1]
    beside = (other.number for other in earlier if set(part.usages) < set(other.usages))
    return (0, *part.after, *beside)


def _compile_body(fetch: Fetch) -> RequestBody | ContextualBody:
    if any(lookup.contexts for lookup in fetch.lookups):
        return compile_contextual_body(fetch)
    head = b'{"query":' + encode(fetch.document)
    if fetch.operation_name is not None:
        head += b',"operationName":' + encode(fetch.operation_name)
    return RequestBody(head, {name: encode(name) + b":" for name in fetch.variables})


def compile_fetch(index: int, fetch: Fetch, dependents: tuple[int, ...]) -> ExecutableFetch:
    """``fetch``, compiled; ``dependents`` wait for it."""
    return ExecutableFetch(
        index=index,
        subgraph=fetch.subgraph,
        repeatable=fetch.kind is OperationKind.QUERY,
        body=_compile_body(fetch),
        lookups=tuple(_compile_lookup(lookup) for lookup in fetch.lookups),
        owned=fetch.owned,
        at=fetch.at,
        rename=compile_rewrites(fetch.rewrites),
        rename_path=compile_path_rewrites(fetch.rewrites),
        run_if=fetch.run_if,
        dependents=dependents,
        check_shapes=compile_shape_check(fetch.shapes),
        asked_keys=compile_asked_keys(fetch.document),
        part=fetch.part,
        by_need=any(lookup.by_need for lookup in fetch.lookups),
        renames=bool(fetch.rewrites) or any(lookup.rewrites for lookup in fetch.lookups),
        has_contexts=any(lookup.contexts for lookup in fetch.lookups),
        plan=fetch,
    )


def _compile_lookup(lookup: EntityLookup) -> ExecutableLookup:
    return ExecutableLookup(
        alias=lookup.alias,
        variable=lookup.variable.encode(),
        prefix=encode(lookup.variable) + b":",
        paths=lookup.paths,
        collects=tuple(compile_collect(path) for path in lookup.paths),
        builders=compile_builders(lookup.representations),
        owned=lookup.owned,
        rename=compile_rewrites(lookup.rewrites),
        rename_path=compile_path_rewrites(lookup.rewrites),
        contexts=compile_contexts(lookup.contexts),
        check_shapes=compile_shape_check(lookup.shapes),
        by_need=lookup.by_need,
    )
