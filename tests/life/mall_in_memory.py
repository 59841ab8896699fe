"""Orders, payments, inventory and shipping over stores in memory, and a bus that reorders, repeats and forgets.

A use case runs as a :class:`Task` that pauses before each step of a store, so that any two can be interleaved, and any
one can crash between two of its steps. What a store has written stays; what its outbox holds is published later.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.events.event import Event, decode_event, encode_event
from subgraphs.inventory import events as inventory_events
from subgraphs.inventory.domain import Money as InventoryMoney
from subgraphs.inventory.domain import ProductFacts
from subgraphs.inventory.service import Inventory
from subgraphs.orders import events as orders_events
from subgraphs.orders import published_events as orders_published
from subgraphs.orders.domain import Order, OrderEvent
from subgraphs.orders.order_life import Stage
from subgraphs.orders.service import Orders
from subgraphs.payments import events as payments_events
from subgraphs.payments.domain import PaymentStatus
from subgraphs.payments.service import Payments
from subgraphs.shipping import events as shipping_events
from subgraphs.shipping.carrier import Carrier, Pace, SandboxCarrier
from subgraphs.shipping.domain import Shipment, ShipmentStatus, Sighting, TrackingEvent
from subgraphs.shipping.service import Shipping
from tests.life.bank import Bank
from tests.life.chronicle import Chronicle, is_overtaken
from tests.life.outage import Outage
from tests.subgraphs.inventory.memory_store import MemoryStore as InventoryStore
from tests.subgraphs.orders.memory_store import MemoryStore as OrdersStore
from tests.subgraphs.payments.memory_store import MemoryStore as PaymentsStore
from tests.subgraphs.shipping.memory_store import MemoryStore as ShippingStore

T = TypeVar("T")
HEARD_TYPES = tuple(
    frozenset(each.HANDLERS) for each in (orders_events, payments_events, inventory_events, shipping_events)
)
"""What each member hears of."""

WRITES = frozenset(
    {
        *("insert", "save", "add", "mark_cancelled", "open_reservation", "save_reservation", "hold", "end_hold"),
        *("adjust", "perform", "book", "stop"),
    }
)
OPENING = datetime(2026, 3, 2, 8, tzinfo=UTC)
STOCK = {"MUG-001": {"BER": 3, "LYO": 3}, "TEA-001": {"RTM": 2, "LYO": 2}}
PRICES = {"MUG-001": 1250, "TEA-001": 3900}
ROUNDS_TO_REST = 60
PACE = Pace(dispatch_after_s=300, hub_after_s=60, out_for_delivery_after_s=60, delivery_after_s=60)


class Pause:
    """Where a task lets others run."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def interleaved(target: T, called: Callable[[str], None], outage: Outage | None = None) -> T:
    """``target`` with a pause before each of its coroutines, whose names are ``called`` when they have been.

    ``outage`` may make a call fail, before or after it.
    """
    return cast("T", _Interleaved(target, called, outage))


class _Interleaved:
    def __init__(self, target: object, called: Callable[[str], None], outage: Outage | None) -> None:
        self._target = target
        self._called = called
        self._outage = outage

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def call(*arguments: object, **named: object) -> object:
            await Pause()
            if self._outage:
                self._outage.before_call()
            answer = await attribute(*arguments, **named)
            self._called(name)
            if self._outage and self._outage.mute:
                self._called(f"lost the answer to {name}")
            if self._outage:
                self._outage.after_call()
            return answer

        return call


@dataclass(eq=False, slots=True)
class Task:
    """A use case on its way; ``event`` is what it handles, None for work by the clock; ``wrote`` whether it has written
    anything, or asked a provider for something.
    """

    member: Member
    coroutine: Coroutine[Any, Any, None]
    event: Event | None = None
    wrote: bool = False


@dataclass(eq=False, slots=True)
class Member:
    """One service: its use cases, what it is still to handle, what it has announced, and what is on its way in it.

    One that is ``deaf`` answers its clients, and neither hears of the others nor works by the clock. Events of types
    that it is ``missing`` wait, while others overtake them.
    """

    name: str
    use_cases: Any
    handlers: Mapping[str, Callable[[Any, Event], Awaitable[None]]]
    announced: list[Any]
    encode: Callable[[Any], Event]
    work: Callable[[], Coroutine[Any, Any, None]] | None = None
    inbox: list[Event] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    outbox: list[Event] = field(default_factory=list)
    published: int = 0
    deaf: bool = False
    missing: frozenset[str] = frozenset()
    handled: set[str] = field(default_factory=set)

    def hearable(self, *, backwards: bool = False) -> list[Event]:
        """The events that wait for it and reach it now, in order or the last first."""
        return [event for event in self.inbox if event.type not in self.missing][:: -1 if backwards else 1]


