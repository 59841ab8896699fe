"""Captures: what to take of an authorised amount when a parcel of the order leaves its warehouse.

An order of several parcels is captured parcel by parcel: each one's pieces at the prices of the order, the shipping
fee with the first. The last parcel takes whatever is left, so that all of them together are exactly the total.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from subgraphs.payments.domain import (
    Capture,
    Invoice,
    Money,
    OrderFact,
    Payment,
    SettlementStatus,
    settle,
)


@dataclass(frozen=True, slots=True)
class DispatchedParcel:
    """One of the ``count`` parcels of an order has left; ``pieces`` are (product id, quantity)."""

    shipment_id: str
    pieces: tuple[tuple[str, int], ...] = ()
    count: int = 1


def claim_parcel(payment: Payment, parcel: DispatchedParcel, now: datetime) -> Payment | None:
    """The payment with one more capture due; None where that parcel is known."""
    if any(capture.shipment_id == parcel.shipment_id for capture in payment.captures):
        return None
    amount = Money(_amount_minor(payment, parcel), payment.amount.currency_code)
    status = SettlementStatus.PENDING if amount.amount_minor else SettlementStatus.SUCCEEDED
    capture = Capture(parcel.shipment_id, amount, status, now)
    return replace(payment, captures=(*payment.captures, capture))


def unclaimed_minor(payment: Payment) -> int:
    """What is left for parcels that have not been heard of yet."""
    return payment.amount.amount_minor - sum(capture.amount.amount_minor for capture in payment.captures)


def pending_capture(payment: Payment) -> Capture | None:
    """The capture that has to be made next; None where nothing is held, or the order was cancelled."""
    if not payment.held_minor or OrderFact.CANCELLED in payment.facts:
        return None
    return next((each for each in payment.captures if each.status is SettlementStatus.PENDING), None)


def capture_key(payment: Payment, capture: Capture) -> str:
    """The idempotency key under which the provider knows this capture."""
    return f"{payment.id}:capture:{capture.shipment_id}"


def find_capture(payment: Payment, key: str) -> Capture:
    """The capture of that key; raises LookupError where there is none."""
    for capture in payment.captures:
        if capture_key(payment, capture) == key:
            return capture
    raise LookupError(f"payment {payment.id} has no capture {key}")


def take(payment: Payment, capture: Capture, invoice: Invoice) -> Payment:
    """The payment whose provider has made ``capture``."""
    done = replace(capture, status=SettlementStatus.SUCCEEDED, invoice=invoice)
    captured = payment.captured.plus(capture.amount.amount_minor)
    return settle(replace(_with_answered(payment, done), captured=captured))


def fail_capture(payment: Payment, capture: Capture) -> Payment:
    """The payment whose provider has refused ``capture``; its transactions say why."""
    return _with_answered(payment, replace(capture, status=SettlementStatus.FAILED))


def _amount_minor(payment: Payment, parcel: DispatchedParcel) -> int:
    left_minor = unclaimed_minor(payment)
    if len(payment.captures) + 1 >= parcel.count:
        return left_minor
    prices = {line.product_id: line.unit_price.amount_minor for line in payment.lines}
    goods_minor = sum(prices.get(product_id, 0) * quantity for product_id, quantity in parcel.pieces)
    fee_minor = 0 if payment.captures else payment.shipping_fee.amount_minor
    return min(goods_minor + fee_minor, left_minor)


def _with_answered(payment: Payment, answered: Capture) -> Payment:
    captures = tuple(answered if each.shipment_id == answered.shipment_id else each for each in payment.captures)
    return replace(payment, captures=captures)
