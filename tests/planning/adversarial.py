"""Supergraphs and operations that are meant to make planning slow or large, each run in a process of its own.

``python -m tests.planning.adversarial many_shared_paths`` plans one, with limits on the document that let it through to
the planner, and prints ``outcome seconds megabytes``: of CPU time for validation, normalising and planning, and the
highest resident memory of the whole process, which collects its garbage as ``galleria serve`` does.
"""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from router.errors import GalleriaError
from router.operation import OperationLimits, build_operation, parse_document
from router.planning import plan_operation
from router.server.processes.process import COLLECT_AFTER_ALLOCATIONS
from tests.planning.plans import supergraph_of

# No limit on the document holds these back: what has to hold is the planner's own.
WIDE = OperationLimits(max_tokens=200_000, max_fields=200_000)
DEFAULT = OperationLimits()


@dataclass(frozen=True, slots=True)
class Attack:
    """Subgraphs by name, a document, and what its size is limited to."""

    subgraphs: Mapping[str, str]
    text: str
    limits: OperationLimits = WIDE


def deep_abstract_types() -> Attack:
    """An interface below itself, 8 deep, whose 20 types each have the way down in another subgraph."""

    def known(fields: str, types: range) -> str:
        return " ".join(f'type T{n} implements Node @key(fields: "id") {{ id: ID! {fields} }}' for n in types)

    first, second = range(10), range(10, 20)
    interface, own = "interface Node { id: ID! v: Int next: Node }", "v: Int next: Node"
    others = "v: Int @external next: Node @external"
    subgraphs = {
        "a": f"type Query {{ node: Node }} interface Node {{ id: ID! }} {known('', range(20))}",
        "b": f"{interface} {known(own, first)} {known(others, second)}",
        "c": f"{interface} {known(others, first)} {known(own, second)}",
    }
    return Attack(subgraphs, "{ node { " + "next { " * 8 + "v" + " }" * 10)


def types_within_types() -> Attack:
    """Fragments on an interface's 12 types within those on the same types, 60 deep, with a field at each depth."""
    types = range(12)
    kinds = " ".join(f'type T{n} implements Node @key(fields: "id") {{ id: ID! v: Int next: Node }}' for n in types)
    other = " ".join(f'type T{n} @key(fields: "id") {{ id: ID! w{n}: Int }}' for n in types)

    def nested(levels: int) -> str:
        within = nested(levels - 1) if levels else ""
        return f"... on Node {{ next {{ v }} {' '.join(f'... on T{n} {{ w{n} }}' for n in types)} {within} }}"

    subgraphs = {"a": f"type Query {{ node: Node }} interface Node {{ id: ID! v: Int next: Node }} {kinds}", "b": other}
    return Attack(subgraphs, f"{{ node {{ {nested(60)} }} }}")


def many_shared_paths() -> Attack:
    """Twelve subgraphs that share every field, by keys that each knows only some of, and a tree 5 deep."""
    fields = " ".join(f"f{n}: T @shareable v{n}: Int @shareable" for n in range(4))

    def subgraph(number: int) -> str:
        keys = " ".join(f'@key(fields: "k{number} k{other}")' for other in range(12) if other != number)
        ids = " ".join(f"k{other}: ID! @shareable" for other in range(12))
        return f"type Query {{ t: T @shareable }} type T {keys} {{ {ids} {fields} own{number}: Int }}"

    def nested(levels: int) -> str:
        leaves = " ".join(f"own{n}" for n in range(12))
        below = " ".join(f"f{n} {{ {nested(levels - 1)} }}" for n in range(3)) if levels else ""
        return f"{leaves} v0 v1 {below}"

    return Attack({f"s{number}": subgraph(number) for number in range(12)}, f"{{ t {{ {nested(5)} }} }}")


def many_ways_for_each_field() -> Attack:
    """300 fields that each some of 30 subgraphs have, so that covering them with the fewest requests is hard."""
    owners = {field: {(field * 7 + turn * 11 + field // 5 * turn) % 30 for turn in range(4)} for field in range(300)}

    def subgraph(number: int) -> str:
        own = " ".join(f"v{field}: Int @shareable" for field, of in owners.items() if number in of)
        root = "type Query { t: T }" if number == 0 else ""
        return f'{root} type T @key(fields: "id") {{ id: ID! {own} }}'

    leaves = " ".join(f"v{field}" for field in owners)
    return Attack({f"s{number}": subgraph(number) for number in range(30)}, f"{{ t {{ {leaves} }} }}")


def ten_thousand_aliases() -> Attack:
    """One field that two other subgraphs have, under 10,000 names."""
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! }',
        "b": 'type T @key(fields: "id") { id: ID! v: Int @shareable }',
        "c": 'type T @key(fields: "id") { id: ID! v: Int @shareable }',
    }
    return Attack(subgraphs, f"{{ t {{ {' '.join(f'a{n}: v' for n in range(10_000))} }} }}")


def five_thousand_aliased_objects() -> Attack:
    """A composite root field under 5,000 names, each of which needs a lookup."""
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! }',
        "b": 'type T @key(fields: "id") { id: ID! v: Int }',
    }
    return Attack(subgraphs, f"{{ {' '.join(f'a{n}: t {{ v }}' for n in range(5_000))} }}")


