"""Estimates beside what was computed by hand, first of all from the examples of IBM's specification.

Its field cost counts a list once, and its type cost the members; ours is the one number that the routers of Federation
use, in which a field's weight counts for each member. The comments compute it.
"""

from __future__ import annotations

import pytest

from tests.operation.cost.costing import cost, estimated

BOOKS = """
type Query {
  book(id: ID): Book
  bestsellers: [Book] @listSize(assumedSize: 5)
  newest(after: ID, limit: Int!): [Book] @listSize(slicingArguments: ["limit"])
  shelf: [Book]
}
type Mutation { rename(id: ID, title: String): Book }
type Subscription { added: Book }
type Book { title: String author: Author publisher: Publisher }
type Author { name: String }
type Publisher { name: String address: Address }
type Address @cost(weight: 5) { zipCode: Int! }
"""
ALL_OF_A_BOOK = "{ title author { name } publisher { name address { zipCode } } }"
# book 1 + author 1 + publisher 1 + address 5
ONE_BOOK = 8


def test_example_1_of_the_specification() -> None:
    sdl = """
    type User { name: String age: Int @cost(weight: 2) }
    type Query { users(max: Int): [User] @listSize(slicingArguments: ["max"]) }
    """
    # 5 users of weight 1, whose age weighs 2 each. (Its field cost is 11: 1 for Query.users, and 5 times 2.)
    assert cost(sdl, "query Example { users(max: 5) { age } }") == 5 * (1 + 2)
    assert cost(sdl, "query Example($n: Int) { users(max: $n) { age } }", n=3) == 3 * (1 + 2)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("topProducts", 10 * 5),
        # Example 10: a filter adds 15 to the field, once.
        ("topProducts(filter: {})", 10 * 5 + 15),
        # Example 12: one that is only approximate takes 12 of these away.
        ("topProducts(filter: {approx: YES})", 10 * 5 + 15 - 12),
        ("mostPopularProduct { name }", 5),
        # Example 11: and so does an argument that makes the resolver's work less.
        ("mostPopularProduct(approx: YES) { name }", 5 - 3),
        # "If this sum is negative then round it up to zero" (section 5.3.2.2).
        ("cheap(approx: YES)", 0),
    ],
)
def test_examples_of_arguments_in_the_specification(selection: str, expected: int) -> None:
    sdl = """
    enum Approximate { YES NO }
    input Filter { approx: Approximate @cost(weight: -12) }
    type Product { name: String }
    type Query {
      topProducts(filter: Filter @cost(weight: 15)): [String] @cost(weight: 5) @listSize(assumedSize: 10)
      mostPopularProduct(approx: Approximate @cost(weight: -3)): Product @cost(weight: 5)
      cheap(approx: Approximate @cost(weight: -3)): Int @cost(weight: 1)
    }
    """
    assert cost(sdl, f"{{ {selection} }}") == expected


def test_example_18_of_the_specification_sizes_the_edges_of_a_connection() -> None:
    sdl = """
    type Query {
      films(first: Int, after: ID, last: Int, before: ID): FilmConnection
        @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"])
    }
    type FilmConnection { edges: [FilmEdge] pageInfo: PageInfo tags: [Tag] }
    type FilmEdge { cursor: ID node: Film }
    type Film { title: String }
    type PageInfo { hasNextPage: Boolean }
    type Tag { name: String }
    """
    text = (
        "query($n: Int) { films(first: $n) { edges { cursor node { title } } pageInfo { hasNextPage } tags { name } } }"
    )
    # The connection 1, n edges with a film each, the page's info 1, and a list of the default size.
    assert cost(sdl, text, n=7) == 1 + 7 * (1 + 1) + 1 + 10
    fragment = "{ films(last: 7) { ...E } } fragment E on FilmConnection { edges { node { title } } }"
    assert cost(sdl, fragment) == 1 + 7 * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{{ book(id: 1) {ALL_OF_A_BOOK} }}", ONE_BOOK),
        (f"{{ bestsellers {ALL_OF_A_BOOK} }}", 5 * ONE_BOOK),
        (f"{{ newest(limit: 3) {ALL_OF_A_BOOK} }}", 3 * ONE_BOOK),
        (f"{{ shelf {ALL_OF_A_BOOK} }}", 10 * ONE_BOOK),
        ("{ book { title } again: book { title } }", 2),
        ('mutation { rename(id: 1, title: "x") { title } }', 10 + 1),
        (f"subscription {{ added {ALL_OF_A_BOOK} }}", ONE_BOOK),
        ("{ __typename __schema { types { name } } }", 0),
    ],
)
def test_costs_of_federation(text: str, expected: int) -> None:
    assert cost(BOOKS, text) == expected


