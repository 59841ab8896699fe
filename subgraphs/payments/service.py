"""The use cases of payments: learn what happens to an order, bring its payment forward, give money back.

Every change is one write over the revision it was derived from. Who loses that race reads again; who crashes leaves a
payment that is due, which the next round of ``Payments.advance_due`` of any replica brings forward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from traceback import extract_tb
from typing import Protocol

import structlog

from subgraphs.payments.card_numbers import mask_card_numbers
from subgraphs.payments.domain import (
    Approved,
    Change,
    Declined,
    InProgress,
    Money,
    Outcome,
    Payment,
    PaymentError,
    PaymentEvent,
    PaymentStatus,
    PricedLine,
    Refund,
    SettlementStatus,
    Step,
    TransactionKind,
    invoice_series,
    payment_id_of,
)
from subgraphs.payments.provider import PaymentProvider, ProviderUnavailableError
from subgraphs.payments.refunds import RefundRequest, find_refund
from subgraphs.payments.steps import (
    News,
    begin_step,
    conclude_step,
    due_step,
    learn,
    next_step,
    postpone_step,
    request_refund,
)

ATTEMPTS = 20
"""How often a change is derived anew when others write the same payment in between."""

DUE_BATCH = 50
UNREACHABLE = "The payment provider cannot be reached; it is asked again."
SLOW = "The payment provider takes longer than usual; it is asked again."
LOG = structlog.get_logger()


class PaymentUnknownError(Exception):
    """What happened to an order cannot be learnt before the order itself is known."""


class Store(Protocol):
    """Where payments are kept; each write is one atomic step, together with its events."""

    async def payments(self, ids: Sequence[str]) -> Mapping[str, Payment]:
        """The payments of those ids that there are."""

    async def payments_of_orders(self, order_ids: Sequence[str]) -> Mapping[str, Payment]:
        """The payments of those orders that there are, by order id."""

    async def add(self, payment: Payment, cause: str | None = None) -> bool:
        """Add a payment; False where its order has one."""

    async def save(
        self, payment: Payment, events: Sequence[PaymentEvent] = (), cause: str | None = None
    ) -> Payment | None:
        """Write ``payment`` over its own revision, and return it with the next one; None where others wrote first."""

    async def due(self, now: datetime, limit: int) -> Sequence[Payment]:
        """Up to ``limit`` payments whose ``due_at`` has come, the longest waiting first."""

    async def invoice_number(self, series: str, capture_key: str) -> str:
        """The number of a capture's invoice: the next of ``series``, without gaps; the same when asked again."""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """What payments needs to know of an order."""

    id: str
    customer_id: str
    total: Money
    token: str
    lines: tuple[PricedLine, ...]
    shipping_fee: Money


@dataclass(frozen=True, slots=True)
class RefundResult:
    """The payment as it is now, and the refund that the idempotency key stands for."""

    payment: Payment
    refund: Refund


