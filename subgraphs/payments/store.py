"""Payments in MongoDB: collections ``payments`` (each with its transactions, refunds and ledger) and ``invoices``.

``payments`` is sharded by id: every write names it, and it follows from the order's, so that an order has one payment
in the whole cluster. ``invoices`` stays on one shard: a series without gaps is one sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from subgraphs.chassis.database.aggregates import Aggregates
from subgraphs.chassis.database.mongodb import BY_ID, Collection, Database, Document, insert_missing
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.events.outbox import Outbox
from subgraphs.payments.domain import (
    Attempt,
    Capture,
    Invoice,
    Money,
    OrderFact,
    Payment,
    PaymentEvent,
    PaymentStatus,
    PricedLine,
    Refund,
    ReturnClaim,
    SettlementStatus,
    Transaction,
    TransactionKind,
    TransactionStatus,
    format_invoice_number,
    read_invoice_number,
)
from subgraphs.payments.ledger import Account, Posting

MONEY_SCHEMA = {
    "bsonType": "object",
    "required": ["amountMinor", "currencyCode"],
    "properties": {
        "amountMinor": {"bsonType": ["int", "long"], "minimum": 0},
        "currencyCode": {"bsonType": "string", "minLength": 3, "maxLength": 3},
    },
}
PAYMENT_SCHEMA = {
    "bsonType": "object",
    "required": ["orderId", "customerId", "token", "amount", "status", "captured", "refunded", "transactions"],
    "properties": {
        "orderId": {"bsonType": "string"},
        "customerId": {"bsonType": "string"},
        # A token, and the brand and last digits to show of the card: never as many digits as a card number has.
        "token": {"bsonType": "string", "not": {"pattern": "[0-9]{12}"}},
        "method": {"bsonType": "string", "maxLength": 64, "not": {"pattern": "[0-9]{5}"}},
        "status": {"enum": [status.value for status in PaymentStatus]},
        "amount": MONEY_SCHEMA,
        "captured": MONEY_SCHEMA,
        "refunded": MONEY_SCHEMA,
        "transactions": {"bsonType": "array"},
        "captures": {"bsonType": "array"},
        "refunds": {"bsonType": "array"},
        "outbox": {"bsonType": "array"},
        "handledEvents": {"bsonType": "array"},
    },
}
INVOICE_SCHEMA = {
    "bsonType": "object",
    "required": ["series", "sequence"],
    "properties": {
        "series": {"bsonType": "string"},
        "sequence": {"bsonType": ["int", "long"], "minimum": 1},
    },
}

COLLECTIONS = (
    Collection(
        "payments",
        (
            IndexModel([("orderId", ASCENDING)], name="order"),
            IndexModel([("dueAt", ASCENDING)], name="due"),
        ),
        outbox=True,
        schema=PAYMENT_SCHEMA,
        shard_key=BY_ID,
    ),
    Collection(
        "invoices",
        (IndexModel([("series", ASCENDING), ("sequence", DESCENDING)], name="by_number", unique=True),),
        schema=INVOICE_SCHEMA,
    ),
)

WITHOUT_WORKINGS = {"outbox": 0, "handledEvents": 0}


class MongoStore:
    """Implements :class:`subgraphs.payments.service.Store`; ``encode`` gives a domain event the form it travels in."""

    def __init__(self, database: Database, outbox: Outbox, encode: Callable[[PaymentEvent, datetime], Event]) -> None:
        self._payments = Aggregates(database["payments"], outbox)
        self._invoices = database["invoices"]
        self._encode = encode

    async def payments(self, ids: Sequence[str]) -> Mapping[str, Payment]:
        """See :class:`Store`."""
        return {payment.id: payment for payment in await self._find({"_id": {"$in": list(ids)}}, len(ids))}

    async def payments_of_orders(self, order_ids: Sequence[str]) -> Mapping[str, Payment]:
        """See :class:`Store`."""
        found = await self._find({"orderId": {"$in": list(order_ids)}}, len(order_ids))
        return {payment.order_id: payment for payment in found}

    async def add(self, payment: Payment, cause: str | None = None) -> bool:
        """See :class:`Store`."""
        return await self._payments.insert(to_document(payment), cause=cause)

    async def save(
        self, payment: Payment, events: Sequence[PaymentEvent] = (), cause: str | None = None
    ) -> Payment | None:
        """See :class:`Store`."""
        written = replace(payment, revision=payment.revision + 1)
        published = [self._encode(event, payment.updated_at) for event in events]
        saved = await self._payments.write_over(payment.revision, to_document(written), events=published, cause=cause)
        return written if saved else None

    async def due(self, now: datetime, limit: int) -> Sequence[Payment]:
        """See :class:`Store`."""
        cursor = self._payments.collection.find({"dueAt": {"$lte": now}}, WITHOUT_WORKINGS)
        return [to_payment(document) for document in await cursor.sort("dueAt", ASCENDING).limit(limit).to_list(limit)]

    async def invoice_number(self, series: str, capture_key: str) -> str:
        """See :class:`Store`. The document that takes a place names its capture, so that no crash leaves a gap."""
        while True:
            taken = await self._invoices.find_one({"_id": capture_key})
            if taken is not None:
                return format_invoice_number(taken["series"], taken["sequence"])
            last = await self._invoices.find_one({"series": series}, sort=[("sequence", DESCENDING)])
            sequence = int(last["sequence"]) + 1 if last else 1
            try:
                await self._invoices.insert_one({"_id": capture_key, "series": series, "sequence": sequence})
            except DuplicateKeyError:
                continue  # another capture took this place, or another process took one for this capture
            return format_invoice_number(series, sequence)

    async def add_all(self, payments: Sequence[Payment]) -> int:
        """Add the payments that are not there yet, and the places of their invoices; the number of all of them."""
        invoices = [_invoice_place(invoice) for payment in payments for invoice in payment.invoices]
        await insert_missing(self._invoices, invoices)
        await self._payments.insert_missing([to_document(payment) for payment in payments])
        return len(payments) + len(invoices)

    async def _find(self, where: Document, limit: int) -> list[Payment]:
        documents = await self._payments.collection.find(where, WITHOUT_WORKINGS).to_list(limit)
        return [to_payment(document) for document in documents]


def to_document(payment: Payment) -> Document:
    """The fields of a payment's document, without those of the chassis."""
    return {
        "_id": payment.id,
        "orderId": payment.order_id,
        "customerId": payment.customer_id,
        "token": payment.token,
        "method": payment.method,
        "amount": _from_money(payment.amount),
        "status": payment.status.value,
        "captured": _from_money(payment.captured),
        "refunded": _from_money(payment.refunded),
        "createdAt": payment.created_at,
        "updatedAt": payment.updated_at,
        "lines": [_from_line(line) for line in payment.lines],
        "shippingFee": _from_money(payment.shipping_fee),
        "facts": sorted(fact.value for fact in payment.facts),
        "transactions": [_from_transaction(transaction) for transaction in payment.transactions],
        "captures": [_from_capture(capture) for capture in payment.captures],
        "refunds": [_from_refund(refund) for refund in payment.refunds],
        "returns": [_from_return(claim) for claim in payment.returns],
        "attempt": _from_attempt(payment.attempt) if payment.attempt else None,
        "delayed": payment.delayed,
        "dueAt": payment.due_at,
        "revision": payment.revision,
    }