def exponential_fragments() -> Attack:
    """Fragments that each spread the next three times, 30 deep."""
    subgraphs = {"a": 'type Query { t: T } type T @key(fields: "id") { id: ID! t: T v: Int }'}
    spreads = (
        f"fragment F{n} on T {{ a: t {{ ...F{n + 1} }} b: t {{ ...F{n + 1} }} c: t {{ ...F{n + 1} }} }}"
        for n in range(30)
    )
    text = f"{{ t {{ ...F0 }} }} {' '.join(spreads)} fragment F30 on T {{ v }}"
    return Attack(subgraphs, text, DEFAULT)


def chained_requirements() -> Attack:
    """Thirty fields that each require the one before, in turn from two subgraphs, asked for in 40 objects."""
    first = " ".join(f'r{n}: Int @requires(fields: "r{n - 1}")' if n else "r0: Int" for n in range(0, 30, 2))
    second = " ".join(f'r{n}: Int @requires(fields: "r{n - 1}")' for n in range(1, 30, 2))
    outer = {
        "a": " ".join(f"r{n}: Int @external" for n in range(1, 29, 2)),
        "b": " ".join(f"r{n}: Int @external" for n in range(0, 29, 2)),
    }
    subgraphs = {
        "a": f'type Query {{ t: T }} type T @key(fields: "id") {{ id: ID! {first} {outer["a"]} }}',
        "b": f'type T @key(fields: "id") {{ id: ID! {second} {outer["b"]} }}',
    }
    return Attack(subgraphs, f"{{ {' '.join(f'a{n}: t {{ r29 }}' for n in range(40))} }}")


def requirements_of_all_before() -> Attack:
    """Forty fields that each require all of those before in the other of two subgraphs, by two keys, in 40 objects."""
    types = {}
    for name, first in {"a": 0, "b": 1}.items():
        fields = []
        for n in range(40):
            before = " ".join(f"r{other}" for other in range(n) if other % 2 != first)
            required = f' @requires(fields: "{before}")' if before else ""
            fields.append(f"r{n}: Int{required}" if n % 2 == first else f"r{n}: Int @external" if n < 39 else "")
        keys = '@key(fields: "id") @key(fields: "code")'
        types[name] = f"type T {keys} {{ id: ID! @shareable code: ID! @shareable {' '.join(fields)} }}"
    subgraphs = {"a": f"type Query {{ t: T }} {types['a']}", "b": types["b"]}
    return Attack(subgraphs, f"{{ {' '.join(f'a{n}: t {{ r39 r38 }}' for n in range(40))} }}")


def many_conditions() -> Attack:
    """800 objects, each under a mix of its own of 40 conditions."""
    subgraphs = {
        "a": 'type Query { t: T } type T @key(fields: "id") { id: ID! t: T }',
        "b": 'type T @key(fields: "id") { id: ID! v: Int }',
    }
    declared = ", ".join(f"$c{n}: Boolean!" for n in range(40))
    spread = (
        f"... @include(if: $c{n % 40}) {{ a{n}: t @skip(if: $c{n // 40 % 40}) {{ v @include(if: $c{(n * 7) % 40}) }} }}"
        for n in range(800)
    )
    return Attack(subgraphs, f"query ({declared}) {{ t {{ {' '.join(spread)} }} }}")


ATTACKS: Mapping[str, Callable[[], Attack]] = {
    attack.__name__: attack
    for attack in (
        deep_abstract_types,
        types_within_types,
        many_shared_paths,
        many_ways_for_each_field,
        ten_thousand_aliases,
        five_thousand_aliased_objects,
        exponential_fragments,
        chained_requirements,
        requirements_of_all_before,
        many_conditions,
    )
}


def main(name: str) -> None:
    """Plan the attack ``name``, and print what came of it."""
    gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)
    attack = ATTACKS[name]()
    supergraph = supergraph_of(attack.subgraphs)
    document = parse_document(attack.text, attack.limits)
    started = time.process_time()
    try:
        operation = build_operation(supergraph.api_schema, document, limits=attack.limits)
        outcome = f"{len(plan_operation(supergraph, operation).fetches)}-fetches"
    except GalleriaError as error:
        outcome = error.code
    seconds = time.process_time() - started
    sys.stdout.write(f"{outcome} {seconds:.2f} {_peak_megabytes():.0f}\n")


def _peak_megabytes() -> float:
    """The highest resident memory of this program; a process's own account begins with that of who started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1])
