"""Keys of all forms start and end jumps."""

from __future__ import annotations

from tests.planning.plans import plan_lines


def test_composite_key_is_read_and_sent_whole() -> None:
    subgraphs = {
        "a": 'type Query { parts: [Part!]! } type Part @key(fields: "maker number") { maker: ID! number: Int! }',
        "b": 'type Part @key(fields: "maker number") { maker: ID! number: Int! price: Int }',
    }

    assert plan_lines(subgraphs, "{ parts { price } }") == [
        "#0 a: { parts { maker number } }",
        "#1 b after #0: Part { maker number } at parts -> { _entities { ... on Part { price } } }",
    ]


def test_key_through_objects_and_lists_is_read_below_them() -> None:
    subgraphs = {
        "a": """type Query { boxes: [Box!]! } type Box @key(fields: "parts { id }") { parts: [Part!]! }
                type Part @shareable { id: ID! }""",
        "b": """type Box @key(fields: "parts { id }") { parts: [Part!]! weight: Int }
                type Part @shareable { id: ID! }""",
    }

    assert plan_lines(subgraphs, "{ boxes { weight } }") == [
        "#0 a: { boxes { parts { id } } }",
        "#1 b after #0: Box { parts { id } } at boxes -> { _entities { ... on Box { weight } } }",
    ]


def test_key_that_only_a_third_subgraph_knows_is_learned_there_first() -> None:
    subgraphs = {
        "a": 'type Query { user: User } type User @key(fields: "id") { id: ID! }',
        "b": 'type User @key(fields: "id") @key(fields: "email") { id: ID! email: String! }',
        "c": 'type User @key(fields: "email") { email: String! orders: Int }',
    }

    assert plan_lines(subgraphs, "{ user { orders } }") == [
        "#0 a: { user { id } }",
        "#1 b after #0: User { id } at user -> { _entities { ... on User { email } } }",
        "#2 c after #1: User { email } at user -> { _entities { ... on User { orders } } }",
    ]


def test_unresolvable_key_starts_a_jump_and_ends_none() -> None:
    subgraphs = {
        "a": """type Query { user: User } type User @key(fields: "id", resolvable: false) { id: ID! }""",
        "b": 'type Query { users: [User!]! } type User @key(fields: "id") { id: ID! name: String }',
    }

    assert plan_lines(subgraphs, "{ user { name } }") == [
        "#0 a: { user { id } }",
        "#1 b after #0: User { id } at user -> { _entities { ... on User { name } } }",
    ]
    assert plan_lines(subgraphs, "{ users { id } }") == ["#0 b: { users { id } }"]


def test_inaccessible_field_serves_as_key() -> None:
    subgraphs = {
        "a": 'type Query { user: User } type User @key(fields: "id") { id: ID! @inaccessible }',
        "b": 'type User @key(fields: "id") { id: ID! name: String }',
    }

    assert plan_lines(subgraphs, "{ user { name } }") == [
        "#0 a: { user { id } }",
        "#1 b after #0: User { id } at user -> { _entities { ... on User { name } } }",
    ]


def test_key_that_the_client_hides_behind_a_condition_is_read_all_the_same() -> None:
    subgraphs = {
        "a": 'type Query { user: User } type User @key(fields: "id") { id: ID! }',
        "b": 'type User @key(fields: "id") { id: ID! name: String }',
    }

    assert plan_lines(subgraphs, "query ($c: Boolean!) { user { id @include(if: $c) name } }") == [
        "#0 a: { user { id } }",
        "#1 b after #0: User { id } at user -> { _entities { ... on User { name } } }",
    ]


def test_keyless_object_is_reached_through_its_parent() -> None:
    subgraphs = {
        "a": """type Query { order: Order } type Order @key(fields: "id") { id: ID! box: Box @shareable }
                type Box { width: Int }""",
        "b": 'type Order @key(fields: "id") { id: ID! box: Box @shareable } type Box { height: Int }',
    }

    assert plan_lines(subgraphs, "{ order { box { width height } } }") == [
        "#0 a: { order { box { width } id } }",
        "#1 b after #0: Order { id } at order -> { _entities { ... on Order { box { height } } } }",
    ]


def test_key_does_not_go_by_a_name_that_the_client_gives_another_field_of_this_type_alone() -> None:
    subgraphs = {
        "a": """type Query { pet: Pet } union Pet = Cat | Dog
                type Cat { code: Int } type Dog @key(fields: "code") { code: Int rank: Int }""",
        "b": 'type Dog @key(fields: "code") { code: Int price: Int }',
    }

    assert plan_lines(subgraphs, "{ pet { ... on Cat { code } ... on Dog { code: rank price } } }") == [
        "#0 a: { pet { __typename ... on Cat { code } ... on Dog { code: rank _code: code } } }",
        "#1 b after #0: Dog { code: _code } at pet[Dog] -> { _entities { ... on Dog { price } } }",
    ]
