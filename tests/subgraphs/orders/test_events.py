"""Orders among the others: real database, real NATS, events in any order and repeated."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from subgraphs.chassis.errors import InvalidEvent, RetryLater
from subgraphs.chassis.events.bus import Bus
from subgraphs.orders.app import service
from subgraphs.orders.changes import move
from subgraphs.orders.domain import (
    Allocation,
    Customer,
    Money,
    OrderLine,
    OrderPlaced,
    ParcelStatus,
    ReturnLine,
    ReturnStatus,
)
from subgraphs.orders.events import HANDLERS
from subgraphs.orders.order_life import Occurrence, OrderStatus, Stage, WaitingFor
from subgraphs.orders.published_events import encode
from subgraphs.orders.returns import ReturnRequest
from subgraphs.orders.service import Orders
from tests.services import ServiceClient, bus_of, event, eventually, published, running_service
from tests.subgraphs.orders.examples import MUG, NOW, a_request, an_order
from tests.subgraphs.orders.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio
Json = dict[str, Any]
PLACE = (Path(__file__).parents[2] / "contract" / "operations" / "place-order.graphql").read_text()
CANCEL = (Path(__file__).parents[2] / "contract" / "operations" / "cancel-order.graphql").read_text()
ORDER = "query ($id: ID!) { order(id: $id) { status history { to code } } }"
ADDRESS = {"name": "Ada", "line1": "Street 1", "city": "Paris", "postalCode": "75001", "countryCode": "FR"}
PRODUCT_CHANGED = {
    "productId": "MUG-900",
    "name": "Mug",
    "category": "kitchen",
    "price": {"amountMinor": 1250, "currencyCode": "EUR"},
    "weightGrams": 400,
    "active": True,
    "imageUrl": "/images/mug.svg",
    "version": 1,
}


async def place(client: ServiceClient, key: str, subject: str = "cus_ada") -> Json:
    placed = {
        "lines": [{"productId": "MUG-900", "quantity": 2}],
        "shippingAddress": ADDRESS,
        "paymentMethod": {"token": "tok_approved"},
        "idempotencyKey": key,
    }
    payload: Json = (await client.data(PLACE, subject, input=placed))["placeOrder"]
    return payload


async def place_known(client: ServiceClient, key: str) -> str:
    """Place an order as soon as the product is known; its id."""

    async def attempt() -> str | None:
        order = (await place(client, key))["order"]
        return str(order["id"]) if order else None

    return await eventually(attempt, "the order of a product that is known")


async def await_order(client: ServiceClient, order_id: str, status: str) -> Json:
    async def reached() -> Json | None:
        order: Json = (await client.data(ORDER, "cus_ada", id=order_id))["order"]
        return order if order["status"] == status else None

    return await eventually(reached, f"status {status}")


async def publish_all(bus: Bus, order_id: str, *answers: tuple[str, Mapping[str, object]]) -> None:
    for number, (type_, details) in enumerate(answers):
        await bus.publish(event(type_, f"{order_id}_{number}", {"orderId": order_id, **details}))


async def test_an_order_goes_from_placed_to_delivered_by_events(environment: dict[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("product.changed", "MUG-900", PRODUCT_CHANGED))
        order_id = await place_known(client, "key-1")
        [(_, placed)] = await published(bus, ["order.placed"], 1)
        assert placed["orderId"] == order_id
        assert placed["customerId"] == "cus_ada"
        assert placed["lines"] == [
            {
                "productId": "MUG-900",
                "quantity": 2,
                "unitPrice": {"amountMinor": 1250, "currencyCode": "EUR"},
                "weightGrams": 400,
            }
        ]
        assert placed["total"] == {"amountMinor": 2990, "currencyCode": "EUR"}
        assert placed["shippingAddress"] == ADDRESS
        assert placed["paymentMethod"] == {"token": "tok_approved"}
        await publish_all(bus, order_id, ("inventory.reserved", {}), ("payment.authorized", {}))
        await await_order(client, order_id, "CONFIRMED")
        await publish_all(bus, order_id, ("shipment.dispatched", {}))
        await await_order(client, order_id, "DISPATCHED")
        await publish_all(bus, order_id, ("shipment.delivered", {}))
        order = await await_order(client, order_id, "DELIVERED")
    assert [entry["to"] for entry in order["history"]] == ["PENDING", "CONFIRMED", "DISPATCHED", "DELIVERED"]


async def test_refusals_cancel_and_what_comes_afterwards_changes_nothing(environment: dict[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("product.changed", "MUG-900", PRODUCT_CHANGED))
        declined, cancelled, last = [await place_known(client, key) for key in ("declined", "cancelled", "last")]
        refusal = {"code": "EXPIRED_CARD", "message": "The card has expired."}
        await publish_all(bus, declined, ("payment.declined", refusal), ("inventory.reserved", {}))
        await client.data(CANCEL, "cus_ada", id=cancelled, reason="changed my mind")
        await publish_all(bus, cancelled, ("inventory.reserved", {}), ("payment.authorized", {}))
        # The events of other orders are handled side by side; this one was published last of all.
        await publish_all(bus, last, ("payment.authorized", {}), ("inventory.reserved", {}))
        await await_order(client, last, "CONFIRMED")
        histories = [(await await_order(client, each, "CANCELLED"))["history"] for each in (declined, cancelled)]
        told = await published(bus, ["order.cancelled", "order.confirmed"], 3)
    assert [history[-1]["code"] for history in histories] == ["EXPIRED_CARD", "CUSTOMER_REQUEST"]
    assert [len(history) for history in histories] == [2, 2]
    assert sorted((type_, data["orderId"]) for type_, data in told) == sorted(
        [("order.cancelled", declined), ("order.cancelled", cancelled), ("order.confirmed", last)]
    )


async def test_ten_at_once_under_one_key_are_one_order(environment: dict[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("product.changed", "MUG-900", PRODUCT_CHANGED))
        await place_known(client, "first")
        answers = await asyncio.gather(*(place(client, "all the same", "cus_new") for _ in range(10)))
        assert len({answer["order"]["id"] for answer in answers}) == 1
        listed = await client.data("{ me { orders { edges { node { id } } } } }", "cus_new")
    assert len(listed["me"]["orders"]["edges"]) == 1


# --- the handlers alone, over the store in memory


def an_order_at(stage: Stage) -> tuple[Orders, MemoryStore]:
    store = MemoryStore(known={"ord_1": an_order(stage=stage)})
    return Orders(store, lambda: NOW, itertools.count(1).__next__), store


async def handle(orders: Orders, type_: str, **details: object) -> None:
    await HANDLERS[type_](orders, event(type_, "any", {"orderId": "ord_1", **details}))


@pytest.mark.parametrize("type_", ["shipment.dispatched", "shipment.delivered", "shipment.returned"])
async def test_news_of_a_parcel_before_the_confirmation_come_again_later(type_: str) -> None:
    orders, store = an_order_at(Stage.RESERVED)
    with pytest.raises(RetryLater, match=r"^ord_1 is not confirmed yet\.$"):
        await handle(orders, type_)
    assert store.known == {"ord_1": an_order(stage=Stage.RESERVED)}


ANSWERS: dict[str, Json] = {
    "inventory.reserved": {},
    "inventory.rejected": {"code": "OUT_OF_STOCK", "message": "No mugs."},
    "inventory.expired": {},
    "payment.authorized": {},
    "payment.declined": {"code": "EXPIRED_CARD", "message": "Expired."},
    "payment.delayed": {"reason": "The provider does not answer."},
    "shipment.dispatched": {},
    "shipment.delivered": {},
    "shipment.returned": {},
}


@pytest.mark.parametrize("type_", ANSWERS)
@pytest.mark.parametrize("stage", [Stage.CANCELLED, Stage.DELIVERED])
async def test_an_event_of_a_finished_order_is_done_with(type_: str, stage: Stage) -> None:
    orders, store = an_order_at(stage)
    await handle(orders, type_, **ANSWERS[type_])
    assert (store.known, store.published) == ({"ord_1": an_order(stage=stage)}, [])


@pytest.mark.parametrize("type_", ANSWERS)
async def test_an_event_of_an_unknown_order_is_done_with(type_: str) -> None:
    orders, store = an_order_at(Stage.PLACED)
    await HANDLERS[type_](orders, event(type_, "any", {"orderId": "ord_9", **ANSWERS[type_]}))
    assert store.known == {"ord_1": an_order()}


@pytest.mark.parametrize("type_", HANDLERS)
async def test_an_event_without_what_it_must_say_is_invalid(type_: str) -> None:
    orders, store = an_order_at(Stage.PLACED)
    with pytest.raises(InvalidEvent):
        await HANDLERS[type_](orders, event(type_, "any", {}))
    assert store.known == {"ord_1": an_order()}


async def test_a_changed_product_is_sold_as_it_is_now() -> None:
    orders, store = an_order_at(Stage.PLACED)
    await HANDLERS["product.changed"](orders, event("product.changed", "MUG-900", PRODUCT_CHANGED))
    product = store.known_products["MUG-900"][0]
    assert (product.name, product.price, product.weight_grams, product.active) == ("Mug", Money(1250), 400, True)


async def test_stock_says_where_each_line_comes_from() -> None:
    orders, store = an_order_at(Stage.PLACED)
    allocations = [{"warehouse": "BER", "quantity": 1}, {"warehouse": "LYO", "quantity": 1}]
    lines = [{"productId": "MUG-001", "quantity": 2, "allocations": allocations}]
    await handle(orders, "inventory.reserved", reservationId="res_1", lines=lines)
    assert store.known["ord_1"].lines[0].allocations == (Allocation("BER", 1), Allocation("LYO", 1))


async def test_an_order_waits_for_a_payment_that_is_delayed_and_says_so_once() -> None:
    orders, store = an_order_at(Stage.RESERVED)
    for _ in range(2):
        await handle(orders, "payment.delayed", paymentId="pay_1", reason="The provider does not answer.")
    order = store.known["ord_1"]
    assert (order.status, order.waiting_for) == (OrderStatus.PENDING, (WaitingFor.PAYMENT,))
    assert [(entry.code, entry.reason) for entry in order.history[1:]] == [
        ("PAYMENT_DELAYED", "The provider does not answer.")
    ]
    assert store.published == []


@pytest.mark.parametrize("stage", [Stage.PLACED, Stage.RESERVED])
async def test_a_reservation_that_expires_cancels_an_order_that_is_pending(stage: Stage) -> None:
    orders, store = an_order_at(stage)
    await handle(orders, "inventory.expired", reservationId="res_1")
    order = store.known["ord_1"]
    assert (order.stage, order.history[-1].code) == (Stage.CANCELLED, "RESERVATION_EXPIRED")
    assert [encode(event).type for event in store.published] == ["order.cancelled"]


@pytest.mark.parametrize("stage", [Stage.CONFIRMED, Stage.DISPATCHED])
async def test_a_confirmed_order_does_not_expire(stage: Stage) -> None:
    orders, store = an_order_at(stage)
    await handle(orders, "inventory.expired", reservationId="res_1")
    assert (store.known, store.published) == ({"ord_1": an_order(stage=stage)}, [])


async def test_an_order_in_two_parcels_is_delivered_with_the_second() -> None:
    orders, store = an_order_at(Stage.CONFIRMED)
    statuses = []
    for index, type_ in itertools.product((1, 2), ("shipment.dispatched", "shipment.delivered", "shipment.delivered")):
        await handle(orders, type_, shipmentId=f"shp_{index}", parcel={"index": index, "count": 2})
        statuses.append(store.known["ord_1"].status)
    assert statuses == [OrderStatus.DISPATCHED] * 4 + [OrderStatus.DELIVERED] * 2
    assert [parcel.status for parcel in store.known["ord_1"].parcels] == [ParcelStatus.DELIVERED] * 2


async def test_a_parcel_that_came_back_undelivered_cancels_the_order() -> None:
    orders, store = an_order_at(Stage.DISPATCHED)
    await handle(orders, "shipment.returned", shipmentId="shp_1", warehouse="BER")
    assert store.known["ord_1"].history[-1].code == "PARCEL_CAME_BACK"
    assert [encode(event).type for event in store.published] == ["order.cancelled"]


async def test_a_return_that_arrived_is_received() -> None:
    orders, store = an_order_at(Stage.DELIVERED)
    result = await orders.request_return("ord_1", ReturnRequest(None, "broken", "key-1"), "cus_ada")
    for _ in range(2):
        await handle(orders, "shipment.returned", shipmentId="shp_9", returnId=result.requested.id)
    order = store.known["ord_1"]
    assert (order.status, order.returns[0].status) == (OrderStatus.RETURNED, ReturnStatus.RECEIVED)
    assert [encode(event).type for event in store.published] == ["order.return_requested"]


# --- what is published


async def test_a_placed_order_tells_all_that_stock_and_payment_need() -> None:
    store = MemoryStore(known_products={"MUG-001": (MUG, 1)})
    order = await Orders(store, lambda: NOW, lambda: 1).place(Customer("cus_ada"), a_request())
    [placed] = store.published
    assert isinstance(placed, OrderPlaced)
    told = encode(placed)
    assert (told.source, told.type, told.subject, told.time) == ("/orders", "order.placed", order.id, NOW)
    assert told.data == {
        "orderId": order.id,
        "number": "G-2026-100000",
        "customerId": "cus_ada",
        "lines": [
            {
                "productId": "MUG-001",
                "quantity": 2,
                "unitPrice": {"amountMinor": 1250, "currencyCode": "EUR"},
                "weightGrams": 400,
            }
        ],
        "subtotal": {"amountMinor": 2500, "currencyCode": "EUR"},
        "shippingFee": {"amountMinor": 990, "currencyCode": "EUR"},
        "total": {"amountMinor": 3490, "currencyCode": "EUR"},
        "shippingAddress": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "city": "London",
            "postalCode": "SW1Y 4JH",
            "countryCode": "GB",
        },
        "paymentMethod": {"token": "tok_approved"},
    }


async def test_a_confirmed_order_tells_all_that_shipping_needs() -> None:
    line = OrderLine("MUG-001", 2, Money(1250), 400, (Allocation("BER", 2),))
    store = MemoryStore(known={"ord_1": an_order(stage=Stage.RESERVED, lines=(line,))})
    await handle(Orders(store, lambda: NOW, lambda: 1), "payment.authorized")
    told = encode(store.published[0])
    assert told.type == "order.confirmed"
    assert told.data == {
        "orderId": "ord_1",
        "number": "G-2026-7K3F9Q",
        "customerId": "cus_ada",
        "lines": [
            {
                "productId": "MUG-001",
                "quantity": 2,
                "unitPrice": {"amountMinor": 1250, "currencyCode": "EUR"},
                "weightGrams": 400,
                "allocations": [{"warehouse": "BER", "quantity": 2}],
            }
        ],
        "shippingFee": {"amountMinor": 990, "currencyCode": "EUR"},
        "total": {"amountMinor": 3490, "currencyCode": "EUR"},
        "shippingAddress": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "city": "London",
            "postalCode": "SW1Y 4JH",
            "countryCode": "GB",
        },
        "confirmedAt": "2026-03-14T15:09:26.535000Z",
    }


async def test_a_cancelled_order_tells_why() -> None:
    orders, store = an_order_at(Stage.RESERVED)
    await handle(orders, "payment.declined", code="EXPIRED_CARD", message="Expired.")
    told = encode(store.published[0])
    assert told.type == "order.cancelled"
    assert told.data == {
        "orderId": "ord_1",
        "number": "G-2026-7K3F9Q",
        "customerId": "cus_ada",
        "reason": "Expired.",
        "code": "EXPIRED_CARD",
        "confirmed": False,
    }


@pytest.mark.parametrize(("stage", "confirmed"), [(Stage.RESERVED, False), (Stage.CONFIRMED, True)])
async def test_a_cancelled_order_tells_whether_there_may_be_parcels(stage: Stage, confirmed: bool) -> None:
    orders, store = an_order_at(stage)
    await orders.cancel("ord_1", "changed my mind", "cus_ada")
    assert encode(store.published[0]).data["confirmed"] is confirmed


async def test_a_move_within_pending_tells_nobody() -> None:
    orders, store = an_order_at(Stage.PLACED)
    await handle(orders, "inventory.reserved")
    after = move(an_order(), Occurrence.STOCK_RESERVED, NOW)
    assert (store.known, store.published) == ({"ord_1": replace(after, revision=1)}, [])


async def test_a_requested_return_tells_what_comes_back_and_what_is_due_for_it() -> None:
    orders, store = an_order_at(Stage.DELIVERED)
    lines = (ReturnLine("MUG-001", 1),)
    result = await orders.request_return("ord_1", ReturnRequest(lines, "broken", "key-1"), None)
    told = encode(store.published[0])
    assert (told.type, told.subject) == ("order.return_requested", "ord_1")
    assert told.data == {
        "orderId": "ord_1",
        "number": "G-2026-7K3F9Q",
        "customerId": "cus_ada",
        "returnId": result.requested.id,
        "lines": [{"productId": "MUG-001", "quantity": 1}],
        "refund": {"amountMinor": 1250, "currencyCode": "EUR"},
        "reason": "broken",
    }
