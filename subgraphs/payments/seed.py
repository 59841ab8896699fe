"""The demo shop's payments, as this service would have stored them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from subgraphs import demo
from subgraphs.demo import model
from subgraphs.payments.domain import (
    Attempt,
    Invoice,
    Money,
    OrderFact,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    Transaction,
    TransactionKind,
    TransactionStatus,
    format_invoice_number,
    invoice_series,
    next_step,
)
from subgraphs.payments.provider import PaymentProvider
from subgraphs.payments.store import MongoStore

WAITING_ATTEMPTS = 8
"""How often the provider was asked about a payment that still waits: the pauses have grown to their longest."""


async def seed(store: MongoStore, provider: PaymentProvider, now: datetime) -> int:
    """Insert what is not there yet; the number of documents of the demo shop."""
    return await store.add_all(demo_payments(now, provider))


def demo_payments(now: datetime, provider: PaymentProvider) -> list[Payment]:
    """The payments of all orders of the demo shop; invoices are numbered in the order of their captures."""
    payments = [_payment(order, provider, now) for order in demo.demo_shop(now).orders]
    return _with_invoices(payments)


def _payment(order: model.Order, provider: PaymentProvider, now: datetime) -> Payment:
    known = order.payment
    payment = Payment(
        id=known.id,
        order_id=order.id,
        customer_id=order.customer_id,
        token=known.token,
        method=provider.describe_method(known.token),
        amount=_money(known.amount_minor),
        status=PaymentStatus(known.status),
        captured=_money(known.captured_minor),
        refunded=_money(known.refunded_minor),
        created_at=known.created_at,
        updated_at=known.updated_at,
        facts=_facts(order),
        transactions=tuple(_transaction(transaction) for transaction in known.transactions),
        refunds=tuple(_refund(refund) for refund in known.refunds),
    )
    return _with_attempt(payment, now)


def _facts(order: model.Order) -> frozenset[OrderFact]:
    facts = set()
    if order.reservation.status != "REJECTED":
        facts.add(OrderFact.RESERVED)
    if any(change.to_status == "DISPATCHED" for change in order.history):
        facts.add(OrderFact.DISPATCHED)
    if order.status == "CANCELLED":
        facts.add(OrderFact.CANCELLED)
    return frozenset(facts)


def _with_attempt(payment: Payment, now: datetime) -> Payment:
    """A payment that waits for its authorisation is asked for again from now on."""
    step = next_step(payment)
    if step is None:
        return payment
    attempt = Attempt(step.kind, step.key, WAITING_ATTEMPTS, payment.created_at)
    return replace(payment, attempt=attempt, due_at=now)


def _transaction(known: model.PaymentTransaction) -> Transaction:
    status = TransactionStatus.SUCCEEDED if known.approved else TransactionStatus.FAILED
    return Transaction(
        known.id, TransactionKind(known.kind), _money(known.amount_minor), known.at, status, known.message
    )


def _refund(known: model.Refund) -> Refund:
    return Refund(known.id, known.id, _money(known.amount_minor), known.reason, RefundStatus.SUCCEEDED, known.at)


def _with_invoices(payments: Sequence[Payment]) -> list[Payment]:
    issued: Counter[str] = Counter()
    numbered = {}
    for at, payment in sorted(_captures(payments), key=lambda capture: (capture[0], capture[1].id)):
        series = invoice_series(at)
        issued[series] += 1
        invoice = Invoice(format_invoice_number(series, issued[series]), at, payment.captured)
        numbered[payment.id] = replace(payment, invoice=invoice)
    return [numbered.get(payment.id, payment) for payment in payments]


def _captures(payments: Sequence[Payment]) -> Iterator[tuple[datetime, Payment]]:
    for payment in payments:
        for transaction in payment.transactions:
            if transaction.kind is TransactionKind.CAPTURE:
                yield transaction.at, payment


def _money(amount_minor: int) -> Money:
    return Money(amount_minor, demo.CURRENCY)
