"""Shipping in MongoDB: collections ``shipments`` (each with its tracking and its events) and ``cancelledOrders``.

Both are sharded by id: every write names it. What is asked by order or by tracking number asks all shards, each by an
index; those are few questions beside the writes of the carriers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.database.aggregates import Aggregates
from subgraphs.chassis.database.mongodb import BY_ID, Collection, Database, Document, insert_missing
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.shipping.domain import (
    Address,
    Attempt,
    Parcel,
    ParcelLine,
    Shipment,
    ShipmentEvent,
    ShipmentStatus,
    Sighting,
    StepKind,
    TrackingEvent,
)

SHIPMENT_SCHEMA = {
    "bsonType": "object",
    "required": ["orderId", "customerId", "status", "lines", "createdAt", "outbox", "handledEvents"],
    "properties": {
        "orderId": {"bsonType": "string"},
        "customerId": {"bsonType": "string"},
        "status": {"enum": [status.value for status in ShipmentStatus]},
        "lines": {"bsonType": "array", "minItems": 1},
        "parcel": {
            "bsonType": "object",
            "required": ["index", "count"],
            "properties": {
                "index": {"bsonType": ["int", "long"], "minimum": 1},
                "count": {"bsonType": ["int", "long"], "minimum": 1},
            },
        },
        "events": {"bsonType": "array"},
        "createdAt": {"bsonType": "date"},
        "outbox": {"bsonType": "array"},
        "handledEvents": {"bsonType": "array"},
    },
}

CANCELLED_ORDER_SCHEMA = {"bsonType": "object", "required": ["at"], "properties": {"at": {"bsonType": "date"}}}

COLLECTIONS = (
    Collection(
        "shipments",
        (
            IndexModel([("orderId", ASCENDING), ("createdAt", ASCENDING)], name="by_order"),
            IndexModel([("trackingNumber", ASCENDING)], name="by_tracking_number"),
            IndexModel([("dueAt", ASCENDING)], name="due"),
        ),
        outbox=True,
        schema=SHIPMENT_SCHEMA,
        shard_key=BY_ID,
    ),
    Collection("cancelledOrders", schema=CANCELLED_ORDER_SCHEMA, shard_key=BY_ID),
)

WITHOUT_WORKINGS = {"outbox": 0, "handledEvents": 0}


class MongoStore:
    """Implements :class:`subgraphs.shipping.service.Store`; ``encode`` gives a domain event the form it travels in."""

    def __init__(self, database: Database, outbox: Outbox, encode: Callable[[ShipmentEvent, datetime], Event]) -> None:
        self._shipments = Aggregates(database["shipments"], outbox)
        self._cancelled_orders = database["cancelledOrders"]
        self._encode = encode

    async def shipments(self, ids: Sequence[str]) -> Mapping[str, Shipment]:
        """See :class:`Store`."""
        cursor = self._shipments.collection.find({"_id": {"$in": list(ids)}}, WITHOUT_WORKINGS)
        return {document["_id"]: read_shipment(document) for document in await cursor.to_list(None)}

    async def shipments_of_orders(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[Shipment]]:
        """See :class:`Store`."""
        cursor = self._shipments.collection.find({"orderId": {"$in": list(order_ids)}}, WITHOUT_WORKINGS)
        found = [read_shipment(document) for document in await cursor.to_list(None)]
        by_order: dict[str, list[Shipment]] = defaultdict(list)
        for shipment in sorted(found, key=lambda each: (each.created_at, each.parcel.index, each.id)):
            by_order[shipment.order_id].append(shipment)
        return by_order

    async def tracked_shipments(self, tracking_numbers: Sequence[str]) -> Mapping[str, Shipment]:
        """See :class:`Store`."""
        where = {"trackingNumber": {"$in": list(tracking_numbers)}}
        cursor = self._shipments.collection.find(where, WITHOUT_WORKINGS)
        return {document["trackingNumber"]: read_shipment(document) for document in await cursor.to_list(None)}

    async def add(self, shipment: Shipment, cause: str | None = None) -> bool:
        """See :class:`Store`."""
        return await self._shipments.insert(shipment_document(shipment), cause=cause)

    async def save(
        self, shipment: Shipment, events: Sequence[ShipmentEvent] = (), cause: str | None = None
    ) -> Shipment | None:
        """See :class:`Store`."""
        written = replace(shipment, revision=shipment.revision + 1)
        encoded = [self._encode(event, shipment.updated_at) for event in events]
        document = shipment_document(written)
        saved = await self._shipments.write_over(shipment.revision, document, events=encoded, cause=cause)
        return written if saved else None

    async def due(self, now: datetime, limit: int) -> Sequence[Shipment]:
        """See :class:`Store`."""
        cursor = self._shipments.collection.find({"dueAt": {"$lte": now}}, WITHOUT_WORKINGS).sort("dueAt").limit(limit)
        return [read_shipment(document) for document in await cursor.to_list(limit)]

    async def mark_cancelled(self, order_id: str, at: datetime) -> None:
        """See :class:`Store`."""
        with suppress(DuplicateKeyError):  # a repeat
            await self._cancelled_orders.insert_one({"_id": order_id, "at": at})

    async def is_cancelled(self, order_id: str) -> bool:
        """See :class:`Store`."""
        return await self._cancelled_orders.find_one({"_id": order_id}, {"_id": 1}) is not None

    async def add_all(self, shipments: Sequence[Shipment], cancelled_orders: Mapping[str, datetime]) -> int:
        """Add what is not there yet, for the demo shop; the number of all of them."""
        tombstones = [{"_id": order_id, "at": at} for order_id, at in cancelled_orders.items()]
        await self._shipments.insert_missing([shipment_document(each) for each in shipments])
        await insert_missing(self._cancelled_orders, tombstones)
        return len(shipments) + len(tombstones)


def shipment_document(shipment: Shipment) -> Document:
    """The fields of a shipment's document, without those of the chassis."""
    return {
        "_id": shipment.id,
        "orderId": shipment.order_id,
        "orderNumber": shipment.order_number,
        "customerId": shipment.customer_id,
        "address": _address_document(shipment.address),
        "warehouse": shipment.parcel.warehouse,
        "lines": [_line_document(line) for line in shipment.parcel.lines],
        "parcel": {"index": shipment.parcel.index, "count": shipment.parcel.count},
        "returnId": shipment.parcel.return_id,
        "status": shipment.status.value,
        "createdAt": shipment.created_at,
        "updatedAt": shipment.updated_at,
        "carrier": shipment.carrier,
        "trackingNumber": shipment.tracking_number,
        "estimatedDelivery": shipment.estimated_delivery,
        "events": [_event_document(event) for event in shipment.events],
        "cancelRequested": shipment.cancel_requested,
        "attempt": {"kind": shipment.attempt.kind.value, "count": shipment.attempt.count} if shipment.attempt else None,
        "dueAt": shipment.due_at,
        "revision": shipment.revision,
    }


