"""GraphQL in-process, over the store in memory: who sees what, what is refused, and how many queries it takes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from subgraphs.chassis.graphql.error_policy import present_error
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import ANONYMOUS, AuthContext
from subgraphs.orders.domain import Customer, Money, Order, OrderLine, Product, StatusChange
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.schema import schema
from subgraphs.orders.service import Orders, Slice
from subgraphs.orders.types import make_loaders
from tests.subgraphs.orders.examples import ANVIL, LAMP, MUG, NOW, OLD_POT, an_order
from tests.subgraphs.orders.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio
Json = dict[str, Any]

ADA = AuthContext("cus_ada", "customer", "Ada Lovelace", "ada@example.org")
BOB = AuthContext("cus_bob", "customer")
STAFF = AuthContext("staff_grace", "staff", "Grace Hopper", scopes=frozenset({"orders:read-all", "orders:write"}))
ADDRESS = {"name": "Ada", "line1": "Street 1", "city": "Paris", "postalCode": "75001", "countryCode": "FR"}
PLACE = """
mutation ($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    order { id number status total { amount currencyCode } shippingFee { amount } customer { id name email } }
    userErrors { code field message }
  }
}
"""
CANCEL = """
mutation ($id: ID!, $reason: String!) {
  cancelOrder(id: $id, reason: $reason) { order { status history { from to reason code } } userErrors { code field } }
}
"""
RETURN = """
mutation ($id: ID!, $lines: [ReturnLineInput!], $key: String!) {
  returnOrder(orderId: $id, lines: $lines, reason: "broken", idempotencyKey: $key) {
    order { status returns { id } }
    return {
      id status lines { product { id } quantity } refund { amount currencyCode } reason requestedAt receivedAt
    }
    userErrors { code field }
  }
}
"""
PAGE = """
query ($first: Int! = 20, $after: String, $status: OrderStatus) {
  orders(first: $first, after: $after, status: $status) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ENTITIES = (
    "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { number } ... on Customer { name } } }"
)


@dataclass(slots=True)
class CountingStore(MemoryStore):
    """Counts what would be queries."""

    queries: list[str] = field(default_factory=list)

    async def orders(self, ids: Sequence[str]) -> Mapping[str, Order]:
        self.queries.append("orders")
        return await MemoryStore.orders(self, ids)

    async def customers(self, ids: Sequence[str]) -> Mapping[str, Customer]:
        self.queries.append("customers")
        return await MemoryStore.customers(self, ids)

    async def newest(self, part: Slice, customer_id: str | None = None) -> Sequence[Order]:
        self.queries.append("newest")
        return await MemoryStore.newest(self, part, customer_id)

    async def newest_by_customer(self, customer_ids: Sequence[str], part: Slice) -> Mapping[str, Sequence[Order]]:
        self.queries.append("newest_by_customer")
        return await MemoryStore.newest_by_customer(self, customer_ids, part)


def many_orders(count: int = 5, customer_id: str = "cus_ada") -> list[Order]:
    """Orders a minute apart, the last one the newest; every second one is confirmed."""
    return [
        an_order(
            id=f"ord_{customer_id}_{n}",
            number=f"{customer_id}-{n}",
            customer_id=customer_id,
            placed_at=NOW + timedelta(minutes=n),
            stage=Stage.CONFIRMED if n % 2 else Stage.PLACED,
        )
        for n in range(count)
    ]


def a_store(*orders: Order) -> CountingStore:
    products: dict[str, tuple[Product, Any]] = {each.id: (each, NOW) for each in (MUG, LAMP, OLD_POT, ANVIL)}
    customers = {"cus_ada": Customer("cus_ada", "Ada"), "cus_bob": Customer("cus_bob", "Bob")}
    return CountingStore({each.id: each for each in orders}, products, customers)


async def ask(store: MemoryStore, auth: AuthContext, query: str, **variables: Any) -> Json:
    """The response, with errors as ``code: message``."""
    numbers = itertools.count(1)
    orders = Orders(store, lambda: NOW, lambda: next(numbers))
    context = RequestContext(auth, lambda: orders, make_loaders)
    result = await schema.execute(query, variable_values=variables, context_value=context)
    errors = [present_error(error, executed=True) for error in result.errors or []]
    told = [f"{(error.extensions or {})['code']}: {error.message}" for error in errors]
    return {"data": result.data} | ({"errors": told} if told else {})


async def data(store: MemoryStore, auth: AuthContext, query: str, **variables: Any) -> Json:
    response = await ask(store, auth, query, **variables)
    assert "errors" not in response, response["errors"]
    answer: Json = response["data"]
    return answer


def an_input(**changes: Any) -> Json:
    return {
        "lines": [{"productId": "MUG-001", "quantity": 2}],
        "shippingAddress": ADDRESS,
        "paymentMethod": {"token": "tok_approved"},
        "idempotencyKey": "key-1",
    } | changes


def expecting(amount: str, currency_code: str = "EUR") -> Json:
    price = {"amount": amount, "currencyCode": currency_code}
    return {"lines": [{"productId": "MUG-001", "quantity": 2, "expectedUnitPrice": price}]}


@pytest.mark.parametrize("change", [expecting("12.5"), expecting("11.00") | {"acceptPriceChange": True}])
async def test_an_expected_or_accepted_price_is_no_hindrance(change: Json) -> None:
    payload = (await data(a_store(), ADA, PLACE, input=an_input(**change)))["placeOrder"]
    assert payload["userErrors"] == []
    assert payload["order"]["total"]["amount"] == "29.90"


async def test_an_order_is_placed_at_the_shops_price() -> None:
    store = a_store()
    payload = (await data(store, ADA, PLACE, input=an_input()))["placeOrder"]
    [order] = store.known.values()
    assert payload == {
        "order": {
            "id": order.id,
            "number": order.number,
            "status": "PENDING",
            "total": {"amount": "29.90", "currencyCode": "EUR"},
            "shippingFee": {"amount": "4.90"},
            "customer": {"id": "cus_ada", "name": "Ada Lovelace", "email": "ada@example.org"},
        },
        "userErrors": [],
    }


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"lines": []}, "ORDER_EMPTY", "lines"),
        ({"lines": [{"productId": "NOPE", "quantity": 1}]}, "PRODUCT_UNKNOWN", "lines.0.productId"),
        ({"lines": [{"productId": "POT-009", "quantity": 1}]}, "PRODUCT_INACTIVE", "lines.0.productId"),
        ({"lines": [{"productId": "ANV-001", "quantity": 1}]}, "ITEM_TOO_HEAVY", "lines.0.productId"),
        ({"lines": [{"productId": "MUG-001", "quantity": 0}]}, "QUANTITY_INVALID", "lines.0.quantity"),
        ({"lines": [{"productId": "MUG-001", "quantity": 10**9}]}, "QUANTITY_INVALID", "lines.0.quantity"),
        ({"lines": [{"productId": "MUG-001", "quantity": 1}] * 2}, "PRODUCT_REPEATED", "lines.1.productId"),
        ({"lines": [{"productId": f"P-{n}", "quantity": 1} for n in range(101)]}, "TOO_MANY_LINES", "lines"),
        ({"shippingAddress": ADDRESS | {"countryCode": "FRA"}}, "ADDRESS_INVALID", "shippingAddress.countryCode"),
        ({"shippingAddress": ADDRESS | {"countryCode": "AQ"}}, "COUNTRY_NOT_SERVED", "shippingAddress.countryCode"),
        ({"paymentMethod": {"token": "4242424242424242"}}, "PAYMENT_METHOD_INVALID", "paymentMethod.token"),
        ({"idempotencyKey": ""}, "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (expecting("11.00"), "PRICE_CHANGED", "lines.0.expectedUnitPrice"),
        (expecting("12.50", "USD"), "PRICE_CHANGED", "lines.0.expectedUnitPrice"),
        (expecting("12.501"), "AMOUNT_INVALID", "lines.0.expectedUnitPrice.amount"),
        (expecting("Infinity"), "AMOUNT_INVALID", "lines.0.expectedUnitPrice.amount"),
        (expecting("1e40"), "AMOUNT_INVALID", "lines.0.expectedUnitPrice.amount"),
    ],
)
async def test_a_wrong_order_is_refused_as_data_and_changes_nothing(change: Json, code: str, field: str) -> None:
    store = a_store()
    payload = (await data(store, ADA, PLACE, input=an_input(**change)))["placeOrder"]
    assert payload["order"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)]
    assert (store.known, store.published) == ({}, [])


