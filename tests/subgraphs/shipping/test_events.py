"""Shipping among the others: real database, real NATS."""

from __future__ import annotations

import pytest

from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.settings import read_settings
from subgraphs.shipping.app import ShippingSettings, service
from subgraphs.shipping.domain import ShipmentCancelled, ShipmentDelivered, ShipmentEvent, ShipmentReturned
from subgraphs.shipping.events import encode
from tests.services import Json, bus_of, event, published, running_service
from tests.subgraphs.shipping.examples import NOW, PARCEL

pytestmark = pytest.mark.asyncio

QUICK = {
    "SHIPPING_DISPATCH_AFTER_S": "0.1",
    "SHIPPING_HUB_AFTER_S": "0.1",
    "SHIPPING_OUT_FOR_DELIVERY_AFTER_S": "0.1",
    "SHIPPING_DELIVERY_AFTER_S": "0.1",
}
CONFIRMED: Json = {
    "orderId": "ord_1",
    "number": "G-2026-000001",
    "customerId": "cus_ada",
    "lines": [{"productId": "MUG-001", "quantity": 2, "weightGrams": 360}],
    "shippingAddress": {
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postalCode": "SW1Y 4LB",
        "countryCode": "GB",
    },
    "confirmedAt": "2026-03-01T12:00:00Z",
}
OF_SHIPMENT: Json = {
    "orderId": "ord_1",
    "shipmentId": "shp_1",
    "lines": [{"productId": "MUG-001", "quantity": 2}, {"productId": "LMP-001", "quantity": 1}],
    "parcel": {"index": 1, "count": 1},
}
TYPES = ["shipment.booked", "shipment.dispatched", "shipment.delivered", "shipment.cancelled"]
STATUS = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { shipment { status } } } }"


@pytest.mark.parametrize(
    ("told", "type_", "data"),
    [
        (
            ShipmentReturned("ord_1", "shp_1", PARCEL, NOW),
            "shipment.returned",
            {"returnedAt": "2026-03-01T12:00:00Z"},
        ),
        (
            ShipmentDelivered("ord_1", "shp_1", PARCEL, NOW),
            "shipment.delivered",
            {"deliveredAt": "2026-03-01T12:00:00Z"},
        ),
        (ShipmentCancelled("ord_1", "shp_1", PARCEL), "shipment.cancelled", {}),
    ],
)
async def test_an_event_travels_with_its_ids(told: ShipmentEvent, type_: str, data: Json) -> None:
    travelling = encode(told, NOW)
    assert (travelling.source, travelling.type, travelling.subject) == ("/shipping", type_, "shp_1")
    assert travelling.data == {**OF_SHIPMENT, **data}


async def test_a_carrier_that_is_faster_than_time_is_a_wrong_setting(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="DISPATCH_AFTER_S"):
        read_settings(ShippingSettings, "shipping", {**environment, "SHIPPING_DISPATCH_AFTER_S": "-1"})


async def test_a_confirmed_order_is_booked_dispatched_and_delivered(environment: dict[str, str]) -> None:
    async with (
        running_service(service, {**environment, **QUICK}) as client,
        bus_of(environment["NATS_URL"]) as bus,
    ):
        await bus.publish(event("order.confirmed", "ord_1", CONFIRMED))
        told = await published(bus, TYPES, 3)
        answer = await client.data(STATUS, "cus_ada", r=[{"__typename": "Order", "id": "ord_1"}])
    assert [type_ for type_, _ in told] == ["shipment.booked", "shipment.dispatched", "shipment.delivered"]
    assert {data["orderId"] for _, data in told} == {"ord_1"}
    assert {data["shipmentId"] for _, data in told} == {"shp_1"}
    assert set(told[0][1]) == {*OF_SHIPMENT, "carrier", "trackingNumber", "estimatedDelivery"}
    assert answer["_entities"] == [{"shipment": {"status": "DELIVERED"}}]


async def test_a_split_order_is_two_parcels_and_a_return_comes_back(environment: dict[str, str]) -> None:
    allocations = [{"warehouse": "BER", "quantity": 1}, {"warehouse": "PAR", "quantity": 1}]
    lines = [{"productId": "MUG-001", "quantity": 2, "weightGrams": 360, "allocations": allocations}]
    pieces = [{"productId": "MUG-001", "quantity": 1}]
    requested = {"orderId": "ord_1", "returnId": "ret_7", "lines": pieces}
    async with (
        running_service(service, {**environment, **QUICK}),
        bus_of(environment["NATS_URL"]) as bus,
    ):
        await bus.publish(event("order.confirmed", "ord_1", {**CONFIRMED, "lines": lines}))
        delivered = await published(bus, ["shipment.delivered"], 2)
        await bus.publish(event("order.return_requested", "ord_1", requested))
        ((_, returned),) = await published(bus, ["shipment.returned"], 1)
    told = [(data["shipmentId"], data["warehouse"], data["lines"], data["parcel"]) for _, data in delivered]
    assert sorted(told, key=lambda each: str(each[0])) == [
        ("shp_1_ber", "BER", pieces, {"index": 1, "count": 2}),
        ("shp_1_par", "PAR", pieces, {"index": 2, "count": 2}),
    ]
    assert (returned["returnId"], returned["shipmentId"]) == ("ret_7", "shp_7")
    assert (returned["warehouse"], returned["lines"]) == ("BER", pieces)


async def test_a_cancelled_order_is_not_sent(environment: dict[str, str]) -> None:
    async with running_service(service, environment) as client, bus_of(environment["NATS_URL"]) as bus:
        await bus.publish(event("order.confirmed", "ord_1", CONFIRMED))
        await published(bus, TYPES, 1)
        await bus.publish(event("order.cancelled", "ord_1", {"orderId": "ord_1", "reason": "changed my mind"}))
        ((type_, data),) = await published(bus, TYPES, 1)
        assert (type_, data["orderId"], data["shipmentId"]) == ("shipment.cancelled", "ord_1", "shp_1")
        answer = await client.data(STATUS, "cus_ada", r=[{"__typename": "Order", "id": "ord_1"}])
    assert answer["_entities"] == [{"shipment": {"status": "CANCELLED"}}]
