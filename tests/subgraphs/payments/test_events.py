"""Payments among the others: real database, real NATS."""

from __future__ import annotations

import pytest

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.settings import read_settings
from subgraphs.payments.app import PaymentsSettings, service
from subgraphs.payments.domain import (
    Money,
    PaymentCaptured,
    PaymentDeclined,
    PaymentDelayed,
    PaymentEvent,
    PaymentRefunded,
    PaymentVoided,
)
from subgraphs.payments.events import encode
from tests.services import Json, ServiceClient, bus_of, event, eventually, published, running_service
from tests.subgraphs.payments.examples import NOW

pytestmark = pytest.mark.asyncio

TOTAL = {"amountMinor": 5990, "currencyCode": "EUR"}
STATUS = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payment { status method } } } }"
PRICED = [
    {"productId": "MUG-001", "quantity": 3, "unitPrice": {"amountMinor": 1000, "currencyCode": "EUR"}},
    {"productId": "LMP-001", "quantity": 1, "unitPrice": {"amountMinor": 2500, "currencyCode": "EUR"}},
]
PLACED_BY_ADA: Json = {
    "orderId": "ord_1",
    "number": "G-2026-000001",
    "customerId": "cus_ada",
    "total": TOTAL,
    "lines": PRICED,
    "shippingFee": {"amountMinor": 490, "currencyCode": "EUR"},
}


def placed(token: str = "tok_approved") -> Json:
    return {**PLACED_BY_ADA, "paymentMethod": {"token": token}}


async def payment_of(client: ServiceClient) -> Json | None:
    answer = await client.data(STATUS, "cus_ada", r=[{"__typename": "Order", "id": "ord_1"}])
    payment: Json | None = answer["_entities"][0]["payment"]
    return payment


@pytest.mark.parametrize(
    ("told", "type_", "data"),
    [
        (
            PaymentRefunded("ord_1", "pay_1", "ref_1", Money(100, "EUR"), "Damaged."),
            "payment.refunded",
            {"refundId": "ref_1", "amount": {"amountMinor": 100, "currencyCode": "EUR"}, "reason": "Damaged."},
        ),
        (PaymentDelayed("ord_1", "pay_1", "It takes time."), "payment.delayed", {"reason": "It takes time."}),
        (
            PaymentCaptured("ord_1", "pay_1", Money(100, "EUR"), "shp_1"),
            "payment.captured",
            {"shipmentId": "shp_1", "amount": {"amountMinor": 100, "currencyCode": "EUR"}},
        ),
        (PaymentVoided("ord_1", "pay_1"), "payment.voided", {}),
        (PaymentDeclined("ord_1", "pay_1", "NO", "No."), "payment.declined", {"code": "NO", "message": "No."}),
    ],
)
async def test_an_event_travels_with_its_ids(told: PaymentEvent, type_: str, data: Json) -> None:
    travelling = encode(told, NOW)
    assert (travelling.source, travelling.type, travelling.subject) == ("/payments", type_, "pay_1")
    assert travelling.data == {"orderId": "ord_1", "paymentId": "pay_1", **data}


async def test_a_sandbox_that_thinks_for_less_than_no_time_is_a_wrong_setting(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="SANDBOX_SLOW_S"):
        read_settings(PaymentsSettings, "payments", {**environment, "SANDBOX_SLOW_S": "-1"})


