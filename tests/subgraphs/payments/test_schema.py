"""GraphQL over the store in memory: who sees what, what is refused, and how many queries it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from subgraphs.payments.app import service
from subgraphs.payments.domain import Approved, Declined, OrderFact, TransactionKind
from subgraphs.payments.service import Payments
from subgraphs.payments.steps import conclude_step, learn, next_step
from tests.services import Json, ServiceClient, client_of
from tests.subgraphs.payments.examples import MUGS, NOW, FakeProvider, MovableClock, a_payment, captured
from tests.subgraphs.payments.memory_store import MemoryStore
from tests.subgraphs.payments.test_captures import told

pytestmark = pytest.mark.asyncio

PAYMENT = """query ($id: ID!) { payment(id: $id) { id status method amount { amount currencyCode }
  captured { amount } refunded { amount } order { id } invoice { number issuedAt total { amount } }
  transactions { kind status amount { amount } at reason } refunds { status amount { amount } reason } } }"""
ENTITIES = """query ($r: [_Any!]!) { _entities(representations: $r) {
  ... on Order { id payment { id status } } ... on Payment { id status } } }"""
REFUND = """mutation ($paymentId: ID!, $amount: MoneyInput!, $reason: String!, $idempotencyKey: String!) {
  refundPayment(paymentId: $paymentId, amount: $amount, reason: $reason, idempotencyKey: $idempotencyKey) {
    payment { id status refunded { amount } transactions { kind amount { amount currencyCode } at } }
    refund { status amount { amount } } userErrors { code field message } } }"""

LEDGER = """query ($id: ID!) { payment(id: $id) { invoices { number total { amount } }
  ledger { entries { account amount { amount } at transactionId } balances { account amount { amount } } } } }"""


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def client(store: MemoryStore, provider: FakeProvider, tmp_path: Path) -> ServiceClient:
    return client_of(service, Payments(store, provider, MovableClock()), tmp_path)


def a_refund(amount: str = "10.00", currency: str = "EUR", **changes: str) -> Json:
    variables: Json = {"paymentId": "pay_1", "reason": "Arrived damaged.", "idempotencyKey": "key-1"}
    return {**variables, "amount": {"amount": amount, "currencyCode": currency}, **changes}


def orders(*numbers: int) -> list[Json]:
    return [{"__typename": "Order", "id": f"ord_{number}"} for number in numbers]


async def test_a_customer_sees_their_payment(client: ServiceClient, store: MemoryStore) -> None:
    authorized = learn(a_payment(), OrderFact.RESERVED, NOW)
    assert authorized
    step = next_step(authorized.payment)
    assert step
    await store.add(conclude_step(authorized.payment, step, Approved(), NOW).payment)
    assert await client.data(PAYMENT, "cus_ada", id="pay_1") == {
        "payment": {
            "id": "pay_1",
            "status": "AUTHORIZED",
            "method": "Visa •••• 4242",
            "amount": {"amount": "59.90", "currencyCode": "EUR"},
            "captured": {"amount": "0.00"},
            "refunded": {"amount": "0.00"},
            "order": {"id": "ord_1"},
            "invoice": None,
            "transactions": [
                {
                    "kind": "AUTHORIZATION",
                    "status": "SUCCEEDED",
                    "amount": {"amount": "59.90"},
                    "at": "2026-03-01T12:00:00+00:00",
                    "reason": None,
                }
            ],
            "refunds": [],
        }
    }


@pytest.mark.parametrize("subject", ["cus_ada", "staff_grace"])
async def test_owner_and_staff_see_a_payment(client: ServiceClient, store: MemoryStore, subject: str) -> None:
    await store.add(captured())
    assert (await client.data(PAYMENT, subject, id="pay_1"))["payment"]["status"] == "CAPTURED"
    answer = await client.data(ENTITIES, subject, r=[*orders(1), {"__typename": "Payment", "id": "pay_1"}])
    assert answer["_entities"] == [
        {"id": "ord_1", "payment": {"id": "pay_1", "status": "CAPTURED"}},
        {"id": "pay_1", "status": "CAPTURED"},
    ]


async def test_somebody_elses_payment_is_as_if_it_did_not_exist(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(captured())
    theirs = await client.ask(PAYMENT, "cus_bob", id="pay_1")
    assert theirs == await client.ask(PAYMENT, "cus_bob", id="pay_unknown") == {"data": {"payment": None}}
    representations = [*orders(1, 9), {"__typename": "Payment", "id": "pay_1"}]
    answer = await client.data(ENTITIES, "cus_bob", r=representations)
    assert answer["_entities"] == [{"id": "ord_1", "payment": None}, {"id": "ord_9", "payment": None}, None]


async def test_nobody_sees_a_payment_without_a_token(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(captured())
    assert await client.error_code(PAYMENT, id="pay_1") == "UNAUTHENTICATED"
    assert await client.error_code(ENTITIES, r=orders(1)) == "UNAUTHENTICATED"
    assert await client.error_code(ENTITIES, r=[{"__typename": "Payment", "id": "pay_1"}]) == "UNAUTHENTICATED"
    assert await client.error_code(REFUND, **a_refund()) == "UNAUTHENTICATED"


async def test_many_orders_are_one_query_and_keep_their_places(client: ServiceClient, store: MemoryStore) -> None:
    for number in range(50):
        await store.add(captured(number))
    answer = await client.data(ENTITIES, "staff_grace", r=orders(3, 99, 1, 3, *range(50)))
    found = [entity["payment"] and entity["payment"]["id"] for entity in answer["_entities"]]
    assert found == ["pay_3", None, "pay_1", "pay_3", *(f"pay_{number}" for number in range(50))]
    assert store.queries == ["payments_of_orders"]


async def test_staff_refund_captured_money(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(captured())
    payload = (await client.data(REFUND, "staff_grace", **a_refund()))["refundPayment"]
    assert payload["userErrors"] == []
    assert payload["payment"]["status"] == "PARTIALLY_REFUNDED"
    assert payload["payment"]["refunded"] == {"amount": "10.00"}
    assert payload["refund"] == {"status": "SUCCEEDED", "amount": {"amount": "10.00"}}
    assert (await client.data(REFUND, "staff_grace", **a_refund()))["refundPayment"] == payload


async def test_customers_refund_nothing(client: ServiceClient, store: MemoryStore, provider: FakeProvider) -> None:
    await store.add(captured())
    assert await client.error_code(REFUND, "cus_ada", **a_refund()) == "FORBIDDEN"
    assert (store.kept["pay_1"], provider.calls) == (captured(), [])


@pytest.mark.parametrize(
    ("variables", "code", "field"),
    [
        (a_refund(currency="USD"), "CURRENCY_NOT_SUPPORTED", "amount.currencyCode"),
        (a_refund("0"), "AMOUNT_NOT_POSITIVE", "amount.amount"),
        (a_refund("-1.00"), "AMOUNT_NOT_POSITIVE", "amount.amount"),
        (a_refund("1.001"), "AMOUNT_INVALID", "amount.amount"),
        (a_refund("NaN"), "AMOUNT_INVALID", "amount.amount"),
        (a_refund("Infinity"), "AMOUNT_INVALID", "amount.amount"),
        (a_refund("1e30"), "AMOUNT_INVALID", "amount.amount"),
        (a_refund("1e-9999999999"), "AMOUNT_INVALID", "amount.amount"),
        (a_refund("59.91"), "REFUND_EXCEEDS_CAPTURED", "amount.amount"),
        (a_refund(reason=" "), "REASON_INVALID", "reason"),
        (a_refund(idempotencyKey=""), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (a_refund(paymentId="pay_unknown"), "PAYMENT_UNKNOWN", "paymentId"),
    ],
)
async def test_a_wrong_refund_is_refused_and_changes_nothing(
    client: ServiceClient, store: MemoryStore, provider: FakeProvider, variables: Json, code: str, field: str
) -> None:
    await store.add(captured())
    payload = (await client.data(REFUND, "staff_grace", **variables))["refundPayment"]
    assert payload["payment"] is None
    ((error),) = payload["userErrors"]
    assert (error["code"], error["field"]) == (code, field)
    assert (store.kept["pay_1"], provider.calls) == (captured(), [])


async def test_a_refund_that_the_provider_declines_says_so(
    client: ServiceClient, store: MemoryStore, provider: FakeProvider
) -> None:
    await store.add(captured())
    provider.answers[TransactionKind.REFUND] = Declined("CLOSED", "The account is closed.")
    payload = (await client.data(REFUND, "staff_grace", **a_refund()))["refundPayment"]
    assert payload["userErrors"] == [
        {
            "code": "REFUND_DECLINED",
            "field": None,
            "message": "The payment provider refused the refund: The account is closed.",
        }
    ]


async def test_staff_read_the_ledger_of_a_payment(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(told(a_payment(), OrderFact.RESERVED, MUGS))
    payment = (await client.data(LEDGER, "staff_grace", id="pay_1"))["payment"]
    assert [(each["account"], each["amount"]["amount"]) for each in payment["ledger"]["entries"]] == [
        ("HOLD", "59.90"),
        ("CUSTOMER", "-59.90"),
        ("CUSTOMER", "24.90"),
        ("HOLD", "-24.90"),
        ("RECEIVABLE", "24.90"),
        ("REVENUE", "-24.90"),
    ]
    assert {each["account"]: each["amount"]["amount"] for each in payment["ledger"]["balances"]} == {
        "CUSTOMER": "-35.00",
        "HOLD": "35.00",
        "RECEIVABLE": "24.90",
        "REVENUE": "-24.90",
        "REFUNDS": "0.00",
    }
    assert payment["invoices"] == [{"number": "INV-2026-000001", "total": {"amount": "24.90"}}]


@pytest.mark.parametrize(("subject", "code"), [(None, "UNAUTHENTICATED"), ("cus_ada", "FORBIDDEN")])
async def test_the_ledger_is_for_staff(
    client: ServiceClient, store: MemoryStore, subject: str | None, code: str
) -> None:
    await store.add(captured())
    assert await client.error_code(LEDGER, subject, id="pay_1") == code


async def test_an_amount_that_is_no_number_is_bad_input(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(captured())
    assert await client.error_code(REFUND, "staff_grace", **a_refund("ten")) == "BAD_USER_INPUT"
    assert store.kept["pay_1"] == captured()


async def test_a_token_is_never_shown(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(replace(captured(), token="tok_secret"))
    assert "tok_" not in str(await client.ask(PAYMENT, "cus_ada", id="pay_1"))
    assert "token" not in service.schema.as_str()
