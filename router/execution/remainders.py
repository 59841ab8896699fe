"""What is asked of entities that lack inputs of some fields: the other fields, in a request of its own.

A lookup of ``name`` and ``shipping`` (which requires ``weight``) sends ``{id weight}``. An entity whose ``weight``
failed is sent as ``{id}``, with a document that asks for ``name`` alone. It is compiled when it is needed first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from graphql import OperationDefinitionNode, parse

from router.execution.contexts import gather_in_contexts
from router.execution.executable import ExecutableFetch, ExecutableLookup, compile_fetch
from router.execution.failed_inputs import is_anything_left
from router.execution.representations import Apart, Batch, Chain, compile_fields, gather
from router.planning.query_plan import ContextVariable, EntityLookup, Fetch, InputField, SelectionsByNeed

# How many remainders of one fetch are kept; each combination of failed inputs is one.
MAX_KEPT = 16

_VARIABLE = re.compile(r"\$(\w+)")

# The number of a lookup in its fetch, of one of its representations, and those of the fields that are left out.
Part = tuple[int, int, frozenset[int]]


def set_unsent_apart(lookup: ExecutableLookup, batch: Batch, chains: Sequence[Chain]) -> None:
    """Set those of ``chains`` apart that ``batch`` cannot send, because a value is null, and of which something is left
    to ask for: the fields that do not need the value are not to be lost."""
    sent = {id(entity) for group in batch.objects for entity in group}
    apart: Apart = batch.apart or {}
    for chain in chains:
        builder = lookup.builders.of(chain[-1])
        needs = lookup.by_need[builder.number] if builder is not None and id(chain[-1]) not in sent else None
        if builder is None or needs is None or not compile_fields(needs.key)(chain[-1], {}):
            continue
        lost = frozenset(_unusable(lookup, needs, chain))
        if is_anything_left(needs, lost):
            apart.setdefault((builder.number, lost), []).append(chain)
    batch.apart = apart


def _unusable(lookup: ExecutableLookup, needs: SelectionsByNeed, chain: Chain) -> list[int]:
    """The computed fields that cannot be asked for, as something that they need is null and must not be."""
    missing = {
        context.variable.decode()
        for context in lookup.contexts
        if not context.nullable and context.read(chain[context.depth]) is None
    }
    return [
        number
        for number, one in enumerate(needs.computed)
        if not missing.isdisjoint(one.contexts) or not compile_fields(one.inputs)(chain[-1], {})
    ]


def remainder_of(fetch: ExecutableFetch, batches: Sequence[Batch]) -> tuple[ExecutableFetch, list[Batch]]:
    """The request for what is left of the entities that were set apart, and what its lookups send."""
    parts: dict[Part, list[Chain]] = {
        (index, number, lost): chains
        for index, batch in enumerate(batches)
        for (number, lost), chains in (batch.apart or {}).items()
    }
    key = tuple(parts)
    remainder = fetch.remainders.get(key)
    if remainder is None:
        remainder = compile_fetch(fetch.index, _plan_remainder(fetch.plan, key), ())
        if len(fetch.remainders) < MAX_KEPT:
            fetch.remainders[key] = remainder
    gathered = [
        gather_in_contexts(chains, lookup.contexts, lookup.builders)
        if lookup.contexts
        else gather([chain[-1] for chain in chains], lookup.builders)
        for lookup, chains in zip(remainder.lookups, parts.values(), strict=True)
    ]
    return remainder, gathered


def _plan_remainder(fetch: Fetch, parts: Sequence[Part]) -> Fetch:
    lookups: list[EntityLookup] = []
    fields: list[str] = []
    for number, part in enumerate(parts):
        lookup, selection = _plan_lookup(fetch, part, number)
        lookups.append(lookup)
        fields.append(f"{lookup.alias}: _entities(representations: ${lookup.variable}) {{ {selection} }}")
    declared = _definitions(fetch)
    used = set(_VARIABLE.findall(" ".join(fields)))
    variables = tuple(name for name in fetch.variables if name in used)
    definitions = [declared[name] for name in variables]
    for lookup in lookups:
        definitions.append(f"${lookup.variable}: [_Any!]!")
        definitions += (f"${context.variable}: {context.type}" for context in lookup.contexts)
    name = f" {fetch.operation_name}" if fetch.operation_name else ""
    document = f"query{name}({', '.join(definitions)}) {{ {' '.join(fields)} }}"
    return replace(fetch, document=document, variables=variables, lookups=tuple(lookups))


def _plan_lookup(fetch: Fetch, part: Part, number: int) -> tuple[EntityLookup, str]:
    """The lookup of one part, and what it selects; ``number`` parts its names from those of the others."""
    index, of_representation, lost = part
    lookup = fetch.lookups[index]
    needs = lookup.by_need[of_representation]
    assert needs is not None  # noqa: S101 - nothing is set apart else
    kept = [one for index, one in enumerate(needs.computed) if index not in lost]
    contexts = {
        context.variable: replace(context, variable=f"{context.variable}_{number}")
        for context in lookup.contexts
        if any(context.variable in one.contexts for one in kept)
    }
    selections = [*needs.selections, *(text for one in kept for text in one.selections)]
    fields = _merged([*(needs.key if needs.selections else ()), *(field for one in kept for field in one.inputs)])
    planned = replace(
        lookup,
        alias=f"_entities_{number}",
        variable=f"{lookup.variable}_{number}",
        representations=(replace(lookup.representations[of_representation], fields=fields),),
        owned=(*needs.owned, *(owned for one in kept for owned in one.owned)),
        contexts=tuple(contexts.values()),
        by_need=(),
    )
    return planned, f"... on {needs.type_condition} {{ {_renamed(' '.join(selections), contexts)} }}"


def _renamed(text: str, contexts: dict[str, ContextVariable]) -> str:
    return _VARIABLE.sub(lambda m: f"${contexts[m[1]].variable}" if m[1] in contexts else m[0], text)


def _merged(fields: Sequence[InputField]) -> tuple[InputField, ...]:
    """Each field once, with all that is taken from inside it."""
    merged: dict[str, InputField] = {}
    for field in fields:
        known = merged.setdefault(field.name, field)
        if known != field:
            inputs = tuple(dict.fromkeys((*(known.inputs or ()), *(field.inputs or ())))) or None
            merged[field.name] = replace(known, nullable=known.nullable and field.nullable, inputs=inputs)
    return tuple(merged.values())


def _definitions(fetch: Fetch) -> dict[str, str]:
    """The definitions of variables in the fetch's document, by name."""
    operation = parse(fetch.document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - the planner's own document
    return {
        node.variable.name.value: fetch.document[node.loc.start : node.loc.end]
        for node in operation.variable_definitions or ()
        if node.loc is not None
    }
