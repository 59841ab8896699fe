"""Inventory in MongoDB: collections ``products`` (with stock, holds and the fresh end of the journal),
``movements``, ``reservations``.

What must change together lies in one document: a product's stock, who holds how much of it, and the movements that
tell of it. The journal's lines are moved from there to ``movements``, where they stay, by
:meth:`MongoStore.archive_journal`.

Shard keys: ``products`` ``{_id: "hashed"}`` (every write names one product), ``movements`` ``{productId: "hashed"}``
(the journal is read by product), ``reservations`` ``{_id: "hashed"}``: its id follows from the order's, so that an
order has one reservation in the whole cluster though ``by_order`` is unique within a shard alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

from subgraphs.chassis.aggregates import Aggregates
from subgraphs.chassis.event import Event
from subgraphs.chassis.mongodb import Collection, Database, Document, DocumentCollection
from subgraphs.chassis.outbox import Outbox
from subgraphs.inventory.domain import (
    Allocation,
    InventoryEvent,
    Money,
    Movement,
    MovementKind,
    Product,
    ProductFacts,
    Rejection,
    Reservation,
    ReservationLine,
    ReservationStatus,
    Restock,
    Stock,
    StockLevel,
    search_words,
)
from subgraphs.inventory.service import Claim, ProductQuery

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
            "required": ["available", "warehouses"],
            "properties": {
                "available": _COUNT_SCHEMA,
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
            IndexModel([("sortKey", ASCENDING)], name="by_name", unique=True),
            IndexModel([("active", ASCENDING), ("sortKey", ASCENDING)], name="active_by_name"),
            IndexModel([("active", ASCENDING), ("category", ASCENDING), ("sortKey", ASCENDING)], name="by_category"),
            IndexModel([("words", ASCENDING)], name="by_word"),
            IndexModel([("journal.at", ASCENDING)], name="journal", sparse=True),
        ),
        outbox=True,
        schema=PRODUCT_SCHEMA,
    ),
    Collection(
        "movements",
        (
            IndexModel([("productId", ASCENDING), ("position", DESCENDING)], name="by_position"),
            IndexModel([("productId", ASCENDING), ("key", ASCENDING)], name="by_key"),
        ),
        schema=MOVEMENT_SCHEMA,
    ),
    Collection(
        "reservations",
        (
            IndexModel([("orderId", ASCENDING)], name="by_order", unique=True),
            IndexModel([("expiresAt", ASCENDING)], name="expiring"),
        ),
        outbox=True,
        schema=RESERVATION_SCHEMA,
    ),
)

DUPLICATE_KEY = 11000
REMEMBERED_CLAIMS = 500
REMEMBERED_KEYS = 500
ARCHIVE_BATCH = 50
WITHOUT_WORKINGS = {"holds": 0, "endedClaims": 0, "keys": 0, "journal": 0, "words": 0, "outbox": 0, "handledEvents": 0}


class MongoStore:
    """Implements :class:`subgraphs.inventory.service.Store`; ``encode`` gives a domain event the form it travels in."""

    def __init__(self, database: Database, outbox: Outbox, encode: Callable[[InventoryEvent], Event]) -> None:
        self._products = Aggregates(database["products"], outbox)
        self._reservations = Aggregates(database["reservations"], outbox)
        self._movements = database["movements"]
        self._encode = encode

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """See :class:`Store`."""
        cursor = self._products.collection.find({"_id": {"$in": list(ids)}}, WITHOUT_WORKINGS)
        return {document["_id"]: _read_product(document) for document in await cursor.to_list(None)}

    async def list_products(self, query: ProductQuery, limit: int, after: str | None) -> Sequence[Product]:
        """See :class:`Store`."""
        cursor = (
            self._products.collection.find(products_filter(query, after), WITHOUT_WORKINGS).sort("sortKey").limit(limit)
        )
        return [_read_product(document) for document in await cursor.to_list(limit)]

    async def add_product(self, product: Product, event: InventoryEvent) -> bool:
        """See :class:`Store`."""
        return await self._products.insert(product_document(product), events=[self._encode(event)])

    async def change_facts(self, product: Product, event: InventoryEvent) -> bool:
        """See :class:`Store`."""
        where = {"_id": product.id, "version": product.version - 1}
        return await self._products.update(where, {"$set": _facts_fields(product)}, events=[self._encode(event)])

    async def adjust(self, movement: Movement) -> bool:
        """See :class:`Store`."""
        where: Document = {"_id": movement.product_id, "keys": {"$ne": movement.key}}
        if movement.on_hand < 0:
            where |= {f"stock.warehouses.{movement.warehouse}.available": {"$gte": -movement.on_hand}}
        pushes = {
            "keys": {"$each": [movement.key], "$slice": -REMEMBERED_KEYS},
            "journal": {"$each": [movement_document(movement)]},
        }
        return await self._products.update(where, {"$inc": _increments([movement]), "$push": pushes})

    async def movement_of_key(self, product_id: str, key: str) -> Movement | None:
        """See :class:`Store`."""
        # First the product, then the archive: a movement goes from there to here, and is in both for a moment.
        product = await self._products.collection.find_one({"_id": product_id, "journal.key": key}, {"journal": 1})
        recent = [line for line in product["journal"] if line["key"] == key] if product else []
        document = recent[0] if recent else await self._movements.find_one({"productId": product_id, "key": key})
        return _read_movement(document) if document else None

    async def movements(
        self, product_id: str, limit: int, after: tuple[datetime, str] | None = None
    ) -> Sequence[Movement]:
        """See :class:`Store`."""
        await self._archive(product_id)
        where: Document = {"productId": product_id}
        if after:
            where["position"] = {"$lt": _position(*after)}
        cursor = self._movements.find(where).sort("position", DESCENDING).limit(limit)
        return [_read_movement(document) for document in await cursor.to_list(limit)]

    async def reservations(self, order_ids: Sequence[str]) -> Mapping[str, Reservation]:
        """See :class:`Store`."""
        cursor = self._reservations.collection.find({"orderId": {"$in": list(order_ids)}})
        return {document["orderId"]: _read_reservation(document) for document in await cursor.to_list(None)}

    async def open_reservation(self, reservation: Reservation, cause: str) -> bool:
        """See :class:`Store`."""
        return await self._reservations.insert(reservation_document(reservation), cause=cause)

    async def save_reservation(
        self, reservation: Reservation, events: Sequence[InventoryEvent] = (), cause: str | None = None
    ) -> Reservation | None:
        """See :class:`Store`."""
        written = replace(reservation, revision=reservation.revision + 1)
        fields = reservation_document(written)
        where = {"_id": fields.pop("_id"), "revision": reservation.revision}
        pending = [self._encode(event) for event in events]
        saved = await self._reservations.update(where, {"$set": fields}, events=pending, cause=cause)
        return written if saved else None

    async def expiring(self, now: datetime, limit: int) -> Sequence[Reservation]:
        """See :class:`Store`."""
        cursor = self._reservations.collection.find({"expiresAt": {"$lte": now}}).sort("expiresAt").limit(limit)
        return [_read_reservation(document) for document in await cursor.to_list(limit)]

    async def claim(self, product_id: str, reservation: str) -> Claim:
        """See :class:`Store`."""
        without = {key: value for key, value in WITHOUT_WORKINGS.items() if key not in ("holds", "endedClaims")}
        document = await self._products.collection.find_one({"_id": product_id}, without)
        if document is None:
            return Claim(None)
        over = reservation in document["endedClaims"]
        return Claim(_read_product(document), _held(document, reservation), over)

    async def hold(self, product_id: str, reservation: str, allocations: Sequence[Allocation], at: datetime) -> bool:
        """See :class:`Store`."""
        available = {f"stock.warehouses.{each.warehouse}.available": {"$gte": each.quantity} for each in allocations}
        where = {"_id": product_id, "active": True, **_no_claim(reservation), **available}
        holds = [_hold_document(reservation, each) for each in allocations]
        movements = _movements(product_id, reservation, MovementKind.RESERVATION, allocations, at)
        pushes = {"holds": {"$each": holds}, "journal": {"$each": [movement_document(each) for each in movements]}}
        return await self._products.update(where, {"$inc": _increments(movements), "$push": pushes})

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
        change = {
            "$inc": _increments(movements),
            "$pull": {"holds": hold},
            "$push": {
                "endedClaims": {"$each": [reservation], "$slice": -REMEMBERED_CLAIMS},
                "journal": {"$each": [movement_document(movement)]},
            },
        }
        await self._products.update({"_id": product_id, "holds": {"$elemMatch": hold}}, change)

    async def archive_journal(self) -> None:
        """Move what the journals of products hold to ``movements``; a crash in between repeats work and loses none."""
        cursor = self._products.collection.find({"journal.at": {"$gt": datetime.min}}, {"_id": 1}).limit(ARCHIVE_BATCH)
        for document in await cursor.to_list(ARCHIVE_BATCH):
            await self._archive(document["_id"])

    async def add_all(
        self, products: Sequence[Document], movements: Sequence[Document], reservations: Sequence[Document]
    ) -> int:
        """Insert whole documents for the seed, leaving those that are there; the number of documents given."""
        workings: Document = {"outbox": [], "handledEvents": []}
        await _insert_new(self._movements, movements)
        await _insert_new(self._reservations.collection, [each | workings for each in reservations])
        await _insert_new(self._products.collection, [each | workings for each in products])
        return len(products) + len(movements) + len(reservations)

    async def _archive(self, product_id: str) -> None:
        document = await self._products.collection.find_one({"_id": product_id}, {"journal": 1})
        if document is None or not document["journal"]:
            return
        await _insert_new(self._movements, document["journal"])
        ids = [line["_id"] for line in document["journal"]]
        await self._products.collection.update_one({"_id": product_id}, {"$pull": {"journal": {"_id": {"$in": ids}}}})


def product_document(product: Product) -> Document:
    """A product as it lies in ``products``."""
    levels = product.stock.levels
    stock = {
        "available": product.stock.available,
        "warehouses": {
            level.warehouse: {"onHand": level.on_hand, "reserved": level.reserved, "available": level.available}
            for level in levels
        },
    }
    workings: Document = {"holds": [], "endedClaims": [], "keys": [], "journal": []}
    return {"_id": product.id, **_facts_fields(product), "stock": stock, **workings}


def movement_document(movement: Movement) -> Document:
    """A movement as it lies in a journal and in ``movements``."""
    return {
        "_id": movement.id,
        "productId": movement.product_id,
        "warehouse": movement.warehouse,
        "kind": movement.kind.value,
        "onHand": movement.on_hand,
        "reserved": movement.reserved,
        "at": movement.at,
        "position": _position(movement.at, movement.id),
        "reason": movement.reason,
        "reference": movement.reference,
        "key": movement.key,
    }


def _position(at: datetime, movement_id: str) -> str:
    """Where a movement stands in the journal: one text of time and id, so that a page is one range of one index."""
    return f"{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')} {movement_id}"


def reservation_document(reservation: Reservation) -> Document:
    """A reservation as it lies in ``reservations``."""
    rejection = reservation.rejection
    return {
        "_id": reservation.id,
        "orderId": reservation.order_id,
        "customerId": reservation.customer_id,
        "status": reservation.status.value,
        "lines": [_line_document(line) for line in reservation.lines],
        "createdAt": reservation.created_at,
        "held": reservation.held,
        "rejection": None
        if rejection is None
        else {"code": rejection.code, "message": rejection.message, "productIds": list(rejection.product_ids)},
        "destination": reservation.destination,
        "confirmed": reservation.confirmed,
        "expiresAt": reservation.expires_at,
        "sold": sorted(reservation.sold),
        "withdrawn": sorted(reservation.withdrawn),
        "restocks": [_restock_document(restock) for restock in reservation.restocks],
        "revision": reservation.revision,
    }


def hold_documents(reservation: Reservation, line: ReservationLine) -> list[Document]:
    """What a product's document keeps of a reservation's line: one entry for each warehouse."""
    return [_hold_document(reservation.id, each) for each in line.allocations]


def _hold_document(reservation: str, allocation: Allocation) -> Document:
    return {"reservation": reservation, **_allocation_document(allocation)}


def _facts_fields(product: Product) -> Document:
    facts = product.facts
    return {
        "name": facts.name,
        "description": facts.description,
        "category": facts.category,
        "imageUrl": facts.image_url,
        "price": {"amountMinor": facts.price.amount_minor, "currencyCode": facts.price.currency_code},
        "weightGrams": facts.weight_grams,
        "active": facts.active,
        "version": product.version,
        "sortKey": product.sort_key,
        "words": search_words(product.id, facts),
    }


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


def _line_document(line: ReservationLine) -> Document:
    allocations = [_allocation_document(each) for each in line.allocations]
    return {"productId": line.product_id, "quantity": line.quantity, "allocations": allocations}


def _allocation_document(allocation: Allocation) -> Document:
    return {"warehouse": allocation.warehouse, "quantity": allocation.quantity}


def _read_product(document: Document) -> Product:
    price = document["price"]
    facts = ProductFacts(
        document["name"],
        document["description"],
        document["category"],
        document["imageUrl"],
        Money(price["amountMinor"], price["currencyCode"]),
        document["weightGrams"],
        document["active"],
    )
    warehouses = document["stock"]["warehouses"]
    levels = [StockLevel(name, level["onHand"], level["reserved"]) for name, level in sorted(warehouses.items())]
    return Product(document["_id"], facts, Stock(tuple(levels)), document["version"])


def _read_movement(document: Document) -> Movement:
    return Movement(
        document["_id"],
        document["productId"],
        document["warehouse"],
        MovementKind(document["kind"]),
        document["onHand"],
        document["reserved"],
        document["at"],
        document["reason"],
        document["reference"],
        document["key"],
    )


def _read_reservation(document: Document) -> Reservation:
    rejection = document["rejection"]
    return Reservation(
        document["orderId"],
        document["customerId"],
        ReservationStatus(document["status"]),
        tuple(_read_line(line) for line in document["lines"]),
        document["createdAt"],
        document["held"],
        rejection and Rejection(rejection["code"], rejection["message"], tuple(rejection["productIds"])),
        document["destination"],
        document["confirmed"],
        document["expiresAt"],
        frozenset(document["sold"]),
        frozenset(document["withdrawn"]),
        tuple(_read_restock(restock) for restock in document["restocks"]),
        document["revision"],
    )


def _restock_document(restock: Restock) -> Document:
    lines = [{"productId": line.product_id, "quantity": line.quantity} for line in restock.lines]
    return {"id": restock.id, "warehouse": restock.warehouse, "lines": lines}


def _read_restock(document: Document) -> Restock:
    lines = tuple(ReservationLine(line["productId"], line["quantity"]) for line in document["lines"])
    return Restock(document["id"], document["warehouse"], lines)


def _read_line(document: Document) -> ReservationLine:
    allocations = tuple(Allocation(each["warehouse"], each["quantity"]) for each in document["allocations"])
    return ReservationLine(document["productId"], document["quantity"], allocations)


async def _insert_new(collection: DocumentCollection, documents: Sequence[Document]) -> None:
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(problem["code"] != DUPLICATE_KEY for problem in (error.details or {})["writeErrors"]):
            raise
