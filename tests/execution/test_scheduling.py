"""A fetch starts when its own inputs are merged, and not before or later."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from router.operation.model import Condition, OperationKind
from router.planning.query_plan import QueryPlan
from tests.execution.scripted import ScriptedSubgraphs, entities, key, lookup, path, plan, root, run


@pytest.mark.asyncio
async def test_independent_fetches_run_at_once() -> None:
    client = ScriptedSubgraphs(a={"data": {"x": 1}}, b={"data": {"y": 2}}, c={"data": {"z": 3}})
    gates = [client.gate(name) for name in "abc"]
    running = asyncio.create_task(run(plan(root(0, "a", "x"), root(1, "b", "y"), root(2, "c", "z")), client))
    await client.until_asked("a", "b", "c")
    for gate in gates:
        gate.set()
    assert (await running).data == {"x": 1, "y": 2, "z": 3}


@pytest.mark.asyncio
async def test_a_fetch_does_not_wait_for_the_slow_neighbour_of_what_it_needs() -> None:
    """No barrier between levels: ``deep`` needs ``fast`` alone, and is asked while ``slow`` still thinks."""
    client = ScriptedSubgraphs(
        fast={"data": {"one": {"id": "1"}}}, slow={"data": {"y": 2}}, deep={"data": {"_entities": [{"n": 1}]}}
    )
    gate = client.gate("slow")
    deep = entities(2, "deep", 0, lookup(path("one"), "One", (key(),), "n"))
    running = asyncio.create_task(run(plan(root(0, "fast", "one"), root(1, "slow", "y"), deep), client))
    await client.until_asked("deep")
    gate.set()
    assert (await running).data == {"one": {"id": "1", "n": 1}, "y": 2}


@pytest.mark.asyncio
async def test_a_fetch_waits_for_all_that_it_depends_on() -> None:
    client = ScriptedSubgraphs(
        a={"data": {"one": {"id": "1"}}}, b={"data": {"two": 2}}, c={"data": {"_entities": [{"n": 1}]}}
    )
    gate = client.gate("b")
    last = replace(entities(2, "c", 0, lookup(path("one"), "One", (key(),), "n")), depends_on=(0, 1))
    running = asyncio.create_task(run(plan(root(0, "a", "one"), root(1, "b", "two"), last), client))
    await client.until_asked("a", "b")
    assert "c" not in client.names
    gate.set()
    await running
    assert client.names == ["a", "b", "c"]


@pytest.mark.asyncio
async def test_mutations_run_in_the_order_of_the_plan_and_go_on_after_a_failure() -> None:
    mutation = OperationKind.MUTATION
    first = root(0, "a", "x", kind=mutation)
    second = root(1, "b", "y", kind=mutation, depends_on=(0,))
    third = root(2, "a", "z", kind=mutation, depends_on=(1,))
    client = ScriptedSubgraphs(a={"data": {"x": 1, "z": 3}}, b=b"not json")
    result = await run(QueryPlan(mutation, (first, second, third)), client)
    assert client.names == ["a", "b", "a"]
    assert [request.repeatable for request in client.raw] == [False, False, False]
    assert [error.path for error in result.errors] == [("y",)]


@pytest.mark.asyncio
@pytest.mark.parametrize(("variables", "asked"), [({"v": True}, ["a", "b"]), ({"v": False}, ["a"]), ({}, ["a"])])
async def test_a_fetch_whose_conditions_fail_is_not_sent(variables: dict[str, object], asked: list[str]) -> None:
    conditional = root(1, "b", "y", run_if=((Condition("v", include=True),),))
    client = ScriptedSubgraphs(a={"data": {"x": 1}}, b={"data": {"y": 2}})
    result = await run(plan(root(0, "a", "x"), conditional), client, variables)
    assert client.names == asked
    assert result.errors == []


@pytest.mark.asyncio
async def test_one_alternative_of_conditions_is_enough() -> None:
    either = root(0, "a", "x", run_if=((Condition("v", include=True),), (Condition("w", include=False),)))
    client = ScriptedSubgraphs(a={"data": {"x": 1}})
    await run(plan(either), client, {"v": False, "w": False})
    assert client.names == ["a"]


@pytest.mark.asyncio
async def test_only_the_variables_that_a_fetch_uses_are_sent_and_undefined_ones_are_not() -> None:
    client = ScriptedSubgraphs(a={"data": {"x": 1}})
    fetch = root(0, "a", "x", variables=("first", "missing", "none"))
    await run(plan(fetch), client, {"first": 3, "none": None, "other": "secret"})
    assert client.requests[0][1] == {"query": "{x}", "variables": {"first": 3, "none": None}}


@pytest.mark.asyncio
async def test_headers_reach_every_subgraph() -> None:
    client = ScriptedSubgraphs(a={"data": {"x": 1}}, b={"data": {"y": 1}})
    await run(plan(root(0, "a", "x"), root(1, "b", "y")), client, headers=((b"authorization", b"Bearer t"),))
    assert [request.headers for request in client.raw] == [((b"authorization", b"Bearer t"),)] * 2


@pytest.mark.asyncio
async def test_cancelling_the_execution_cancels_its_fetches() -> None:
    client = ScriptedSubgraphs(a={"data": {"x": 1}}, b={"data": {"y": 2}})
    client.gate("a")
    client.gate("b")
    running = asyncio.create_task(run(plan(root(0, "a", "x"), root(1, "b", "y")), client))
    await client.until_asked("a", "b")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(client.cancelled) == ["a", "b"]