async def test_a_reserved_order_is_authorised_and_captured_on_dispatch(environment: dict[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.placed", "ord_1", placed()))
        await bus.publish(event("inventory.reserved", "res_1", {"orderId": "ord_1", "reservationId": "res_1"}))
        await bus.publish(event("shipment.dispatched", "shp_1", {"orderId": "ord_1", "shipmentId": "shp_1"}))
        told = await published(bus, ["payment.authorized", "payment.captured"], 2)
        assert await payment_of(client) == {"status": "CAPTURED", "method": "Visa •••• 4242"}
    ids = {"orderId": "ord_1", "paymentId": "pay_1", "amount": TOTAL}
    assert told == [("payment.authorized", ids), ("payment.captured", {**ids, "shipmentId": "shp_1"})]


async def test_two_parcels_are_captured_one_by_one_and_a_return_is_refunded(environment: dict[str, str]) -> None:
    parcels = {"shp_ber": [("MUG-001", 2)], "shp_par": [("MUG-001", 1), ("LMP-001", 1)]}
    refund = {"amountMinor": 2500, "currencyCode": "EUR"}
    requested = {"orderId": "ord_1", "returnId": "ret_1", "refund": refund, "reason": "Too small."}
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.placed", "ord_1", placed()))
        await bus.publish(event("inventory.reserved", "res_1", {"orderId": "ord_1", "reservationId": "res_1"}))
        for index, (id_, pieces) in enumerate(parcels.items(), start=1):
            lines = [{"productId": product_id, "quantity": quantity} for product_id, quantity in pieces]
            parcel = {"index": index, "count": 2}
            data = {"orderId": "ord_1", "shipmentId": id_, "lines": lines, "parcel": parcel}
            await bus.publish(event("shipment.dispatched", id_, data))
        await bus.publish(event("order.return_requested", "ord_1", requested))
        # a parcel that was called back is nobody's return
        await bus.publish(event("shipment.returned", "shp_9", {"orderId": "ord_1", "shipmentId": "shp_9"}))
        back = {"orderId": "ord_1", "returnId": "ret_1", "shipmentId": "shp_8"}
        await bus.publish(event("shipment.returned", "shp_8", back))
        told = await published(bus, ["payment.captured", "payment.refunded"], 3)
        assert (await payment_of(client) or {})["status"] == "PARTIALLY_REFUNDED"
    captured = {
        data["shipmentId"]: data["amount"]["amountMinor"] for type_, data in told if type_ == "payment.captured"
    }
    # whichever parcel was heard of first pays the shipping fee
    assert captured in ({"shp_ber": 2490, "shp_par": 3500}, {"shp_ber": 2000, "shp_par": 3990})
    assert [data["amount"]["amountMinor"] for type_, data in told if type_ == "payment.refunded"] == [2500]


async def test_news_that_came_too_early_is_heard_again(environment: dict[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("inventory.reserved", "res_1", {"orderId": "ord_1", "reservationId": "res_1"}))
        await bus.publish(event("order.placed", "ord_1", placed()))
        ((type_, _),) = await published(bus, ["payment.authorized"], 1)
        assert type_ == "payment.authorized"
        assert (await payment_of(client) or {})["status"] == "AUTHORIZED"


@pytest.mark.parametrize(
    ("token", "code", "message"),
    [
        ("tok_declined_insufficient_funds", "INSUFFICIENT_FUNDS", "The account does not cover the amount."),
        ("tok_nobody_knows", "UNKNOWN_PAYMENT_TOKEN", "The payment provider does not know this payment token."),
    ],
)
async def test_a_declined_payment_says_why(environment: dict[str, str], token: str, code: str, message: str) -> None:
    async with running_service(service, environment), bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.placed", "ord_1", placed(token)))
        await bus.publish(event("inventory.reserved", "res_1", {"orderId": "ord_1", "reservationId": "res_1"}))
        told = await published(bus, ["payment.declined"], 1)
    data = {"orderId": "ord_1", "paymentId": "pay_1", "code": code, "message": message}
    assert told == [("payment.declined", data)]


async def test_a_slow_payment_is_approved_in_the_end(environment: dict[str, str]) -> None:
    settings = {**environment, "SANDBOX_SLOW_S": "0.5"}
    async with running_service(service, settings), bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.placed", "ord_1", placed("tok_slow")))
        await bus.publish(event("inventory.reserved", "res_1", {"orderId": "ord_1", "reservationId": "res_1"}))
        ((type_, _),) = await published(bus, ["payment.authorized", "payment.declined"], 1)
    assert type_ == "payment.authorized"


async def test_an_unreachable_provider_leaves_the_payment_pending_until_the_order_is_cancelled(
    environment: dict[str, str],
) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.placed", "ord_1", placed("tok_unreachable")))
        await bus.publish(event("inventory.reserved", "res_1", {"orderId": "ord_1", "reservationId": "res_1"}))
        waiting = await eventually(lambda: payment_of(client), "the payment")
        assert waiting["status"] == "PENDING"
        types = ["payment.authorized", "payment.declined", "payment.delayed", "payment.voided"]
        told = await published(bus, types, 1)  # A payment is pending before the provider is asked, too.
        await bus.publish(event("order.cancelled", "ord_1", {"orderId": "ord_1", "reason": "too slow"}))
        told += await published(bus, types, 1)
    ids = {"orderId": "ord_1", "paymentId": "pay_1"}
    delayed = {**ids, "reason": "The payment provider cannot be reached; it is asked again."}
    assert told == [("payment.delayed", delayed), ("payment.voided", ids)]
