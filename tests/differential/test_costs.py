"""Random operations over subgraphs with costs: none costs more than was estimated, and each what one server counts."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from tests.differential.comparison import describe, draw_cases, draw_subgraphs, graph_of, takes_context
from tests.differential.costs import NoCaseError, check_costs, weigh
from tests.differential.kept_answers import TOLD_FAILURES

COMPARED = 100
OPERATIONS_A_GRAPH = 8


@pytest.mark.timeout(600)
@pytest.mark.parametrize("least", [-2, 0])
def test_no_operation_costs_more_than_was_estimated(least: int) -> None:
    compared: Counter[bool] = Counter()
    for number in count():
        if min(compared[False], compared[True]) >= COMPARED:
            break
        subgraphs, weights = weigh(draw_subgraphs(f"costs {least} {number}"), f"{number}", least)
        # Those who know the objects around a field do not count what it costs.
        graph = None if takes_context(subgraphs) else graph_of(subgraphs)
        rng = random.Random(f"failures {number}")  # noqa: S311 - a seeded test
        for operation in range(OPERATIONS_A_GRAPH) if graph is not None else ():
            assert graph is not None
            for drawn in draw_cases(graph, subgraphs, f"costs {number} {operation}"):
                case = replace(drawn, failure=rng.choice(TOLD_FAILURES))
                try:
                    complaint = check_costs(case, graph, weights)
                except NoCaseError:
                    continue
                compared[case.failing is not None] += 1
                if complaint is not None:
                    pytest.fail(f"{complaint}\n\n{weights}\n{describe(case)}")
