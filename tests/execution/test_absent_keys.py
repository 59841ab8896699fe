"""A key that a subgraph leaves out is told as an error at its place; what is honestly null is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router.execution.answer import SubgraphAnswer
from router.execution.executable import compile_plan
from router.execution.execute import ExecutionContext, ExecutionResult, execute_event
from router.planning.query_plan import InputField, InputSelection, Rewrite
from tests.execution.scripted import ScriptedSubgraphs, entities, errors, key, lookup, needs, path, plan, root, run

LACKS = "The subgraph's answer lacks a field that was asked for."
CODE = "SUBGRAPH_INVALID_RESPONSE"
ITEMS = {"data": {"items": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}}


def _names(**settings: Any) -> Any:
    return lookup(path("items"), "Item", (key(),), "name", **settings)


def _looked(result: ExecutionResult) -> list[Any]:
    """The errors with those that are told once an absent key is met."""
    assert result.look_for_absent is not None
    return errors(ExecutionResult(result.data, [*result.errors, *result.look_for_absent()]))


async def _ask(answer: dict[str, Any], brings: str, variables: dict[str, object] | None = None) -> list[Any]:
    client = ScriptedSubgraphs(shop=ITEMS, names=answer)
    fetches = root(0, "shop", "items"), entities(1, "names", 0, _names(), brings=brings)
    return _looked(await run(plan(*fetches), client, variables))


@pytest.mark.asyncio
async def test_absent_key_of_an_entity_is_told_at_each_of_its_places() -> None:
    told = await _ask({"data": {"_entities": [{}, {"name": "Cup"}]}}, "...on Item{name}")
    assert told == [(("items", 0, "name"), LACKS, CODE), (("items", 2, "name"), LACKS, CODE)]


@pytest.mark.asyncio
async def test_absent_key_inside_lists_of_an_entity_is_told_with_its_indices() -> None:
    entity = {"tags": [[{"t": 1}, {}], None]}
    told = await _ask({"data": {"_entities": [None, entity]}}, "...on Item{tags{t}}")
    assert told == [(("items", 1, "tags", 0, 1, "t"), LACKS, CODE)]


@pytest.mark.asyncio
@pytest.mark.parametrize(("wanted", "count"), [(True, 1), (False, 0)])
async def test_key_is_missed_only_where_its_conditions_hold(wanted: bool, count: int) -> None:
    answer = {"data": {"_entities": [{"id": "1"}, {"id": "2", "name": "Cup", "size": 1}]}}
    brings = "...on Item{id ...@include(if: $wanted){name @skip(if: $no)} size @skip(if: $wanted) @include(if: $no)}"
    assert len(await _ask(answer, brings, {"wanted": wanted, "no": False})) == count * 2


@pytest.mark.asyncio
async def test_entity_that_is_not_known_and_null_miss_nothing() -> None:
    assert await _ask({"data": {"_entities": [None, {"name": None, "dims": None}]}}, "...on Item{name dims{h}}") == []


@pytest.mark.asyncio
async def test_fragment_on_another_type_misses_nothing() -> None:
    answer = {"data": {"_entities": [{"of": {"__typename": "Film"}}, {"of": {"__typename": "Book"}}]}}
    told = await _ask(answer, "...on Item{of{__typename ...on Book{pages}}}")
    assert told == [(("items", 1, "of", "pages"), LACKS, CODE)]


@pytest.mark.asyncio
async def test_what_the_subgraph_tells_of_is_not_told_again() -> None:
    told = [{"message": "broken", "path": ["_entities", 1, "name"]}]
    answer = {"data": {"_entities": [{"name": "Mug"}, {}]}, "errors": told}
    assert await _ask(answer, "...on Item{name}") == [(("items", 1, "name"), "broken", "SUBGRAPH_ERROR")]


@pytest.mark.asyncio
async def test_absent_key_that_was_asked_for_by_another_name_is_told_by_the_clients() -> None:
    found = _names(rewrites=(Rewrite((), None, "_n", "name"),))
    client = ScriptedSubgraphs(shop={"data": {"items": [{"id": "1"}]}}, names={"data": {"_entities": [{}]}})
    fetches = root(0, "shop", "items"), entities(1, "names", 0, found, brings="...on Item{_n:name}")
    assert _looked(await run(plan(*fetches), client)) == [(("items", 0, "name"), LACKS, CODE)]


@pytest.mark.asyncio
@pytest.mark.parametrize("dims", [{}, {"dims": {}}, {"dims": [{"h": 1}, {}]}], ids=["whole", "inside", "in a list"])
async def test_nothing_is_asked_for_with_an_absent_input(dims: dict[str, Any]) -> None:
    inputs = (InputSelection(None, (needs("h"),)),)
    found = lookup(path("item"), "Item", (key(), InputField("dims", "dims", nullable=True, inputs=inputs)), "cost")
    first = replace(root(0, "shop", "item"), document="{item{id dims{h}}}")
    client = ScriptedSubgraphs(shop={"data": {"item": {"id": "1", **dims}}}, costs={"data": {"_entities": [{}]}})
    result = await run(plan(first, entities(1, "costs", 0, found, brings="...on Item{cost}")), client)
    assert client.names == ["shop"]
    message = f"Not fetched from subgraph 'costs', because what it needs failed: {LACKS}"
    assert (("item", "cost"), message, "SUBGRAPH_INPUT_FAILED") in errors(result)


@pytest.mark.asyncio
async def test_absent_key_of_an_event_is_told() -> None:
    executable = compile_plan(plan(root(0, "shop", "sold", "left")))
    event = SubgraphAnswer({"sold": 1}, [])
    result = await execute_event(executable, {}, ExecutionContext(ScriptedSubgraphs()), event)
    assert _looked(result) == [(("left",), LACKS, CODE)]


@pytest.mark.asyncio
async def test_lists_that_are_nested_too_deeply_hide_nothing() -> None:
    deep: Any = [{"t": 1}]
    for _ in range(5000):
        deep = [deep]
    executable = compile_plan(plan(root(0, "shop", "sold left {t}")))
    event = SubgraphAnswer({"left": deep}, [])
    result = await execute_event(executable, {}, ExecutionContext(ScriptedSubgraphs()), event)
    assert _looked(result) == [(("sold",), LACKS, CODE)]
