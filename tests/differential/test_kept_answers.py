"""Random subgraphs, data and operations through an entity cache: each answer is that of one server, kept or not."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import count

import pytest

from tests.differential.comparison import describe, draw_cases, draw_subgraphs, graph_of
from tests.differential.kept_answers import TOLD_FAILURES, check_kept, kept_world

GRAPHS = 8
OPERATIONS_A_GRAPH = 12


@pytest.mark.timeout(600)
@pytest.mark.parametrize("admit", ["always", "second"])
@pytest.mark.parametrize("seed", ["kept 0", "kept 1"])
def test_what_is_kept_is_answered_as_one_server_would(seed: str, admit: str) -> None:
    rng = random.Random(seed)  # noqa: S311 - a seeded test
    graphs = cases = hits = asked = 0
    for number in count():
        subgraphs = draw_subgraphs(f"{seed} {number}")
        graph = graph_of(subgraphs)
        if graph is None:
            continue
        seed_of_world = rng.randrange(1000)
        kept = kept_world(graph, seed_of_world, admit)
        for operation in range(OPERATIONS_A_GRAPH):
            drawn = next(draw_cases(graph, subgraphs, f"{seed} {number} {operation}"))
            failing, failure = rng.choice(sorted(graph.subgraphs)), rng.choice(TOLD_FAILURES)
            case = replace(drawn, failing=failing, failure=failure, seed=seed_of_world)
            wrong = check_kept(kept, case)
            if wrong is not None:
                pytest.fail(f"{wrong}\n\n{describe(case)}")
            cases += 1
        outcomes = kept.cache.counts
        hits += sum(found for (_, _, outcome), found in outcomes.items() if outcome == "hit")
        asked += kept.servers.asked
        graphs += 1
        if graphs == GRAPHS:
            break
    assert cases == GRAPHS * OPERATIONS_A_GRAPH
    # Two of five requests at least find all that they ask for.
    assert hits > asked
