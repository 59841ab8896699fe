"""What subgraphs answer becomes one tree."""

from __future__ import annotations

from typing import Any

import pytest

from router.execution.merge import merge_object
from tests.execution.scripted import ScriptedSubgraphs, entities, key, lookup, path, plan, root, run


@pytest.mark.parametrize(
    ("target", "source", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": 1}}, {"a": None}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {"x": 1}}),
        ({"a": None}, {"a": {"y": 2}}, {"a": {"y": 2}}),
        ({"a": [{"x": 1}, {"x": 2}]}, {"a": [{"y": 3}, {"y": 4}]}, {"a": [{"x": 1, "y": 3}, {"x": 2, "y": 4}]}),
        ({"a": [[{"x": 1}], []]}, {"a": [[{"y": 3}], []]}, {"a": [[{"x": 1, "y": 3}], []]}),
        ({"a": [{"x": 1}, None]}, {"a": [None, {"y": 4}]}, {"a": [{"x": 1}, {"y": 4}]}),
        ({"a": [{"x": 1}]}, {"a": []}, {"a": [{"x": 1}]}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": {"x": 1}}),
        ({"a": 5, "b": 0}, {"a": 6, "b": False}, {"a": 6, "b": False}),
    ],
)
def test_values_merge_by_key_and_position(
    target: dict[str, Any], source: dict[str, Any], merged: dict[str, Any]
) -> None:
    merge_object(target, source)
    assert target == merged


@pytest.mark.asyncio
async def test_two_root_fetches_bring_parts_of_one_object() -> None:
    client = ScriptedSubgraphs(
        a={"data": {"me": {"cart": {"id": 1}}}}, b={"data": {"me": {"cart": {"total": 2}, "name": "Ada"}}}
    )
    result = await run(plan(root(0, "a", "me"), root(1, "b", "me")), client)
    assert result.data == {"me": {"cart": {"id": 1, "total": 2}, "name": "Ada"}}


@pytest.mark.asyncio
async def test_an_entity_merges_into_lists_of_lists() -> None:
    client = ScriptedSubgraphs(
        a={"data": {"grid": [[{"id": "1"}], [{"id": "2"}, None]]}},
        b={"data": {"_entities": [{"n": 10}, {"n": 20}]}},
    )
    found = lookup(path("grid"), "Cell", (key(),), "n")
    result = await run(plan(root(0, "a", "grid"), entities(1, "b", 0, found)), client)
    assert result.data == {"grid": [[{"id": "1", "n": 10}], [{"id": "2", "n": 20}, None]]}


@pytest.mark.asyncio
async def test_an_entity_that_is_unknown_there_leaves_its_fields_out() -> None:
    client = ScriptedSubgraphs(a={"data": {"one": {"id": "1"}}}, b={"data": {"_entities": [None]}})
    result = await run(
        plan(root(0, "a", "one"), entities(1, "b", 0, lookup(path("one"), "One", (key(),), "n"))), client
    )
    assert result.data == {"one": {"id": "1"}}
    assert result.errors == []