@dataclass(frozen=True, slots=True)
class Payments:
    """The use cases over a store and a provider; ``clock`` tells the time."""

    store: Store
    provider: PaymentProvider
    clock: Callable[[], datetime]

    async def open_payment(self, order: PlacedOrder, cause: str) -> None:
        """Record a pending payment for a placed order; a repeat changes nothing."""
        now = self.clock()
        nothing = Money(0, order.total.currency_code)
        token = mask_card_numbers(order.token)  # a card number in its place is one that the provider does not know
        payment = Payment(
            id=payment_id_of(order.id),
            order_id=order.id,
            customer_id=order.customer_id,
            token=token,
            method=self.provider.describe_method(token),
            amount=order.total,
            status=PaymentStatus.PENDING,
            captured=nothing,
            refunded=nothing,
            created_at=now,
            updated_at=now,
            lines=order.lines,
            shipping_fee=order.shipping_fee,
        )
        await self.store.add(payment, cause)

    async def learn(self, order_id: str, news: News, cause: str) -> Payment:
        """Record what happened to an order, or to its parcels, and do what follows from it; a repeat changes nothing.

        Raises PaymentUnknownError where the order is not known yet.
        """
        for _ in range(ATTEMPTS):
            payment = (await self.store.payments_of_orders([order_id])).get(order_id)
            if payment is None:
                raise PaymentUnknownError(f"The payment of {order_id} is not known yet.")
            change = learn(payment, news, self.clock())
            if change is None:
                return payment
            saved = await self.store.save(change.payment, change.events, cause)
            if saved:
                return await self.advance(saved)
        raise PaymentError("CONFLICT", f"Others are changing the payment of {order_id} at this moment; try again.")

    async def refund(self, payment_id: str, request: RefundRequest) -> RefundResult:
        """Give back captured money; a repeat with the same key gives nothing more and answers alike.

        A refund that the provider has not answered stays PENDING and is asked for again until it does. Raises
        PaymentError: PAYMENT_UNKNOWN, REFUND_DECLINED (by the provider), or a code of ``request_refund``.
        """
        payment = await self.advance(await self._accept_refund(payment_id, request))
        refund = find_refund(payment, request.key)
        if refund is None:
            raise LookupError(f"the refund {request.key!r} of {payment_id} was accepted and is gone")
        if refund.status is SettlementStatus.FAILED:
            raise PaymentError("REFUND_DECLINED", f"The payment provider refused the refund: {refund.failure}")
        return RefundResult(payment, refund)

    async def advance(self, payment: Payment) -> Payment:
        """Make the provider calls that are due, one after the other, until there is none."""
        while (step := due_step(payment, self.clock())) is not None:
            claimed = await self.store.save(begin_step(payment, step, self.clock()))
            if claimed is None:
                return await self._reload(payment)  # whoever wrote first goes on with it
            change = await self._call(claimed, step)
            payment = await self.store.save(change.payment, change.events) or await self._reload(payment)
        return payment

    async def hear(self, payment_id: str, key: str, outcome: Approved | Declined, cause: str) -> bool:
        """Take the provider's own word for the call that was made under ``key``; False where the payment is unknown.

        Nothing changes where that call is concluded, or where another one has taken its place.
        """
        for _ in range(ATTEMPTS):
            payment = (await self.store.payments([payment_id])).get(payment_id)
            if payment is None:
                return False
            step = next_step(payment)
            if step is None or payment.attempt is None or not step.key == payment.attempt.key == key:
                return True
            change = await self._conclude(payment, step, outcome)
            saved = await self.store.save(change.payment, change.events, cause)
            if saved:
                await self.advance(saved)
                return True
        raise PaymentError("CONFLICT", "Others are changing this payment at this moment; try again.")

    async def advance_due(self) -> None:
        """One round of the worker: bring forward the payments that are due."""
        for payment in await self.store.due(self.clock(), DUE_BATCH):
            try:
                await self.advance(payment)
            except Exception as error:  # noqa: BLE001 - one payment that cannot go on must not stop the others
                # The frames without their values: what the provider said in between may hold a card number.
                stack = " > ".join(f"{frame.name}:{frame.lineno}" for frame in extract_tb(error.__traceback__))
                LOG.error("payment_not_advanced", payment=payment.id, error=mask_card_numbers(repr(error)), stack=stack)

    async def _accept_refund(self, payment_id: str, request: RefundRequest) -> Payment:
        for _ in range(ATTEMPTS):
            payment = (await self.store.payments([payment_id])).get(payment_id)
            if payment is None:
                raise PaymentError("PAYMENT_UNKNOWN", "There is no payment of that id.", "paymentId")
            accepted = request_refund(payment, request, self.clock())
            if accepted is payment:
                return payment
            saved = await self.store.save(accepted)
            if saved:
                return saved
        raise PaymentError("CONFLICT", "Others are changing this payment at this moment; try again.")

    async def _call(self, payment: Payment, step: Step) -> Change:
        try:
            outcome: Outcome = await self.provider.perform(step)
        except ProviderUnavailableError as error:
            LOG.warning(
                "provider_unavailable",
                payment=step.payment_id,
                step=step.kind.value,
                reason=mask_card_numbers(str(error)),
            )
            return postpone_step(payment, UNREACHABLE, self.clock())
        if isinstance(outcome, InProgress):
            return postpone_step(payment, SLOW, self.clock(), outcome.retry_after_s)
        return await self._conclude(payment, step, outcome)

    async def _conclude(self, payment: Payment, step: Step, outcome: Approved | Declined) -> Change:
        now, invoice_number = self.clock(), None
        if step.kind is TransactionKind.CAPTURE and isinstance(outcome, Approved):
            invoice_number = await self.store.invoice_number(invoice_series(now), step.key)
        return conclude_step(payment, step, outcome, now, invoice_number)

    async def _reload(self, payment: Payment) -> Payment:
        return (await self.store.payments([payment.id]))[payment.id]
