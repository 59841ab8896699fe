"""The composer agrees with the reference composer on sets of subgraphs from other projects' test suites.

The ratios are floors: raise them when the composer gets better. Where we differ on purpose, a test of its own says why,
see tests/composition/test_deliberate_differences.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from router import Subgraph, compose


def _rejects_one_of(oracle: dict[str, Any]) -> bool:
    """Whether the reference refuses a case for nothing but ``@oneOf``, which is part of GraphQL by now."""
    return not oracle["ok"] and all('Unknown directive "@oneOf"' in error["message"] for error in oracle["errors"])


@pytest.mark.timeout(600)
def test_outcomes_agree_with_the_reference(
    composition_cases: list[dict[str, Any]], canonical_body: Callable[[str], str]
) -> None:
    counts: Counter[str] = Counter()
    for case in composition_cases:
        oracle = case["oracle"]
        if _rejects_one_of(oracle):
            continue
        subgraphs = [Subgraph(s["name"], s.get("url") or "", s["typeDefs"]) for s in case["subgraphs"]]
        ours = compose(subgraphs)
        counts["cases"] += 1
        accepted = ours.supergraph_sdl is not None
        if accepted != oracle["ok"]:
            continue
        counts["verdict"] += 1
        if ours.supergraph_sdl is None:
            counts["both refuse"] += 1
            counts["codes"] += {str(error.code) for error in ours.errors} == {e["code"] for e in oracle["errors"]}
            continue
        counts["both accept"] += 1
        counts["body"] += canonical_body(ours.supergraph_sdl) == canonical_body(oracle["supergraphSdl"])
        counts["hints"] += Counter(str(hint.code) for hint in ours.hints) == Counter(h["code"] for h in oracle["hints"])
    ratios = {
        "verdict": counts["verdict"] / counts["cases"],
        "body": counts["body"] / counts["both accept"],
        "codes": counts["codes"] / counts["both refuse"],
        "hints": counts["hints"] / counts["both accept"],
    }
    floors = {"verdict": 1.0, "body": 0.998, "codes": 0.99, "hints": 1.0}
    assert {name: ratio for name, ratio in ratios.items() if ratio < floors[name]} == {}, ratios
