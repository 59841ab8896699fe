"""Inventory in MongoDB: collections ``products`` (with stock, holds and the fresh end of the journal),
``movements``, ``reservations``.

What must change together lies in one document: a product's stock, who holds how much of it, and the movements that
tell of it. The journal's lines are moved from there to ``movements``, where they stay, by
:meth:`MongoStore.archive_journal`.

``products`` is sharded by id (every write names one product), ``movements`` by product (so it is read), and
``reservations`` by id, which follows from the order's, so that an order has one reservation in the whole cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, IndexModel

from subgraphs.chassis.database.aggregates import Aggregates
from subgraphs.chassis.database.mongodb import BY_ID, Collection, Database, Document, insert_missing
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.inventory.adjustments import MAXIMUM_STOCK, MAXIMUM_WAREHOUSES
from subgraphs.inventory.documents import (
    facts_fields,
    hold_document,
    movement_document,
    movement_position,
    product_document,
    read_movement,
    read_product,
    read_reservation,
    reservation_document,
)
from subgraphs.inventory.domain import (
    MAXIMUM_HOLDS,
    Allocation,
    InventoryEvent,
    Movement,
    MovementKind,
    Product,
    Reservation,
    ReservationStatus,
    StockChanged,
)
from subgraphs.inventory.store_contract import Claim, ProductQuery

_COUNT_SCHEMA: Document = {"bsonType": ["int", "long"], "minimum": 0}
PRODUCT_SCHEMA: Document = {
    "bsonType": "object",
    "required": [
        *("name", "category", "price", "weightGrams", "active", "version", "sortKey", "words"),
        *("stock", "holds", "endedClaims", "keys", "journal"),
    ],
    "properties": {
        "name": {"bsonType": "string", "minLength": 1},
        "price": {
            "bsonType": "object",
            "required": ["amountMinor", "currencyCode"],
            "properties": {"amountMinor": {"bsonType": ["int", "long"], "minimum": 1}},
        },
        "active": {"bsonType": "bool"},
        "version": {"bsonType": ["int", "long"], "minimum": 1},
        # The last word on overselling: whatever our own conditions say, the database lets nothing fall below zero.
        "stock": {
            "bsonType": "object",
            "required": ["available", "version", "warehouses"],
            "properties": {
                "available": _COUNT_SCHEMA,
                "version": _COUNT_SCHEMA,
                "warehouses": {
                    "bsonType": "object",
                    "additionalProperties": {
                        "bsonType": "object",
                        "required": ["onHand", "reserved", "available"],
                        "properties": {"onHand": _COUNT_SCHEMA, "reserved": _COUNT_SCHEMA, "available": _COUNT_SCHEMA},
                    },
                },
            },
        },
        "holds": {
            "bsonType": "array",
            "items": {"bsonType": "object", "required": ["reservation", "warehouse", "quantity"]},
        },
        "journal": {"bsonType": "array"},
        "outbox": {"bsonType": "array"},
    },
}
MOVEMENT_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["productId", "warehouse", "kind", "onHand", "reserved", "at", "position"],
    "properties": {"kind": {"enum": [kind.value for kind in MovementKind]}, "at": {"bsonType": "date"}},
}
RESERVATION_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["orderId", "customerId", "status", "lines", "createdAt", "sold", "withdrawn", "restocks", "revision"],
    "properties": {
        "orderId": {"bsonType": "string"},
        "status": {"enum": [status.value for status in ReservationStatus]},
        "lines": {"bsonType": "array"},
        "expiresAt": {"bsonType": ["date", "null"]},
        "revision": _COUNT_SCHEMA,
        "outbox": {"bsonType": "array"},
    },
}

COLLECTIONS = (
    Collection(
        "products",
        (
            IndexModel([("sortKey", ASCENDING)], name="all_by_name"),
            IndexModel([("active", ASCENDING), ("sortKey", ASCENDING)], name="active_by_name"),
            IndexModel([("active", ASCENDING), ("category", ASCENDING), ("sortKey", ASCENDING)], name="by_category"),
            IndexModel([("words", ASCENDING)], name="by_word"),
            IndexModel([("journal.at", ASCENDING)], name="journal", sparse=True),
        ),
        outbox=True,
        schema=PRODUCT_SCHEMA,
        shard_key=BY_ID,
    ),
    Collection(
        "movements",
        (
            IndexModel([("productId", ASCENDING), ("position", DESCENDING)], name="by_position"),
            IndexModel([("productId", ASCENDING), ("key", ASCENDING)], name="by_key"),
        ),
        schema=MOVEMENT_SCHEMA,
        shard_key={"productId": "hashed"},
    ),
    Collection(
        "reservations",
        (
            IndexModel([("orderId", ASCENDING)], name="order"),
            IndexModel([("expiresAt", ASCENDING)], name="expiring"),
        ),
        outbox=True,
        schema=RESERVATION_SCHEMA,
        shard_key=BY_ID,
    ),
)

_ROOM_FOR_A_HOLD: Document = {f"holds.{MAXIMUM_HOLDS - 1}": {"$exists": False}}
REMEMBERED_CLAIMS = 500
REMEMBERED_KEYS = 500
ARCHIVE_BATCH = 50
WITHOUT_WORKINGS = {"holds": 0, "endedClaims": 0, "keys": 0, "journal": 0, "words": 0, "outbox": 0, "handledEvents": 0}


class MongoStore:
    """Implements :class:`.store_contract.Store`; ``encode`` gives a domain event the form it travels in."""

    def __init__(self, database: Database, outbox: Outbox, encode: Callable[[InventoryEvent], Event]) -> None:
        self._products = Aggregates(database["products"], outbox)
        self._reservations = Aggregates(database["reservations"], outbox)
        self._movements = database["movements"]
        self._encode = encode

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """See :class:`Store`."""
        cursor = self._products.collection.find({"_id": {"$in": list(ids)}}, WITHOUT_WORKINGS)
        return {document["_id"]: read_product(document) for document in await cursor.to_list(None)}

    async def list_products(self, query: ProductQuery, limit: int, after: str | None) -> Sequence[Product]:
        """See :class:`Store`."""
        cursor = (
            self._products.collection.find(products_filter(query, after), WITHOUT_WORKINGS).sort("sortKey").limit(limit)
        )
        return [read_product(document) for document in await cursor.to_list(limit)]

    async def add_product(self, product: Product, event: InventoryEvent) -> bool:
        """See :class:`Store`."""
        return await self._products.insert(product_document(product), events=[self._encode(event)])

    async def change_facts(self, product: Product, event: InventoryEvent) -> bool:
        """See :class:`Store`."""
        where = {"_id": product.id, "version": product.version - 1}
        return await self._products.update(where, {"$set": facts_fields(product)}, events=[self._encode(event)])

    async def adjust(self, movement: Movement) -> bool:
        """See :class:`Store`."""
        where: Document = {"_id": movement.product_id, "keys": {"$ne": movement.key}}
        if movement.on_hand < 0:
            where |= {f"stock.warehouses.{movement.warehouse}.available": {"$gte": -movement.on_hand}}
        elif movement.kind is not MovementKind.RETURN:
            where |= _has_room(movement)
        return await self._move(where, [movement], {"keys": {"$each": [movement.key], "$slice": -REMEMBERED_KEYS}})

    async def movement_of_key(self, product_id: str, key: str) -> Movement | None:
        """See :class:`Store`."""
        # First the product, then the archive: a movement goes from there to here, and is in both for a moment.
        product = await self._products.collection.find_one({"_id": product_id, "journal.key": key}, {"journal": 1})
        recent = [line for line in product["journal"] if line["key"] == key] if product else []
        document = recent[0] if recent else await self._movements.find_one({"productId": product_id, "key": key})
        return read_movement(document) if document else None

    async def movements(
        self, product_id: str, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Movement]:
        """See :class:`Store`."""
        await self._archive(product_id)
        where: Document = {"productId": product_id}
        if after:
            where["position"] = {"$lt": movement_position(*after)}
        cursor = self._movements.find(where).sort("position", DESCENDING).limit(limit)
        return [read_movement(document) for document in await cursor.to_list(limit)]

    async def reservations(self, order_ids: Sequence[str]) -> Mapping[str, Reservation]:
        """See :class:`Store`."""
        cursor = self._reservations.collection.find({"orderId": {"$in": list(order_ids)}})
        return {document["orderId"]: read_reservation(document) for document in await cursor.to_list(None)}

    async def open_reservation(self, reservation: Reservation, cause: str) -> bool:
        """See :class:`Store`."""
        return await self._reservations.insert(reservation_document(reservation), cause=cause)

    async def save_reservation(
        self, reservation: Reservation, events: Sequence[InventoryEvent] = (), cause: str | None = None
    ) -> Reservation | None:
        """See :class:`Store`."""
        written = replace(reservation, revision=reservation.revision + 1)
        pending = [self._encode(event) for event in events]
        document = reservation_document(written)
        saved = await self._reservations.write_over(reservation.revision, document, events=pending, cause=cause)
        return written if saved else None

    async def expiring(self, now: datetime, limit: int) -> Sequence[Reservation]:
        """See :class:`Store`."""
        cursor = self._reservations.collection.find({"expiresAt": {"$lte": now}}).sort("expiresAt").limit(limit)
        return [read_reservation(document) for document in await cursor.to_list(limit)]

    async def claim(self, product_id: str, reservation: str) -> Claim:
        """See :class:`Store`."""
        without = {key: value for key, value in WITHOUT_WORKINGS.items() if key not in ("holds", "endedClaims")}
        document = await self._products.collection.find_one({"_id": product_id}, without)
        if document is None:
            return Claim(None)
        over = reservation in document["endedClaims"]
        full = len(document["holds"]) >= MAXIMUM_HOLDS
        return Claim(read_product(document), _held(document, reservation), over, full)

    async def hold(self, product_id: str, reservation: str, allocations: Sequence[Allocation], at: datetime) -> bool:
        """See :class:`Store`."""
        available = {f"stock.warehouses.{each.warehouse}.available": {"$gte": each.quantity} for each in allocations}
        where = {"_id": product_id, "active": True, **_ROOM_FOR_A_HOLD, **_no_claim(reservation), **available}
        holds = [hold_document(reservation, each) for each in allocations]
        movements = _movements(product_id, reservation, MovementKind.RESERVATION, allocations, at)
        return await self._move(where, movements, {"holds": {"$each": holds}})

    async def end_hold(
        self, product_id: str, reservation: str, kind: MovementKind, at: datetime, warehouse: str | None = None
    ) -> None:
        """See :class:`Store`."""
        ended = {"$each": [reservation], "$slice": -REMEMBERED_CLAIMS}
        never_held = {"_id": product_id, **_no_claim(reservation)}
        if await self._products.update(never_held, {"$push": {"endedClaims": ended}}):
            return
        document = await self._products.collection.find_one(
            {"_id": product_id, "holds.reservation": reservation}, {"holds": 1}
        )
        held = _held(document, reservation) if document else ()
        for each in held:
            if warehouse in (None, each.warehouse):
                await self._end_one_hold(product_id, reservation, _movements(product_id, reservation, kind, [each], at))

    async def _end_one_hold(self, product_id: str, reservation: str, movements: Sequence[Movement]) -> None:
        [movement] = movements
        hold = {"reservation": reservation, "warehouse": movement.warehouse}
        ended = {"endedClaims": {"$each": [reservation], "$slice": -REMEMBERED_CLAIMS}}
        await self._move({"_id": product_id, "holds": {"$elemMatch": hold}}, movements, ended, pulls={"holds": hold})

    async def _move(
        self, where: Document, movements: Sequence[Movement], pushes: Document, pulls: Document | None = None
    ) -> bool:
        """Move stock and journal it, and tell where the product runs out by it or can be had again; False where no
        product is as ``where`` says.

        What is available at that very moment decides what there is to tell, so each write names it: the first one
        anything that leaves nothing to tell, which is all that most of them need, the next one what was read before.
        """
        journal = {"$each": [movement_document(each) for each in movements]}
        change: Document = {"$inc": _increments(movements), "$push": {**pushes, "journal": journal}}
        change |= {"$pull": pulls} if pulls else {}
        more = sum(each.on_hand - each.reserved for each in movements)
        if not more:
            return await self._products.update(where, change)
        while not await self._products.update({**where, "stock.available": {"$gt": max(0, -more)}}, change):
            document = await self._products.collection.find_one(where, {"stock": 1})
            if document is None:
                return False
            if await self._move_and_tell({**where, **_as_read(document)}, movements, change, document["stock"]):
                return True
            # Someone else wrote in between: at each turn one of all who try comes through.
        return True

    async def _move_and_tell(
        self, where: Document, movements: Sequence[Movement], change: Document, stock: Document
    ) -> bool:
        left = stock["available"] + change["$inc"]["stock.available"]
        if (left > 0) == (stock["available"] > 0):
            return False
        told = StockChanged(movements[0].product_id, left > 0, stock["version"] + 1, movements[0].at)
        change = {**change, "$inc": {**change["$inc"], "stock.version": 1}}
        return await self._products.update(where, change, events=[self._encode(told)])

    async def archive_journal(self) -> None:
        """Move what the journals of products hold to ``movements``; a crash in between repeats work and loses none."""
        cursor = self._products.collection.find({"journal.at": {"$gt": datetime.min}}, {"_id": 1}).limit(ARCHIVE_BATCH)
        for document in await cursor.to_list(ARCHIVE_BATCH):
            await self._archive(document["_id"])

    async def add_all(
        self, products: Sequence[Document], movements: Sequence[Document], reservations: Sequence[Document]
    ) -> int:
        """Insert whole documents for the seed, leaving those that are there; the number of documents given."""
        await insert_missing(self._movements, movements)
        await self._reservations.insert_missing(reservations)
        await self._products.insert_missing(products)
        return len(products) + len(movements) + len(reservations)

    async def _archive(self, product_id: str) -> None:
        document = await self._products.collection.find_one({"_id": product_id}, {"journal": 1})
        if document is None or not document["journal"]:
            return
        await insert_missing(self._movements, document["journal"])
        ids = [line["_id"] for line in document["journal"]]
        await self._products.collection.update_one({"_id": product_id}, {"$pull": {"journal": {"_id": {"$in": ids}}}})


def products_filter(query: ProductQuery, after: str | None) -> Document:
    """The documents that a list shows, after the one of sort key ``after``."""
    where: Document = {}
    if after is not None:
        where["sortKey"] = {"$gt": after}
    if query.category is not None:
        where["category"] = query.category
    if query.active is not None:
        where["active"] = query.active
    if query.in_stock is not None:
        where["stock.available"] = {"$gt": 0} if query.in_stock else {"$lte": 0}
    if query.words:
        # A range, not a regular expression: it reads only the words that begin so, on every server.
        where["$and"] = [{"words": {"$elemMatch": {"$gte": word, "$lt": f"{word}\uffff"}}} for word in query.words]
    return where


def _no_claim(reservation: str) -> Document:
    return {"holds.reservation": {"$ne": reservation}, "endedClaims": {"$ne": reservation}}


def _has_room(movement: Movement) -> Document:
    warehouses: Document = {"$objectToArray": "$stock.warehouses"}
    on_hand = {"$sum": {"$map": {"input": warehouses, "in": "$$this.v.onHand"}}}
    others = {"$filter": {"input": warehouses, "cond": {"$ne": ["$$this.k", movement.warehouse]}}}
    not_too_large = {"$lte": [on_hand, MAXIMUM_STOCK - movement.on_hand]}
    not_too_many = {"$lt": [{"$size": others}, MAXIMUM_WAREHOUSES]}
    return {"$expr": {"$and": [not_too_large, not_too_many]}}


def _as_read(document: Document) -> Document:
    return {f"stock.{key}": document["stock"][key] for key in ("available", "version")}


def _held(document: Document, reservation: str) -> tuple[Allocation, ...]:
    held = [hold for hold in document["holds"] if hold["reservation"] == reservation]
    return tuple(Allocation(each["warehouse"], each["quantity"]) for each in held)


def _movements(
    product_id: str, reservation: str, kind: MovementKind, allocations: Sequence[Allocation], at: datetime
) -> list[Movement]:
    on_hand = {MovementKind.SALE: -1}.get(kind, 0)
    reserved = {MovementKind.RESERVATION: 1}.get(kind, -1)
    return [
        Movement(
            f"mov_{uuid4().hex}",
            product_id,
            each.warehouse,
            kind,
            on_hand * each.quantity,
            reserved * each.quantity,
            at,
            reference=reservation,
        )
        for each in allocations
    ]


def _increments(movements: Sequence[Movement]) -> dict[str, int]:
    increments: dict[str, int] = {}
    for movement in movements:
        available = movement.on_hand - movement.reserved
        warehouse = f"stock.warehouses.{movement.warehouse}"
        changes = {
            f"{warehouse}.onHand": movement.on_hand,
            f"{warehouse}.reserved": movement.reserved,
            f"{warehouse}.available": available,
            "stock.available": available,
        }
        for path, change in changes.items():
            increments[path] = increments.get(path, 0) + change
    return increments
