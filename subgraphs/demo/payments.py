"""What happened to the money of an order, told by the answers of the payment provider."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from subgraphs.demo.fates import Fate
from subgraphs.demo.model import OrderLine, Payment, PaymentTransaction, Refund, TransactionKind
from subgraphs.demo.timeline import Milestones, cancelled_at, new_id

_CAPTURED = ("CAPTURED", "PARTIALLY_REFUNDED", "REFUNDED")


def draw_payment(
    fate: Fate, times: Milestones, lines: tuple[OrderLine, ...], total_minor: int, dice: Random
) -> Payment:
    """Return the payment of an order of `total_minor`; a partial refund gives back its first line."""
    refund_minor = _refund_minor(fate, lines, total_minor)
    transactions = tuple(_transactions(fate, times, total_minor, refund_minor, dice))
    return Payment(
        id=new_id("pay", dice),
        token=fate.token,
        status=fate.payment,
        amount_minor=total_minor,
        authorized_minor=_sum_minor("AUTHORIZATION", transactions),
        captured_minor=_sum_minor("CAPTURE", transactions),
        refunded_minor=_sum_minor("REFUND", transactions),
        created_at=times.placed,
        updated_at=_updated_at(fate, times, transactions),
        transactions=transactions,
        refunds=tuple(_refund(fate, entry, dice) for entry in transactions if entry.kind == "REFUND"),
    )


def _refund_minor(fate: Fate, lines: tuple[OrderLine, ...], total_minor: int) -> int:
    if fate.payment == "REFUNDED":
        return total_minor
    if fate.payment == "PARTIALLY_REFUNDED":
        # Half of an order with one line only, so that a partial refund never gives everything back.
        return lines[0].unit_price_minor if len(lines) > 1 else total_minor // 2
    return 0


def _transactions(
    fate: Fate, times: Milestones, total_minor: int, refund_minor: int, dice: Random
) -> Iterator[PaymentTransaction]:
    if fate.payment == "DECLINED":
        yield _declined(fate, times.decided, total_minor, dice)
    if "CONFIRMED" in fate.path:
        yield _approved("AUTHORIZATION", total_minor, times.decided, dice)
    if fate.payment == "VOIDED" and "CONFIRMED" in fate.path:
        yield _approved("VOID", total_minor, cancelled_at(fate, times), dice)
    if fate.payment in _CAPTURED:
        yield _approved("CAPTURE", total_minor, times.dispatched, dice)
    if refund_minor:
        refunded_at = times.refunded if fate.cancellation is None else cancelled_at(fate, times)
        yield _approved("REFUND", refund_minor, refunded_at, dice)


def _approved(kind: TransactionKind, amount_minor: int, at: datetime, dice: Random) -> PaymentTransaction:
    return PaymentTransaction(new_id("txn", dice), kind, approved=True, amount_minor=amount_minor, at=at)


def _declined(fate: Fate, at: datetime, amount_minor: int, dice: Random) -> PaymentTransaction:
    code = fate.cancellation.code if fate.cancellation else None
    message = fate.cancellation.reason if fate.cancellation else None
    return PaymentTransaction(
        new_id("txn", dice),
        "AUTHORIZATION",
        approved=False,
        amount_minor=amount_minor,
        at=at,
        code=code,
        message=message,
    )


def _sum_minor(kind: TransactionKind, transactions: tuple[PaymentTransaction, ...]) -> int:
    return sum(entry.amount_minor for entry in transactions if entry.kind == kind and entry.approved)


def _refund(fate: Fate, entry: PaymentTransaction, dice: Random) -> Refund:
    reason = fate.cancellation.reason if fate.cancellation else "Arrived damaged."
    return Refund(new_id("ref", dice), entry.id, entry.amount_minor, reason, entry.at)


def _updated_at(fate: Fate, times: Milestones, transactions: tuple[PaymentTransaction, ...]) -> datetime:
    if fate.cancellation is not None:
        return cancelled_at(fate, times)
    return transactions[-1].at if transactions else times.placed