async def test_a_repeat_returns_the_first_order_and_other_input_under_its_key_is_refused() -> None:
    store = a_store()
    first = (await data(store, ADA, PLACE, input=an_input()))["placeOrder"]
    assert (await data(store, ADA, PLACE, input=an_input()))["placeOrder"] == first
    changed = an_input(paymentMethod={"token": "tok_slow"})
    payload = (await data(store, ADA, PLACE, input=changed))["placeOrder"]
    assert payload["order"] is None
    assert [error["code"] for error in payload["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert len(store.known) == 1


async def test_a_customer_cancels_their_own_order() -> None:
    payload = (await data(a_store(an_order()), ADA, CANCEL, id="ord_1", reason="changed my mind"))["cancelOrder"]
    assert payload["order"]["status"] == "CANCELLED"
    assert payload["order"]["history"] == [
        {"from": None, "to": "PENDING", "reason": "Order placed.", "code": None},
        {"from": "PENDING", "to": "CANCELLED", "reason": "changed my mind", "code": "CUSTOMER_REQUEST"},
    ]


async def test_cancelling_someone_elses_order_is_like_cancelling_none() -> None:
    store = a_store(an_order())
    of_another = await data(store, BOB, CANCEL, id="ord_1", reason="why not")
    unknown = await data(store, BOB, CANCEL, id="ord_9", reason="why not")
    expected = {"order": None, "userErrors": [{"code": "NOT_FOUND", "field": "id"}]}
    assert of_another["cancelOrder"] == unknown["cancelOrder"] == expected
    assert store.known == {"ord_1": an_order()}


async def test_a_customer_sends_lines_of_an_order_back() -> None:
    store = a_store(an_order(stage=Stage.DELIVERED))
    wish: Json = {"id": "ord_1", "lines": [{"productId": "MUG-001", "quantity": 1}], "key": "key-1"}
    first = (await data(store, ADA, RETURN, **wish))["returnOrder"]
    [kept] = store.known["ord_1"].returns
    assert first["return"] == {
        "id": kept.id,
        "status": "REQUESTED",
        "lines": [{"product": {"id": "MUG-001"}, "quantity": 1}],
        "refund": {"amount": "12.50", "currencyCode": "EUR"},
        "reason": "broken",
        "requestedAt": "2026-03-14T15:09:26.535000+00:00",
        "receivedAt": None,
    }
    assert first["order"] == {"status": "DELIVERED", "returns": [{"id": kept.id}]}
    assert (await data(store, ADA, RETURN, **wish))["returnOrder"] == first


async def test_without_lines_everything_is_sent_back() -> None:
    store = a_store(an_order(stage=Stage.DELIVERED))
    payload = (await data(store, STAFF, RETURN, id="ord_1", key="key-1"))["returnOrder"]
    assert payload["return"]["refund"]["amount"] == "34.90"


async def test_a_refused_return_says_why_and_changes_nothing() -> None:
    store = a_store(an_order())
    for auth, order_id, code in ((ADA, "ord_1", "ORDER_NOT_DELIVERED"), (BOB, "ord_1", "NOT_FOUND")):
        payload = (await data(store, auth, RETURN, id=order_id, key="key-1"))["returnOrder"]
        assert payload == {"order": None, "return": None, "userErrors": [{"code": code, "field": "orderId"}]}
    assert store.known == {"ord_1": an_order()}


async def test_an_order_says_whom_it_waits_for() -> None:
    store = a_store(an_order(stage=Stage.RESERVED))
    assert (await data(store, ADA, '{ order(id: "ord_1") { waitingFor } }'))["order"] == {"waitingFor": ["PAYMENT"]}


ROLES = [
    ('{ order(id: "ord_1") { id } }', {"customer": "ord_1", "other": None, "staff": "ord_1"}),
    ("{ orders { edges { node { id } } } }", {"customer": ["ord_1"], "other": [], "staff": ["ord_1"]}),
    ("{ me { id } }", {"customer": "cus_ada", "other": "cus_bob", "staff": "staff_grace"}),
]


@pytest.mark.parametrize(("query", "answers"), ROLES)
@pytest.mark.parametrize(("who", "auth"), [("customer", ADA), ("other", BOB), ("staff", STAFF)])
async def test_customers_see_their_own_and_staff_see_all(
    query: str, answers: Json, who: str, auth: AuthContext
) -> None:
    [answer] = (await data(a_store(an_order()), auth, query)).values()
    if answer and "edges" in answer:
        answer = [edge["node"]["id"] for edge in answer["edges"]]
    assert (answer["id"] if isinstance(answer, dict) else answer) == answers[who]


@pytest.mark.parametrize("query", [query for query, _ in ROLES])
async def test_without_a_token_nothing_is_shown(query: str) -> None:
    response = await ask(a_store(an_order()), ANONYMOUS, query)
    assert response["errors"] == ["UNAUTHENTICATED: This needs a bearer token: send `authorization: Bearer <token>`."]
    assert list(response["data"].values()) == [None]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (PLACE, {"input": an_input()}),
        (CANCEL, {"id": "ord_1", "reason": "why not"}),
        (RETURN, {"id": "ord_1", "key": "key-1"}),
    ],
)
async def test_without_a_token_nothing_is_changed(query: str, variables: Json) -> None:
    store = a_store(an_order())
    response = await ask(store, ANONYMOUS, query, **variables)
    assert response["errors"][0].startswith("UNAUTHENTICATED: ")
    assert store.known == {"ord_1": an_order()}


