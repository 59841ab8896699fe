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
    PaymentError,
    PaymentRefunded,
    PaymentStatus,
    RefundRequest,
)
from subgraphs.payments.service import Payments
from tests.subgraphs.payments.examples import ORDER, CrashError, FakeProvider, MovableClock
from tests.subgraphs.payments.memory_store import MemoryStore

LONGER_THAN_ANY_PAUSE_S = 301


@dataclass(frozen=True, slots=True)
class News:
    """An event arrives, perhaps not for the first time."""

    fact: OrderFact


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


Action = News | RefundWish | Round

# What makes an order's story is in every one of them, and a few repeats, refunds and rounds of the worker in between.
PLOTS = st.sampled_from([[*OrderFact], [OrderFact.RESERVED, OrderFact.DISPATCHED], [OrderFact.RESERVED]])
INCIDENTS = st.lists(
    st.one_of(
        st.builds(News, st.sampled_from(OrderFact)),
        st.builds(RefundWish, st.sampled_from([1000, 3000, 5990]), st.sampled_from("abc")),
        st.builds(Round, st.sampled_from([1, LONGER_THAN_ANY_PAUSE_S])),
    ),
    max_size=5,
)


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[Action, Trouble]]:
    """Actions in any order, each with the trouble that it meets."""
    actions: list[Action] = [News(fact) for fact in draw(PLOTS)]
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
            case News(fact):
                self.causes += 1
                await self.payments.learn("ord_1", fact, f"event-{self.causes}")
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

    def check_quiet(self) -> None:
        payment, provider = self.payment, self.provider
        assert payment.due_at is None
        assert payment.captured.amount_minor == provider.taken_minor == self.told(PaymentCaptured)
        assert payment.refunded.amount_minor == provider.given_back_minor == self.told(PaymentRefunded)
        if OrderFact.CANCELLED in payment.facts:
            assert payment.status in (PaymentStatus.VOIDED, PaymentStatus.REFUNDED)
            assert provider.held_minor == provider.taken_minor - provider.given_back_minor == 0

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
