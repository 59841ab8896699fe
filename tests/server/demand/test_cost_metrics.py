"""Costs are noted as they come, and counted in batches as if each had been counted at once."""

from __future__ import annotations

from router.server.demand.cost_metrics import BOUNDS, CostMetrics


def told(metrics: CostMetrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one family, by their name and labels."""
    family = next(family for family in metrics.collect() if family.name == name)
    return {(one.name.removeprefix(name), *one.labels.values()): one.value for one in family.samples}


def test_each_cost_is_in_its_bucket_however_many_come_before_somebody_asks() -> None:
    metrics = CostMetrics()
    for number in range(1000):
        metrics.actual.note("within", float(number % 4))
        metrics.actual.note("too_expensive", BOUNDS[-1] * 2)
    counted = told(metrics, "galleria_operation_cost_actual")
    assert [counted["_bucket", "within", bound] for bound in ("0.0", "1.0", "5.0", "+Inf")] == [250, 500, 1000, 1000]
    assert (counted["_count", "within"], counted["_sum", "within"]) == (1000, 1500)
    assert [counted["_bucket", "too_expensive", bound] for bound in ("1e+06", "+Inf")] == [0, 1000]


def test_what_was_never_noted_is_not_told() -> None:
    assert list(CostMetrics().collect()) == []
