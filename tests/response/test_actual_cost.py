"""What operations did cost: the objects of their data counted by hand, with the weights of the estimate."""

from __future__ import annotations

from typing import Any

import pytest

from router.response.actual_cost import compile_actual_cost
from tests.operation.cost.costing import estimated, operation_of, supergraph_of, values_of

SDL = """
type Query {
  users(max: Int @cost(weight: 2)): [User] @listSize(slicingArguments: ["max"])
  grid: [[User]]
  things: [Thing]
  node: Node
}
type Mutation { rename: User }
interface Node { id: ID! friends: [User] }
union Thing = User | Shop
type User implements Node { id: ID! age: Int @cost(weight: 2) friends: [User] }
type Shop implements Node @cost(weight: 5) { id: ID! friends: [User] @cost(weight: 3) }
"""


def actual(text: str, data: dict[str, Any], **variables: object) -> float:
    supergraph = supergraph_of(SDL)
    operation, _ = operation_of(supergraph, text)
    counted = compile_actual_cost(supergraph.api_schema, supergraph.costs, operation)
    cost = counted(data, values_of(supergraph, text, variables))
    assert counted(data, values_of(supergraph, text, variables)) == cost
    return cost


def test_the_members_that_came_are_counted_not_those_that_might_have() -> None:
    text = "{ users(max: 5) { age } }"
    # 3 users of weight 1 with an age of 2 each, and the argument 2. (Example 3 of the specification.)
    assert actual(text, {"users": [{"age": 33}, {"age": 45}, {"age": 27}]}) == 3 * (1 + 2) + 2
    assert estimated(SDL, text).cost == 5 * (1 + 2) + 2


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        ("{ users(max: 5) { age } }", {"users": None}, 2),
        ("{ users(max: 5) { age } }", {"users": [None, {"age": None}]}, 1 + 2),
        ("{ grid { id } }", {"grid": [[{"id": "1"}, None], [], [{"id": "2"}, {"id": "3"}]]}, 3),
        (
            "{ users { friends { age } } }",
            {"users": [{"friends": [{"age": 1}, None]}, {}, {"friends": None}]},
            3 + 1 + 2,
        ),
        # Of a subgraph that keeps no promise: a member where a list should be, and one that is no object.
        ("{ grid { age } }", {"grid": [[{"age": 1}, "x"], {"age": 2}]}, 3 + 2 + 2),
        # And an object of a type that none can be of there.
        ("{ node { id friends { id } } }", {"node": {"__typename": "Query", "id": "1", "friends": [{"id": "2"}]}}, 1),
        ("mutation { rename { id } }", {"rename": {"id": "1"}}, 10 + 1),
        ("{ __typename }", {}, 0),
        # Keys that planning added cost nothing.
        ("{ users(max: 1) { id } }", {"users": [{"id": "1", "_friends": [{"id": "2"}]}]}, 1 + 2),
    ],
)
def test_what_is_not_there_costs_nothing(text: str, data: dict[str, Any], expected: int) -> None:
    assert actual(text, data) == expected


def test_objects_of_abstract_types_count_by_their_own_type() -> None:
    user, shop = {"__typename": "User", "id": "1", "age": 3}, {"__typename": "Shop", "id": "2"}
    assert actual("{ things { ... on User { age } } }", {"things": [user, shop, shop]}) == (1 + 2) + 5 + 5
    friends = [{"__typename": "User", "id": "9"}]
    text = "{ node { friends { id } ... on Shop { friends { id } } } }"
    assert actual(text, {"node": shop | {"friends": friends}}) == 5 + 3
    assert actual(text, {"node": user | {"friends": friends}}) == 1 + 1
    # As heavy as it may be, where nobody says what it is.
    assert actual("{ node { id } }", {"node": {"__typename": "Unknown"}}) == 5


def test_what_was_skipped_is_not_counted_though_another_mention_brought_it() -> None:
    text = "query($a: Boolean!) { node { id friends @include(if: $a) { id } } users(max: 1) @skip(if: $a) { id } }"
    data = {"node": {"__typename": "User", "friends": [{}, {}]}, "users": [{}]}
    assert [actual(text, data, a=a) for a in (True, False)] == [1 + 2, 1 + (1 + 2)]
