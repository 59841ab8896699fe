"""Root fields asked again below the root go into every ``Query`` object there; fields may be owned below the entity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.execution.errors import SubgraphFailure
from router.planning.query_plan import OwnedField, PathStep
from tests.execution.scripted import ScriptedSubgraphs, entities, key, lookup, path, plan, root, run

AGAIN = plan(root(0, "a", "change"), replace(root(1, "b", "y"), depends_on=(0,), at=(path("change", "query"),)))


@pytest.mark.asyncio
async def test_root_fields_are_merged_into_every_object_at_the_path() -> None:
    result = await run(
        AGAIN, ScriptedSubgraphs(a={"data": {"change": [{"query": {}}, {"query": {}}]}}, b={"data": {"y": 1}})
    )

    assert result.data == {"change": [{"query": {"y": 1}}, {"query": {"y": 1}}]}
    assert result.errors == []


@pytest.mark.asyncio
async def test_root_fields_are_not_asked_where_there_is_no_object_for_them() -> None:
    subgraphs = ScriptedSubgraphs(a={"data": {"change": None}}, b={"data": {"y": 1}})

    assert (await run(AGAIN, subgraphs)).data == {"change": None}
    assert [name for name, _ in subgraphs.requests] == ["a"]


@pytest.mark.asyncio
async def test_errors_of_root_fields_asked_again_are_at_their_places() -> None:
    told = {"data": {"y": None}, "errors": [{"message": "no", "path": ["y"]}]}
    result = await run(AGAIN, ScriptedSubgraphs(a={"data": {"change": [{"query": {}}]}}, b=told))
    failed = await run(
        AGAIN, ScriptedSubgraphs(a={"data": {"change": [{"query": {}}]}}, b=SubgraphFailure("SUBGRAPH_TIMEOUT", "late"))
    )

    assert [(error.path, error.message) for error in result.errors] == [(("change", 0, "query", "y"), "no")]
    assert [(error.path, error.message) for error in failed.errors] == [(("change", 0, "query", "y"), "late")]


@pytest.mark.asyncio
async def test_field_owned_below_the_entity_fails_there_and_beside_what_another_brought() -> None:
    boxes = replace(lookup(path("orders"), "Order", (key(),)), owned=(OwnedField("height", path=(PathStep("box"),)),))
    orders = [{"id": "1", "box": {"width": 2}}, {"id": "2", "box": None}, {"id": "3"}]
    result = await run(
        plan(root(0, "a", "orders"), entities(1, "b", 0, boxes)),
        ScriptedSubgraphs(a={"data": {"orders": orders}}, b=SubgraphFailure("SUBGRAPH_TIMEOUT", "late")),
    )

    assert [error.path for error in result.errors] == [("orders", 0, "box", "height"), ("orders", 2, "box")]
