"""Random operations with ``@defer``, some with a subgraph that fails: together, the parts are one server's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from router.errors import OperationError
from router.server.deferred.formats import DeferredFormat
from tests.differential.comparison import Case, Graph, describe, draw_cases, draw_subgraphs, graph_of
from tests.differential.deferred import NoCaseError, check_deferred, deferring

DEFERRED = 40


def drawn_cases(seed: str) -> Iterator[tuple[Case, Graph]]:
    """Cases with deferred fragments: each once with all subgraphs, and once with one of them failing."""
    number = 0
    while True:
        number += 1
        subgraphs = draw_subgraphs(f"{seed} {number}")
        graph = graph_of(subgraphs)
        for turn in range(8) if graph is not None else ():
            assert graph is not None
            whole, failing, *_ = draw_cases(graph, subgraphs, f"{seed} {number} {turn}")
            yield deferring(whole, whole.operation), graph
            yield deferring(failing, failing.operation), graph


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", DeferredFormat)
def test_parts_put_together_are_the_answer_of_one_server(form: DeferredFormat) -> None:
    compared: Counter[bool] = Counter()
    for case, graph in drawn_cases("deferred"):
        if min(compared[False], compared[True]) >= DEFERRED:
            break
        try:
            complaint = check_deferred(case, graph, form)
        except NoCaseError:
            continue
        except OperationError as error:
            if error.code == "OPERATION_TOO_LARGE":
                continue
            raise
        compared[case.failing is not None] += 1
        assert complaint is None, f"{complaint}\n\n{describe(case)}"
