"""Inventory among the others: real database, real NATS."""

from __future__ import annotations

import pytest

from subgraphs.chassis.errors import InvalidEvent, RetryLater
from subgraphs.inventory.app import service
from subgraphs.inventory.domain import ReservationExpired
from subgraphs.inventory.events import HANDLERS, encode
from subgraphs.inventory.service import Inventory
from tests.services import ServiceClient, bus_of, event, eventually, published, running_service
from tests.subgraphs.inventory.examples import MUG, NOON

LINES = [{"productId": "COF-001", "quantity": 2}]
ORDER = {"orderId": "ord_1", "customerId": "cus_ada", "lines": LINES}
CANCEL = {"orderId": "ord_1", "customerId": "cus_ada", "number": "G-1", "reason": "changed my mind", "code": "CUSTOMER"}
DISPATCH = {"orderId": "ord_1", "shipmentId": "shp_1", "dispatchedAt": "2026-01-05T12:00:00Z"}
ANSWERS = ["inventory.reserved", "inventory.rejected"]
RESERVATION = """
    { _entities(representations: [{__typename: "Order", id: "ord_1"}]) { ... on Order { reservation { status } } } }
"""
STOCK = '{ product(id: "COF-001") { stock { onHand reserved available } } }'


async def status(client: ServiceClient) -> str | None:
    (order,) = (await client.data(RESERVATION, "cus_ada"))["_entities"]
    return str(order["reservation"]["status"]) if order and order["reservation"] else None


async def reaches(client: ServiceClient, wanted: str) -> None:
    async def reached() -> bool:
        return await status(client) == wanted

    await eventually(reached, f"reservation {wanted}")


@pytest.mark.asyncio
async def test_an_order_is_reserved_and_then_sold(environment: dict[str, str]) -> None:
    async with (
        running_service(service, {**environment, "SEED_DEMO": "1"}) as client,
        bus_of(environment["NATS_URL"]) as bus,
    ):
        before = (await client.data(STOCK))["product"]["stock"]
        await bus.publish(event("order.placed", "ord_1", ORDER))
        ((type_, data),) = await published(bus, ANSWERS, 1)
        assert type_ == "inventory.reserved"
        assert data["orderId"] == "ord_1"
        assert data["reservationId"] == "res_1"
        assert [(line["productId"], line["quantity"]) for line in data["lines"]] == [("COF-001", 2)]
        await bus.publish(event("shipment.dispatched", "shp_1", DISPATCH))
        await reaches(client, "SOLD")
        left = (before["onHand"] - 2, before["reserved"], before["available"] - 2)

        async def taken_out() -> bool:
            stock = (await client.data(STOCK))["product"]["stock"]
            return (stock["onHand"], stock["reserved"], stock["available"]) == left

        await eventually(taken_out, f"stock {left}")


@pytest.mark.asyncio
async def test_an_order_that_cannot_be_had_is_rejected(environment: dict[str, str]) -> None:
    async with (
        running_service(service, {**environment, "SEED_DEMO": "1"}),
        bus_of(environment["NATS_URL"]) as bus,
    ):
        greedy = {**ORDER, "lines": [{"productId": "COF-001", "quantity": 10_000}]}
        await bus.publish(event("order.placed", "ord_1", greedy))
        ((type_, data),) = await published(bus, ANSWERS, 1)
    assert type_ == "inventory.rejected"
    assert data == {
        "orderId": "ord_1",
        "code": "OUT_OF_STOCK",
        "productIds": ["COF-001"],
        "message": "Not enough in stock: COF-001.",
    }


@pytest.mark.asyncio
async def test_events_in_the_wrong_order_and_twice_end_as_in_the_right_one(environment: dict[str, str]) -> None:
    """The dispatch comes before the order and waits for it; a late cancel of what was sold changes nothing."""
    async with (
        running_service(service, {**environment, "SEED_DEMO": "1"}) as client,
        bus_of(environment["NATS_URL"]) as bus,
    ):
        dispatch, placed = event("shipment.dispatched", "shp_1", DISPATCH), event("order.placed", "ord_1", ORDER)
        for each in (dispatch, placed, placed, dispatch):
            await bus.publish(each)
        await reaches(client, "SOLD")
        await bus.publish(event("order.placed", "ord_1", ORDER))
        await bus.publish(event("order.cancelled", "ord_1", CANCEL))
        await bus.publish(event("order.placed", "ord_2", {**ORDER, "orderId": "ord_2"}))
        answers = await published(bus, ANSWERS, 2)
        assert await status(client) == "SOLD"
    assert [data["orderId"] for _, data in answers] == ["ord_1", "ord_2"]


@pytest.mark.asyncio
async def test_an_event_that_cannot_be_read_becomes_a_dead_letter(environment: dict[str, str]) -> None:
    async with running_service(service, environment), bus_of(environment["NATS_URL"]) as bus:
        bad = event("order.placed", "ord_1", {"orderId": "ord_1", "customerId": "cus_ada", "lines": "none"})
        await bus.publish(bad)
        (letter,) = await eventually(bus.dead_letters, "the dead letter")
    assert (letter.consumer, letter.type) == ("inventory", "order.placed")
    assert letter.reason == f"order.placed {bad.id}: data.lines: Input should be a valid list"


