"""What the random search has found, each with its name, so that it stays mended."""

from __future__ import annotations

from dataclasses import replace

from tests.differential.comparison import Case, check, graph_of
from tests.differential.drawing.drawn_set import LINK


def case_of(operation: str, failing: str | None = None, failure: str = "refused", **subgraphs: str) -> Case:
    sources = tuple((name, LINK + sdl) for name, sdl in subgraphs.items())
    case = Case(sources, operation, failing=failing, failure=failure)
    assert graph_of(case.subgraphs) is not None, "the subgraphs do not compose"
    return case


def test_input_inside_an_object_that_another_subgraph_brought_is_told_when_it_fails() -> None:
    case = case_of(
        "{ all { sku extra } }",
        failing="keys",
        names="type E { sku: String } type Query { all: [E!]! @shareable }",
        keys='type E @key(fields: "id") { id: ID! } type Query { all: [E!]! @shareable }',
        extras='type E @key(fields: "id") { id: ID! extra: String }',
    )

    assert check(case) is None


def test_fields_between_fragments_of_one_type_keep_their_place() -> None:
    case = case_of(
        "{ all { ... on A { name } } all { id ... on A { id name size } } }",
        shop="""
        interface I { id: ID! }
        type A implements I { id: ID! name: String size: Int }
        type B implements I { id: ID! }
        type Query { all: [I!]! }
        """,
    )

    assert check(case) is None


