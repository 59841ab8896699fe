"""The query that the mall is built around: four fetches, two deep."""

from __future__ import annotations

from router.planning.plan import depth_of
from tests.planning.plans import operation_of, plan_lines, plan_of, supergraph_of

MALL = {
    "orders": """
        type Query { orders(first: Int = 20): OrderConnection! }
        type OrderConnection { edges: [OrderEdge!]! }
        type OrderEdge { node: Order! }
        type Money @shareable { amount: String! currencyCode: String! }
        type Order @key(fields: "id") { id: ID! number: String! status: String! total: Money! lines: [Line!]! }
        type Line { product: Product! quantity: Int! }
        type Product @key(fields: "id", resolvable: false) { id: ID! }
    """,
    "payments": """
        type Order @key(fields: "id") { id: ID! payment: Payment }
        type Payment @key(fields: "id") { id: ID! status: String! }
    """,
    "shipping": """
        type Order @key(fields: "id") { id: ID! shipment: Shipment }
        type Shipment @key(fields: "id") { id: ID! status: String! trackingNumber: String }
        type Product @key(fields: "id") {
          id: ID! weightGrams: Int! @external
          shippingQuote(countryCode: String!): Money @requires(fields: "weightGrams")
        }
        type Money @shareable { amount: String! currencyCode: String! }
    """,
    "inventory": """
        type Query { product(id: ID!): Product }
        type Product @key(fields: "id") { id: ID! name: String! weightGrams: Int! stock: Stock! }
        type Stock { available: Int! status: String! }
    """,
}

ORDER_QUERY = """
    { orders(first: 10) { edges { node { number status total { amount currencyCode } payment { status }
      shipment { status trackingNumber } lines { quantity product { name stock { available status } } } } } } }
"""


def test_order_query_is_four_fetches_two_deep() -> None:
    assert plan_lines(MALL, ORDER_QUERY) == [
        "#0 orders: { orders(first: 10) { edges { node { number status total { amount currencyCode } "
        "lines { quantity product { id } } id } } } }",
        "#1 payments after #0: Order { id } at orders.edges.node -> "
        "{ _entities { ... on Order { payment { status } } } }",
        "#2 shipping after #0: Order { id } at orders.edges.node -> "
        "{ _entities { ... on Order { shipment { status trackingNumber } } } }",
        "#3 inventory after #0: Product { id } at orders.edges.node.lines.product -> "
        "{ _entities { ... on Product { name stock { available status } } } }",
    ]
    assert depth_of(list(plan_of(MALL, ORDER_QUERY).fetches)) == 2


def test_same_operation_gives_same_plan_each_time() -> None:
    assert plan_of(MALL, ORDER_QUERY) == plan_of(MALL, ORDER_QUERY)


def test_only_variables_that_a_fetch_uses_are_sent_with_it() -> None:
    plan = plan_of(
        MALL,
        "query Quote($id: ID!, $to: String!) { product(id: $id) { name shippingQuote(countryCode: $to) { amount } } }",
    )

    assert [(fetch.document, fetch.variables) for fetch in plan.fetches] == [
        ("query Quote__inventory__0($id: ID!) { product(id: $id) { name id weightGrams } }", ("id",)),
        (
            "query Quote__shipping__1($to: String!, $representations: [_Any!]!) { _entities(representations: "
            "$representations) { ... on Product { shippingQuote(countryCode: $to) { amount } } } }",
            ("to",),
        ),
    ]


def test_owned_fields_are_the_clients_and_not_our_inputs() -> None:
    plan = plan_of(MALL, '{ product(id: 1) { shippingQuote(countryCode: "FR") { amount } } }')

    assert [owned.response_key for owned in plan.fetches[0].owned] == ["product"]
    assert [owned.response_key for owned in plan.fetches[1].lookups[0].owned] == ["shippingQuote"]


def test_introspection_alone_needs_no_fetch() -> None:
    supergraph = supergraph_of(MALL)

    assert operation_of(supergraph, "{ __typename __schema { types { name } } }").selections
    assert plan_of(MALL, "{ __typename __schema { types { name } } }").fetches == ()