async def test_pages_follow_each_other_newest_first() -> None:
    store = a_store(*many_orders(5))
    ids, after, pages = [], None, []
    while True:
        page = (await data(store, ADA, PAGE, first=2, after=after))["orders"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        pages.append((page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]))
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert ids == [f"ord_cus_ada_{n}" for n in (4, 3, 2, 1, 0)]
    assert pages == [(False, True), (True, True), (True, False)]


async def test_a_list_is_narrowed_by_status() -> None:
    page = (await data(a_store(*many_orders(4)), STAFF, PAGE, status="CONFIRMED"))["orders"]
    assert [edge["node"]["id"] for edge in page["edges"]] == ["ord_cus_ada_3", "ord_cus_ada_1"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"first": 100_000}, "PAGE_SIZE_TOO_LARGE"),
        ({"first": -1}, "PAGE_SIZE_NEGATIVE"),
        ({"after": "garbage"}, "INVALID_CURSOR"),
        ({"after": "WzFd"}, "INVALID_CURSOR"),
        ({"after": ""}, "INVALID_CURSOR"),
    ],
)
@pytest.mark.parametrize("list_", ["orders", "me { orders"])
async def test_a_page_that_cannot_be_is_refused_with_a_code(arguments: Json, code: str, list_: str) -> None:
    written = ", ".join(f'{name}: "{v}"' if isinstance(v, str) else f"{name}: {v}" for name, v in arguments.items())
    query = f"{{ {list_}({written}) {{ edges {{ cursor }} }} }}{' }' if '{' in list_ else ''}"
    response = await ask(a_store(an_order()), ADA, query)
    assert [error.split(":")[0] for error in response["errors"]] == [code]


