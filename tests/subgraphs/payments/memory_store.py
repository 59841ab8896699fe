"""The payments' store in memory; ``events`` is all that its writes told, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from subgraphs.payments.domain import Payment, PaymentEvent, format_invoice_number


@dataclass(slots=True)
class MemoryStore:
    """Implements the store's Protocol; ``queries`` names the reads."""

    kept: dict[str, Payment] = field(default_factory=dict)
    events: list[PaymentEvent] = field(default_factory=list)
    causes: set[tuple[str, str]] = field(default_factory=set)
    invoices: dict[str, str] = field(default_factory=dict)
    issued: Counter[str] = field(default_factory=Counter)
    queries: list[str] = field(default_factory=list)

    async def payments(self, ids: Sequence[str]) -> Mapping[str, Payment]:
        self.queries.append("payments")
        return {id_: self.kept[id_] for id_ in ids if id_ in self.kept}

    async def payments_of_orders(self, order_ids: Sequence[str]) -> Mapping[str, Payment]:
        self.queries.append("payments_of_orders")
        return {payment.order_id: payment for payment in self.kept.values() if payment.order_id in order_ids}

    async def add(self, payment: Payment, cause: str | None = None) -> bool:
        if payment.id in self.kept:
            return False
        self.kept[payment.id] = payment
        if cause:
            self.causes.add((payment.id, cause))
        return True

    async def save(
        self, payment: Payment, events: Sequence[PaymentEvent] = (), cause: str | None = None
    ) -> Payment | None:
        if self.kept[payment.id].revision != payment.revision or (cause and (payment.id, cause) in self.causes):
            return None
        if cause:
            self.causes.add((payment.id, cause))
        written = self.kept[payment.id] = replace(payment, revision=payment.revision + 1)
        self.events.extend(events)
        return written

    async def due(self, now: datetime, limit: int) -> Sequence[Payment]:
        due = [payment for payment in self.kept.values() if payment.due_at and payment.due_at <= now]
        return sorted(due, key=lambda payment: payment.due_at or now)[:limit]

    async def invoice_number(self, series: str, payment_id: str) -> str:
        if payment_id not in self.invoices:
            self.issued[series] += 1
            self.invoices[payment_id] = format_invoice_number(series, self.issued[series])
        return self.invoices[payment_id]
