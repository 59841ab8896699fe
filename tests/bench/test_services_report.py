"""The report of the services' bench says where the time goes, and whether any of it is ours."""

from __future__ import annotations

from bench.services.load import Sample
from bench.services.report import Result, own_in_top, render

LIBRARIES = {f"graphql-core|executor.py:{line} step": 1.0 for line in range(10)}


def a_result(**own_seconds: float) -> Result:
    own = {f"service|subgraphs/orders/schema.py:1 {name}": seconds for name, seconds in own_seconds.items()}
    return Result("orders", "query: a page", Sample(800, 100.0, 9.5, 20.25), 2.345, LIBRARIES | own)


def test_a_row_has_the_figures_and_the_shares_of_the_cpu_time() -> None:
    row = "| orders | query: a page | 100 | 9.5 | 20.2 | 2.35 | 0% | 80% | 0% | 0% | 0% | 20% | 0% |"
    assert row in render([a_result(lines=0.9, total=0.8, history=0.8)], {}, "Conditions.").splitlines()


def test_own_code_outside_of_the_ten_most_expensive_functions_is_fine() -> None:
    results = [a_result(lines=0.9)]
    assert own_in_top(results) == []
    assert "No function of chassis or service is among the 10 that took most CPU time" in render(results, {}, "")


def test_own_code_among_the_ten_most_expensive_functions_is_named() -> None:
    results = [a_result(lines=2.0, total=0.5)]
    [named] = own_in_top(results)
    assert named == "orders, query: a page: 16.0% subgraphs/orders/schema.py:1 lines (ours)"
    assert f"- {named}" in render(results, {}, "").splitlines()


def test_events_learned_are_told_by_service() -> None:
    lines = render([a_result()], {"recommendations": 99.6}, "Conditions.").splitlines()
    assert "recommendations: 100 events of order.confirmed learned each second." in lines