class Mall:
    """The four services and all that is between them."""

    def __init__(self, chronicle: Chronicle | None = None) -> None:
        self.now = OPENING
        self.chronicle = chronicle or Chronicle()
        self.stream: list[Event] = []
        self._running: Task | None = None
        self.orders_store, self.payments_store = ChronicledOrders(moved=self._note_move), PaymentsStore()
        self.inventory_store, self.shipping_store = InventoryStore(), ShippingStore()
        self.bank, self.bank_outage, self.carrier_outage = Bank(self.clock), Outage.of_bank(), Outage.of_carrier()
        numbers = itertools.count(1)
        self._numbers = numbers
        bank, carrier = self._paused(self.bank, self.bank_outage), self._paused(self._carrier(), self.carrier_outage)
        self.orders = Orders(self._paused(self.orders_store), self.clock, lambda: next(numbers))
        self.payments = Payments(self._paused(self.payments_store), bank, self.clock)
        self.inventory = Inventory(self._paused(self.inventory_store), self.clock, lambda: f"mov_{next(numbers)}")
        self.shipping = Shipping(self._paused(self.shipping_store), carrier, self.clock)
        self.members = self._members()
        run(self._stock_up())
        self.rest(hours=1)

    def clock(self) -> datetime:
        """The time of all services."""
        return self.now

    def _carrier(self) -> Carrier:
        return SandboxCarrier(self.clock, PACE)

    def _paused(self, target: T, outage: Outage | None = None) -> T:
        return interleaved(target, self._note_call, outage)

    def _members(self) -> tuple[Member, ...]:
        return (
            Member("orders", self.orders, orders_events.HANDLERS, self.orders_store.published, orders_published.encode),
            Member(
                "payments",
                self.payments,
                payments_events.HANDLERS,
                self.payments_store.events,
                lambda event: payments_events.encode(event, self.now),
                self.payments.advance_due,
            ),
            Member(
                "inventory",
                self.inventory,
                inventory_events.HANDLERS,
                self.inventory_store.events,
                inventory_events.encode,
                self.inventory.expire_due,
            ),
            Member(
                "shipping",
                self.shipping,
                shipping_events.HANDLERS,
                self.shipping_store.told,
                lambda event: shipping_events.encode(event, self.now),
                self.shipping.advance_due,
            ),
        )

    async def _stock_up(self) -> None:
        for product_id, levels in STOCK.items():
            price = InventoryMoney(PRICES[product_id])
            await self.inventory.create_product(product_id, ProductFacts(product_id, "", "Things", "/x", price, 300))
            for warehouse, quantity in levels.items():
                key = f"opening-{product_id}-{warehouse}"
                await self.inventory.adjust_stock(product_id, warehouse, quantity, "opening", key)

    # --- the bus

    def publish(self, member: Member, count: int = 1) -> int:
        """Move up to ``count`` events from the outbox of ``member`` to all who want them; how many it moved."""
        while len(member.outbox) < len(member.announced):
            event = member.encode(member.announced[len(member.outbox)])
            # Numbered, so that a story is the same each time it is told; and what does not survive the wire is lost.
            member.outbox.append(decode_event(encode_event(replace(event, id=f"evt_{next(self._numbers)}"))))
        moved = member.outbox[member.published :][:count]
        member.published += len(moved)
        self.stream.extend(moved)
        for event in moved:
            for each in self.members:
                if event.type in each.handlers:
                    each.inbox.append(event)
        return len(moved)

    def publish_all(self) -> int:
        """Move everything that is announced; how many events that were."""
        return sum(self.publish(member, 1000) for member in self.members)

    def repeat(self, member: Member, position: int) -> None:
        """Deliver an event of the past once more."""
        heard = [event for event in self.stream if event.type in member.handlers and "orderId" in event.data]
        if heard:
            member.inbox.append(heard[position % len(heard)])

    def start(self, member: Member, position: int) -> Task | None:
        """Begin to handle one of the events that wait for ``member``; another task may be handling it already."""
        if not member.inbox:
            return None
        event = member.inbox[position % len(member.inbox)]
        self._note_start(member, event)
        return self._task(member, _as_coroutine(member.handlers[event.type](member.use_cases, event)), event)

    def start_work(self, member: Member) -> Task | None:
        """Begin a round of the worker of ``member``."""
        return self._task(member, member.work()) if member.work else None

    def _task(self, member: Member, coroutine: Coroutine[Any, Any, None], event: Event | None = None) -> Task:
        task = Task(member, coroutine, event)
        member.tasks.append(task)
        return task

    def step(self, task: Task, count: int = 1) -> bool:
        """Let ``task`` make up to ``count`` steps; whether it came to its end."""
        self._running = task
        try:
            for _ in range(count):
                task.coroutine.send(None)
        except StopIteration:
            self._end(task)
            return True
        except RetryLater:
            task.member.tasks.remove(task)
            return False
        return False

    def _end(self, task: Task) -> None:
        task.member.tasks.remove(task)
        if task.event:
            task.member.handled.add(task.event.id)
            if task.event in task.member.inbox:
                task.member.inbox.remove(task.event)

    def finish(self, task: Task) -> bool:
        """Let ``task`` go on to its end; False where its event has to come again later."""
        while task in task.member.tasks:
            if self.step(task):
                return True
        return False

    def crash(self, member: Member) -> None:
        """End everything that is on its way in ``member``; what was not acknowledged comes again."""
        for task in member.tasks:
            if task.wrote:
                self.chronicle.note(f"{member.name} crashed in the middle of {_name(task)}")
            task.coroutine.close()
        member.tasks.clear()

    # --- the clock, and rest

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(seconds=seconds)

    def bustle(self, *, backwards: bool = False) -> bool:
        """Publish and handle everything that can be, once, in order or the last first; whether anything was."""
        moved = self.publish_all()
        handled = 0
        for member in self.members:
            if member.deaf:
                continue
            for task in list(member.tasks):
                self.finish(task)
            for event in member.hearable(backwards=backwards):
                handled += self._handle(member, event)
            if (work := self.start_work(member)) is not None:
                self.finish(work)
        return bool(moved or handled)

    def hear(self, member: Member, count: int, *, backwards: bool = False) -> None:
        """Let ``member`` handle up to ``count`` of the events that wait for it, in order or the last first."""
        for event in member.hearable(backwards=backwards)[:count]:
            self._handle(member, event)

    def parcels(self, order_id: str | None = None) -> list[Shipment]:
        """The parcels that a carrier has taken on: those of an order, or all."""
        kept = self.shipping_store.kept.values()
        return [each for each in kept if each.tracking_number and order_id in (None, each.order_id)]

    def carrier_sees(self, shipment: Shipment, status: ShipmentStatus) -> None:
        """The carrier tells, without being asked, what it saw of a parcel."""
        seen = TrackingEvent(Sighting(status, self.now, "Somewhere", "Seen."), f"seen-{next(self._numbers)}")
        run(self.shipping.hear_carrier(shipment.tracking_number or "", seen))

    def _handle(self, member: Member, event: Event) -> bool:
        task = self.start(member, member.inbox.index(event)) if event in member.inbox else None
        return task is not None and self.finish(task)

    def rest(self, hours: int = ROUNDS_TO_REST) -> None:
        """With everything up: let the services go on until nothing is left to do, hour by hour."""
        self.bank_outage.end()
        self.carrier_outage.end()
        for member in self.members:
            member.deaf, member.missing = False, frozenset()
        for _ in range(hours):
            while self.bustle():
                pass
            self.pass_time(3600)

    # --- the chronicle

    def _note_call(self, name: str) -> None:
        if name.startswith("lost"):
            self.chronicle.note(name)
        if self._running and name in WRITES:
            self._running.wrote = True

    def _note_move(self, before: Order, after: Order, cause: str | None) -> None:
        event = next((each for each in self.stream if each.id == cause), None)
        self.chronicle.note_move(before, after, event)
        if event is None:
            self._note_wish(after)

    def _note_wish(self, order: Order) -> None:
        wish = "cancelled" if order.stage is Stage.CANCELLED else "returned"
        for payment in self.payments_store.kept.values():
            if payment.order_id == order.id and payment.attempt:
                self.chronicle.note(f"{wish} while the bank was asked for {payment.attempt.kind}")
            if payment.order_id == order.id and payment.status is PaymentStatus.PARTIALLY_CAPTURED:
                self.chronicle.note(f"{wish} between the captures of two parcels")
        parcels = [each for each in self.shipping_store.kept.values() if each.order_id == order.id]
        for status in {each.status for each in parcels}:
            self.chronicle.note(f"{wish} with {'several parcels, one' if len(parcels) > 1 else 'a parcel'} {status}")

    def _note_start(self, member: Member, event: Event) -> None:
        if event.id in member.handled:
            self.chronicle.note(f"{member.name} heard of {event.type} again")
        if any(task.event is event for task in member.tasks):
            self.chronicle.note(f"{member.name} handled {event.type} twice at once")
        for earlier in member.inbox:
            if is_overtaken(earlier, event) and earlier.id not in member.handled:
                self.chronicle.note(f"{event.type} overtook {earlier.type} on its way to {member.name}")

    # --- what a client does

    def ask(self, request: Coroutine[Any, Any, T]) -> T:
        """The answer to a client, without anyone in between."""
        return run(request)

    def order(self, position: int) -> Order | None:
        """One of the orders so far."""
        known = list(self.orders_store.known.values())
        return known[position % len(known)] if known else None


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of ``coroutine``, which waits for nothing but pauses."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return cast("T", end.value)


@dataclass(slots=True)
class ChronicledOrders(OrdersStore):
    """The orders' store, which tells of each move of an order: before, after, and the event that brought it."""

    moved: Callable[[Order, Order, str | None], None] = lambda *_: None

    async def save(self, order: Order, events: Sequence[OrderEvent] = (), cause: str | None = None) -> Order | None:
        before = self.known.get(order.id)
        written = await super(ChronicledOrders, self).save(order, events, cause)
        if before and written:
            self.moved(before, written, cause)
        return written


def _name(task: Task) -> str:
    return task.event.type if task.event else "its work"


def _as_coroutine(awaitable: Awaitable[None]) -> Coroutine[Any, Any, None]:
    return cast("Coroutine[Any, Any, None]", awaitable)
