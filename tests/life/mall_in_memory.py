"""Orders, payments, inventory and shipping over stores in memory, and a bus that reorders, repeats and forgets.

A use case runs as a :class:`Task` that pauses before each step of a store, so that any two can be interleaved, and any
one can crash between two of its steps. What a store has written stays; what its outbox holds is published later.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from subgraphs.chassis.errors import RetryLater
from subgraphs.chassis.event import Event, decode_event, encode_event
from subgraphs.inventory import events as inventory_events
from subgraphs.inventory.domain import Money as InventoryMoney
from subgraphs.inventory.domain import ProductFacts
from subgraphs.inventory.service import Inventory
from subgraphs.orders import events as orders_events
from subgraphs.orders.domain import Order
from subgraphs.orders.service import Orders
from subgraphs.payments import events as payments_events
from subgraphs.payments.service import Payments
from subgraphs.shipping import events as shipping_events
from subgraphs.shipping.carrier import Carrier, Pace, SandboxCarrier
from subgraphs.shipping.service import Shipping
from tests.life.bank import Bank
from tests.life.outage import Outage
from tests.subgraphs.inventory.memory_store import MemoryStore as InventoryStore
from tests.subgraphs.orders.memory_store import MemoryStore as OrdersStore
from tests.subgraphs.payments.memory_store import MemoryStore as PaymentsStore
from tests.subgraphs.shipping.memory_store import MemoryStore as ShippingStore

T = TypeVar("T")
OPENING = datetime(2026, 3, 2, 8, tzinfo=UTC)
STOCK = {"MUG-001": {"BER": 3, "LYO": 3}, "TEA-001": {"RTM": 2, "LYO": 2}}
PRICES = {"MUG-001": 1250, "TEA-001": 3900}
ROUNDS_TO_REST = 60
PACE = Pace(dispatch_after_s=300, hub_after_s=60, out_for_delivery_after_s=60, delivery_after_s=60)


class Pause:
    """Where a task lets others run."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def interleaved(target: T, outage: Outage | None = None) -> T:
    """``target`` with a pause before each of its coroutines; ``outage`` may make a call fail, before or after it."""
    return cast("T", _Interleaved(target, outage))


class _Interleaved:
    def __init__(self, target: object, outage: Outage | None) -> None:
        self._target = target
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
            if self._outage:
                self._outage.after_call()
            return answer

        return call


@dataclass(eq=False, slots=True)
class Task:
    """A use case on its way; ``event`` is what it handles, None for work by the clock."""

    member: Member
    coroutine: Coroutine[Any, Any, None]
    event: Event | None = None


@dataclass(eq=False, slots=True)
class Member:
    """One service: its use cases, what it is still to handle, what it has announced, and what is on its way in it.

    One that is ``deaf`` answers its clients, and neither hears of the others nor works by the clock.
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


class Mall:
    """The four services and all that is between them."""

    def __init__(self) -> None:
        self.now = OPENING
        self.orders_store, self.payments_store = OrdersStore(), PaymentsStore()
        self.inventory_store, self.shipping_store = InventoryStore(), ShippingStore()
        self.bank, self.bank_outage, self.carrier_outage = Bank(self.clock), Outage.of_bank(), Outage.of_carrier()
        numbers = itertools.count(1)
        self._numbers = numbers
        carrier: Carrier = interleaved(SandboxCarrier(self.clock, PACE), self.carrier_outage)
        self.orders = Orders(interleaved(self.orders_store), self.clock, lambda: next(numbers))
        self.payments = Payments(interleaved(self.payments_store), interleaved(self.bank, self.bank_outage), self.clock)
        self.inventory = Inventory(interleaved(self.inventory_store), self.clock, lambda: f"mov_{next(numbers)}")
        self.shipping = Shipping(interleaved(self.shipping_store), carrier, self.clock)
        self.members = self._members()
        self.stream: list[Event] = []
        run(self._stock_up())
        self.rest(hours=1)

    def clock(self) -> datetime:
        """The time of all services."""
        return self.now

    def _members(self) -> tuple[Member, ...]:
        return (
            Member("orders", self.orders, orders_events.HANDLERS, self.orders_store.published, orders_events.encode),
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

    def repeat(self, member: Member, position: int) -> None:
        """Deliver an event of the past once more."""
        heard = [event for event in self.stream if event.type in member.handlers]
        if heard:
            member.inbox.append(heard[position % len(heard)])

    def start(self, member: Member, position: int) -> Task | None:
        """Begin to handle one of the events that wait for ``member``; another task may be handling it already."""
        if not member.inbox:
            return None
        event = member.inbox[position % len(member.inbox)]
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
        try:
            for _ in range(count):
                task.coroutine.send(None)
        except StopIteration:
            task.member.tasks.remove(task)
            if task.event in task.member.inbox:
                task.member.inbox.remove(task.event)
            return True
        except RetryLater:
            task.member.tasks.remove(task)
            return False
        return False

    def finish(self, task: Task) -> bool:
        """Let ``task`` go on to its end; False where its event has to come again later."""
        while task in task.member.tasks:
            if self.step(task):
                return True
        return False

    def crash(self, member: Member) -> None:
        """End everything that is on its way in ``member``; what was not acknowledged comes again."""
        for task in member.tasks:
            task.coroutine.close()
        member.tasks.clear()

    # --- the clock, and rest

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on."""
        self.now += timedelta(seconds=seconds)

    def bustle(self, *, backwards: bool = False) -> bool:
        """Publish and handle everything that can be, once, in order or the last first; whether anything was."""
        moved = sum(self.publish(member, 1000) for member in self.members)
        handled = 0
        for member in self.members:
            if member.deaf:
                continue
            for task in list(member.tasks):
                self.finish(task)
            for event in member.inbox[:: -1 if backwards else 1]:
                handled += self._handle(member, event)
            if (work := self.start_work(member)) is not None:
                self.finish(work)
        return bool(moved or handled)

    def _handle(self, member: Member, event: Event) -> bool:
        task = self.start(member, member.inbox.index(event)) if event in member.inbox else None
        return task is not None and self.finish(task)

    def rest(self, hours: int = ROUNDS_TO_REST) -> None:
        """With everything up: let the services go on until nothing is left to do, hour by hour."""
        self.bank_outage.end()
        self.carrier_outage.end()
        for member in self.members:
            member.deaf = False
        for _ in range(hours):
            while self.bustle():
                pass
            self.pass_time(3600)

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


def _as_coroutine(awaitable: Awaitable[None]) -> Coroutine[Any, Any, None]:
    return cast("Coroutine[Any, Any, None]", awaitable)
