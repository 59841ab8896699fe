"""Whatever happens in whatever order, with repeats, outages, lost answers and crashes: the money adds up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.payments.domain import (
    Money,
    OrderFact,
    Payment,
    PaymentCaptured,
    PaymentDelayed,
    PaymentError,
    PaymentRefunded,
    PaymentStatus,
)
from subgraphs.payments.ledger import Account, sum_by_account
from subgraphs.payments.refunds import RefundRequest, ReturnReceived, ReturnRequested
from subgraphs.payments.service import Payments
from subgraphs.payments.steps import News
from tests.subgraphs.payments.examples import MUGS, ORDER, REST, WHOLE, CrashError, FakeProvider, MovableClock
from tests.subgraphs.payments.memory_store import MemoryStore

LONGER_THAN_ANY_PAUSE_S = 301


@dataclass(frozen=True, slots=True)
class Told:
    """An event arrives, perhaps not for the first time."""

    news: News


@dataclass(frozen=True, slots=True)
class RefundWish:
    """Staff ask for a refund, perhaps not for the first time under that key."""

    amount_minor: int
    key: str


@dataclass(frozen=True, slots=True)
class Round:
    """Time passes, and the worker has its round."""

    seconds: int


class Trouble(Enum):
    """What goes wrong with the next call to the provider."""

    NONE = "none"
    OUTAGE = "outage"
    LOST_ANSWER = "lost answer"
    CRASH = "crash"


Action = Told | RefundWish | Round

# What makes an order's story is in every one of them, and a few repeats, refunds and rounds of the worker in between.
RETURN = (ReturnRequested("ret_1", Money(2500, "EUR"), "Too small."), ReturnReceived("ret_1"))
PLOTS: st.SearchStrategy[list[News]] = st.sampled_from(
    [
        [*OrderFact, MUGS, REST],
        [OrderFact.RESERVED, MUGS, REST, *RETURN],
        [OrderFact.RESERVED, WHOLE, *RETURN],
        [OrderFact.RESERVED, MUGS],
        [OrderFact.RESERVED],
    ]
)
INCIDENTS = st.lists(
    st.one_of(
        st.builds(Told, st.sampled_from([*OrderFact, *RETURN])),
        st.builds(RefundWish, st.sampled_from([1000, 3000, 5990]), st.sampled_from("abc")),
        st.builds(Round, st.sampled_from([1, LONGER_THAN_ANY_PAUSE_S])),
    ),
    max_size=5,
)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[Action, Trouble]]:
    """Actions in any order, each with the trouble that it meets."""
    actions: list[Action] = [Told(news) for news in draw(PLOTS)]
    shuffled = draw(st.permutations([*actions, *draw(INCIDENTS)]))
    return [(action, draw(st.sampled_from(Trouble))) for action in shuffled]


@dataclass(slots=True)
class World:
    """Payments over fakes, and what must hold in it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    provider: FakeProvider = field(default_factory=FakeProvider)
    clock: MovableClock = field(default_factory=MovableClock)
    causes: int = 0

    @property
    def payments(self) -> Payments:
        return Payments(self.store, self.provider, self.clock)

    @property
    def payment(self) -> Payment:
        return self.store.kept["pay_1"]

    def expect(self, trouble: Trouble) -> None:
        self.provider.outages = int(trouble is Trouble.OUTAGE)
        self.provider.lost_answers = int(trouble is Trouble.LOST_ANSWER)
        self.provider.crashes = int(trouble is Trouble.CRASH)

    async def act(self, action: Action) -> None:
        match action:
            case Told(news):
                self.causes += 1
                await self.payments.learn("ord_1", news, f"event-{self.causes}")
            case RefundWish(amount_minor, key):
                await self.payments.refund("pay_1", RefundRequest(Money(amount_minor, "EUR"), "Damaged.", key))
            case Round(seconds):
                self.clock.pass_s(seconds)
                await self.payments.advance_due()

    async def become_quiet(self) -> None:
        """All is well again, and the worker has its rounds."""
        self.expect(Trouble.NONE)
        for _ in range(20):
            await self.act(Round(LONGER_THAN_ANY_PAUSE_S))

    def check_always(self) -> None:
        payment, provider = self.payment, self.provider
        assert 0 <= payment.refunded.amount_minor <= payment.captured.amount_minor <= payment.amount.amount_minor
        assert payment.captured.amount_minor <= provider.taken_minor <= payment.amount.amount_minor
        assert payment.refunded.amount_minor <= provider.given_back_minor <= provider.taken_minor
        ledger = sum_by_account(payment.postings())
        assert sum(ledger.values()) == 0
        assert ledger[Account.HOLD] == -ledger[Account.CUSTOMER] == payment.held_minor >= 0
        assert -ledger[Account.REVENUE] == payment.captured.amount_minor
        assert ledger[Account.REFUNDS] == payment.refunded.amount_minor

    def check_quiet(self) -> None:
        payment, provider = self.payment, self.provider
        assert payment.due_at is None
        assert payment.captured.amount_minor == provider.taken_minor == self.told(PaymentCaptured)
        assert payment.refunded.amount_minor == provider.given_back_minor == self.told(PaymentRefunded)
        assert [event.payment_id for event in self.store.events if isinstance(event, PaymentDelayed)] in ([], ["pay_1"])
        assert payment.held_minor == provider.held_minor
        assert sum(bill.total.amount_minor for bill in payment.invoices) == payment.captured.amount_minor
        if OrderFact.CANCELLED not in payment.facts and payment.status is not PaymentStatus.PENDING:
            self.check_parcels()
        if OrderFact.CANCELLED in payment.facts:
            assert payment.status in (PaymentStatus.VOIDED, PaymentStatus.REFUNDED)
            assert provider.held_minor == provider.taken_minor - provider.given_back_minor == 0

    def check_parcels(self) -> None:
        """What left was captured, all of it where all left, and a return that arrived was refunded as far as can be."""
        payment = self.payment
        left = {capture.shipment_id for capture in payment.captures}
        everything = left in ({"shp_1"}, {"shp_ber", "shp_par"})
        assert payment.captured.amount_minor == (5990 if everything else 2490 if left else 0)
        if everything and any(claim.received and claim.refund for claim in payment.returns):
            others_minor = sum(r.amount.amount_minor for r in payment.refunds if r.key != "return:ret_1")
            returned_minor = sum(r.amount.amount_minor for r in payment.refunds if r.key == "return:ret_1")
            assert returned_minor == 2500 or (payment.refundable_minor == 0 and others_minor > 3490)

    def told(self, kind: type[PaymentCaptured] | type[PaymentRefunded]) -> int:
        return sum(event.amount.amount_minor for event in self.store.events if isinstance(event, kind))


async def play(story: Sequence[tuple[Action, Trouble]]) -> None:
    world = World()
    await world.payments.open_payment(ORDER, "placed")
    for action, trouble in story:
        world.expect(trouble)
        with suppress(CrashError, PaymentError):
            await world.act(action)
        world.check_always()
    await world.become_quiet()
    world.check_always()
    world.check_quiet()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(stories())
def test_the_money_adds_up_after_any_story(story: list[tuple[Action, Trouble]]) -> None:
    asyncio.run(play(story))
