"""Names that had to be changed for a subgraph are changed back, in data and in the paths of errors."""

from __future__ import annotations

from typing import Any

import pytest

from router.planning.query_plan import PathStep, Rewrite
from tests.execution.scripted import ScriptedSubgraphs, entities, errors, key, lookup, path, plan, root, run


@pytest.mark.asyncio
async def test_a_root_answer_is_renamed_by_type() -> None:
    rewrites = (
        Rewrite(path("items"), ("Film",), "_0_length", "length"),
        Rewrite(path("items"), ("Book",), "_1_length", "length"),
    )
    items = [{"__typename": "Film", "_0_length": 90}, {"__typename": "Book", "_1_length": 300}, {"__typename": "Toy"}]
    client = ScriptedSubgraphs(a={"data": {"items": items}})
    result = await run(plan(root(0, "a", "items", rewrites=rewrites)), client)
    assert [item.get("length") for item in result.data["items"]] == [90, 300, None]
    assert "_0_length" not in result.data["items"][0]


@pytest.mark.asyncio
async def test_an_entity_and_the_path_of_its_error_are_renamed() -> None:
    rewrites = (Rewrite((), None, "_p", "price"), Rewrite((PathStep("price"),), None, "_a", "amount"))
    found = lookup(path("one"), "One", (key(),), "price", rewrites=rewrites)
    answer = {
        "data": {"_entities": [{"_p": {"_a": None}}]},
        "errors": [{"message": "no amount", "path": ["_entities", 0, "_p", "_a"]}],
    }
    client = ScriptedSubgraphs(a={"data": {"one": {"id": "1"}}}, b=answer)
    result = await run(plan(root(0, "a", "one"), entities(1, "b", 0, found)), client)
    assert result.data == {"one": {"id": "1", "price": {"amount": None}}}
    assert errors(result) == [(("one", "price", "amount"), "no amount", "SUBGRAPH_ERROR")]


ERRORS_IN_ANSWERS: list[Any] = [
    pytest.param("Mug", (), id="at a value that is there all the same"),
    pytest.param(None, (), id="at null"),
    pytest.param(None, ("amount",), id="below null"),
    pytest.param({"amount": 5}, (), id="at an object"),
    pytest.param({"amount": 5}, ("amount",), id="at a value in an object"),
    pytest.param({"amount": None}, ("amount",), id="at null in an object"),
    pytest.param([{"amount": 5}, None], (1, "amount"), id="below null in a list"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(("value", "below"), ERRORS_IN_ANSWERS)
async def test_an_error_at_a_renamed_root_key_is_told_as_at_any_other(value: Any, below: tuple[str | int, ...]) -> None:
    told = []
    for sent, rewrites in (("price", ()), ("_p", (Rewrite(path("one"), None, "_p", "price"),))):
        answer = {"data": {"one": {sent: value}}, "errors": [{"message": "stale", "path": ["one", sent, *below]}]}
        result = await run(plan(root(0, "a", "one", rewrites=rewrites)), ScriptedSubgraphs(a=answer))
        assert errors(result) == [(("one", "price", *below), "stale", "SUBGRAPH_ERROR")]
        told.append(result.errors)
    assert told[1] == told[0]


@pytest.mark.asyncio
@pytest.mark.parametrize(("value", "below"), ERRORS_IN_ANSWERS)
async def test_an_error_at_a_renamed_key_of_an_entity_is_told_as_at_any_other(
    value: Any, below: tuple[str | int, ...]
) -> None:
    told = []
    for sent, rewrites in (("price", ()), ("_p", (Rewrite((), None, "_p", "price"),))):
        found = lookup(path("one"), "One", (key(),), "price", rewrites=rewrites)
        at = ["_entities", 0, sent, *below]
        answer = {"data": {"_entities": [{sent: value}]}, "errors": [{"message": "stale", "path": at}]}
        client = ScriptedSubgraphs(a={"data": {"one": {"id": "1"}}}, b=answer)
        result = await run(plan(root(0, "a", "one"), entities(1, "b", 0, found)), client)
        assert errors(result) == [(("one", "price", *below), "stale", "SUBGRAPH_ERROR")]
        told.append(result.errors)
    assert told[1] == told[0]
