"""The use cases over the store in memory: calls that fail, repeat and race, and money that adds up all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from subgraphs.payments.domain import (
    Declined,
    InProgress,
    Money,
    OrderFact,
    Outcome,
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDelayed,
    PaymentError,
    PaymentEvent,
    PaymentRefunded,
    PaymentStatus,
    PaymentVoided,
    SettlementStatus,
    Step,
    TransactionKind,
)
from subgraphs.payments.refunds import RefundRequest
from subgraphs.payments.service import Payments, PaymentUnknownError
from subgraphs.payments.steps import News
from tests.subgraphs.payments.examples import (
    MUGS,
    NOW,
    ORDER,
    TOTAL,
    WHOLE,
    CrashError,
    FakeProvider,
    MovableClock,
    captured,
)
from tests.subgraphs.payments.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio


@dataclass(slots=True)
class Shop:
    """Payments over fakes that a test can look into."""

    store: MemoryStore = field(default_factory=MemoryStore)
    provider: FakeProvider = field(default_factory=FakeProvider)
    clock: MovableClock = field(default_factory=MovableClock)

    @property
    def payments(self) -> Payments:
        return Payments(self.store, self.provider, self.clock)

    @property
    def payment(self) -> Payment:
        return self.store.kept["pay_1"]

    @property
    def status(self) -> str:
        return self.payment.status.value

    async def place(self, *facts: News) -> None:
        await self.payments.open_payment(ORDER, "placed")
        for fact in facts:
            await self.payments.learn("ord_1", fact, repr(fact))


def a_refund(amount_minor: int = 1000, key: str = "key-1") -> RefundRequest:
    return RefundRequest(Money(amount_minor, "EUR"), "Arrived damaged.", key)


async def test_a_placed_order_has_a_pending_payment_with_a_masked_card() -> None:
    shop = Shop()
    await shop.place()
    assert (shop.payment.status, shop.payment.amount) == (PaymentStatus.PENDING, TOTAL)
    assert shop.payment.method == "Card of tok_approved"
    assert shop.provider.calls == []


async def test_a_repeated_order_changes_nothing() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED)
    await shop.payments.open_payment(ORDER, "placed again")
    assert shop.status == "AUTHORIZED"
    assert len(shop.store.kept) == 1


async def test_an_order_goes_from_reservation_to_invoice() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED, WHOLE)
    assert shop.status == "CAPTURED"
    assert [invoice.number for invoice in shop.payment.invoices] == ["INV-2026-000001"]
    assert shop.store.events == [
        PaymentAuthorized("ord_1", "pay_1", TOTAL),
        PaymentCaptured("ord_1", "pay_1", TOTAL, "shp_1"),
    ]
    assert shop.provider.calls == ["pay_1:authorization", "pay_1:capture:shp_1"]
    assert shop.provider.taken_minor == 5990


async def test_news_of_an_order_that_is_not_known_yet_has_to_come_again() -> None:
    shop = Shop()
    with pytest.raises(PaymentUnknownError, match=r"^The payment of ord_1 is not known yet\.$"):
        await shop.payments.learn("ord_1", OrderFact.RESERVED, "event-1")
    assert shop.store.kept == {}


async def test_repeated_news_makes_no_second_call() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED)
    await shop.payments.learn("ord_1", OrderFact.RESERVED, "event-2")
    assert shop.provider.calls == ["pay_1:authorization"]


async def test_an_unreachable_provider_leaves_the_payment_pending_and_is_asked_again_later() -> None:
    shop = Shop(provider=FakeProvider(outages=2))
    await shop.place(OrderFact.RESERVED)
    assert shop.status == "PENDING"
    await shop.payments.advance_due()
    assert len(shop.provider.calls) == 1, "the pause is not over"
    shop.clock.pass_s(2)
    await shop.payments.advance_due()
    shop.clock.pass_s(2)
    await shop.payments.advance_due()
    assert len(shop.provider.calls) == 2, "the second pause is longer"
    shop.clock.pass_s(2)
    await shop.payments.advance_due()
    assert shop.status == "AUTHORIZED"
    assert set(shop.provider.calls) == {"pay_1:authorization"}
    told_once = PaymentDelayed("ord_1", "pay_1", "The payment provider cannot be reached; it is asked again.")
    assert shop.store.events == [told_once, PaymentAuthorized("ord_1", "pay_1", TOTAL)]


async def test_a_lost_answer_is_asked_for_under_the_same_key() -> None:
    shop = Shop(provider=FakeProvider(lost_answers=1))
    await shop.place(OrderFact.RESERVED)
    shop.clock.pass_s(2)
    await shop.payments.advance_due()
    shop.provider.lost_answers = 1
    await shop.payments.learn("ord_1", WHOLE, "event-3")
    shop.clock.pass_s(2)
    await shop.payments.advance_due()
    assert shop.status == "CAPTURED"
    assert shop.provider.taken_minor == 5990


async def test_a_slow_provider_is_asked_again_when_it_says() -> None:
    shop = Shop(provider=FakeProvider({TransactionKind.AUTHORIZATION: InProgress(1.0)}))
    await shop.place(OrderFact.RESERVED)
    assert shop.status == "PENDING"
    shop.provider.answers.clear()
    shop.provider.known.clear()
    shop.clock.pass_s(1)
    await shop.payments.advance_due()
    assert shop.status == "AUTHORIZED"
    told_once = PaymentDelayed("ord_1", "pay_1", "The payment provider takes longer than usual; it is asked again.")
    assert shop.store.events == [told_once, PaymentAuthorized("ord_1", "pay_1", TOTAL)]


async def test_a_delayed_capture_is_nobodys_business() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED)
    shop.provider.outages = 1
    await shop.payments.learn("ord_1", WHOLE, "event-1")
    assert shop.status == "AUTHORIZED"
    assert shop.store.events == [PaymentAuthorized("ord_1", "pay_1", TOTAL)]


async def test_a_crash_during_a_call_is_made_good_by_the_next_round() -> None:
    shop = Shop(provider=FakeProvider(crashes=1))
    with pytest.raises(CrashError):
        await shop.place(OrderFact.RESERVED)
    assert shop.payment.attempt
    await shop.payments.advance_due()
    assert shop.provider.calls == ["pay_1:authorization"], "the call is left to who began it for a while"
    shop.clock.pass_s(30)
    await shop.payments.advance_due()
    assert shop.status == "AUTHORIZED"
    assert len(shop.store.events) == 1


async def test_two_replicas_that_bring_the_same_payment_forward_take_the_money_once() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED)
    waiting = Payments(shop.store, GatedProvider(shop.provider), shop.clock)
    await asyncio.gather(waiting.learn("ord_1", WHOLE, "event-1"), waiting.learn("ord_1", WHOLE, "event-1"))
    assert shop.status == "CAPTURED"
    assert shop.provider.taken_minor == 5990
    assert len([event for event in shop.store.events if isinstance(event, PaymentCaptured)]) == 1


async def test_a_cancellation_that_overtakes_an_authorisation_voids_it() -> None:
    shop = Shop()
    await shop.place()
    gate = GatedProvider(shop.provider)
    waiting = Payments(shop.store, gate, shop.clock)
    authorising = asyncio.create_task(waiting.learn("ord_1", OrderFact.RESERVED, "event-1"))
    await gate.reached.wait()
    cancelling = asyncio.create_task(waiting.learn("ord_1", OrderFact.CANCELLED, "event-2"))
    await asyncio.gather(authorising, cancelling)
    assert shop.status == "VOIDED"
    assert shop.store.events == [PaymentVoided("ord_1", "pay_1")]
    assert shop.provider.calls[-1] == "pay_1:void"


@pytest.mark.parametrize("facts", [(), (OrderFact.RESERVED,), (OrderFact.RESERVED, WHOLE), (OrderFact.RESERVED, MUGS)])
async def test_a_cancelled_order_costs_nothing_in_any_state(facts: tuple[News, ...]) -> None:
    shop = Shop()
    await shop.place(*facts, OrderFact.CANCELLED)
    await shop.payments.learn("ord_1", OrderFact.CANCELLED, "once more")
    assert shop.status in ("VOIDED", "REFUNDED")
    assert shop.provider.taken_minor == shop.provider.given_back_minor
    assert shop.payment.due_at is None


async def test_one_payment_that_cannot_go_on_does_not_stop_the_others() -> None:
    shop = Shop(provider=FakeProvider(outages=1))
    await shop.place(OrderFact.RESERVED)
    healthy = Payments(shop.store, OneBadPayment(shop.provider), shop.clock)
    await healthy.open_payment(replace(ORDER, id="ord_2"), "placed-2")
    shop.provider.outages = 1
    await shop.payments.learn("ord_2", OrderFact.RESERVED, "event-2")
    shop.clock.pass_s(10)
    await healthy.advance_due()
    assert shop.store.kept["pay_2"].status is PaymentStatus.AUTHORIZED
    assert shop.status == "PENDING"


async def test_a_refund_is_given_once_for_each_key() -> None:
    shop = Shop()
    await shop.store.add(captured())
    first = await shop.payments.refund("pay_1", a_refund())
    again = await shop.payments.refund("pay_1", a_refund())
    assert first.refund == again.refund
    assert (first.refund.status, first.payment.refunded) == (SettlementStatus.SUCCEEDED, Money(1000, "EUR"))
    assert shop.provider.given_back_minor == 1000
    assert len([event for event in shop.store.events if isinstance(event, PaymentRefunded)]) == 1


async def test_concurrent_refunds_never_exceed_what_was_captured() -> None:
    shop = Shop(provider=FakeProvider())
    await shop.store.add(captured())
    payments = Payments(shop.store, GatedProvider(shop.provider), shop.clock)
    requests = [a_refund(2000, f"key-{number}") for number in range(5)]
    results = await asyncio.gather(*(payments.refund("pay_1", each) for each in requests), return_exceptions=True)
    refused = [result for result in results if isinstance(result, PaymentError)]
    assert [error.code for error in refused] == ["REFUND_EXCEEDS_CAPTURED"] * 3
    assert shop.provider.given_back_minor == 4000
    assert shop.payment.refunded == Money(4000, "EUR")


async def test_a_refund_without_an_answer_stays_pending_until_the_provider_is_back() -> None:
    shop = Shop(provider=FakeProvider(outages=1))
    await shop.store.add(captured())
    result = await shop.payments.refund("pay_1", a_refund())
    assert (result.refund.status, result.payment.refunded) == (SettlementStatus.PENDING, Money(0, "EUR"))
    shop.clock.pass_s(2)
    await shop.payments.advance_due()
    assert shop.payment.refunded == Money(1000, "EUR")
    assert shop.provider.given_back_minor == 1000


async def test_a_refund_that_the_provider_declines_is_refused_each_time() -> None:
    shop = Shop(provider=FakeProvider({TransactionKind.REFUND: Declined("CLOSED", "The account is closed.")}))
    await shop.store.add(captured())
    for _ in range(2):
        with pytest.raises(
            PaymentError, match=r"^The payment provider refused the refund: The account is closed\.$"
        ) as refused:
            await shop.payments.refund("pay_1", a_refund())
        assert refused.value.code == "REFUND_DECLINED"
    assert len(shop.provider.calls) == 1
    assert shop.payment.refundable_minor == 5990


async def test_a_cancelled_order_gets_back_what_a_declined_refund_of_staff_left() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED, WHOLE)
    shop.provider.outages = 1
    asked = await shop.payments.refund("pay_1", a_refund(1000))
    shop.provider.known[f"pay_1:refund:{asked.refund.id}"] = Declined("CLOSED", "The account is closed.")
    await shop.payments.learn("ord_1", OrderFact.CANCELLED, "cancelled")
    shop.clock.pass_s(10)
    await shop.payments.advance_due()
    assert [refund.amount.amount_minor for refund in shop.payment.refunds] == [1000, 5990]
    assert (shop.status, shop.provider.given_back_minor) == ("REFUNDED", 5990)


async def test_a_refund_of_an_unknown_payment_is_refused() -> None:
    with pytest.raises(PaymentError, match=r"^There is no payment of that id\.$") as refused:
        await Shop().payments.refund("pay_unknown", a_refund())
    assert (refused.value.code, refused.value.field) == ("PAYMENT_UNKNOWN", "paymentId")


async def test_a_refused_refund_changes_nothing() -> None:
    shop = Shop()
    await shop.store.add(captured())
    with pytest.raises(PaymentError):
        await shop.payments.refund("pay_1", a_refund(5991))
    assert shop.payment == captured()
    assert shop.provider.calls == []


async def test_a_payment_that_others_change_all_the_time_is_refused_with_a_code() -> None:
    busy = Payments(BusyStore(), FakeProvider(), MovableClock())
    await busy.store.add(captured())
    with pytest.raises(PaymentError) as refused:
        await busy.refund("pay_1", a_refund())
    assert refused.value.code == "CONFLICT"
    with pytest.raises(PaymentError) as refused:
        await busy.learn("ord_1", OrderFact.CANCELLED, "event-1")
    assert refused.value.code == "CONFLICT"


@dataclass(slots=True)
class BusyStore(MemoryStore):
    """Somebody else always writes first."""

    async def save(
        self, payment: Payment, events: Sequence[PaymentEvent] = (), cause: str | None = None
    ) -> Payment | None:
        return None


@dataclass(slots=True)
class GatedProvider:
    """Takes its time, so that whatever else wants to run comes in between."""

    provider: FakeProvider
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, step: Step) -> Outcome:
        self.reached.set()
        for _ in range(10):
            await asyncio.sleep(0)
        return await self.provider.perform(step)

    def describe_method(self, token: str) -> str:
        return self.provider.describe_method(token)


@dataclass(slots=True)
class OneBadPayment:
    """A provider with a defect that shows at one payment."""

    provider: FakeProvider

    async def perform(self, step: Step) -> Outcome:
        if step.payment_id == "pay_1":
            raise ZeroDivisionError
        return await self.provider.perform(step)

    def describe_method(self, token: str) -> str:
        return self.provider.describe_method(token)


async def test_time_stands_where_the_clock_says() -> None:
    shop = Shop()
    await shop.place(OrderFact.RESERVED)
    assert shop.payment.transactions[0].at == NOW
