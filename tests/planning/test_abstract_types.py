"""Interfaces and unions: read as one where all types resolve alike, else type by type."""

from __future__ import annotations

from router.planning.query_plan import PathStep, Rewrite
from tests.planning.plans import plan_lines, plan_of

MEDIA = {
    "a": """type Query { media: [Media!]! } interface Media { id: ID! }
            type Book implements Media @key(fields: "id") { id: ID! pages: Int }
            type Film implements Media @key(fields: "id") { id: ID! minutes: Int }""",
    "b": """type Book @key(fields: "id") { id: ID! price: Int! }
            type Film @key(fields: "id") { id: ID! price: Int rating: Int }""",
}

INTERFACE_OBJECT = {
    "a": """type Query { media: [Media!]! } interface Media @key(fields: "id") { id: ID! }
            type Book implements Media @key(fields: "id") { id: ID! pages: Int }
            type Film implements Media @key(fields: "id") { id: ID! minutes: Int }""",
    "b": 'type Query { top: Media } type Media @key(fields: "id") @interfaceObject { id: ID! price: Int! }',
}


def test_types_of_one_place_are_looked_up_together() -> None:
    assert plan_lines(MEDIA, "{ media { id ... on Book { pages price } ... on Film { rating } } }") == [
        "#0 a: { media { __typename id ... on Book { pages } } }",
        "#1 b after #0: Book { id } | Film { id } at media[Book|Film] -> "
        "{ _entities { ... on Book { price } ... on Film { rating } } }",
    ]


def test_entities_whose_fields_cannot_share_a_name_are_looked_up_apart() -> None:
    nullable = 'type Book @key(fields: "id") { id: ID! price: Int @shareable }'
    b = MEDIA["b"].replace("price: Int!", "price: Int! @shareable")

    assert plan_lines(
        {**MEDIA, "b": b, "c": nullable}, "{ media { ... on Book { price } ... on Film { price rating } } }"
    )[1:] == [
        "#1 b after #0: Book { id } at media[Book] & Film { id } at media[Film] -> { _entities_0: _entities "
        "{ ... on Book { price } } _entities_1: _entities { ... on Film { price rating } } }"
    ]


def test_fragment_that_can_match_nothing_in_a_subgraph_is_not_sent_to_it() -> None:
    subgraphs = {
        "a": "type Query { one: U } union U = A | B type A @shareable { x: Int } type B { y: Int }",
        "b": "type Query { two: U } union U = A type A @shareable { x: Int }",
    }

    assert plan_lines(subgraphs, "{ two { ... on A { x } ... on B { y } } }") == [
        "#0 b: { two { __typename ... on A { x } } }"
    ]


def test_fragment_is_followed_to_another_subgraph_where_the_object_may_be_of_its_type() -> None:
    """``b`` returns no films; but the object comes from ``a`` for the sake of ``pages``, and may be one there."""
    subgraphs = {
        "a": """type Query { media: Media @shareable } union Media = Book | Film
                type Book { title: String @shareable  pages: Int } type Film @key(fields: "id") { id: ID! }""",
        "b": """type Query { media: Media @shareable } union Media = Book type Book { title: String @shareable }""",
        "c": 'type Film @key(fields: "id") { id: ID! minutes: Int }',
    }

    assert plan_lines(subgraphs, "{ media { ... on Book { pages } ... on Film { minutes } } }") == [
        "#0 a: { media { __typename ... on Book { pages } ... on Film { id } } }",
        "#1 c after #0: Film { id } at media[Film] -> { _entities { ... on Film { minutes } } }",
    ]


def test_field_whose_type_is_narrower_in_a_subgraph_is_read_there_as_that_type() -> None:
    subgraphs = {
        "a": """type Query { media: Media @shareable } interface Media { id: ID! }
                type Book implements Media { id: ID! @shareable }""",
        "b": "type Query { media: Book @shareable  count: Int } type Book { id: ID! @shareable  pages: Int }",
    }

    assert plan_lines(subgraphs, "{ media { id ... on Book { pages } } count }") == [
        "#0 b: { media { __typename id pages } count }"
    ]