def test_lists_have_the_size_that_the_settings_assume() -> None:
    assert cost(BOOKS, "{ shelf { title } }", default_list_size=100) == 100
    nested = "type Query { grid: [[Cell!]!] }  type Cell { row: [Cell] n: Int }"
    assert cost(nested, "{ grid { row { n } } }", default_list_size=3) == 9 * (1 + 3)


def test_what_is_skipped_costs_nothing() -> None:
    text = "query($a: Boolean!, $b: Boolean!) { book { title @skip(if: $a) author @include(if: $b) { name } } }"
    assert [cost(BOOKS, text, a=False, b=b) for b in (True, False)] == [2, 1]


def test_of_a_union_the_heaviest_member_counts_and_of_an_interface_the_objects_fields() -> None:
    sdl = """
    type Query { things: [Thing] @listSize(assumedSize: 2) node: Node }
    union Thing = Small | Large
    interface Node { id: ID! parts: [Part] }
    type Small implements Node { id: ID! parts: [Part] }
    type Large implements Node @cost(weight: 7) { id: ID! @cost(weight: 3) parts: [Part] @listSize(assumedSize: 20) }
    type Part { id: ID! }
    """
    # Each thing may be a Large of 7, whose id is 3; what a Small would have beside it is less.
    assert cost(sdl, "{ things { ... on Small { id } ... on Large { id } } }") == 2 * (7 + 3)
    # A Large, of which a part weighs 1 and is one of 20.
    assert cost(sdl, "{ node { id parts { id } } }") == 7 + 3 + 20
    # What both fragments select of a Small (10 + 10) is more than what a Large has (20 + 1).
    text = "{ node { ... on Small { a: parts { id } b: parts { id } c: parts { id } } ... on Large { parts { id } } } }"
    assert cost(sdl, text) == 7 + 30


def test_input_objects_weigh_with_all_that_is_in_them() -> None:
    sdl = """
    input Line { sku: Sku quantity: Int more: [Line!] }
    scalar Sku @cost(weight: 4)
    type Query { price(lines: [Line!], sku: Sku): Int }
    """
    assert cost(sdl, '{ price(lines: [{sku: "a"}, {quantity: 1}]) }') == (1 + 4) + 1
    text = "query($lines: [Line!], $sku: Sku) { price(lines: $lines, sku: $sku) }"
    assert cost(sdl, text, lines=[{"more": [{}, {"sku": "a"}]}]) == 1 + 1 + (1 + 4)
    assert cost(sdl, text, sku="a") == 4
    assert cost(sdl, "query($l: Line!) { price(lines: [$l, {}]) }", l={"sku": "a"}) == (1 + 4) + 1


def test_a_variable_that_is_left_out_within_an_argument_weighs_nothing() -> None:
    sdl = """
    scalar Zip @cost(weight: 4)
    input Place { zip: Zip }
    input Filter { near: Place places: [Place] }
    type Query { find(filter: Filter): Int }
    """
    text = "query($p: Place, $z: Zip) { find(filter: {near: $p, places: [$p, {zip: $z}]}) }"
    assert cost(sdl, text) == 1 + 1  # the filter, and the place without anything in it
    assert cost(sdl, text, p={"zip": "1"}) == 1 + (1 + 4) + (1 + 4) + 1
    assert cost(sdl, text, z="1") == 1 + (1 + 4)