def to_payment(document: Mapping[str, Any]) -> Payment:
    """The payment of a document."""
    return Payment(
        id=document["_id"],
        order_id=document["orderId"],
        customer_id=document["customerId"],
        token=document["token"],
        method=document["method"],
        amount=_to_money(document["amount"]),
        status=PaymentStatus(document["status"]),
        captured=_to_money(document["captured"]),
        refunded=_to_money(document["refunded"]),
        created_at=document["createdAt"],
        updated_at=document["updatedAt"],
        lines=tuple(_to_line(line) for line in document["lines"]),
        shipping_fee=_to_money(document["shippingFee"]),
        facts=frozenset(OrderFact(fact) for fact in document["facts"]),
        transactions=tuple(_to_transaction(transaction) for transaction in document["transactions"]),
        captures=tuple(_to_capture(capture) for capture in document["captures"]),
        refunds=tuple(_to_refund(refund) for refund in document["refunds"]),
        returns=tuple(_to_return(claim) for claim in document["returns"]),
        attempt=_to_attempt(document["attempt"]) if document["attempt"] else None,
        delayed=document["delayed"],
        due_at=document["dueAt"],
        revision=document["revision"],
    )


def _from_money(money: Money) -> Document:
    return {"amountMinor": money.amount_minor, "currencyCode": money.currency_code}


