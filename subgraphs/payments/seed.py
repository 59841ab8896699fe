"""The demo shop's payments, as this service would have stored them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from subgraphs import demo
from subgraphs.demo import model
from subgraphs.payments.domain import (
    Attempt,
    Capture,
    Invoice,
    Money,
    OrderFact,
    Payment,
    PaymentStatus,
    PricedLine,
    Refund,
    SettlementStatus,
    Transaction,
    TransactionKind,
    TransactionStatus,
    format_invoice_number,
    invoice_series,
)
from subgraphs.payments.ledger import Postings, post_capture, post_hold, post_refund, post_release
from subgraphs.payments.provider import PaymentProvider
from subgraphs.payments.steps import next_step
from subgraphs.payments.store import MongoStore

WAITING_ATTEMPTS = 8
"""How often the provider was asked about a payment that still waits: the pauses have grown to their longest."""


_POST: Mapping[TransactionKind, Callable[[int], Postings]] = {
    TransactionKind.AUTHORIZATION: post_hold,
    TransactionKind.CAPTURE: post_capture,
    TransactionKind.VOID: post_release,
    TransactionKind.REFUND: post_refund,
}


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
        lines=tuple(PricedLine(each.product_id, each.quantity, _money(each.unit_price_minor)) for each in order.lines),
        shipping_fee=_money(order.shipping_fee_minor),
        facts=_facts(order),
        captures=tuple(_captures(order)),
        transactions=tuple(_transaction(transaction) for transaction in known.transactions),
        refunds=tuple(_refund(refund) for refund in known.refunds),
    )
    return _with_attempt(payment, now)


def _facts(order: model.Order) -> frozenset[OrderFact]:
    facts = set()
    if order.reservation.status != "REJECTED":
        facts.add(OrderFact.RESERVED)
    if order.status == "CANCELLED":
        facts.add(OrderFact.CANCELLED)
    return frozenset(facts)


def _with_attempt(payment: Payment, now: datetime) -> Payment:
    """A payment that waits for its authorisation is asked for again from now on."""
    step = next_step(payment)
    if step is None:
        return payment
    attempt = Attempt(step.kind, step.key, WAITING_ATTEMPTS, payment.created_at)
    return replace(payment, attempt=attempt, delayed=True, due_at=now)


def _transaction(known: model.PaymentTransaction) -> Transaction:
    kind = TransactionKind(known.kind)
    if not known.approved:
        return Transaction(
            known.id, kind, _money(known.amount_minor), known.at, TransactionStatus.FAILED, known.message
        )
    postings = _POST[kind](known.amount_minor)
    return Transaction(
        known.id, kind, _money(known.amount_minor), known.at, TransactionStatus.SUCCEEDED, None, postings
    )


def _captures(order: model.Order) -> Iterator[Capture]:
    """The demo's orders travel in one parcel each."""
    for transaction in order.payment.transactions:
        if transaction.kind == "CAPTURE":
            (shipment,) = order.shipments
            amount = _money(transaction.amount_minor)
            yield Capture(shipment.id, amount, SettlementStatus.SUCCEEDED, transaction.at)


def _refund(known: model.Refund) -> Refund:
    return Refund(known.id, known.id, _money(known.amount_minor), known.reason, SettlementStatus.SUCCEEDED, known.at)


def _with_invoices(payments: Sequence[Payment]) -> list[Payment]:
    issued: Counter[str] = Counter()
    numbered = {}
    taken = [(capture.at, payment) for payment in payments for capture in payment.captures]
    for at, payment in sorted(taken, key=lambda each: (each[0], each[1].id)):
        series = invoice_series(at)
        issued[series] += 1
        invoice = Invoice(format_invoice_number(series, issued[series]), at, payment.captured)
        (capture,) = payment.captures
        numbered[payment.id] = replace(payment, captures=(replace(capture, invoice=invoice),))
    return [numbered.get(payment.id, payment) for payment in payments]


def _money(amount_minor: int) -> Money:
    return Money(amount_minor, demo.CURRENCY)