async def test_an_order_tells_its_lines_sums_address_and_history() -> None:
    confirmed = StatusChange(OrderStatus.PENDING, OrderStatus.CONFIRMED, NOW, "Stock reserved.", None)
    order = an_order(
        stage=Stage.CONFIRMED,
        lines=(OrderLine("MUG-001", 2, Money(1250), 400), OrderLine("LMP-001", 1, Money(8900), 2100)),
        history=(*an_order().history, confirmed),
    )
    query = """
    { order(id: "ord_1") {
        number status placedAt updatedAt customer { id name }
        lines { quantity product { id } unitPrice { amount } total { amount currencyCode } }
        subtotal { amount } shippingFee { amount } total { amount }
        shippingAddress { name line1 line2 city postalCode countryCode } history { from to at reason code } } }
    """
    assert (await data(a_store(order), STAFF, query))["order"] == {
        "number": "G-2026-7K3F9Q",
        "status": "CONFIRMED",
        "placedAt": "2026-03-14T15:09:26.535000+00:00",
        "updatedAt": "2026-03-14T15:09:26.535000+00:00",
        "customer": {"id": "cus_ada", "name": "Ada"},
        "lines": [
            {
                "quantity": 2,
                "product": {"id": "MUG-001"},
                "unitPrice": {"amount": "12.50"},
                "total": {"amount": "25.00", "currencyCode": "EUR"},
            },
            {
                "quantity": 1,
                "product": {"id": "LMP-001"},
                "unitPrice": {"amount": "89.00"},
                "total": {"amount": "89.00", "currencyCode": "EUR"},
            },
        ],
        "subtotal": {"amount": "114.00"},
        "shippingFee": {"amount": "9.90"},
        "total": {"amount": "123.90"},
        "shippingAddress": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "line2": None,
            "city": "London",
            "postalCode": "SW1Y 4JH",
            "countryCode": "GB",
        },
        "history": [
            {
                "from": None,
                "to": "PENDING",
                "at": "2026-03-14T15:09:26.535000+00:00",
                "reason": "Order placed.",
                "code": None,
            },
            {
                "from": "PENDING",
                "to": "CONFIRMED",
                "at": "2026-03-14T15:09:26.535000+00:00",
                "reason": "Stock reserved.",
                "code": None,
            },
        ],
    }


