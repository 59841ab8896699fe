"""Random operations over subgraphs that protect some of what they have: who may not see it gets a failed field."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from tests.differential.comparison import describe, draw_cases, draw_subgraphs, graph_of, takes_context
from tests.differential.kept_answers import TOLD_FAILURES
from tests.differential.protected import NoCaseError, check_protected, draw_grant, protect

COMPARED = 100
OPERATIONS_A_GRAPH = 8


@pytest.mark.timeout(600)
def test_what_is_hidden_is_answered_as_if_it_had_failed() -> None:
    compared: Counter[bool] = Counter()
    for number in count():
        if min(compared[False], compared[True]) >= COMPARED:
            break
        subgraphs, wanted = protect(draw_subgraphs(f"protected {number}"), f"{number}")
        # Arguments that are taken from objects which are hidden are another matter.
        graph = None if takes_context(subgraphs) else graph_of(subgraphs)
        rng = random.Random(f"grants {number}")  # noqa: S311 - a seeded test
        for operation in range(OPERATIONS_A_GRAPH) if graph is not None else ():
            assert graph is not None
            for drawn in draw_cases(graph, subgraphs, f"protected {number} {operation}"):
                case, grant = replace(drawn, failure=rng.choice(TOLD_FAILURES)), draw_grant(rng)
                try:
                    complaint = check_protected(case, graph, wanted, grant)
                except NoCaseError:
                    continue
                compared[case.failing is not None] += 1
                if complaint is not None:
                    pytest.fail(f"{complaint}\n\n{grant}\n{wanted}\n{describe(case)}")