def test_failed_part_of_a_shared_object_is_told_at_objects_of_its_type_only() -> None:
    case = case_of(
        "{ all { ... on A { value { left right } } ... on B { name } } }",
        failing="rights",
        lefts="""
        type A @key(fields: "id") { id: ID! value: Value @shareable }
        type B @key(fields: "id") { id: ID! }
        type Value { left: Int }
        union U = A | B
        type Query { all: [U!]! also: [U!]! }
        """,
        rights="""
        type A @key(fields: "id") { id: ID! value: Value @shareable }
        type B @key(fields: "id") { id: ID! name: String }
        type Value { right: Int }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(5)] == [None] * 5


def test_object_whose_type_comes_late_from_another_subgraph_is_told_of() -> None:
    case = case_of(
        "{ best { ... on Film { stars length } ... on Book { pages } } }",
        failing="films",
        books="""
        interface Item @key(fields: "id") { id: ID! }
        type Book implements Item @key(fields: "id") { id: ID! pages: Int }
        type Film implements Item @key(fields: "id") { id: ID! }
        """,
        films="""
        interface Item @key(fields: "id") { id: ID! }
        type Book implements Item @key(fields: "id") { id: ID! }
        type Film implements Item @key(fields: "id") { id: ID! length: Int }
        """,
        ratings="""
        type Item @interfaceObject @key(fields: "id") { id: ID! stars: Int }
        type Query { best: Item }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8


def test_requirement_on_a_member_that_cannot_be_there_tells_what_is() -> None:
    case = case_of(
        "{ boxes { label } }",
        boxes="""
        type Box @key(fields: "id") { id: ID! }
        type Query { boxes: [Box!]! }
        """,
        contents="""
        type Box @key(fields: "id") { id: ID! content: [Content] }
        type Mug { id: ID! name: String }
        union Content = Mug
        """,
        labels="""
        type Box @key(fields: "id") {
          id: ID! content: [Content] @external
          label: String @requires(fields: "content { ... on Book { title } }")
        }
        type Book { title: String @shareable }
        union Content = Book
        """,
        books="type Book { title: String @shareable } type Query { books: [Book!] }",
    )

    assert [check(replace(case, seed=seed)) for seed in range(5)] == [None] * 5


def test_mutation_is_not_looked_for_where_it_is_not() -> None:
    case = case_of(
        "mutation { add { kin { worth } } }",
        shops="""
        interface Item @key(fields: "id") { id: ID! label: String }
        type Mug implements Item @key(fields: "id") { id: ID! label: String kin: Item }
        type Query { mug: Mug }
        type Mutation { add: Mug }
        """,
        worths="""
        type Item @interfaceObject @key(fields: "id") {
          id: ID! label: String @external worth: Int @requires(fields: "label")
        }
        """,
        others="type Query { one: Int } type Mutation { count: Int }",
    )

    assert [check(replace(case, seed=seed)) for seed in range(3)] == [None] * 3


def test_key_whose_list_was_skipped_is_not_sent() -> None:
    case = case_of(
        """query ($no: Boolean!, $yes: Boolean!) {
          a { size @include(if: $no) wide @skip(if: $yes) } b { weight @include(if: $yes) }
        }""",
        names="""
        type A @key(fields: "parts { serial }") { parts: [Part!]! }
        type B @key(fields: "id") { id: ID! }
        type Part { serial: ID! @shareable }
        type Query { a: A! b: B! }
        """,
        sizes="""
        type A @key(fields: "parts { serial }") { parts: [Part!]! size: Int wide: Int }
        type B @key(fields: "id") { id: ID! weight: Int }
        type Part { serial: ID! @shareable }
        """,
    )

    assert check(replace(case, variables=(("no", False), ("yes", True)))) is None


def test_misshapen_part_of_a_shared_object_costs_its_own_fields_only() -> None:
    case = case_of(
        "{ shop { name size } }",
        failing="names",
        failure="wrong shape",
        names="type Shop { name: String } type Query { shop: Shop! @shareable }",
        sizes="type Shop { size: Int! } type Query { shop: Shop! @shareable }",
    )

    assert [check(replace(case, seed=seed)) for seed in range(5)] == [None] * 5


def test_misshapen_input_is_not_sent_on() -> None:
    case = case_of(
        "{ boxes { id label } }",
        failing="contents",
        failure="wrong shape",
        boxes='type Box @key(fields: "id") { id: ID! } type Query { boxes: [Box!]! }',
        contents="""
        type Box @key(fields: "id") { id: ID! mugs: [Mug!] }
        type Mug @key(fields: "id") { id: ID! }
        """,
        labels="""
        type Box @key(fields: "id") {
          id: ID! mugs: [Mug!] @external label: String @requires(fields: "mugs { id }")
        }
        type Mug @key(fields: "id") { id: ID! }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8


def test_error_of_what_another_subgraph_brought_all_the_same_is_left_out() -> None:
    case = case_of(
        "{ shops { name size } }",
        failing="names",
        failure="errors",
        names="type Shop { name: String } type Query { shops: [Shop!]! @shareable }",
        sizes="type Shop { size: Int! } type Query { shops: [Shop!]! @shareable }",
    )

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8


def test_interface_field_that_is_read_by_type_too_keeps_all_that_came() -> None:
    case = case_of(
        "{ near { next { next { ... on Mug { label } } ... on Mug { label } } } }",
        names="""
        interface Item { id: ID! next: Item }
        type Mug implements Item @key(fields: "id") { id: ID! next: Item! }
        type Cup implements Item @key(fields: "id") { id: ID! next: Item }
        type Query { near: Item }
        """,
        labels="""
        interface Item { id: ID! }
        type Mug implements Item @key(fields: "id") {
          id: ID! next: Item! @external label: String @requires(fields: "next { id }")
        }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8


def test_object_inside_a_shared_object_is_told_when_its_subgraph_fails_first() -> None:
    case = case_of(
        "{ boxes { value { here inner { left right } } } }",
        failing="first",
        boxes="""
        type Box @key(fields: "id") { id: ID! value: Value @shareable }
        type Value { here: Int }
        type Query { boxes: [Box!]! }
        """,
        first="""
        type Box @key(fields: "id") { id: ID! value: Value @shareable }
        type Value { inner: Inner @shareable }
        type Inner { right: Int }
        """,
        last="""
        type Box @key(fields: "id") { id: ID! value: Value @shareable }
        type Value { inner: Inner @shareable }
        type Inner { left: Int }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8


def test_error_of_a_key_that_the_client_skipped_is_told_of_no_place_in_the_answer() -> None:
    case = case_of(
        "query ($no: Boolean!) { box { ref @skip(if: $no) { serial } size } }",
        failing="boxes",
        failure="errors with data",
        boxes="""
        type Box @key(fields: "ref { serial }") { ref: Ref! }
        type Ref { serial: ID! @shareable }
        type Query { box: Box! }
        """,
        sizes="""
        type Box @key(fields: "ref { serial }") { ref: Ref! size: Int }
        type Ref { serial: ID! @shareable }
        """,
    )
    case = replace(case, variables=(("no", True),))
    operations = [case.operation.replace("box", f"box{number}: box") for number in range(8)]  # Each fails elsewhere.

    assert [check(replace(case, operation=operation)) for operation in operations] == [None] * 8


def test_error_of_an_input_that_the_client_selects_of_other_types_is_told_of_no_place_in_the_answer() -> None:
    case = case_of(
        "{ boxes { ... on Mug { label } ... on Cup { text } } }",
        failing="labels",
        failure="errors with data",
        boxes="""
        type Query { boxes: [Box!]! } union Box = Mug | Cup
        type Mug @key(fields: "id") { id: ID! }
        type Cup @key(fields: "id") { id: ID! }
        """,
        labels="""
        type Mug @key(fields: "id") { id: ID! label: String }
        type Cup @key(fields: "id") { id: ID! label: String }
        """,
        texts="""
        type Cup @key(fields: "id") { id: ID! label: String @external text: String @requires(fields: "label") }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(16)] == [None] * 16


def test_error_of_an_input_that_is_selected_of_other_types_is_told_of_no_place_where_a_null_went_up() -> None:
    case = case_of(
        "{ boxes { ... on Mug { label } ... on Cup { text } } }",
        failing="labels",
        failure="errors with data",
        boxes="""
        type Query { boxes: [Box!] } union Box = Mug | Cup
        type Mug @key(fields: "id") { id: ID! label: String }
        type Cup @key(fields: "id") { id: ID! }
        """,
        labels='type Cup @key(fields: "id") { id: ID! label: String }',
        texts="""
        type Cup @key(fields: "id") { id: ID! label: String @external text: String! @requires(fields: "label") }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(16)] == [None] * 16


def test_object_of_a_required_union_that_says_no_type_is_not_sent_on() -> None:
    case = case_of(
        "{ boxes { label } }",
        failing="contents",
        failure="wrong shape",
        boxes='type Box @key(fields: "id") { id: ID! } type Query { boxes: [Box!]! }',
        contents="""
        type Box @key(fields: "id") { id: ID! content: Content }
        type Mug { name: String @shareable }
        type Cup { name: String @shareable }
        union Content = Mug | Cup
        """,
        labels="""
        type Box @key(fields: "id") {
          id: ID! content: Content @external
          label: String @requires(fields: "content { ... on Mug { name } ... on Cup { name } }")
        }
        type Mug { name: String @shareable }
        type Cup { name: String @shareable }
        union Content = Mug | Cup
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(16)] == [None] * 16


def test_what_a_misshapen_object_lost_is_not_sent_on_as_null_where_another_subgraph_brought_the_object() -> None:
    case = case_of(
        "{ boxes { name fee } }",
        failing="weights",
        failure="wrong shape",
        weights="""
        type Box @key(fields: "id") { id: ID! weight: Int }
        type Query { boxes: [Box!] @shareable }
        """,
        names='type Box @key(fields: "id") { id: ID! name: String } type Query { boxes: [Box!] @shareable }',
        fees="""
        type Box @key(fields: "id") { id: ID! weight: Int @external fee: Int @requires(fields: "weight") }
        """,
    )

    assert [check(replace(case, seed=seed)) for seed in range(16)] == [None] * 16


def test_object_of_which_all_is_skipped_is_told_when_its_subgraph_fails() -> None:
    case = case_of(
        "query ($no: Boolean!) { boxes { id value { left @skip(if: $no) right @skip(if: $no) } } }",
        failing="lefts",
        boxes='type Box @key(fields: "id") { id: ID! } type Query { boxes: [Box!]! }',
        lefts='type Box @key(fields: "id") { id: ID! value: Value @shareable } type Value { left: Int also: Int }',
        rights='type Box @key(fields: "id") { id: ID! value: Value @shareable } type Value { right: Int }',
    )
    case = replace(case, variables=(("no", True),))

    assert [check(replace(case, seed=seed)) for seed in range(8)] == [None] * 8
