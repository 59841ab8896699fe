"""Whatever happens in whatever order, with repeats, outages and crashes: each parcel ends where it belongs, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from hypothesis import given, settings
from hypothesis import strategies as st

from subgraphs.shipping.carrier import CarrierUnavailableError, Pace, SandboxCarrier
from subgraphs.shipping.domain import (
    Booking,
    Shipment,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentReturned,
    ShippingError,
    Tracking,
)
from subgraphs.shipping.service import Shipping
from tests.subgraphs.shipping.examples import SPLIT, MovableClock
from tests.subgraphs.shipping.memory_store import MemoryStore

LONGER_THAN_ANY_PAUSE_S = 301


class Action(Enum):
    """What can happen to a parcel."""

    CONFIRM = "the order is confirmed, perhaps not for the first time"
    CANCEL = "the order is cancelled, perhaps not for the first time"
    DISPATCH = "staff hand the parcel over"
    SHORT_ROUND = "a second passes, and the worker has its round"
    LONG_ROUND = "minutes pass, and the worker has its round"


class Trouble(Enum):
    """What goes wrong with the next call to the carrier."""

    NONE = "none"
    OUTAGE = "it does not arrive"
    LOST_ANSWER = "it arrives, and its answer is lost"
    CRASH = "it arrives, and its caller dies"


class CrashError(BaseException):
    """The process that made a call is gone."""


@dataclass(slots=True)
class TroubledCarrier:
    """The sandbox carrier behind a bad line; it knows which parcels it took, and which it was told to stop."""

    clock: MovableClock
    trouble: Trouble = Trouble.NONE
    booked: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)

    @property
    def sandbox(self) -> SandboxCarrier:
        return SandboxCarrier(self.clock, Pace(100, 100, 100, 100))

    async def book(self, shipment: Shipment) -> Booking:
        self._arrive()
        self.booked.add(shipment.id)
        booking = await self.sandbox.book(shipment)
        self._answer()
        return booking

    async def stop(self, shipment: Shipment) -> None:
        self._arrive()
        self.stopped.add(shipment.id)
        self._answer()

    async def track(self, shipment: Shipment) -> Tracking:
        self._arrive()
        tracking = await self.sandbox.track(shipment)
        self._answer()
        return tracking

    def _arrive(self) -> None:
        if self.trouble is Trouble.OUTAGE:
            self.trouble = Trouble.NONE
            raise CarrierUnavailableError("the line is dead")

    def _answer(self) -> None:
        trouble, self.trouble = self.trouble, Trouble.NONE
        if trouble is Trouble.LOST_ANSWER:
            raise CarrierUnavailableError("the answer was lost")
        if trouble is Trouble.CRASH:
            raise CrashError


@dataclass(slots=True)
class World:
    """Shipping over fakes, and what must hold in it."""

    clock: MovableClock = field(default_factory=MovableClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    carrier: TroubledCarrier = field(init=False)
    causes: int = 0

    def __post_init__(self) -> None:
        self.carrier = TroubledCarrier(self.clock)

    @property
    def shipping(self) -> Shipping:
        return Shipping(self.store, self.carrier, self.clock)

    async def act(self, action: Action) -> None:
        self.causes += 1
        match action:
            case Action.CONFIRM:
                await self.shipping.open_shipments(SPLIT, f"event-{self.causes}")
            case Action.CANCEL:
                await self.shipping.cancel_order("ord_1", f"event-{self.causes}")
            case Action.DISPATCH:
                await self.shipping.dispatch("shp_1_ber", f"key-{self.causes}")
            case Action.SHORT_ROUND:
                await self.pass_s(1)
            case Action.LONG_ROUND:
                await self.pass_s(LONGER_THAN_ANY_PAUSE_S)

    async def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        await self.shipping.advance_due()

    async def deliver(self, action: Action) -> None:
        """An event comes again until it is handled."""
        try:
            await self.act(action)
        except CrashError:
            await self.act(action)

    async def become_quiet(self) -> None:
        """All is well again, and the worker has its rounds."""
        self.carrier.trouble = Trouble.NONE
        for _ in range(20):
            await self.pass_s(LONGER_THAN_ANY_PAUSE_S)

    def check(self, cancelled: bool) -> None:
        assert set(self.store.kept) == {"shp_1_ber", "shp_1_par"}
        for shipment in self.store.kept.values():
            self.check_parcel(shipment, cancelled)

    def check_parcel(self, shipment: Shipment, cancelled: bool) -> None:
        told = Counter(type(event) for event in self.store.told if event.shipment_id == shipment.id)
        assert max(told.values()) == 1
        assert shipment.due_at is None
        ends = told[ShipmentCancelled] + told[ShipmentReturned] + told[ShipmentDelivered]
        assert ends == 1
        if cancelled and not told[ShipmentDelivered]:
            assert shipment.status.value in ("CANCELLED", "RETURNED")
            assert shipment.id not in self.carrier.booked - self.carrier.stopped
        else:
            assert shipment.status.value == "DELIVERED"
            assert told[ShipmentBooked] == told[ShipmentDispatched] == 1


async def play(story: Sequence[tuple[Action, Trouble]]) -> None:
    world = World()
    for action, trouble in story:
        world.carrier.trouble = trouble
        with suppress(ShippingError, CrashError):
            await world.deliver(action)
    await world.become_quiet()
    world.check(cancelled=Action.CANCEL in [action for action, _ in story])


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[Action, Trouble]]:
    """A confirmation, mostly a cancellation, and incidents, in any order; each with the trouble that it meets."""
    plot = draw(st.sampled_from([[Action.CONFIRM], [Action.CONFIRM, Action.CANCEL]]))
    incidents = draw(st.lists(st.sampled_from(Action), max_size=6))
    return [(action, draw(st.sampled_from(Trouble))) for action in draw(st.permutations([*plot, *incidents]))]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(stories())
def test_a_parcel_ends_where_it_belongs_after_any_story(story: list[tuple[Action, Trouble]]) -> None:
    asyncio.run(play(story))
