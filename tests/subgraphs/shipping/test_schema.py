"""GraphQL over the store in memory: who sees what, what is refused, and how many queries it takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from subgraphs.shipping.app import service
from subgraphs.shipping.domain import ShipmentDispatched, ShipmentStatus
from subgraphs.shipping.service import Shipping
from tests.services import Json, ServiceClient, client_of
from tests.subgraphs.shipping.examples import NOW, PARCEL, FakeCarrier, MovableClock, a_shipment
from tests.subgraphs.shipping.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio

FIELDS = """id status carrier trackingNumber estimatedDelivery events { status at location description }
  direction parcel { index count } warehouse returnId
  order { id } address { name line1 line2 city postalCode countryCode } lines { quantity product { id } }"""
SHIPMENT = f"query ($id: ID!) {{ shipment(id: $id) {{ {FIELDS} }} }}"
TRACK = f"query ($number: String!) {{ trackShipment(trackingNumber: $number) {{ {FIELDS} }} }}"
ENTITIES = """query ($r: [_Any!]!) { _entities(representations: $r) {
  ... on Order { id shipments { id status } shipment { id } } ... on Shipment { id status } } }"""
QUOTE = """query ($r: [_Any!]!, $country: String!, $postalCode: String!, $quantity: Int!) {
  _entities(representations: $r) { ... on Product { id
    shippingQuote(countryCode: $country, postalCode: $postalCode, quantity: $quantity) {
      fee { amount currencyCode } carrier zone estimatedDays { min max } } } } }"""
DISPATCH = """mutation ($id: ID!, $key: String!) { dispatchShipment(shipmentId: $id, idempotencyKey: $key) {
  shipment { id status events { status description } } userErrors { code field message } } }"""
RECORD = """mutation ($input: TrackingEventInput!) { recordTrackingEvent(input: $input) {
  shipment { id status events { status at location description } } userErrors { code field message } } }"""


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def client(store: MemoryStore, tmp_path: Path) -> ServiceClient:
    return client_of(service, Shipping(store, FakeCarrier(), MovableClock()), tmp_path)


def orders(*numbers: int) -> list[Json]:
    return [{"__typename": "Order", "id": f"ord_{number}"} for number in numbers]


def a_record(status: str, **changes: str) -> Json:
    seen = {"shipmentId": "shp_1", "location": "Hub", "description": "Seen.", "idempotencyKey": "key-1"}
    return {**seen, "status": status, **changes}


async def test_a_customer_sees_their_shipment(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment())
    assert (await client.data(SHIPMENT, "cus_ada", id="shp_1"))["shipment"] == {
        "id": "shp_1",
        "status": "BOOKED",
        "carrier": "Kestrel Parcel",
        "trackingNumber": "KP0000000001",
        "estimatedDelivery": "2026-03-07T12:00:00+00:00",
        "events": [{"status": "BOOKED", "at": "2026-03-01T12:00:00+00:00", "location": "Hub", "description": "Seen."}],
        "direction": "OUTBOUND",
        "parcel": {"index": 1, "count": 1},
        "warehouse": None,
        "returnId": None,
        "order": {"id": "ord_1"},
        "address": {
            "name": "Ada Lovelace",
            "line1": "12 St James's Square",
            "line2": None,
            "city": "London",
            "postalCode": "SW1Y 4LB",
            "countryCode": "GB",
        },
        "lines": [
            {"quantity": 2, "product": {"id": "MUG-001"}},
            {"quantity": 1, "product": {"id": "LMP-001"}},
        ],
    }


async def test_somebody_elses_shipment_is_as_if_it_did_not_exist(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment())
    theirs = await client.ask(SHIPMENT, "cus_bob", id="shp_1")
    assert theirs == await client.ask(SHIPMENT, "cus_bob", id="shp_unknown") == {"data": {"shipment": None}}
    answer = await client.data(ENTITIES, "cus_bob", r=[*orders(1, 9), {"__typename": "Shipment", "id": "shp_1"}])
    assert answer["_entities"] == [
        {"id": "ord_1", "shipments": [], "shipment": None},
        {"id": "ord_9", "shipments": [], "shipment": None},
        None,
    ]


async def test_staff_see_every_shipment(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment())
    answer = await client.data(ENTITIES, "staff_grace", r=[*orders(1), {"__typename": "Shipment", "id": "shp_1"}])
    assert answer["_entities"] == [
        {"id": "ord_1", "shipments": [{"id": "shp_1", "status": "BOOKED"}], "shipment": {"id": "shp_1"}},
        {"id": "shp_1", "status": "BOOKED"},
    ]


async def test_a_key_of_null_is_no_key_and_a_weight_of_null_is_an_unknown_one(client: ServiceClient) -> None:
    products: list[Json] = [{"id": None, "weightGrams": 1}, {"id": "MUG-001", "weightGrams": None}]
    typed = [{"__typename": "Product", **product} for product in products]
    body = await client.ask(QUOTE, r=typed, country="DE", postalCode="10115", quantity=1)
    assert body["data"]["_entities"] == [None, {"id": "MUG-001", "shippingQuote": None}]
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT", "WEIGHT_UNKNOWN"]


async def test_nobody_sees_shipments_without_a_token(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment())
    assert await client.error_code(SHIPMENT, id="shp_1") == "UNAUTHENTICATED"
    assert await client.error_code(ENTITIES, r=[{"__typename": "Shipment", "id": "shp_1"}]) == "UNAUTHENTICATED"
    only_shipment = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { shipment { id } } } }"
    assert await client.error_code(only_shipment, r=orders(1)) == "UNAUTHENTICATED"


@pytest.mark.parametrize("subject", [None, "cus_bob"])
async def test_who_has_the_number_sees_where_the_parcel_is_and_not_whose(
    client: ServiceClient, store: MemoryStore, subject: str | None
) -> None:
    await store.add(a_shipment(ShipmentStatus.IN_TRANSIT))
    tracked = (await client.data(TRACK, subject, number="KP0000000001"))["trackShipment"]
    assert (tracked["status"], len(tracked["events"])) == ("IN_TRANSIT", 1)
    assert (tracked["order"], tracked["address"], tracked["lines"]) == (None, None, [])


@pytest.mark.parametrize("subject", [None, "cus_bob"])
async def test_who_has_the_number_alone_is_told_neither_order_nor_warehouse_by_the_id(
    client: ServiceClient, store: MemoryStore, subject: str | None
) -> None:
    await store.add(a_shipment())
    tracked = (await client.data(TRACK, subject, number="KP0000000001"))["trackShipment"]
    assert tracked["id"] == "tracked_KP0000000001"
    assert (await client.data(SHIPMENT, "cus_bob", id=tracked["id"]))["shipment"] is None


async def test_a_parcel_of_a_return_says_so(client: ServiceClient, store: MemoryStore) -> None:
    parcel = replace(PARCEL, warehouse="BER", index=2, count=3, return_id="ret_1")
    await store.add(replace(a_shipment(), parcel=parcel))
    shipment = (await client.data(SHIPMENT, "cus_ada", id="shp_1"))["shipment"]
    assert (shipment["direction"], shipment["parcel"]) == ("RETURN", {"index": 2, "count": 3})
    assert (shipment["warehouse"], shipment["returnId"]) == ("BER", "ret_1")
    tracked = (await client.data(TRACK, number="KP0000000001"))["trackShipment"]
    assert (tracked["direction"], tracked["warehouse"], tracked["returnId"]) == ("RETURN", None, None)


async def test_the_owner_tracks_with_everything(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment())
    tracked = (await client.data(TRACK, "cus_ada", number="KP0000000001"))["trackShipment"]
    assert (tracked["order"], tracked["address"]["city"], len(tracked["lines"])) == ({"id": "ord_1"}, "London", 2)


async def test_any_number_of_parcels_is_tracked_by_one_query(client: ServiceClient, store: MemoryStore) -> None:
    for number in range(3):
        await store.add(a_shipment(number=number))
    store.queries.clear()
    fields = " ".join(f'p{number}: trackShipment(trackingNumber: "KP{number:010}") {{ id }}' for number in range(5))
    tracked = await client.data(f"{{ {fields} }}", "cus_ada")
    assert list(tracked.values()) == [{"id": "shp_0"}, {"id": "shp_1"}, {"id": "shp_2"}, None, None]
    assert store.queries == ["tracked_shipments"]


async def test_an_unknown_tracking_number_is_null(client: ServiceClient) -> None:
    assert await client.ask(TRACK, number="KP0000000009") == {"data": {"trackShipment": None}}


async def test_the_shipment_of_an_order_is_the_latest(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment(ShipmentStatus.RETURNED))
    await store.add(replace(a_shipment(number=2), order_id="ord_1", created_at=NOW + timedelta(days=3)))
    (entity,) = (await client.data(ENTITIES, "cus_ada", r=orders(1)))["_entities"]
    assert [shipment["id"] for shipment in entity["shipments"]] == ["shp_1", "shp_2"]
    assert entity["shipment"] == {"id": "shp_2"}


async def test_many_orders_are_one_query_and_keep_their_places(client: ServiceClient, store: MemoryStore) -> None:
    for number in range(50):
        await store.add(a_shipment(number=number))
    answer = await client.data(ENTITIES, "staff_grace", r=orders(3, 99, 1, 3, *range(50)))
    found = [entity["shipment"] and entity["shipment"]["id"] for entity in answer["_entities"]]
    assert found == ["shp_3", None, "shp_1", "shp_3", *(f"shp_{number}" for number in range(50))]
    assert store.queries == ["shipments_of_orders"]


async def test_everyone_gets_a_quote(client: ServiceClient, store: MemoryStore) -> None:
    mug = {"__typename": "Product", "id": "MUG-001", "weightGrams": 360}
    answer = await client.data(QUOTE, r=[mug], country="FR", postalCode="75008", quantity=2)
    assert answer["_entities"] == [
        {
            "id": "MUG-001",
            "shippingQuote": {
                "fee": {"amount": "4.90", "currencyCode": "EUR"},
                "carrier": "Nordpost",
                "zone": "HOME",
                "estimatedDays": {"min": 1, "max": 2},
            },
        }
    ]
    assert store.queries == []


@pytest.mark.parametrize(
    ("country", "postal_code", "quantity", "code"),
    [
        ("XX", "10115", 1, "COUNTRY_NOT_SERVED"),
        ("Germany", "10115", 1, "INVALID_COUNTRY_CODE"),
        ("DE", "1", 1, "INVALID_POSTAL_CODE"),
        ("DE", "10115", 0, "QUANTITY_OUT_OF_RANGE"),
        ("DE", "10115", 10**9, "QUANTITY_OUT_OF_RANGE"),
    ],
)
async def test_a_quote_that_cannot_be_given_is_null_with_a_code(
    client: ServiceClient, country: str, postal_code: str, quantity: int, code: str
) -> None:
    mug = {"__typename": "Product", "id": "MUG-001", "weightGrams": 360}
    body = await client.ask(QUOTE, r=[mug], country=country, postalCode=postal_code, quantity=quantity)
    assert body["data"] == {"_entities": [{"id": "MUG-001", "shippingQuote": None}]}
    ((error),) = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["_entities", 0, "shippingQuote"], code)


async def test_a_quote_without_a_weight_says_what_is_missing(client: ServiceClient) -> None:
    mug = {"__typename": "Product", "id": "MUG-001"}
    assert await client.error_code(QUOTE, r=[mug], country="DE", postalCode="10115", quantity=1) == "WEIGHT_UNKNOWN"


async def test_staff_dispatch_now(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment())
    first = await client.data(DISPATCH, "staff_grace", id="shp_1", key="key-1")
    assert first["dispatchShipment"]["userErrors"] == []
    assert first["dispatchShipment"]["shipment"]["status"] == "IN_TRANSIT"
    assert await client.data(DISPATCH, "staff_grace", id="shp_1", key="key-1") == first
    assert store.told == [ShipmentDispatched("ord_1", "shp_1", PARCEL, NOW)]


async def test_a_parcel_that_has_left_is_not_dispatched_again(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment(ShipmentStatus.IN_TRANSIT))
    payload = (await client.data(DISPATCH, "staff_grace", id="shp_1", key="key-2"))["dispatchShipment"]
    message = "Only a booked shipment can be dispatched; this one is IN_TRANSIT."
    assert payload == {
        "shipment": None,
        "userErrors": [{"code": "SHIPMENT_NOT_BOOKED", "field": "shipmentId", "message": message}],
    }
    assert store.told == []


async def test_staff_record_what_they_saw(client: ServiceClient, store: MemoryStore) -> None:
    await store.add(a_shipment(ShipmentStatus.OUT_FOR_DELIVERY))
    payload = (await client.data(RECORD, "staff_grace", input=a_record("DELIVERED")))["recordTrackingEvent"]
    assert payload["shipment"]["status"] == "DELIVERED"
    assert payload["shipment"]["events"][-1]["location"] == "Hub"


@pytest.mark.parametrize(
    ("input_", "code", "field"),
    [
        (a_record("DELIVERED"), "TRANSITION_NOT_ALLOWED", "status"),
        (a_record("IN_TRANSIT", location=""), "TEXT_INVALID", "location"),
        (a_record("IN_TRANSIT", idempotencyKey=""), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (a_record("IN_TRANSIT", shipmentId="shp_unknown"), "SHIPMENT_UNKNOWN", "shipmentId"),
    ],
)
async def test_a_wrong_record_is_refused_and_changes_nothing(
    client: ServiceClient, store: MemoryStore, input_: Json, code: str, field: str
) -> None:
    await store.add(a_shipment())
    payload = (await client.data(RECORD, "staff_grace", input=input_))["recordTrackingEvent"]
    assert payload["shipment"] is None
    assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [(code, field)]
    assert (store.kept, store.told) == ({"shp_1": a_shipment()}, [])


@pytest.mark.parametrize(("subject", "code"), [(None, "UNAUTHENTICATED"), ("cus_ada", "FORBIDDEN")])
async def test_parcels_are_moved_by_staff_alone(
    client: ServiceClient, store: MemoryStore, subject: str | None, code: str
) -> None:
    await store.add(a_shipment())
    assert await client.error_code(DISPATCH, subject, id="shp_1", key="key-1") == code
    assert await client.error_code(RECORD, subject, input=a_record("IN_TRANSIT")) == code
    assert store.kept == {"shp_1": a_shipment()}
