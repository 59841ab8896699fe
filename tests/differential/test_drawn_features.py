"""What is drawn has every feature that the oracle is to judge, so that none of them vanishes unseen."""

from __future__ import annotations

import random
from collections import Counter

from tests.differential.comparison import draw_cases, graph_of
from tests.differential.drawing.subgraph_sets import draw_set
from tests.differential.failures import FAILURES
from tests.differential.features import IN_OPERATIONS, features_of

SETS = 90
OPERATIONS = 4
# In how many of the sets that compose, at the least.
IN_SETS = {
    "argument with default": 30, "context": 6, "context from another subgraph": 3, "context through an object": 2,
    "covariant field": 2, "custom scalar": 20, "entity in a value": 20,
    "enum values differ": 20,
    "event with the root": 5, "federation 1": 20, "hidden enum value": 20, "hidden field": 10, "hidden key": 3,
    "implementers differ": 5, "input of what may not be known": 8,
    "interface": 15, "interface object": 5, "interface object with requires": 1,
    "interface of an interface": 3, "interface with a link": 3, "key of a list": 15, "key of a list of objects": 10,
    "key of an entity": 10, "key of two fields": 10, "key of two levels": 10, "key that may be null": 10,
    "link": 30, "link to an interface": 10, "link: list": 30, "link: lists of lists": 30, "list of values": 10,
    "members differ": 10, "mutation": 20, "nested key": 15, "nullabilities differ": 2, "override": 15,
    "override with a label": 8, "payload with the root": 10, "plain key": 30, "provides": 15,
    "provides in lists": 15, "provides through fragments": 5, "renamed root": 10, "requires": 30,
    "requires of a computed field": 8, "requires of a leaf": 20, "requires through a list": 15,
    "requires through an interface": 2, "requires through an object": 10, "requires through fragments": 2,
    "requires through two objects": 2, "requires with arguments": 5, "root": 30, "several interface objects": 2,
    "several keys": 30, "shareable field": 30, "subscription": 20, "union": 15, "unresolvable key": 2,
    "value from several subgraphs": 20, "value in a union": 1, "value in a value": 20,
    "what takes a context elsewhere too": 2,
}  # fmt: skip
IN_CASES = (*IN_OPERATIONS, *(f"failure: {failure}" for failure in FAILURES), "broken fields", "active labels")


def test_every_feature_is_drawn() -> None:
    sets: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    for number in range(SETS):
        drawn = draw_set(random.Random(f"features {number}"))  # noqa: S311 - a seeded test
        subgraphs = tuple(drawn.sdl().items())
        graph = graph_of(subgraphs)
        if graph is not None:
            sets.update({*drawn.features, "sets that compose"})
            sets["input of what may not be known"] += bool(graph.model.lacked_inputs)
            for operation in range(OPERATIONS):
                for case in draw_cases(graph, subgraphs, f"features {number} {operation}"):
                    cases.update(set(features_of(case)))

    assert {name: sets[name] for name, least in IN_SETS.items() if sets[name] < least} == {}
    assert {name: cases[name] for name in IN_CASES if cases[name] < 10} == {}
    assert sets["sets that compose"] > SETS // 2
    assert set(sets) - {"sets that compose"} == set(IN_SETS), "a feature without a least count"
