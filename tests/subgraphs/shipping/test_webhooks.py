"""The carriers' webhook over the store in memory: signed, idempotent, and deaf to what cannot follow."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.http_route import to_starlette
from subgraphs.chassis.identity.auth import ANONYMOUS
from subgraphs.chassis.identity.webhooks import HEADER, sign
from subgraphs.shipping.domain import Shipment, ShipmentDelivered, ShipmentDispatched, ShippingError
from subgraphs.shipping.service import Shipping
from subgraphs.shipping.types import Loaders, make_loaders
from subgraphs.shipping.webhooks import carrier_routes
from tests.services import Json
from tests.subgraphs.shipping.examples import NOW, PARCEL, FakeCarrier, MovableClock, a_shipment
from tests.subgraphs.shipping.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio

SECRET = SecretStr("a-secret-of-at-least-32-characters")
PICKED_UP: Json = {
    "id": "scan_1",
    "trackingNumber": "KP0000000001",
    "status": "IN_TRANSIT",
    "at": "2026-03-01T12:59:59.1234567+01:00",
    "location": "Hub North",
    "description": "Scanned.",
}


@dataclass(slots=True)
class Depot:
    """Shipping over fakes, and the webhook."""

    store: MemoryStore = field(default_factory=MemoryStore)

    async def post(self, notice: object, signature: str | None = None) -> httpx.Response:
        shipping = Shipping(self.store, FakeCarrier(), MovableClock())

        async def context(request: object) -> RequestContext[Shipping, Loaders]:
            return RequestContext(ANONYMOUS, lambda: shipping, make_loaders)

        body = json.dumps(notice).encode()
        app = Starlette(routes=[to_starlette(route, context) for route in carrier_routes(SECRET)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            headers = {HEADER: signature or sign(SECRET, body, NOW)}
            return await client.post("/webhooks/carrier", content=body, headers=headers)

    @property
    def shipment(self) -> Shipment:
        return self.store.kept["shp_1"]


async def test_a_sighting_is_recorded_once() -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    for _ in range(3):
        assert (await depot.post(PICKED_UP)).status_code == 204
    seen_at = NOW - timedelta(seconds=1) + timedelta(milliseconds=123)
    assert depot.store.told == [ShipmentDispatched("ord_1", "shp_1", PARCEL, seen_at)]
    assert len(depot.shipment.events) == 2


async def test_no_key_of_a_person_hides_what_a_carrier_tells() -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    with pytest.raises(ShippingError) as refusal:
        await Shipping(depot.store, FakeCarrier(), MovableClock()).dispatch("shp_1", "carrier:scan_2")
    assert refusal.value.code == "IDEMPOTENCY_KEY_INVALID"
    assert refusal.value.message == "Keys that begin with 'carrier:' are those of carriers: take another one."
    await depot.post(PICKED_UP)
    await depot.post({**PICKED_UP, "id": "scan_2", "status": "DELIVERED"})
    assert [event.key for event in depot.shipment.events[-2:]] == ["carrier:scan_1", "carrier:scan_2"]


async def test_a_sighting_from_the_future_was_seen_now() -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    await depot.post({**PICKED_UP, "at": "2999-01-01T00:00:00Z"})
    assert depot.shipment.events[-1].sighting.at == NOW


@pytest.mark.parametrize("status", ["DELIVERED", "CANCELLED", "PENDING"])
async def test_what_cannot_follow_changes_nothing(status: str) -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    assert (await depot.post({**PICKED_UP, "status": status})).status_code == 204
    assert (depot.shipment, depot.store.told) == (a_shipment(), [])


async def test_a_parcel_that_is_delivered_is_not_asked_about_again() -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    await depot.post(PICKED_UP)
    await depot.post({**PICKED_UP, "id": "scan_2", "status": "DELIVERED"})
    assert isinstance(depot.store.told[-1], ShipmentDelivered)
    assert depot.shipment.due_at is None


@pytest.mark.parametrize("signature", ["t=1,v1=00", sign(SECRET, b"{}", NOW)])
async def test_a_notice_that_is_not_signed_changes_nothing(signature: str) -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    answer = await depot.post(PICKED_UP, signature)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "SIGNATURE_INVALID")
    assert (depot.shipment, depot.store.told) == (a_shipment(), [])


@pytest.mark.parametrize(
    "notice",
    [
        [],
        {**PICKED_UP, "status": "LOST"},
        {**PICKED_UP, "at": "2026-03-01T12:00:00"},
        {**PICKED_UP, "at": "0001-01-01T00:00:00+14:00"},
    ],
)
async def test_a_body_that_is_no_notice_is_refused(notice: object) -> None:
    depot = Depot()
    await depot.store.add(a_shipment())
    answer = await depot.post(notice)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "BAD_REQUEST", "message": "The body is not a notice of a carrier."}}
    assert depot.shipment == a_shipment()


async def test_a_parcel_that_is_not_known_is_not_found() -> None:
    answer = await Depot().post(PICKED_UP)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_without_a_secret_there_is_no_webhook() -> None:
    assert carrier_routes(None) == ()
