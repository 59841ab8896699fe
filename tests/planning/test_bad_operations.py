"""Operations that are meant to hurt: each is refused with its code, or planned, within two seconds of CPU time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache

import pytest

from router.errors import OperationError
from router.operation import build_operation, coerce_variables, parse_document
from router.planning import plan_operation
from router.planning.query_plan import QueryPlan
from router.supergraph import Supergraph
from tests.planning.plans import supergraph_of

SECONDS = 2.0
FIELDS = " ".join(f"f{i}: T @shareable v{i}: Int @shareable" for i in range(6))
KEYED = 'type T @key(fields: "id") {{ id: ID! @shareable f(n: Int): T @shareable {} }}'


@cache
def shared() -> Supergraph:
    """Seven subgraphs that share every field."""
    return supergraph_of({f"s{n}": "type Query { t: T @shareable } " + KEYED.format(FIELDS) for n in range(7)})


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Hold that a test takes no longer; the supergraph is made before."""
    shared()
    started = time.process_time()
    yield
    assert time.process_time() - started < SECONDS


def plan(text: str) -> QueryPlan:
    supergraph = shared()
    return plan_operation(supergraph, build_operation(supergraph.api_schema, parse_document(text)))


def nested(levels: int, width: int) -> str:
    below = " ".join(f"f{i} {{ {nested(levels - 1, width)} }}" for i in range(width)) if levels else ""
    return f"{below} v0 v1 v2"


def spreads(levels: int, *aliases: str) -> str:
    fragments = (
        f"fragment F{n} on T {{ {' '.join(f'{alias} {{ ...F{n + 1} }}' for alias in aliases)} }}" for n in range(levels)
    )
    return f"{{ t {{ ...F0 }} }} {' '.join(fragments)} fragment F{levels} on T {{ v0 }}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{{ t {{ {' '.join(f'a{i}: v{i % 6}' for i in range(10_000))} }} }}", "GRAPHQL_PARSE_FAILED"),
        ("{ t { " + "f0 { " * 5000 + "v0" + " }" * 5002, "GRAPHQL_PARSE_FAILED"),
        (spreads(30, "a: f0", "b: f1", "c: f2"), "OPERATION_TOO_LARGE"),
        ("{ t { ...A } } fragment A on T { f0 { ...B } } fragment B on T { f1 { ...A } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ t { ...A } } fragment A on T { ...A }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ t { v9 } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ t { f(m: 1) { v0 } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($a: Nothing) { t { f(n: $a) { v0 } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ t { f(n: $a) { v0 } } }", "GRAPHQL_VALIDATION_FAILED"),
    ],
    ids=["aliases", "depth", "breadth", "cycle", "own cycle", "field", "argument", "type", "variable"],
)
def test_what_cannot_be_planned_is_refused(text: str, code: str) -> None:
    with pytest.raises(OperationError) as caught:
        plan(text)

    assert caught.value.code == code


@pytest.mark.parametrize("value", ["x", 1.5, [1], {"n": 1}, 2**31, True])
def test_variable_of_the_wrong_kind_is_refused(value: object) -> None:
    supergraph = shared()
    operation = build_operation(supergraph.api_schema, parse_document("query ($n: Int) { t { f(n: $n) { v0 } } }"))

    with pytest.raises(OperationError) as caught:
        coerce_variables(supergraph.api_schema, operation, {"n": value})

    assert caught.value.code == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "text",
    [
        f"{{ t {{ {nested(4, 3)} }} }}",
        f"{{ t {{ {nested(40, 1)} }} }}",
        f"{{ t {{ {' '.join(f'a{i}: v{i % 6}' for i in range(3_500))} }} }}",
        spreads(60, "f0", "f0"),
    ],
    ids=["wide", "deep", "aliases", "fragments"],
)
def test_what_all_subgraphs_share_is_one_fetch(text: str) -> None:
    assert len(plan(text).fetches) == 1
