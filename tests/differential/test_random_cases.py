"""Random subgraphs, data and operations, some with a subgraph that fails: the answer is that of one server."""

from __future__ import annotations

import pytest

from tests.differential.comparison import check, describe
from tests.differential.fuzz import search

CASES = 300


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [f"galleria {number}" for number in range(10)])
def test_the_router_answers_as_one_server_would(seed: str) -> None:
    outcome = search(seed, CASES)

    if outcome.found is not None:
        pytest.fail(f"{check(outcome.found)}\n\n{describe(outcome.found)}")
    assert outcome.cases == CASES
