"""Rules of single fields over several subgraphs: override labels, external arguments, directives on external fields."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router import Composition, Subgraph, compose


def codes(composition: Composition) -> list[str]:
    return [str(error.code) for error in composition.errors]


_SHOP = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", '
    'import: ["@key", "@context", "@fromContext"]) '
    'type Query { shop: Shop }  type Shop @context(name: "shop") { tax: Int  rate(year: Int!): Int  '
)
_ITEM = 'type Item @key(fields: "id") { id: ID  price(rate: Int @fromContext(field: "%s")): Int }'


@pytest.mark.parametrize(
    ("label", "is_valid"),
    [
        *(("percent(0)", True), ("percent(05)", True), ("percent(99.12345678)", True), ("percent(100)", True)),
        *(("percent(100.0)", False), ("percent(101)", False), ("percent(007)", False), ("percent(1.)", False)),
        *(("percent(.5)", False), ("percent(1.123456789)", False), ("a-b_c:./1", True), ("1a", False), ("a b", False)),
    ],
)
def test_override_label(label: str, compose_sdl: Callable[..., Composition], *, is_valid: bool) -> None:
    composition = compose_sdl(
        a=f'type Query {{ x: Int @override(from: "b", label: "{label}") }}', b="type Query { x: Int }"
    )
    assert codes(composition) == ([] if is_valid else ["OVERRIDE_LABEL_INVALID"])


@pytest.mark.parametrize("b", ["type Query { y: Int }", "type Other { x: Int }"])
def test_the_label_of_an_override_of_nothing_is_not_judged(b: str, compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(a='type Query { x: Int @override(from: "b", label: "?") }', b=b)
    assert codes(composition) == []
    assert [str(hint.code) for hint in composition.hints] == ["OVERRIDE_DIRECTIVE_CAN_BE_REMOVED"]


_COMPUTED = """type Query { v: V }
    type V @key(fields: "id") { id: ID! size: Int @external label: String @requires(fields: "size") }"""


def test_a_labelled_override_of_an_external_field_is_chosen_by_its_label(
    compose_sdl: Callable[..., Composition],
) -> None:
    """Of the overridden subgraph nothing is taken before nor after; the new one is asked under the label alone."""
    composition = compose_sdl(
        a=_COMPUTED,
        b="""type V @key(fields: "id") { id: ID! size: Int @shareable @override(from: "a", label: "percent(5)") }""",
        c="""type V @key(fields: "id") { id: ID! size: Int @shareable }""",
    )
    assert codes(composition) == []
    assert (
        'size: Int @join__field(graph: A, external: true, overrideLabel: "percent(5)") '
        '@join__field(graph: B, override: "a", overrideLabel: "percent(5)") @join__field(graph: C)\n'
    ) in str(composition.supergraph_sdl)
    assert [str(hint.code) for hint in composition.hints if str(hint.code).startswith("OVERRIDE")] == [
        "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
        "OVERRIDE_MIGRATION_IN_PROGRESS",
    ]


def test_a_labelled_override_takes_nothing_of_where_an_external_field_is_provided(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a="""type Query { v: V @provides(fields: "size") }
             type V @key(fields: "id") { id: ID! size: Int @external }""",
        b='type V @key(fields: "id") { id: ID! size: Int @override(from: "a", label: "percent(5)") }',
    )
    assert [error.message for error in composition.errors] == [
        '"V.size" is resolved by subgraphs "a" and "b", but is not @shareable in subgraph "b"'
    ]
    assert codes(composition) == ["INVALID_FIELD_SHARING"]


def test_nobody_resolves_an_external_field_while_the_label_of_its_override_is_not_active(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a=_COMPUTED, b='type V @key(fields: "id") { id: ID! size: Int @override(from: "a", label: "percent(5)") }'
    )
    assert codes(composition) == ["SATISFIABILITY_ERROR"] * 2
    size, label = (error.message for error in composition.errors)
    assert '"V.size" is resolved there for other override labels only' in size
    assert 'what "V.label" requires ("size") cannot be fetched' in label


@pytest.mark.parametrize(
    ("external", "owner", "expected"),
    [
        ("Int", "Int!", []),
        ("[Int]", "[Int!]", []),
        ("Int!", "Int", ["EXTERNAL_ARGUMENT_TYPE_MISMATCH"]),
        ("Int", "ID", ["EXTERNAL_ARGUMENT_TYPE_MISMATCH"]),
    ],
)
def test_an_external_argument_may_take_more_than_its_owners(
    external: str, owner: str, expected: list[str], compose_sdl: Callable[..., Composition]
) -> None:
    composition = compose_sdl(
        a=f"""type Query {{ t: T }}
              type T @key(fields: "id") {{
                id: ID  x(o: {external}): Int @external  y: Int @requires(fields: "x(o: 1)")
              }}""",
        b=f'type T @key(fields: "id") {{ id: ID  x(o: {owner}): Int }}',
    )
    assert codes(composition) == expected


@pytest.mark.parametrize("directive", ['@tag(name: "a")', "@inaccessible", "@deprecated"])
def test_what_reaches_the_supergraph_cannot_be_on_an_external_field(
    directive: str, compose_sdl: Callable[..., Composition]
) -> None:
    composition = compose_sdl(
        a=f"""type Query {{ t: T }}
              type T @key(fields: "id") {{ id: ID  x: Int @external {directive}  y: Int @requires(fields: "x") }}""",
        b='type T @key(fields: "id") { id: ID  x: Int }',
    )
    assert codes(composition) == ["MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL"]


def test_a_required_argument_cannot_be_deprecated(compose_sdl: Callable[..., Composition]) -> None:
    composition = compose_sdl(a="type Query { x(a: Int! @deprecated, b: Int! = 1 @deprecated): Int }")
    assert [str(error) for error in composition.errors] == [
        'INVALID_GRAPHQL: [a] "Query.x(a:)" is required, so clients cannot stop using it, and cannot be @deprecated '
        "(a:2:16)"
    ]


def test_a_mutation_that_is_no_object_is_just_a_type(compose_sdl: Callable[..., Composition]) -> None:
    assert compose_sdl(a="type Query { x: Int }  interface Mutation { x: Int }").errors == ()


def test_an_empty_description_is_kept_where_no_subgraph_has_a_better_one(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a='type Query { x: T }  "" type T @shareable { x: Int }', b="type T @shareable { x: Int }"
    )
    assert '""""""\ntype T' in (composition.supergraph_sdl or "")


def test_a_directive_that_is_composed_has_no_hint_as_an_executable_one(
    compose_sdl: Callable[..., Composition],
) -> None:
    spec = 'extend schema @link(url: "https://x.dev/foo/v1.0", import: ["@foo"]) @composeDirective(name: "@foo")\n'
    composition = compose_sdl(
        a=spec + "directive @foo on FIELD | OBJECT  type Query { x: Int }", b="type Query { y: Int }"
    )
    assert (composition.errors, composition.hints) == ((), ())


def test_a_directive_of_the_same_name_that_is_not_linked_is_another_one(
    compose_sdl: Callable[..., Composition],
) -> None:
    spec = 'extend schema @link(url: "https://x.dev/foo/v1.0", import: ["@foo"]) @composeDirective(name: "@foo")\n'
    definition = "directive @foo on FIELD_DEFINITION "
    composition = compose_sdl(
        a=spec + definition + "type Query { x: Int @foo }", b=definition + "type Query { y: Int @foo }"
    )
    assert "x: Int @join__field(graph: A) @foo" in (composition.supergraph_sdl or "")
    assert "y: Int @join__field(graph: B)\n" in (composition.supergraph_sdl or "")


@pytest.mark.parametrize(
    ("inputs", "endless"),
    [
        ("input I { i: I! }", ["I"]),
        ("input I { j: J! }  input J { i: I! = {} }", ["I", "J"]),
        ("input I { j: J! }  input J { i: [I!]! }", []),
        ("input I { i: I  j: J! }  input J { x: Int }", []),
    ],
)
def test_an_input_that_must_hold_itself_is_refused(
    inputs: str, endless: list[str], compose_sdl: Callable[..., Composition]
) -> None:
    composition = compose_sdl(a="type Query { x(i: I): Int }  " + inputs)
    assert [error.message for error in composition.errors] == [
        f'The input object type "{name}" can never be written, as it must hold itself without end' for name in endless
    ]


def test_what_an_interface_field_provides_is_shared_by_its_implementations(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a="""type Query { i: I @provides(fields: "v { x }") }  interface I { v: V }
             type T implements I @key(fields: "id") { id: ID  v: V @external }  type V { x: Int @shareable }""",
        b='type T @key(fields: "id") { id: ID  v: V }  type V { x: Int @shareable }',
    )
    assert [error.message for error in composition.errors] == [
        '"T.v" is resolved by subgraphs "a" and "b", but is not @shareable in subgraph "b"'
    ]


def test_a_mutation_that_the_schema_does_not_name_is_walked_all_the_same(
    compose_sdl: Callable[..., Composition],
) -> None:
    composition = compose_sdl(
        a="schema { query: Query }  type Query { x: Int }  type Mutation { t: T }  type T { x: Int }",
        b="type T { y: Int }",
    )
    assert codes(composition) == ["SATISFIABILITY_ERROR"]


FEDERATION_1_SERVICE = "_service: _Service!  _entities(representations: [_Any!]!): [_Entity]!"


def test_federation_1_need_not_define_the_types_of_its_own_fields() -> None:
    composition = compose([Subgraph("a", "http://a", f"type Query {{ x: Int  {FEDERATION_1_SERVICE} }}")])
    assert composition.errors == ()


def test_a_federation_1_entity_of_nothing_but_unused_external_fields_is_an_error() -> None:
    composition = compose(
        [
            Subgraph("a", "", 'type Query { x: Int }  type T @key(fields: "id") { name: String @external }'),
            Subgraph("b", "", 'type T @key(fields: "id") { id: ID  name: String }'),
        ]
    )
    assert codes(composition) == ["TYPE_WITH_ONLY_UNUSED_EXTERNAL"]


@pytest.mark.parametrize(
    ("selection", "fault"),
    [
        ("{ rate }", '"Shop.rate" lacks its required argument "year"'),
        ("{ rate(year: true) }", 'the value true for "Shop.rate(year:)" is not of type Int!'),
        ("{ rate(year: 1, day: 1) }", '"Shop.rate" has no argument "day"'),
        ("{ rate(year: 1) }", None),
        ("{ tax }", None),
    ],
)
def test_arguments_in_what_is_taken_of_a_context_must_fit_their_fields(selection: str, fault: str | None) -> None:
    composition = compose([Subgraph("a", "http://a", _SHOP + f"item: Item }} {_ITEM % f'$shop {selection}'}")])

    assert [error.message for error in composition.errors] == (
        [f'The selection of "Item.price(rate:)" from context "shop" is invalid on "Shop": {fault}'] if fault else []
    )


@pytest.mark.parametrize(
    ("required", "others", "fault"),
    [
        ("f(x: 1)", ("f(x: Int): Int @shareable", "f(x: Int): Int @shareable"), None),
        (
            "f(x: 1)",
            ("f(x: Int): Int @shareable", "f: Int @shareable"),
            'the supergraph has no argument "T.f(x:)", as not all subgraphs define it',
        ),
        ("f", ("f(x: Int!): Int",), '"T.f" lacks its required argument "x"'),
    ],
)
def test_arguments_in_what_is_required_must_fit_the_field_of_the_supergraph(
    required: str, others: tuple[str, ...], fault: str | None, compose_sdl: Callable[..., Composition]
) -> None:
    type_ = 'type T @key(fields: "id") { id: ID  %s }'
    own = type_ % f'f(x: Int): Int @external  g: Int @requires(fields: "{required}")'
    composition = compose_sdl(
        a=f"type Query {{ t: T }} {own}", **dict(zip("bc", (type_ % other for other in others), strict=False))
    )

    message = f'On "T.g", for @requires(fields: "{required}"): {fault}'
    assert [(str(error.code), error.message) for error in composition.errors] == (
        [("REQUIRES_INVALID_FIELDS", message)] if fault else []
    )


def test_a_type_condition_that_no_object_of_a_context_meets_is_refused() -> None:
    selection = "$shop ... on Shop { tax } ... on Item { id }"
    composition = compose([Subgraph("a", "http://a", _SHOP + f"item: Item }} {_ITEM % selection}")])

    assert [error.message for error in composition.errors] == [
        'The selection of "Item.price(rate:)" from context "shop" has the type condition "Item", '
        "which no type that sets the context meets"
    ]


def test_default_values_are_written_as_their_types_have_them() -> None:
    """Published SDL has names where strings belong, and strings where names of enum values do."""
    sdl = """type Query {
               f(s: String = A, ids: [ID] = [B, "7"], e: E = "X", i: I = {s: A, e: "X", more: [{s: "B"}]}): Int
             }
             input I { s: String  e: E  more: [I!] }  enum E { X }"""
    composition = compose([Subgraph("a", "http://a", sdl)])

    assert 'f(s: String = "A", ids: [ID] = ["B", 7], e: E = X, i: I = {s: "A", e: X, more: [{s: "B"}]}): Int' in str(
        composition.supergraph_sdl
    )


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        ("I", "{x: 1, y: 2}", "{y: 2, x: 1}"),
        ("Float", "1", "1.0"),
        ("ID", "1", '"1"'),
        ("[E]", "[X]", '["X"]'),
    ],
)
def test_defaults_that_are_one_value_of_their_type_agree(type_: str, one: str, other: str) -> None:
    sdl = "type Query {{ f(a: {} = {}): Int @shareable }}  input I {{ x: Int  y: Int }}  enum E {{ X }}"
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@shareable"]) '
    composition = compose(
        [Subgraph(name, f"http://{name}", link + sdl.format(type_, text)) for name, text in (("a", one), ("b", other))]
    )

    assert composition.errors == ()
    assert f"a: {type_} = " in str(composition.supergraph_sdl)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (
            "type Query { f(e: E = B): Int }  enum E { A B }",
            "type Query { g(e: E): Int }  enum E { A }",
            'The default value B of "Query.f(e:)" is not of type E',
        ),
        (
            "type Query { f(i: I = {x: 1, y: 2}): Int }  input I { x: Int  y: Int }",
            "type Query { g(i: I): Int }  input I { x: Int }",
            'The default value {x: 1, y: 2} of "Query.f(i:)" is not of type I',
        ),
    ],
)
def test_a_default_with_what_merging_leaves_out_is_refused(a: str, b: str, message: str) -> None:
    """Not all subgraphs have the enum's value, or the input's field, so the supergraph does not."""
    composition = compose([Subgraph("a", "http://a", a), Subgraph("b", "http://b", b)])

    assert [(str(error.code), error.message) for error in composition.errors] == [("INVALID_GRAPHQL", message)]


def test_a_key_that_was_forgotten_is_named(compose_sdl: Callable[..., Composition]) -> None:
    product = "type Product { id: ID!  size: Int }"
    composition = compose_sdl(
        a='type Query { product: Product }  type Product @key(fields: "id") { id: ID!  name: String }', b=product
    )
    assert [error.message for error in composition.errors if "Product.id" in error.message] == [
        '"Product.id" is resolved by subgraphs "a" and "b", but is not @shareable in subgraph "b"; '
        'does "Product" lack @key(fields: "id") there?'
    ]