def of_order(order_id: str) -> Json:
    return {"__typename": "Order", "id": order_id}


def of_customer(customer_id: str) -> Json:
    return {"__typename": "Customer", "id": customer_id}


async def test_a_hundred_orders_are_one_query_each_at_its_position() -> None:
    store = a_store(*many_orders(100))
    asked = [of_order(f"ord_cus_ada_{n}") for n in range(100)]
    answered = (await data(store, ADA, ENTITIES, r=[*asked, of_order("ord_9"), asked[0]]))["_entities"]
    assert answered == [*({"number": f"cus_ada-{n}"} for n in range(100)), None, {"number": "cus_ada-0"}]
    assert store.queries == ["orders"]


async def test_someone_elses_order_is_null_at_its_position() -> None:
    store = a_store(*many_orders(1), *many_orders(1, "cus_bob"))
    asked = [of_order("ord_cus_ada_0"), of_order("ord_cus_bob_0"), of_order("ord_9")]
    assert (await data(store, BOB, ENTITIES, r=asked))["_entities"] == [None, {"number": "cus_bob-0"}, None]


async def test_customers_are_one_query_and_unknown_ones_null() -> None:
    store = a_store()
    asked = [of_customer("cus_ada"), of_customer("cus_9"), of_customer("cus_bob")]
    answered = (await data(store, STAFF, ENTITIES, r=asked))["_entities"]
    assert answered == [{"name": "Ada"}, None, {"name": "Bob"}]
    assert store.queries == ["customers"]


async def test_a_customer_sees_themselves_alone() -> None:
    asked = [of_customer("cus_ada"), of_customer("cus_bob"), of_customer("cus_9")]
    answered = (await data(a_store(), ADA, ENTITIES, r=asked))["_entities"]
    assert answered == [{"name": "Ada Lovelace"}, None, None]


async def test_the_orders_of_many_customers_are_one_query() -> None:
    store = a_store(*many_orders(3), *many_orders(2, "cus_bob"))
    query = "{ orders { edges { node { customer { name orders(first: 1) { edges { node { id } } } } } } } }"
    edges = (await data(store, STAFF, query))["orders"]["edges"]
    newest = {edge["node"]["customer"]["orders"]["edges"][0]["node"]["id"] for edge in edges}
    assert newest == {"ord_cus_ada_2", "ord_cus_bob_1"}
    assert sorted(store.queries) == ["customers", "newest", "newest_by_customer"]


async def test_two_parts_of_the_same_list_are_two_queries() -> None:
    store = a_store(*many_orders(3))
    query = (
        "{ me { a: orders(first: 1) { edges { node { id } } } b: orders(status: PENDING) { edges { node { id } } } } }"
    )
    me = (await data(store, ADA, query))["me"]
    assert [edge["node"]["id"] for edge in me["a"]["edges"]] == ["ord_cus_ada_2"]
    assert [edge["node"]["id"] for edge in me["b"]["edges"]] == ["ord_cus_ada_2", "ord_cus_ada_0"]
    assert store.queries == ["newest_by_customer"] * 2


async def test_someone_who_never_ordered_has_no_orders() -> None:
    query = "{ me { name email orders { edges { cursor } pageInfo { hasNextPage } } } }"
    answer = await data(a_store(), replace(BOB, subject="cus_new", name="New"), query)
    assert answer["me"] == {
        "name": "New",
        "email": None,
        "orders": {"edges": [], "pageInfo": {"hasNextPage": False}},
    }


@pytest.mark.parametrize(
    "representation", [{"__typename": "Order"}, {"__typename": "Order", "id": "ord_1", "x": 1}, {"__typename": "Nope"}]
)
async def test_a_representation_that_is_none_fails_alone(representation: Json) -> None:
    response = await ask(a_store(an_order()), ADA, ENTITIES, r=[representation, of_order("ord_1")])
    assert response["data"]["_entities"] == [None, {"number": "G-2026-7K3F9Q"}]
    assert [error.split(":")[0] for error in response["errors"]] == ["BAD_USER_INPUT"]
