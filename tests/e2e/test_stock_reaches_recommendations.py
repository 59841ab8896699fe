"""What runs out is recommended no more, and again when it is back: inventory tells, recommendations hears."""

from __future__ import annotations

import uuid

import pytest

from tests.mall import Json, RunningMall, await_condition

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(120)]
TOGETHER = "query ($id: ID!) { product(id: $id) { boughtTogether(first: 20) { id } } }"
STOCK = "query ($id: ID!) { product(id: $id) { stock { status byWarehouse { warehouse available } } } }"
ADJUST = """
mutation ($id: ID!, $warehouse: String!, $delta: Int!, $key: String!) {
  adjustStock(input: {productId: $id, warehouse: $warehouse, delta: $delta, reason: "Count", idempotencyKey: $key}) {
    userErrors { code message }
  }
}
"""
GRINDER = "COF-001"


def companions(mall: RunningMall) -> list[str]:
    return [each["id"] for each in mall.data(TOGETHER, id=GRINDER)["product"]["boughtTogether"]]


def adjust(mall: RunningMall, product: str, levels: Json, sign: int) -> None:
    for warehouse, available in levels.items():
        variables = {"id": product, "warehouse": warehouse, "delta": sign * available, "key": uuid.uuid4().hex}
        assert mall.data(ADJUST, "staff", **variables)["adjustStock"]["userErrors"] == []


def test_a_companion_that_runs_out_disappears_until_it_is_back(mall: RunningMall) -> None:
    companion = companions(mall)[0]
    by_warehouse = mall.data(STOCK, "staff", id=companion)["product"]["stock"]["byWarehouse"]
    levels = {each["warehouse"]: each["available"] for each in by_warehouse if each["available"]}
    adjust(mall, companion, levels, -1)
    assert mall.data(STOCK, "staff", id=companion)["product"]["stock"]["status"] == "OUT_OF_STOCK"
    await_condition(lambda: companion not in companions(mall), 30, f"{companion} to disappear")
    adjust(mall, companion, levels, 1)
    await_condition(lambda: companions(mall)[0] == companion, 30, f"{companion} to be back")
