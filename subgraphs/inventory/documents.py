"""How products, movements and reservations lie in the database: between :mod:`.domain` and documents, both ways."""

from __future__ import annotations

from datetime import UTC, datetime

from subgraphs.chassis.database.mongodb import Document
from subgraphs.inventory.domain import (
    Allocation,
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


def product_document(product: Product) -> Document:
    """A product as it lies in ``products``."""
    levels = product.stock.levels
    stock = {
        "available": product.stock.available,
        "version": product.stock.version,
        "warehouses": {
            level.warehouse: {"onHand": level.on_hand, "reserved": level.reserved, "available": level.available}
            for level in levels
        },
    }
    workings: Document = {"holds": [], "endedClaims": [], "keys": [], "journal": []}
    return {"_id": product.id, **facts_fields(product), "stock": stock, **workings}


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
        "position": movement_position(movement.at, movement.id),
        "reason": movement.reason,
        "reference": movement.reference,
        "key": movement.key,
    }


def movement_position(at: datetime, movement_id: str) -> str:
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
    return [hold_document(reservation.id, each) for each in line.allocations]


def hold_document(reservation: str, allocation: Allocation) -> Document:
    """What a product's document keeps of what ``reservation`` holds in one warehouse."""
    return {"reservation": reservation, **_allocation_document(allocation)}


def facts_fields(product: Product) -> Document:
    """What staff say of a product, and what follows from it for lists and searches, as fields of its document."""
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


def _line_document(line: ReservationLine) -> Document:
    allocations = [_allocation_document(each) for each in line.allocations]
    return {"productId": line.product_id, "quantity": line.quantity, "allocations": allocations}


def _allocation_document(allocation: Allocation) -> Document:
    return {"warehouse": allocation.warehouse, "quantity": allocation.quantity}


def read_product(document: Document) -> Product:
    """The product of a document of ``products``."""
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
    return Product(document["_id"], facts, _read_stock(document["stock"]), document["version"])


def _read_stock(document: Document) -> Stock:
    warehouses = sorted(document["warehouses"].items())
    levels = [StockLevel(name, level["onHand"], level["reserved"]) for name, level in warehouses]
    return Stock(tuple(levels), document["version"])


def read_movement(document: Document) -> Movement:
    """The movement of a document of ``movements``, or of a line of a journal."""
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


def read_reservation(document: Document) -> Reservation:
    """The reservation of a document of ``reservations``."""
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
