"""The events that payments consumes and publishes: CloudEvents on one side, the domain on the other."""

from __future__ import annotations

from datetime import datetime

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.events.event import Event, Payload, new_event, read_payload
from subgraphs.payments.captures import DispatchedParcel
from subgraphs.payments.domain import (
    Money,
    OrderFact,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentDelayed,
    PaymentEvent,
    PaymentRefunded,
    PaymentVoided,
    PricedLine,
)
from subgraphs.payments.refunds import ReturnReceived, ReturnRequested
from subgraphs.payments.service import Payments, PaymentUnknownError, PlacedOrder
from subgraphs.payments.steps import News

SOURCE = "payments"


class MoneyPayload(Payload):
    """Money in an event."""

    amount_minor: int
    currency_code: str


class PricedLinePayload(Payload):
    """A line of an order."""

    product_id: str
    quantity: int
    unit_price: MoneyPayload


class PaymentMethodPayload(Payload):
    """How an order is paid."""

    token: str


class OrderPlacedPayload(Payload):
    """``order.placed``, as far as payments cares."""

    order_id: str
    customer_id: str
    lines: list[PricedLinePayload]
    shipping_fee: MoneyPayload
    total: MoneyPayload
    payment_method: PaymentMethodPayload


class OrderFactPayload(Payload):
    """``inventory.reserved`` and ``order.cancelled``, as far as payments cares."""

    order_id: str


class PiecesPayload(Payload):
    """So many pieces of a product in a parcel."""

    product_id: str
    quantity: int


class ParcelPayload(Payload):
    """How many parcels the order has."""

    count: int = 1


class ShipmentDispatchedPayload(Payload):
    """``shipment.dispatched``, as far as payments cares."""

    order_id: str
    shipment_id: str
    lines: tuple[PiecesPayload, ...] = ()
    parcel: ParcelPayload = ParcelPayload()


class ShipmentReturnedPayload(Payload):
    """``shipment.returned``, as far as payments cares; without ``return_id`` a parcel was called back on its way."""

    order_id: str
    return_id: str | None = None


class ReturnRequestedPayload(Payload):
    """``order.return_requested``, as far as payments cares."""

    order_id: str
    return_id: str
    refund: MoneyPayload
    reason: str


class AuthorizedPayload(Payload):
    """``payment.authorized``."""

    order_id: str
    payment_id: str
    amount: MoneyPayload


class DelayedPayload(Payload):
    """``payment.delayed``."""

    order_id: str
    payment_id: str
    reason: str


class CapturedPayload(Payload):
    """``payment.captured``: for one parcel."""

    order_id: str
    payment_id: str
    shipment_id: str
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
    order = PlacedOrder(
        id=data.order_id,
        customer_id=data.customer_id,
        total=_read_money(data.total),
        token=data.payment_method.token,
        lines=tuple(PricedLine(line.product_id, line.quantity, _read_money(line.unit_price)) for line in data.lines),
        shipping_fee=_read_money(data.shipping_fee),
    )
    await payments.open_payment(order, event.id)


async def on_inventory_reserved(payments: Payments, event: Event) -> None:
    """Authorise the amount."""
    await _learn(payments, event, read_payload(event, OrderFactPayload).order_id, OrderFact.RESERVED)


async def on_order_cancelled(payments: Payments, event: Event) -> None:
    """Let go of what is held, and give back what was taken."""
    await _learn(payments, event, read_payload(event, OrderFactPayload).order_id, OrderFact.CANCELLED)


async def on_shipment_dispatched(payments: Payments, event: Event) -> None:
    """Capture what the parcel is worth."""
    shipment = read_payload(event, ShipmentDispatchedPayload)
    pieces = tuple((line.product_id, line.quantity) for line in shipment.lines)
    parcel = DispatchedParcel(shipment.shipment_id, pieces, shipment.parcel.count)
    await _learn(payments, event, shipment.order_id, parcel)


async def on_return_requested(payments: Payments, event: Event) -> None:
    """Remember the refund until the goods are back."""
    data = read_payload(event, ReturnRequestedPayload)
    await _learn(payments, event, data.order_id, ReturnRequested(data.return_id, _read_money(data.refund), data.reason))


async def on_shipment_returned(payments: Payments, event: Event) -> None:
    """Refund a return; what was called back is refunded by the cancellation of its order."""
    shipment = read_payload(event, ShipmentReturnedPayload)
    if shipment.return_id is not None:
        await _learn(payments, event, shipment.order_id, ReturnReceived(shipment.return_id))


HANDLERS = {
    "order.placed": on_order_placed,
    "inventory.reserved": on_inventory_reserved,
    "order.cancelled": on_order_cancelled,
    "order.return_requested": on_return_requested,
    "shipment.dispatched": on_shipment_dispatched,
    "shipment.returned": on_shipment_returned,
}


def encode(event: PaymentEvent, at: datetime) -> Event:
    """The form in which a domain event travels."""
    type_, payload = _describe(event)
    return new_event(SOURCE, type_, event.payment_id, at, payload)


def _describe(event: PaymentEvent) -> tuple[str, Payload]:
    ids = {"order_id": event.order_id, "payment_id": event.payment_id}
    match event:
        case PaymentAuthorized(amount=amount):
            return "payment.authorized", AuthorizedPayload(**ids, amount=_money(amount))
        case PaymentDelayed(reason=reason):
            return "payment.delayed", DelayedPayload(**ids, reason=reason)
        case PaymentCaptured(amount=amount, shipment_id=shipment_id):
            return "payment.captured", CapturedPayload(**ids, amount=_money(amount), shipment_id=shipment_id)
        case PaymentDeclined(code=code, message=message):
            return "payment.declined", DeclinedPayload(**ids, code=code, message=message)
        case PaymentRefunded(refund_id=refund_id, amount=amount, reason=reason):
            return "payment.refunded", RefundedPayload(**ids, refund_id=refund_id, amount=_money(amount), reason=reason)
        case PaymentVoided():
            return "payment.voided", VoidedPayload(**ids)


def _money(money: Money) -> MoneyPayload:
    return MoneyPayload(amount_minor=money.amount_minor, currency_code=money.currency_code)


def _read_money(money: MoneyPayload) -> Money:
    return Money(money.amount_minor, money.currency_code)


async def _learn(payments: Payments, event: Event, order_id: str, news: News) -> None:
    try:
        await payments.learn(order_id, news, event.id)
    except PaymentUnknownError as error:
        raise RetryLater(str(error)) from None
