"""The orders' documents: the only file that sees them.

An order is one document: its lines, parcels and returns, its history, its pending events and the ids of the events it
has handled. A change is one update of it, over the revision from which it was derived. Beside the orders lie this
service's own copies of products and customers.

Lists are read by ``position``, one text of placing time and id: a page is one range of one index, where a pair of
fields would need an ``$or``. All collections are sharded by id: ids are what other services ask by and what makes
placing idempotent. A sharded cluster keeps nothing else unique, so an order's number is the id of a document in
``numbers``, which is written before the order; one whose order never came is a number that is never used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.database.aggregates import Aggregates
from subgraphs.chassis.database.mongodb import BY_ID, Collection, Database, Document, DocumentCollection, insert_missing
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.orders.domain import (
    Address,
    Allocation,
    Customer,
    Money,
    Order,
    OrderEvent,
    OrderLine,
    Parcel,
    ParcelStatus,
    Product,
    Return,
    ReturnLine,
    ReturnStatus,
    StatusChange,
    position_of,
)
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.service import Slice

_MONEY_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["amountMinor", "currencyCode"],
    "properties": {
        "amountMinor": {"bsonType": ["int", "long"], "minimum": 0},
        "currencyCode": {"bsonType": "string", "minLength": 3, "maxLength": 3},
    },
}
_QUANTITY_SCHEMA: Document = {"bsonType": ["int", "long"], "minimum": 1}
ORDER_SCHEMA: Document = {
    "bsonType": "object",
    "required": [
        *("number", "customerId", "stage", "status", "lines", "shippingFee", "shippingAddress", "placedAt"),
        *("updatedAt", "position", "history", "fingerprint", "parcels", "returns", "revision"),
    ],
    "properties": {
        "number": {"bsonType": "string"},
        "customerId": {"bsonType": "string"},
        "stage": {"enum": [stage.value for stage in Stage]},
        "status": {"enum": [status.value for status in OrderStatus]},
        "lines": {
            "bsonType": "array",
            "minItems": 1,
            "items": {
                "bsonType": "object",
                "required": ["productId", "quantity", "unitPrice", "weightGrams", "allocations"],
                "properties": {"quantity": _QUANTITY_SCHEMA, "unitPrice": _MONEY_SCHEMA},
            },
        },
        "shippingFee": _MONEY_SCHEMA,
        "placedAt": {"bsonType": "date"},
        "updatedAt": {"bsonType": "date"},
        "position": {"bsonType": "string"},
        "history": {"bsonType": "array", "minItems": 1},
        "parcels": {"bsonType": "array"},
        "returns": {
            "bsonType": "array",
            "items": {
                "bsonType": "object",
                "required": ["id", "status", "lines", "refund", "reason", "requestedAt"],
                "properties": {"status": {"enum": [each.value for each in ReturnStatus]}, "refund": _MONEY_SCHEMA},
            },
        },
        "revision": {"bsonType": ["int", "long"], "minimum": 0},
        "outbox": {"bsonType": "array"},
        "handledEvents": {"bsonType": "array"},
    },
}
PRODUCT_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["name", "price", "weightGrams", "active", "version"],
    "properties": {"price": _MONEY_SCHEMA, "active": {"bsonType": "bool"}, "version": {"bsonType": ["int", "long"]}},
}
NUMBER_SCHEMA: Document = {
    "bsonType": "object",
    "required": ["orderId"],
    "properties": {"orderId": {"bsonType": "string"}},
}
CUSTOMER_SCHEMA: Document = {"bsonType": "object", "required": ["name", "email"]}

ORDERS = Collection(
    "orders",
    indexes=(
        IndexModel([("position", DESCENDING)], name="newest"),
        IndexModel([("status", ASCENDING), ("position", DESCENDING)], name="status_newest"),
        IndexModel([("customerId", ASCENDING), ("position", DESCENDING)], name="customer_newest"),
        IndexModel(
            [("customerId", ASCENDING), ("status", ASCENDING), ("position", DESCENDING)], name="customer_status_newest"
        ),
    ),
    outbox=True,
    schema=ORDER_SCHEMA,
    shard_key=BY_ID,
)
NUMBERS = Collection("numbers", schema=NUMBER_SCHEMA, shard_key=BY_ID)
PRODUCTS = Collection("products", schema=PRODUCT_SCHEMA, shard_key=BY_ID)
CUSTOMERS = Collection("customers", schema=CUSTOMER_SCHEMA, shard_key=BY_ID)
COLLECTIONS = (ORDERS, NUMBERS, PRODUCTS, CUSTOMERS)


class MongoStore:
    """Implements :class:`subgraphs.orders.service.Store`; ``encode`` gives a domain event the form it travels in."""

    def __init__(self, database: Database, outbox: Outbox, encode: Callable[[OrderEvent], Event]) -> None:
        self._orders = Aggregates(database[ORDERS.name], outbox)
        self._numbers = database[NUMBERS.name]
        self._products = database[PRODUCTS.name]
        self._customers = database[CUSTOMERS.name]
        self._encode = encode

    async def insert(self, order: Order, events: Sequence[OrderEvent]) -> bool:
        """See :class:`Store`."""
        try:
            await self._numbers.insert_one(_number_document(order))
        except DuplicateKeyError:
            return False
        return await self._orders.insert(_order_document(order), events=[self._encode(event) for event in events])

    async def save(self, order: Order, events: Sequence[OrderEvent] = (), cause: str | None = None) -> Order | None:
        """See :class:`Store`."""
        written = replace(order, revision=order.revision + 1)
        pending = [self._encode(event) for event in events]
        saved = await self._orders.write_over(order.revision, _order_document(written), events=pending, cause=cause)
        return written if saved else None

    async def orders(self, ids: Sequence[str]) -> Mapping[str, Order]:
        """See :class:`Store`."""
        found = await _find(self._orders.collection, ids)
        return {document["_id"]: _order(document) for document in found}

    async def newest(self, part: Slice, customer_id: str | None = None) -> Sequence[Order]:
        """See :class:`Store`."""
        where = _where(part) if customer_id is None else {"customerId": customer_id, **_where(part)}
        found = self._orders.collection.find(where, UNREAD).sort("position", DESCENDING).limit(part.limit)
        return [_order(document) for document in await found.to_list(None)]

    async def newest_by_customer(self, customer_ids: Sequence[str], part: Slice) -> Mapping[str, Sequence[Order]]:
        """See :class:`Store`."""
        listed = [
            {"$match": _where(part)},
            {"$sort": {"position": DESCENDING}},
            {"$limit": part.limit},
            {"$project": UNREAD},
        ]
        join = {
            "from": ORDERS.name,
            "localField": "_id",
            "foreignField": "customerId",
            "pipeline": listed,
            "as": "newest",
        }
        found = self._customers.aggregate([{"$match": {"_id": {"$in": list(customer_ids)}}}, {"$lookup": join}])
        return {each["_id"]: [_order(document) for document in each["newest"]] for each in await found.to_list(None)}

    async def products(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """See :class:`Store`."""
        return {document["_id"]: _product(document) for document in await _find(self._products, ids)}

    async def put_product(self, product: Product, version: int) -> None:
        """See :class:`Store`."""
        document = _product_document(product, version)
        older = {"_id": document.pop("_id"), "version": {"$lt": version}}
        try:
            await self._products.update_one(older, {"$set": document}, upsert=True)
        except DuplicateKeyError:
            return  # there is one that is not older: the upsert found none to update and the id taken

    async def customers(self, ids: Sequence[str]) -> Mapping[str, Customer]:
        """See :class:`Store`."""
        return {document["_id"]: _customer(document) for document in await _find(self._customers, ids)}

    async def put_customer(self, customer: Customer) -> None:
        """See :class:`Store`."""
        names = {"name": customer.name, "email": customer.email}
        await self._customers.update_one({"_id": customer.id}, {"$set": names}, upsert=True)

    async def add_all(self, orders: Sequence[Order], products: Sequence[Product], customers: Sequence[Customer]) -> int:
        """Insert all these for the seed, without events, leaving those that are there; the number of those given.

        The products are in their first version.
        """
        await insert_missing(self._products, [_product_document(product, 1) for product in products])
        await insert_missing(self._customers, [_customer_document(customer) for customer in customers])
        await insert_missing(self._numbers, [_number_document(order) for order in orders])
        await self._orders.insert_missing([_order_document(order) for order in orders])
        return len(orders) + len(products) + len(customers)


UNREAD = {"outbox": 0, "handledEvents": 0}
"""What a reader of orders leaves in the database."""


async def _find(collection: DocumentCollection, ids: Sequence[str]) -> list[Document]:
    return await collection.find({"_id": {"$in": list(ids)}}, UNREAD).to_list(None)


def _where(part: Slice) -> Document:
    where: Document = {}
    if part.status:
        where["status"] = part.status.value
    if part.after is not None:
        where["position"] = {"$lt": part.after}
    return where


def _number_document(order: Order) -> Document:
    return {"_id": order.number, "orderId": order.id}


def _order_document(order: Order) -> Document:
    return {
        "_id": order.id,
        "number": order.number,
        "customerId": order.customer_id,
        "stage": order.stage.value,
        "status": order.status.value,
        "lines": [_line_document(line) for line in order.lines],
        "shippingFee": _money_document(order.shipping_fee),
        "shippingAddress": _address_document(order.shipping_address),
        "placedAt": order.placed_at,
        "updatedAt": order.updated_at,
        "position": position_of(order),
        "history": [_entry_document(entry) for entry in order.history],
        "fingerprint": order.fingerprint,
        "parcels": [_parcel_document(parcel) for parcel in order.parcels],
        "returns": [_return_document(each) for each in order.returns],
        "revision": order.revision,
    }


def _order(document: Mapping[str, Any]) -> Order:
    return Order(
        id=document["_id"],
        number=document["number"],
        customer_id=document["customerId"],
        stage=Stage(document["stage"]),
        lines=tuple(_line(line) for line in document["lines"]),
        shipping_fee=_money(document["shippingFee"]),
        shipping_address=_address(document["shippingAddress"]),
        placed_at=document["placedAt"],
        updated_at=document["updatedAt"],
        history=tuple(_entry(entry) for entry in document["history"]),
        fingerprint=document["fingerprint"],
        parcels=tuple(_parcel(parcel) for parcel in document["parcels"]),
        returns=tuple(_return(each) for each in document["returns"]),
        revision=document["revision"],
    )


def _line_document(line: OrderLine) -> Document:
    return {
        "productId": line.product_id,
        "quantity": line.quantity,
        "unitPrice": _money_document(line.unit_price),
        "weightGrams": line.weight_grams,
        "allocations": [{"warehouse": each.warehouse, "quantity": each.quantity} for each in line.allocations],
    }


def _line(document: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        document["productId"],
        document["quantity"],
        _money(document["unitPrice"]),
        document["weightGrams"],
        tuple(Allocation(each["warehouse"], each["quantity"]) for each in document["allocations"]),
    )


def _parcel_document(parcel: Parcel) -> Document:
    return {"index": parcel.index, "count": parcel.count, "status": parcel.status.value}


def _parcel(document: Mapping[str, Any]) -> Parcel:
    return Parcel(ParcelStatus(document["status"]), document["index"], document["count"])


def _return_document(return_: Return) -> Document:
    return {
        "id": return_.id,
        "status": return_.status.value,
        "lines": [{"productId": line.product_id, "quantity": line.quantity} for line in return_.lines],
        "refund": _money_document(return_.refund),
        "reason": return_.reason,
        "requestedAt": return_.requested_at,
        "receivedAt": return_.received_at,
        "fingerprint": return_.fingerprint,
    }


def _return(document: Mapping[str, Any]) -> Return:
    return Return(
        id=document["id"],
        lines=tuple(ReturnLine(line["productId"], line["quantity"]) for line in document["lines"]),
        refund=_money(document["refund"]),
        reason=document["reason"],
        requested_at=document["requestedAt"],
        fingerprint=document["fingerprint"],
        status=ReturnStatus(document["status"]),
        received_at=document["receivedAt"],
    )


def _entry_document(entry: StatusChange) -> Document:
    return {
        "from": entry.from_status.value if entry.from_status else None,
        "to": entry.to_status.value,
        "at": entry.at,
        "reason": entry.reason,
        "code": entry.code,
    }


def _entry(document: Mapping[str, Any]) -> StatusChange:
    before = OrderStatus(document["from"]) if document["from"] else None
    return StatusChange(before, OrderStatus(document["to"]), document["at"], document["reason"], document["code"])


def _address_document(address: Address) -> Document:
    return {
        "name": address.name,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "postalCode": address.postal_code,
        "countryCode": address.country_code,
    }


def _address(document: Mapping[str, Any]) -> Address:
    return Address(
        name=document["name"],
        line1=document["line1"],
        line2=document["line2"],
        city=document["city"],
        postal_code=document["postalCode"],
        country_code=document["countryCode"],
    )


def _product_document(product: Product, version: int) -> Document:
    return {
        "_id": product.id,
        "name": product.name,
        "price": _money_document(product.price),
        "weightGrams": product.weight_grams,
        "active": product.active,
        "version": version,
    }


def _product(document: Mapping[str, Any]) -> Product:
    price = _money(document["price"])
    return Product(document["_id"], document["name"], price, document["weightGrams"], document["active"])


def _customer_document(customer: Customer) -> Document:
    return {"_id": customer.id, "name": customer.name, "email": customer.email}


def _customer(document: Mapping[str, Any]) -> Customer:
    return Customer(document["_id"], document["name"], document["email"])


def _money_document(money: Money) -> Document:
    return {"amountMinor": money.amount_minor, "currencyCode": money.currency_code}


def _money(document: Mapping[str, Any]) -> Money:
    return Money(document["amountMinor"], document["currencyCode"])
