"""``@requires``: inputs first, under names that collide with nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.planning.plans import plan_lines, plan_of

PARCELS = {
    "a": 'type Query { parcel: Parcel } type Parcel @key(fields: "id") { id: ID! weight(unit: String): Int }',
    "b": r"""
        type Parcel @key(fields: "id") {
          id: ID! weight(unit: String): Int @external
          ship: Int @requires(fields: "weight(unit: \"KG\")")
          post: Int @requires(fields: "weight(unit: \"LB\")")
        }
    """,
}


def test_required_field_is_read_with_its_arguments_and_sent_with_the_key() -> None:
    assert plan_lines(PARCELS, "{ parcel { ship } }") == [
        '#0 a: { parcel { id weight(unit: "KG") } }',
        "#1 b after #0: Parcel { id weight } at parcel -> { _entities { ... on Parcel { ship } } }",
    ]


def test_input_shares_the_clients_alias_of_the_same_field() -> None:
    assert plan_lines(PARCELS, '{ parcel { ship weight(unit: "LB") kg: weight(unit: "KG") } }') == [
        '#0 a: { parcel { weight(unit: "LB") kg: weight(unit: "KG") id } }',
        "#1 b after #0: Parcel { id weight: kg } at parcel -> { _entities { ... on Parcel { ship } } }",
    ]


def test_inputs_take_names_that_the_client_has_not_given_to_other_fields() -> None:
    assert plan_lines(PARCELS, "{ parcel { weight: id ship } }") == [
        '#0 a: { parcel { weight: id _weight: weight(unit: "KG") } }',
        "#1 b after #0: Parcel { id: weight weight: _weight } at parcel -> { _entities { ... on Parcel { ship } } }",
    ]


def test_one_field_with_two_arguments_becomes_two_lookups_of_one_request() -> None:
    assert plan_lines(PARCELS, "{ parcel { ship post } }") == [
        '#0 a: { parcel { id weight(unit: "KG") _weight: weight(unit: "LB") } }',
        "#1 b after #0: Parcel { id weight } at parcel & Parcel { id weight: _weight } at parcel -> "
        "{ _entities_0: _entities { ... on Parcel { ship } } _entities_1: _entities { ... on Parcel { post } } }",
    ]


def test_input_that_is_computed_elsewhere_is_fetched_before_what_needs_it() -> None:
    subgraphs = {
        "a": 'type Query { p: P } type P @key(fields: "id") { id: ID! x: Int }',
        "b": 'type P @key(fields: "id") { id: ID! x: Int @external y: Int @requires(fields: "x") }',
        "c": 'type P @key(fields: "id") { id: ID! y: Int @external z: Int @requires(fields: "y") }',
    }

    assert plan_lines(subgraphs, "{ p { z } }") == [
        "#0 a: { p { id x } }",
        "#1 b after #0: P { id x } at p -> { _entities { ... on P { y } } }",
        "#2 c after #0, #1: P { id y } at p -> { _entities { ... on P { z } } }",
    ]


def test_chain_goes_back_and_forth_between_two_subgraphs() -> None:
    subgraphs = {
        "a": """type Query { p: P } type P @key(fields: "id") { id: ID! x: Int
                y: Int @external z: Int @requires(fields: "y") }""",
        "b": 'type P @key(fields: "id") { id: ID! x: Int @external y: Int @requires(fields: "x") }',
    }

    assert plan_lines(subgraphs, "{ p { z } }") == [
        "#0 a: { p { id x } }",
        "#1 b after #0: P { id x } at p -> { _entities { ... on P { y } } }",
        "#2 a after #0, #1: P { id y } at p -> { _entities { ... on P { z } } }",
    ]


def test_plain_fields_go_with_the_later_lookup_that_brings_the_computed_one() -> None:
    subgraphs = {
        "a": 'type Query { p: P } type P @key(fields: "id") { id: ID! }',
        "b": 'type P @key(fields: "id") { id: ID! x: Int }',
        "c": """type P @key(fields: "id") { id: ID! x: Int @external plain: Int
                computed: Int @requires(fields: "x") }""",
    }

    assert plan_lines(subgraphs, "{ p { plain computed } }") == [
        "#0 a: { p { id } }",
        "#1 b after #0: P { id } at p -> { _entities { ... on P { x } } }",
        "#2 c after #0, #1: P { id x } at p -> { _entities { ... on P { plain computed } } }",
    ]


@pytest.mark.parametrize("query", ["{ p { x y } }", "{ p { y x } }"])
def test_type_that_one_of_two_fields_requires_of_an_object_is_sent_for_both(query: str) -> None:
    subgraphs = {
        "a": """type Query { p: P } type P @key(fields: "id") { id: ID! o: O }
                type O { n: Int @shareable m: Int @shareable }""",
        "b": """type O { n: Int @shareable m: Int @shareable }
                type P @key(fields: "id") {
                  id: ID! o: O @external
                  x: Int @requires(fields: "o { n }") y: Int @requires(fields: "o { __typename m }")
                }""",
    }
    (representation,) = plan_of(subgraphs, query).fetches[1].lookups[0].representations
    (selection,) = representation.fields[1].inputs or ()

    assert {one.name for one in selection.fields} == {"n", "m"}
    assert selection.send_typename


def test_chain_of_computed_fields_does_not_multiply_by_the_keys_of_its_entity() -> None:
    """Sixteen fields, each of which requires the one before, over two subgraphs that have three keys in common."""
    keys = " ".join(f'@key(fields: "k{number}")' for number in range(3))
    subgraphs = {
        name: f"type T {keys} {{ k0: ID! k1: ID! k2: ID! {' '.join(_every_other_computed(16, first))} }}"
        for first, name in enumerate(("a", "b"))
    }
    subgraphs["a"] += " type Query { t: T }"
    fetches = plan_of(subgraphs, "{ t { f16 } }").fetches

    assert [fetch.subgraph for fetch in fetches] == ["a", "b"] * 8 + ["a"]


def _every_other_computed(last: int, first: int) -> Iterator[str]:
    """Fields up to that of number ``last``: from ``first`` on every other is resolved, and requires the one before."""
    for number in range(last + 1):
        if number % 2 != first:
            yield f"f{number}: Int @external" if number < last else ""
        else:
            yield f'f{number}: Int @requires(fields: "f{number - 1}")' if number else "f0: Int"


def test_requirement_below_an_interface_that_no_subgraph_reads_as_one_is_read_type_by_type() -> None:
    media = 'interface Media { id: ID! } type Box @key(fields: "id") { id: ID! media: Media @shareable }'
    subgraphs = {
        "shelf": f"""type Query {{ box: Box }} {media}
            type Book implements Media @key(fields: "id") {{ id: ID! }}
            type Film implements Media @key(fields: "id") {{ id: ID! }}""",
        "books": """interface Media { weight: Int }
            type Book implements Media @key(fields: "id") { id: ID! weight: Int }""",
        "films": """interface Media { weight: Int }
            type Film implements Media @key(fields: "id") { id: ID! weight: Int }""",
        "parcels": """interface Media { weight: Int }
            type Book implements Media { weight: Int @external } type Film implements Media { weight: Int @external }
            type Box @key(fields: "id") {
              id: ID!  media: Media @external  fee: Int @requires(fields: "media { weight }")
            }
        """,
    }

    assert plan_lines(subgraphs, "{ box { fee } }") == [
        "#0 shelf: { box { id media { __typename id } } }",
        "#1 books after #0: Book { id } at box.media[Book] -> { _entities { ... on Book { weight } } }",
        "#2 films after #0: Film { id } at box.media[Film] -> { _entities { ... on Film { weight } } }",
        "#3 parcels after #0, #1, #2: Box { id media { ... on Book { weight } ... on Film { weight } } } at box -> "
        "{ _entities { ... on Box { fee } } }",
    ]
