"""The demo shop's payments hang together, and are seeded once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pymongo
import pytest

from subgraphs.chassis.database.mongodb import Database
from subgraphs.demo import demo_shop
from subgraphs.payments.domain import OrderFact, PaymentStatus
from subgraphs.payments.ledger import Account, sum_by_account
from subgraphs.payments.provider import SandboxProvider
from subgraphs.payments.seed import demo_payments, seed
from subgraphs.payments.steps import learn, next_step
from subgraphs.payments.store import MongoStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAYMENTS = demo_payments(NOW, SandboxProvider(lambda: NOW))


def test_every_order_has_its_payment_in_the_state_that_the_demo_shop_says() -> None:
    assert {payment.order_id: payment.status.value for payment in PAYMENTS} == {
        order.id: order.payment.status for order in demo_shop(NOW).orders
    }


def test_money_adds_up() -> None:
    for payment in PAYMENTS:
        assert 0 <= payment.refunded.amount_minor <= payment.captured.amount_minor <= payment.amount.amount_minor


def test_the_ledger_says_what_the_payments_say() -> None:
    for payment in PAYMENTS:
        ledger = sum_by_account(payment.postings())
        assert sum(ledger.values()) == 0
        assert -ledger[Account.REVENUE] == payment.captured.amount_minor
        assert ledger[Account.REFUNDS] == payment.refunded.amount_minor
        authorized = payment.status is PaymentStatus.AUTHORIZED
        assert payment.held_minor == (payment.amount.amount_minor if authorized else 0)


def test_captured_payments_have_invoices_without_gaps() -> None:
    numbers = sorted(invoice.number for payment in PAYMENTS for invoice in payment.invoices)
    captured = [payment for payment in PAYMENTS if payment.captured.amount_minor]
    assert len(numbers) == len(captured)
    by_series = Counter(number.rpartition("-")[0] for number in numbers)
    assert numbers == [f"{series}-{n:06}" for series, count in sorted(by_series.items()) for n in range(1, count + 1)]


def test_only_payments_that_wait_for_the_provider_are_due() -> None:
    due = {payment.id for payment in PAYMENTS if payment.due_at}
    assert due == {payment.id for payment in PAYMENTS if payment.status is PaymentStatus.PENDING}
    assert due == {payment.id for payment in PAYMENTS if next_step(payment)}


def test_a_seeded_order_that_is_cancelled_again_gives_nothing_back_twice() -> None:
    cancelled = [payment for payment in PAYMENTS if OrderFact.CANCELLED in payment.facts]
    assert cancelled
    assert all(learn(payment, OrderFact.CANCELLED, NOW) is None for payment in cancelled)


@pytest.mark.asyncio
async def test_seeding_again_adds_nothing(mongo_store: MongoStore, database: Database) -> None:
    provider = SandboxProvider(lambda: NOW)
    first = await seed(mongo_store, provider, NOW)
    assert await seed(mongo_store, provider, NOW) == first
    assert await database["payments"].count_documents({}) == len(PAYMENTS)
    with pymongo.timeout(60):  # five hundred at once are more than any request asks for
        kept = await mongo_store.payments([payment.id for payment in PAYMENTS])
    assert kept == {payment.id: payment for payment in PAYMENTS}