SLICED = """
type Query {
  one(first: Int, last: Int): [Item] @listSize(slicingArguments: ["first", "last"])
  any(first: Int, last: Int): [Item]
    @listSize(slicingArguments: ["first", "last"], assumedSize: 4, requireOneSlicingArgument: false)
  page(first: Int = 6, last: Int): [Item] @listSize(slicingArguments: ["first", "last"])
  ids(first: Int): [ID] @listSize(slicingArguments: ["first"])
}
type Item { id: ID }
"""


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("any(first: 3) { id }", 3),
        ("any(first: 3, last: 9) { id }", 9),
        ("any { id }", 4),
        ("any(first: null) { id }", 4),
        ("any(first: 0) { id }", 0),
        # To one subgraph that is nothing, to another all there is.
        ("any(first: -5) { id }", 4),
        ("any(first: -5, last: 3) { id }", 4),
        ("any(first: -5, last: 9) { id }", 9),
        ("page { id }", 6),
        ("page(first: 2) { id }", 2),
        # The resolver has both: the default of the one, and the other.
        ("page(last: 3) { id }", 6),
    ],
)
def test_the_largest_of_the_slicing_arguments_is_the_size(selection: str, expected: int) -> None:
    assert cost(SLICED, f"{{ {selection} }}") == expected


def test_a_variable_below_0_is_no_size() -> None:
    assert cost(BOOKS, "query($n: Int!) { newest(limit: $n) { title } }", n=-(2**31)) == 10


@pytest.mark.parametrize(
    ("selection", "field"),
    [
        ("one { id }", "Query.one"),
        ("one(first: 1, last: 1) { id }", "Query.one"),
        ("one(first: null) { id }", "Query.one"),
        ("page(first: null) { id }", "Query.page"),
        ("ids", "Query.ids"),
    ],
)
def test_where_one_slicing_argument_is_required_another_number_of_them_is_told(selection: str, field: str) -> None:
    assert estimated(SLICED, f"{{ {selection} again: {selection} }}").unsliced == (field,)


def test_a_variable_left_out_slices_nothing_and_what_is_skipped_needs_no_slice() -> None:
    text = "query($n: Int, $skip: Boolean!) { one(first: $n) @skip(if: $skip) { id } }"
    assert estimated(SLICED, text, skip=False).unsliced == ("Query.one",)
    assert estimated(SLICED, text, skip=True).unsliced == ()
    assert cost(SLICED, text, skip=False, n=2) == 2


def test_sizes_beyond_all_numbers_stay_numbers() -> None:
    sdl = """
    type Query { a(n: Int): [A] @listSize(slicingArguments: ["n"]) }
    type A { a(n: Int): [A] @listSize(slicingArguments: ["n"]) id: ID }
    """
    deep = "a(n: 2147483647) { " * 40 + "id" + " }" * 40
    assert cost(sdl, f"{{ {deep} }}") == 2**53
    assert cost(sdl, f"{{ a(n: 0) {{ {deep} }} }}") == 0


def test_interfaces_within_interfaces_are_estimated_in_bounded_time() -> None:
    slice_ = '(first: Int): [Node] @listSize(slicingArguments: ["first"])'
    kinds = "\n".join(
        f"type T{n} implements Node @cost(weight: {n}) {{ node{slice_} id: ID @cost(weight: {n}) }}" for n in range(20)
    )
    sdl = f"type Query {{ node: Node }}  interface Node {{ node(first: Int): [Node] id: ID }}\n{kinds}"
    every = " ".join(f"... on T{n} {{ id }}" for n in range(20))
    text = "query($n: Int) { node { " + f"{every} node(first: $n) {{ " * 30 + "id" + " }" * 30 + " } }"
    # 19 for each node, and 19 for its id: one at each of 31 levels.
    assert cost(sdl, text, n=1) == 31 * (19 + 19)
