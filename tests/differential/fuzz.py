"""Search for cases that the router answers wrongly: ``python -m tests.differential.fuzz [SECONDS] [SEED]``.

Without SECONDS it searches until it is stopped or has found one. What it prints is a smaller case that fails alike.
"""

from __future__ import annotations

import math
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from tests.differential.comparison import Case, check, describe, draw_cases, draw_subgraphs, graph_of
from tests.differential.shrink import shrink

OPERATIONS_A_SET = 15
SHRINK_S = 20.0


@dataclass(slots=True)
class Search:
    """What was found by ``search``: how much was tried, and the first case that failed, made small."""

    cases: int = 0
    found: Case | None = None


def search(seed: str, most_cases: float = math.inf, seconds: float = math.inf) -> Search:
    """Compare cases drawn from ``seed`` until one fails, there were enough of them, or the time is over."""
    deadline = time.monotonic() + seconds
    outcome = Search()
    for case in _cases(seed):
        if outcome.cases >= most_cases or time.monotonic() > deadline:
            break
        outcome.cases += 1
        if check(case) is not None:
            outcome.found = shrink(case, SHRINK_S)
            break
    return outcome


def _cases(seed: str) -> Iterator[Case]:
    for number in count():
        subgraphs = draw_subgraphs(f"{seed} {number}")
        graph = graph_of(subgraphs)
        if graph is not None:
            for operation in range(OPERATIONS_A_SET):
                yield from draw_cases(graph, subgraphs, f"{seed} {number} {operation}")


def main() -> None:
    """Search, tell of progress every ten seconds, and end with status 1 if something was found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else math.inf
    seed = sys.argv[2] if len(sys.argv) > 2 else secrets.token_hex(4)
    deadline = time.monotonic() + seconds
    cases = 0
    for turn in count():
        left = deadline - time.monotonic()
        if left <= 0:
            break
        outcome = search(f"{seed}.{turn}", seconds=min(10.0, left))
        cases += outcome.cases
        sys.stdout.write(f"seed {seed}.{turn}: {cases} cases\n")
        sys.stdout.flush()
        if outcome.found is not None:
            sys.exit(f"{check(outcome.found)}\n\n{describe(outcome.found)}")


if __name__ == "__main__":
    main()
