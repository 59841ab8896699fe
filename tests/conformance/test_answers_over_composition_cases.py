"""The router answers over the shared composition cases as one server would: graphs that no generator imagines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.differential.comparison import Sources, check, draw_cases, graph_of
from tests.differential.servers import AnswerAlone, answer_alone
from tests.federation_cases.enclosing import answer_in_contexts


def true_answer_over(subgraphs: Sources) -> AnswerAlone:
    """What one server answers; one that knows the objects around each, where arguments are taken from those."""
    takes_context = any("fromContext" in sdl for _, sdl in subgraphs)
    return answer_in_contexts(sdl for _, sdl in subgraphs) if takes_context else answer_alone


@pytest.mark.timeout(900)
def test_answers_over_composition_cases_are_those_of_one_server(composition_cases: list[dict[str, Any]]) -> None:
    found: dict[str, str] = {}
    compared = 0
    for case in composition_cases:
        subgraphs = tuple((subgraph["name"], subgraph["typeDefs"]) for subgraph in case["subgraphs"])
        graph = graph_of(subgraphs) if case["oracle"]["ok"] else None
        if graph is None:
            continue
        true_answer = true_answer_over(subgraphs)
        for one in draw_cases(graph, subgraphs, case["id"]):
            compared += 1
            complaint = check(one, true_answer)
            if complaint is not None:
                found[case["id"]] = complaint

    assert found == {}
    assert compared > 2500