def test_field_that_an_interface_lacks_in_a_subgraph_is_asked_of_its_types() -> None:
    subgraphs = {
        "a": """type Query { media: Media } interface Media { id: ID! }
                type Book implements Media { id: ID! title: String @shareable }
                type Film implements Media { id: ID! title: String @shareable }""",
        "b": "interface Media { title: String } type Book implements Media { title: String @shareable }"
        " type Film implements Media { title: String @shareable }",
    }

    assert plan_lines(subgraphs, "{ media { title } }") == [
        "#0 a: { media { __typename ... on Book { title } ... on Film { title } } }"
    ]


def test_names_that_conflict_in_a_subgraph_are_aliased_and_renamed_back() -> None:
    subgraphs = {
        "a": """type Query { pets: [Pet!]! } union Pet = Cat | Dog
                type Cat { name: String! @shareable } type Dog { name: String @shareable }""",
        "b": "type Cat { name: String @shareable }",
    }
    plan = plan_of(subgraphs, "{ pets { ... on Cat { name } ... on Dog { name } } }")

    assert [fetch.document for fetch in plan.fetches] == [
        "{ pets { __typename ... on Cat { name } ... on Dog { name_Dog: name } } }"
    ]
    assert plan.fetches[0].rewrites == (Rewrite((PathStep("pets"),), ("Dog",), "name_Dog", "name"),)


def test_alias_of_a_field_is_never_a_name_that_the_client_uses_beside_it() -> None:
    subgraphs = {
        "a": """type Query { pets: [Pet!]! } union Pet = Cat | Dog type Dog { name: String kind: String! }
                type Cat @key(fields: "id") { id: ID! name: String! @shareable kind: String! }""",
        "b": 'type Cat @key(fields: "id") { id: ID! name: String @shareable }',
    }

    assert plan_lines(
        subgraphs, "{ pets { ... on Dog { name name_Cat: kind } ... on Cat { name name_Cat: kind } } }"
    ) == [
        "#0 a: { pets { __typename ... on Dog { name name_Cat: kind } "
        "... on Cat { name_Cat_2: name name_Cat: kind } } }"
    ]


def test_names_below_conflict_with_what_any_type_before_has_there() -> None:
    subgraphs = {
        "a": """type Query { pets: [Pet!]! } union Pet = Cat | Dog | Fish
                type Cat { box: Box1 } type Dog { box: Box2 } type Fish { box: Box3 }
                type Box1 { width: Int } type Box2 { depth: Int! @shareable } type Box3 { depth: Int }""",
        "b": "type Box2 { depth: Int @shareable }",
    }
    query = "{ pets { ... on Cat { box { width } } ... on Dog { box { depth } } ... on Fish { box { depth } } } }"

    assert plan_lines(subgraphs, query) == [
        "#0 a: { pets { __typename ... on Cat { box { width } } ... on Dog { box { depth } } "
        "... on Fish { box_Fish: box { depth } } } }"
    ]


def test_interface_object_is_sent_the_interfaces_name() -> None:
    assert plan_lines(INTERFACE_OBJECT, "{ media { price } }") == [
        "#0 a: { media { __typename id } }",
        "#1 b after #0: Media { id } at media -> { _entities { ... on Media { price } } }",
    ]


def test_concrete_type_is_learned_from_a_subgraph_that_has_the_types() -> None:
    assert plan_lines(INTERFACE_OBJECT, "{ top { price __typename ... on Book { pages } } }") == [
        "#0 b: { top { price id } }",
        "#1 a after #0: Media { id } at top -> { _entities { ... on Media { __typename ... on Book { pages } } } }",
    ]


def test_many_fields_of_interfaces_are_found_to_be_read_by_type_at_once() -> None:
    """Tried one after the other, two hundred of them took more steps than planning has."""
    subgraphs = {
        "a": """type Query { i: I } interface I { x: X } type X { p: Int }
                type A implements I @key(fields: "id") { id: ID! x: X @shareable }
                type B implements I @key(fields: "id") { id: ID! x: X @shareable }""",
        "b": """type X { q: Int } type A @key(fields: "id") { id: ID! x: X @shareable }
                type B @key(fields: "id") { id: ID! x: X @shareable }""",
    }
    plan = plan_of(subgraphs, f"{{ {' '.join(f'i{number}: i {{ x {{ p q }} }}' for number in range(300))} }}")

    assert [(fetch.subgraph, fetch.depends_on) for fetch in plan.fetches] == [("a", ()), ("b", (0,))]