@pytest.mark.asyncio
async def test_a_changed_product_is_announced(environment: dict[str, str]) -> None:
    async with (
        running_service(service, {**environment, "SEED_DEMO": "1"}) as client,
        bus_of(environment["NATS_URL"]) as bus,
    ):
        update = 'mutation { updateProduct(input: {id: "COF-001", price: {amount: "70.00"}}) { userErrors { code } } }'
        await client.data(update, "staff_grace")
        ((_, data),) = await published(bus, ["product.changed"], 1)
    assert data == {
        "productId": "COF-001",
        "name": "Hand Coffee Grinder",
        "category": "Coffee",
        "price": {"amountMinor": 7000, "currencyCode": "EUR"},
        "weightGrams": 620,
        "active": True,
        "imageUrl": "/images/products/COF-001.webp",
        "version": 2,
    }


ADDRESS = {"name": "Ada", "line1": "Street 1", "city": "Paris", "postalCode": "75001", "countryCode": "FR"}


async def in_stock(inventory: Inventory) -> dict[str, tuple[int, int]]:
    levels = (await inventory.store.products([MUG]))[MUG].stock.levels
    return {level.warehouse: (level.on_hand, level.reserved) for level in levels}


async def handle(inventory: Inventory, type_: str, **data: object) -> None:
    await HANDLERS[type_](inventory, event(type_, "any", {"orderId": "ord_1", "customerId": "cus_ada", **data}))


async def place(inventory: Inventory, quantity: int) -> None:
    lines = [{"productId": MUG, "quantity": quantity}]
    await handle(inventory, "order.placed", lines=lines, shippingAddress=ADDRESS)


@pytest.mark.asyncio
async def test_each_parcel_sells_what_lay_in_its_warehouse(inventory: Inventory) -> None:
    await place(inventory, 12)
    await handle(inventory, "order.confirmed")
    for warehouse, left in (("LYO", {"BER": (10, 10), "LYO": (2, 0)}), ("BER", {"BER": (0, 0), "LYO": (2, 0)})):
        await handle(inventory, "shipment.dispatched", warehouse=warehouse, parcel={"index": 1, "count": 2})
        assert await in_stock(inventory) == left


@pytest.mark.asyncio
async def test_the_only_parcel_sells_everything_wherever_it_says_it_comes_from(inventory: Inventory) -> None:
    await place(inventory, 12)
    await handle(inventory, "shipment.dispatched", warehouse="BER", parcel={"index": 1, "count": 1})
    assert await in_stock(inventory) == {"BER": (0, 0), "LYO": (2, 0)}


@pytest.mark.asyncio
async def test_a_confirmed_order_that_is_cancelled_holds_its_stock_until_its_parcel_is(inventory: Inventory) -> None:
    """Whether the parcel left before that is known to shipping alone."""
    await place(inventory, 2)
    await handle(inventory, "order.cancelled", confirmed=True)
    assert await in_stock(inventory) == {"BER": (10, 0), "LYO": (4, 2)}
    await handle(inventory, "shipment.cancelled", shipmentId="shp_1")
    assert await in_stock(inventory) == {"BER": (10, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_a_return_is_put_in_stock_where_it_arrived(inventory: Inventory) -> None:
    await place(inventory, 2)
    await handle(inventory, "shipment.dispatched")
    back = {
        "shipmentId": "shp_2",
        "returnId": "ret_1",
        "warehouse": "BER",
        "lines": [{"productId": MUG, "quantity": 1}],
    }
    for _ in range(2):
        await handle(inventory, "shipment.returned", **back)
    assert await in_stock(inventory) == {"BER": (11, 0), "LYO": (2, 0)}


@pytest.mark.asyncio
async def test_what_came_back_waits_until_it_is_known_to_have_left(inventory: Inventory) -> None:
    await place(inventory, 2)
    with pytest.raises(RetryLater, match=r"^Not all parcels of ord_1 are known to have left\.$"):
        await handle(inventory, "shipment.returned", shipmentId="shp_1", warehouse="LYO")
    await handle(inventory, "shipment.dispatched", warehouse="LYO")
    await handle(inventory, "shipment.returned", shipmentId="shp_1", warehouse="LYO")
    assert await in_stock(inventory) == {"BER": (10, 0), "LYO": (4, 0)}


@pytest.mark.asyncio
async def test_a_warehouse_that_can_be_none_is_invalid(inventory: Inventory) -> None:
    with pytest.raises(InvalidEvent):
        await handle(inventory, "shipment.dispatched", warehouse="BER.onHand")


@pytest.mark.asyncio
async def test_an_expired_reservation_is_told(inventory: Inventory) -> None:
    await place(inventory, 2)
    reservation = (await inventory.store.reservations(["ord_1"]))["ord_1"]
    told = encode(ReservationExpired(reservation, NOON))
    assert (told.type, told.subject) == ("inventory.expired", "res_1")
    assert told.data == {"orderId": "ord_1", "reservationId": "res_1"}