def read_shipment(document: Mapping[str, Any]) -> Shipment:
    """The shipment of a document."""
    attempt = document["attempt"]
    return Shipment(
        id=document["_id"],
        order_id=document["orderId"],
        order_number=document["orderNumber"],
        customer_id=document["customerId"],
        address=_read_address(document["address"]),
        parcel=_read_parcel(document),
        status=ShipmentStatus(document["status"]),
        created_at=document["createdAt"],
        updated_at=document["updatedAt"],
        carrier=document["carrier"],
        tracking_number=document["trackingNumber"],
        estimated_delivery=document["estimatedDelivery"],
        events=tuple(_read_event(event) for event in document["events"]),
        cancel_requested=document["cancelRequested"],
        attempt=Attempt(StepKind(attempt["kind"]), attempt["count"]) if attempt else None,
        due_at=document["dueAt"],
        revision=document["revision"],
    )


def _address_document(address: Address) -> Document:
    return {
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "postalCode": address.postal_code,
        "countryCode": address.country_code,
    }


def _read_address(document: Mapping[str, Any]) -> Address:
    return Address(
        document["name"],
        document["line1"],
        document["line2"],
        document["city"],
        document["postalCode"],
        document["countryCode"],
    )


def _read_parcel(document: Mapping[str, Any]) -> Parcel:
    lines = tuple(_read_line(line) for line in document["lines"])
    place = document["parcel"]
    return Parcel(document["warehouse"], lines, place["index"], place["count"], document["returnId"])


def _line_document(line: ParcelLine) -> Document:
    return {"productId": line.product_id, "quantity": line.quantity, "weightGrams": line.weight_grams}


def _read_line(document: Mapping[str, Any]) -> ParcelLine:
    return ParcelLine(document["productId"], document["quantity"], document["weightGrams"])


def _event_document(event: TrackingEvent) -> Document:
    seen = event.sighting
    return {
        "status": seen.status.value,
        "at": seen.at,
        "location": seen.location,
        "description": seen.description,
        "key": event.key,
    }


def _read_event(document: Mapping[str, Any]) -> TrackingEvent:
    status = ShipmentStatus(document["status"])
    return TrackingEvent(
        Sighting(status, document["at"], document["location"], document["description"]), document["key"]
    )
