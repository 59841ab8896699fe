"""The events that payments consumes and publishes: CloudEvents on one side, the domain on the other."""

from __future__ import annotations

from datetime import datetime

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.event import Event, Payload, new_event, read_payload
from subgraphs.payments.domain import (
    Money,
    OrderFact,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentRefunded,
    PaymentVoided,
)
from subgraphs.payments.service import Payments, PaymentUnknownError, PlacedOrder

SOURCE = "payments"


class MoneyPayload(Payload):
    """Money in an event."""

    amount_minor: int
    currency_code: str


class PaymentMethodPayload(Payload):
    """How an order is paid."""

    token: str


class OrderPlacedPayload(Payload):
    """``order.placed``, as far as payments cares."""

    order_id: str
    customer_id: str
    total: MoneyPayload
    payment_method: PaymentMethodPayload


class OrderFactPayload(Payload):
    """``inventory.reserved``, ``order.cancelled`` and ``shipment.dispatched``, as far as payments cares."""

    order_id: str


class AmountPayload(Payload):
    """``payment.authorized`` and ``payment.captured``."""

    order_id: str
    payment_id: str
    amount: MoneyPayload


class DeclinedPayload(Payload):
    """``payment.declined``."""

    order_id: str
    payment_id: str
    code: str
    message: str


class RefundedPayload(Payload):
    """``payment.refunded``."""

    order_id: str
    payment_id: str
    refund_id: str
    amount: MoneyPayload
    reason: str


class VoidedPayload(Payload):
    """``payment.voided``."""

    order_id: str
    payment_id: str


async def on_order_placed(payments: Payments, event: Event) -> None:
    """Record a pending payment."""
    data = read_payload(event, OrderPlacedPayload)
    total = Money(data.total.amount_minor, data.total.currency_code)
    await payments.open_payment(
        PlacedOrder(data.order_id, data.customer_id, total, data.payment_method.token), event.id
    )


async def on_inventory_reserved(payments: Payments, event: Event) -> None:
    """Authorise the amount."""
    await _learn(payments, event, OrderFact.RESERVED)


async def on_order_cancelled(payments: Payments, event: Event) -> None:
    """Let go of what is held, and give back what was taken."""
    await _learn(payments, event, OrderFact.CANCELLED)


async def on_shipment_dispatched(payments: Payments, event: Event) -> None:
    """Capture the amount."""
    await _learn(payments, event, OrderFact.DISPATCHED)


HANDLERS = {
    "order.placed": on_order_placed,
    "inventory.reserved": on_inventory_reserved,
    "order.cancelled": on_order_cancelled,
    "shipment.dispatched": on_shipment_dispatched,
}


def encode(event: PaymentEvent, at: datetime) -> Event:
    """The form in which a domain event travels."""
    type_, payload = _describe(event)
    return new_event(SOURCE, type_, event.payment_id, at, payload)


def _describe(event: PaymentEvent) -> tuple[str, Payload]:
    ids = {"order_id": event.order_id, "payment_id": event.payment_id}
    match event:
        case PaymentAuthorized(amount=amount):
            return "payment.authorized", AmountPayload(**ids, amount=_money(amount))
        case PaymentCaptured(amount=amount):
            return "payment.captured", AmountPayload(**ids, amount=_money(amount))
        case PaymentDeclined(code=code, message=message):
            return "payment.declined", DeclinedPayload(**ids, code=code, message=message)
        case PaymentRefunded(refund_id=refund_id, amount=amount, reason=reason):
            return "payment.refunded", RefundedPayload(**ids, refund_id=refund_id, amount=_money(amount), reason=reason)
        case PaymentVoided():
            return "payment.voided", VoidedPayload(**ids)


def _money(money: Money) -> MoneyPayload:
    return MoneyPayload(amount_minor=money.amount_minor, currency_code=money.currency_code)


async def _learn(payments: Payments, event: Event, fact: OrderFact) -> None:
    order_id = read_payload(event, OrderFactPayload).order_id
    try:
        await payments.learn(order_id, fact, event.id)
    except PaymentUnknownError as error:
        raise RetryLater(str(error)) from None
