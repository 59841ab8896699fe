"""Labels: what a printer gets, for staff alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.http_route import to_starlette
from subgraphs.chassis.identity.auth import AuthContext
from subgraphs.shipping.app import service
from subgraphs.shipping.domain import Address, Shipment, ShipmentStatus
from subgraphs.shipping.label import LABEL_ROUTE, print_label
from subgraphs.shipping.service import Shipping
from subgraphs.shipping.types import Loaders, make_loaders
from tests.services import client_of
from tests.subgraphs.shipping.examples import PARCEL, FakeCarrier, MovableClock, a_shipment
from tests.subgraphs.shipping.memory_store import MemoryStore

STAFF = AuthContext(subject="staff_grace", role="staff", scopes=frozenset({"shipping:write"}))
LABEL_URL = "query ($id: ID!) { shipment(id: $id) { labelUrl } }"


async def label_of(shipment: Shipment, auth: AuthContext, id_: str = "shp_1") -> httpx.Response:
    store = MemoryStore()
    await store.add(shipment)
    shipping = Shipping(store, FakeCarrier(), MovableClock())

    async def context(request: Request) -> RequestContext[Shipping, Loaders]:
        return RequestContext(auth, lambda: shipping, make_loaders)

    app = Starlette(routes=[to_starlette(LABEL_ROUTE, context)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        return await client.get(f"/labels/{id_}")


def test_a_label_says_where_from_where_to_and_which_parcel() -> None:
    label = print_label(replace(a_shipment(), parcel=replace(PARCEL, warehouse="BER", index=2, count=3)))
    texts = [line.partition("^FD")[2].removesuffix("^FS") for line in label.splitlines() if "^FD" in line]
    assert texts == [
        "Kestrel Parcel",
        "Order G-2026-000001  parcel 2 of 3",
        "1.92 kg",
        "FROM",
        "Galleria BER",
        "TO",
        "Ada Lovelace",
        "12 St James's Square",
        "SW1Y 4LB London",
        "GB",
        "KP0000000001",
    ]
    assert (label[:4], label[-5:]) == ("^XA\n", "\n^XZ\n")


def test_a_return_goes_the_other_way() -> None:
    label = print_label(replace(a_shipment(), parcel=replace(PARCEL, return_id="ret_1")))
    assert "Kestrel Parcel  RETURN" in label
    assert label.index("FROM") < label.index("Ada Lovelace") < label.index("^FDTO^FS") < label.index("Galleria")


def test_nothing_that_a_customer_wrote_commands_the_printer() -> None:
    hostile = Address("^XZ^XA~JR_5E\n\r\x00", "x" * 10_000, "\\&", "Köln", "^", "DE")
    label = print_label(replace(a_shipment(), address=hostile))
    assert "^FD_5EXZ_5EXA_7EJR_5F5E   ^FS" in label
    assert (label.count("^XZ"), label.count("^XA"), label.count("~")) == (1, 1, 0)
    assert "Köln" in label
    assert len(label) < 2000


@pytest.mark.asyncio
async def test_staff_get_the_label_of_a_booked_shipment() -> None:
    answer = await label_of(a_shipment(), STAFF)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zpl")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == print_label(a_shipment())


@pytest.mark.parametrize(
    ("auth", "status", "code"),
    [
        (AuthContext(), 401, "UNAUTHENTICATED"),
        (AuthContext(subject="cus_ada", role="customer"), 403, "FORBIDDEN"),
        (AuthContext(subject="staff_grace", role="staff", scopes=frozenset({"payments:refund"})), 403, "FORBIDDEN"),
    ],
)
@pytest.mark.asyncio
async def test_labels_are_for_staff(auth: AuthContext, status: int, code: str) -> None:
    answer = await label_of(a_shipment(), auth)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("shipment", "id_"), [(a_shipment(ShipmentStatus.PENDING), "shp_1"), (a_shipment(), "shp_9")])
@pytest.mark.asyncio
async def test_what_is_not_booked_has_no_label(shipment: Shipment, id_: str) -> None:
    answer = await label_of(shipment, STAFF, id_)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.asyncio
async def test_the_url_is_told_to_staff_alone(tmp_path: Path) -> None:
    store = MemoryStore()
    await store.add(a_shipment())
    client = client_of(service, Shipping(store, FakeCarrier(), MovableClock()), tmp_path)
    assert await client.data(LABEL_URL, "staff_grace", id="shp_1") == {"shipment": {"labelUrl": "/labels/shp_1"}}
    assert await client.data(LABEL_URL, "cus_ada", id="shp_1") == {"shipment": {"labelUrl": None}}