def _to_money(document: Mapping[str, Any]) -> Money:
    return Money(document["amountMinor"], document["currencyCode"])


def _from_line(line: PricedLine) -> Document:
    return {"productId": line.product_id, "quantity": line.quantity, "unitPrice": _from_money(line.unit_price)}


def _to_line(document: Mapping[str, Any]) -> PricedLine:
    return PricedLine(document["productId"], document["quantity"], _to_money(document["unitPrice"]))


def _from_transaction(transaction: Transaction) -> Document:
    return {
        "id": transaction.id,
        "kind": transaction.kind.value,
        "amount": _from_money(transaction.amount),
        "at": transaction.at,
        "status": transaction.status.value,
        "reason": transaction.reason,
        "postings": [
            {"account": each.account.value, "amountMinor": each.amount_minor} for each in transaction.postings
        ],
    }


def _to_transaction(document: Mapping[str, Any]) -> Transaction:
    return Transaction(
        document["id"],
        TransactionKind(document["kind"]),
        _to_money(document["amount"]),
        document["at"],
        TransactionStatus(document["status"]),
        document["reason"],
        tuple(Posting(Account(each["account"]), each["amountMinor"]) for each in document["postings"]),
    )


def _from_capture(capture: Capture) -> Document:
    return {
        "shipmentId": capture.shipment_id,
        "amount": _from_money(capture.amount),
        "status": capture.status.value,
        "at": capture.at,
        "invoice": _from_invoice(capture.invoice) if capture.invoice else None,
    }


def _to_capture(document: Mapping[str, Any]) -> Capture:
    return Capture(
        document["shipmentId"],
        _to_money(document["amount"]),
        SettlementStatus(document["status"]),
        document["at"],
        _to_invoice(document["invoice"]) if document["invoice"] else None,
    )


def _from_return(claim: ReturnClaim) -> Document:
    refund = _from_money(claim.refund) if claim.refund else None
    return {"id": claim.id, "refund": refund, "reason": claim.reason, "received": claim.received}


def _to_return(document: Mapping[str, Any]) -> ReturnClaim:
    refund = _to_money(document["refund"]) if document["refund"] else None
    return ReturnClaim(document["id"], refund, document["reason"], document["received"])


def _from_refund(refund: Refund) -> Document:
    return {
        "id": refund.id,
        "key": refund.key,
        "amount": _from_money(refund.amount),
        "reason": refund.reason,
        "status": refund.status.value,
        "at": refund.at,
        "failure": refund.failure,
    }


def _to_refund(document: Mapping[str, Any]) -> Refund:
    return Refund(
        document["id"],
        document["key"],
        _to_money(document["amount"]),
        document["reason"],
        SettlementStatus(document["status"]),
        document["at"],
        document["failure"],
    )


def _from_invoice(invoice: Invoice) -> Document:
    return {"number": invoice.number, "issuedAt": invoice.issued_at, "total": _from_money(invoice.total)}


def _to_invoice(document: Mapping[str, Any]) -> Invoice:
    return Invoice(document["number"], document["issuedAt"], _to_money(document["total"]))


def _invoice_place(invoice: Invoice) -> Document:
    series, sequence = read_invoice_number(invoice.number)
    return {"_id": invoice.number, "series": series, "sequence": sequence}


def _from_attempt(attempt: Attempt) -> Document:
    return {"kind": attempt.kind.value, "key": attempt.key, "count": attempt.count, "firstAt": attempt.first_at}


def _to_attempt(document: Mapping[str, Any]) -> Attempt:
    return Attempt(TransactionKind(document["kind"]), document["key"], document["count"], document["firstAt"])
