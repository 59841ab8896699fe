"""``@cost`` and ``@listSize`` are read under whatever names the supergraph has them."""

from __future__ import annotations

import pytest

from router import Subgraph, compose
from router.errors import InputError
from router.supergraph.costs import Costs, ListSize
from router.supergraph.read import read_supergraph

SDL = """
type Query {
  users(max: Int @COST(weight: 2)): [User] @SIZE(slicingArguments: ["max"], requireOneSlicingArgument: false)
  all: [User] @SIZE(assumedSize: 7)
}
type User @COST(weight: 3) { age: Int @COST(weight: 4) }
input Filter { a: Int @COST(weight: -1) }
"""


@pytest.mark.parametrize(
    ("imported", "cost", "size"),
    [
        ('["@cost", "@listSize"]', "cost", "listSize"),
        ('[{name: "@cost", as: "@price"}, {name: "@listSize", as: "@count"}]', "price", "count"),
        ('["@cost"]', "cost", "federation__listSize"),
        ("[]", "federation__cost", "federation__listSize"),
    ],
)
def test_each_coordinate_has_what_it_says(imported: str, cost: str, size: str) -> None:
    link = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: {imported})\n'
    sdl = link + SDL.replace("COST", cost).replace("SIZE", size)
    composition = compose([Subgraph("only", "http://only.test", sdl)])
    assert composition.supergraph_sdl is not None, composition.errors
    assert read_supergraph(composition.supergraph_sdl).costs == Costs(
        {"Query.users(max:)": 2, "User": 3, "User.age": 4, "Filter.a": -1},
        {
            "Query.users": ListSize(None, ("max",), (), require_one_slicing_argument=False),
            "Query.all": ListSize(7),
        },
    )


def _supergraph(weight: str) -> str:
    return f"""
    schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3")
      @link(url: "https://specs.apollo.dev/cost/v0.1") {{ query: Query }}
    enum join__Graph {{ A @join__graph(name: "a", url: "") }}
    type Query @join__type(graph: A) {{ n: Int @cost(weight: {weight}) }}
    """


def test_weights_that_are_texts_are_read_as_those_of_ibm() -> None:
    assert read_supergraph(_supergraph('"2.5"')).costs == Costs({"Query.n": 2.5})


@pytest.mark.parametrize(
    ("weight", "reason"),
    [
        ('"x"', "could not convert string to float: 'x'"),
        ('"inf"', "the weight 'inf' of a cost is no number."),
    ],
)
def test_a_weight_that_is_no_number_is_refused(weight: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_supergraph(_supergraph(weight))
    assert caught.value.message == f"The supergraph cannot be read: {reason}"
