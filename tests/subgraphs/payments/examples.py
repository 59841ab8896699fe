"""A payment of 59.90 EUR, and a provider that keeps its promises and can be told to fail."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from subgraphs.payments.captures import DispatchedParcel
from subgraphs.payments.domain import (
    Approved,
    Capture,
    Money,
    Outcome,
    Payment,
    PaymentStatus,
    PricedLine,
    SettlementStatus,
    Step,
    TransactionKind,
)
from subgraphs.payments.provider import ProviderUnavailableError
from subgraphs.payments.service import PlacedOrder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOTAL = Money(5990, "EUR")
FEE = Money(490, "EUR")
LINES = (PricedLine("MUG-001", 3, Money(1000, "EUR")), PricedLine("LMP-001", 1, Money(2500, "EUR")))
ORDER = PlacedOrder("ord_1", "cus_ada", TOTAL, "tok_approved", LINES, FEE)

WHOLE = DispatchedParcel("shp_1")
"""The only parcel of the order."""

MUGS = DispatchedParcel("shp_ber", (("MUG-001", 2),), 2)
"""One of two parcels: 20.00 EUR."""

REST = DispatchedParcel("shp_par", (("MUG-001", 1), ("LMP-001", 1)), 2)
"""The other one: 35.00 EUR."""


def a_payment(
    status: PaymentStatus = PaymentStatus.PENDING,
    captured_minor: int = 0,
    number: int = 1,
    customer_id: str = "cus_ada",
) -> Payment:
    return Payment(
        id=f"pay_{number}",
        order_id=f"ord_{number}",
        customer_id=customer_id,
        token="tok_approved",
        method="Visa •••• 4242",
        amount=TOTAL,
        status=status,
        captured=Money(captured_minor, "EUR"),
        refunded=Money(0, "EUR"),
        created_at=NOW,
        updated_at=NOW,
        lines=LINES,
        shipping_fee=FEE,
    )


def captured(number: int = 1) -> Payment:
    """A payment whose only parcel has left; how it came to be is not in its ledger."""
    capture = Capture("shp_1", TOTAL, SettlementStatus.SUCCEEDED, NOW)
    return replace(a_payment(PaymentStatus.CAPTURED, 5990, number), captures=(capture,))


@dataclass(slots=True)
class MovableClock:
    """A clock that a test moves by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class CrashError(BaseException):
    """The process that made a call is gone."""


@dataclass(slots=True)
class FakeProvider:
    """A provider with an account: a call repeated under its key has one effect and the same answer.

    ``outages`` calls do not reach it, ``lost_answers`` of its answers are lost, ``crashes`` times the caller dies.
    """

    answers: dict[TransactionKind, Outcome] = field(default_factory=dict)
    outages: int = 0
    lost_answers: int = 0
    crashes: int = 0
    held_minor: int = 0
    taken_minor: int = 0
    given_back_minor: int = 0
    calls: list[str] = field(default_factory=list)
    known: dict[str, Outcome] = field(default_factory=dict)

    async def perform(self, step: Step) -> Outcome:
        self.calls.append(step.key)
        if self.outages:
            self.outages -= 1
            raise ProviderUnavailableError("the line is dead")
        if step.key not in self.known:
            self._book(step)
        if self.lost_answers:
            self.lost_answers -= 1
            raise ProviderUnavailableError("the answer was lost")
        if self.crashes:
            self.crashes -= 1
            raise CrashError
        return self.known[step.key]

    def describe_method(self, token: str) -> str:
        return f"Card of {token}"

    def _book(self, step: Step) -> None:
        answer = self.known[step.key] = self.answers.get(step.kind, Approved())
        if not isinstance(answer, Approved):
            return
        match step.kind:
            case TransactionKind.AUTHORIZATION:
                self.held_minor += step.amount.amount_minor
            case TransactionKind.VOID:
                self.held_minor = 0
            case TransactionKind.CAPTURE:
                self.held_minor -= step.amount.amount_minor
                self.taken_minor += step.amount.amount_minor
            case TransactionKind.REFUND:
                self.given_back_minor += step.amount.amount_minor
