"""The router answers over the shared composition cases as one server would: graphs that no generator imagines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.differential.comparison import check, draw_cases, graph_of


@pytest.mark.timeout(900)
def test_answers_over_composition_cases_are_those_of_one_server(composition_cases: list[dict[str, Any]]) -> None:
    found: dict[str, str] = {}
    compared = 0
    for case in composition_cases:
        subgraphs = tuple((subgraph["name"], subgraph["typeDefs"]) for subgraph in case["subgraphs"])
        graph = graph_of(subgraphs) if case["oracle"]["ok"] else None
        if graph is None:
            continue
        for one in draw_cases(graph, subgraphs, case["id"]):
            compared += 1
            complaint = check(one)
            if complaint is not None:
                found[case["id"]] = complaint

    assert found == {}
    assert compared > 2500
