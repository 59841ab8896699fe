"""Orders, payments, inventory and shipping told in any order: after each step, and at rest, the audit finds nothing.

Hypothesis makes up stories of placed, cancelled and returned orders, events that come early, late, twice or after a
crash in the middle of what they began, declined cards, a bank and a carrier that are gone or lose their answers, and
shrinks the one that goes wrong. What the stories must have come to is in :mod:`tests.life.chronicle`.
``GALLERIA_LIFE_EXAMPLES`` (``make life``) tells more of them, ``CI`` tells the same ones each time.
"""

from __future__ import annotations

import os
from contextlib import suppress
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from subgraphs.orders.checkout import LineRequest, OrderRequest
from subgraphs.orders.domain import Address, Customer, ReturnLine
from subgraphs.orders.order_life import OrderStatus, Stage
from subgraphs.orders.refusal import RefusalError
from subgraphs.orders.returns import ReturnRequest, returnable
from subgraphs.shipping.domain import ShipmentStatus
from tests.life.audit import faults, faults_at_rest
from tests.life.chronicle import Chronicle, expected
from tests.life.mall_in_memory import HEARD_TYPES, PRICES, Mall, Member, Task

EXAMPLES = int(os.environ.get("GALLERIA_LIFE_EXAMPLES", "200"))
STEPS = 60
MAX_ORDERS = 6
PATIENCE = 30
CRASHES, GO_ON, WORK = 0.15, 0.4, 0.15
ON_THE_WAY = (Stage.PLACED, Stage.RESERVED, Stage.CONFIRMED, Stage.DISPATCHED, Stage.DELIVERED)
WISHES = ("", "", "customer", "staff", "return")
ROUNDS = st.tuples(st.integers(1, 12), st.integers(1, 12))
SECONDS = st.sampled_from([5, 60, 400])
HEARD = st.sampled_from(
    [
        (number, type_)
        for number, types in enumerate(HEARD_TYPES)
        for type_ in sorted(types)
        if type_ != "product.changed"
    ]
)
"""(a member, an event type that it hears)"""

LATE = HEARD | st.sampled_from([(0, "inventory.reserved"), (0, "shipment.dispatched")])

WHAT_CARRIERS_SAY = (ShipmentStatus.IN_TRANSIT, ShipmentStatus.DELIVERED, ShipmentStatus.RETURNED)
TOKENS = (
    *["tok_approved"] * 5,
    "tok_slow",
    "tok_slow",
    "tok_declined_expired_card",
    "tok_unreachable",
    "tok_of_nobody",
)
POSITIONS = st.integers(0, 50)
MEMBERS = st.integers(0, 3)
PIECES = st.integers(0, 3)
RARELY = st.integers(0, 3).map(lambda number: number == 3)
BASKET = st.tuples(st.sampled_from([1, 1, 2, 4]), PIECES, st.sampled_from(TOKENS), st.sampled_from(["DE", "FR", "NL"]))
BITS_OF_WORK = st.lists(st.tuples(MEMBERS, POSITIONS, st.integers(0, 9)), min_size=1, max_size=8)


CHRONICLE = Chronicle()
Basket: TypeAlias = tuple[int, int, str, str]
"""Mugs, teapots, payment token and country of an order."""


class LifeOfOrders(RuleBasedStateMachine):
    """Anything that can happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.mall = Mall(CHRONICLE)
        self.keys = 0

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def member(self, position: int) -> Member:
        return self.mall.members[position]

    # --- what customers and staff do

    @initialize(first=BASKET, second=BASKET)
    def open_the_shop(self, first: Basket, second: Basket) -> None:
        self.place(first)
        self.place(second)

    @rule(basket=BASKET)
    def place_another(self, basket: Basket) -> None:
        if len(self.mall.orders_store.known) < MAX_ORDERS:
            self.place(basket)

    def place(self, basket: Basket) -> None:
        mugs, teapots, token, country = basket
        pieces = zip(PRICES, (mugs, teapots), strict=True)
        lines = tuple(LineRequest(product_id, quantity) for product_id, quantity in pieces if quantity)
        address = Address("Ada", "Street 1", None, "Town", "12345", country)
        request = OrderRequest(lines, address, token, self.key())
        self.mall.ask(self.mall.orders.place(Customer("cus_ada"), request))

    @rule(position=POSITIONS, by_staff=st.booleans(), early=RARELY)
    def cancel(self, position: int, by_staff: bool, early: bool) -> None:
        order = self.mall.order(position)
        if order and (early or order.status is not OrderStatus.PENDING):
            with suppress(RefusalError):
                self.mall.ask(self.mall.orders.cancel(order.id, "why not", None if by_staff else "cus_ada"))

    @rule(position=POSITIONS, quantity=PIECES)
    def give_back(self, position: int, quantity: int) -> None:
        order = self.mall.order(position)
        if order:
            left = returnable(order)
            some = tuple(ReturnLine(product_id, min(quantity, most)) for product_id, most in left.items())
            request = ReturnRequest(some[:1] if quantity else None, "broken", self.key())
            with suppress(RefusalError):
                self.mall.ask(self.mall.orders.request_return(order.id, request, "cus_ada"))

    # --- what the machines do

    @rule(member=MEMBERS, count=st.integers(1, 3))
    def publish(self, member: int, count: int) -> None:
        self.mall.publish(self.member(member), count)

    @rule(bits=BITS_OF_WORK)
    def begin(self, bits: list[tuple[int, int, int]]) -> None:
        for member, position, steps in bits:
            task = self.mall.start(self.member(member), position)
            if task:
                self.mall.step(task, steps)

    @rule(bits=BITS_OF_WORK)
    def go_on(self, bits: list[tuple[int, int, int]]) -> None:
        for member, position, steps in bits:
            tasks = self.member(member).tasks
            if tasks:
                self.mall.step(tasks[position % len(tasks)], steps)

    @rule(position=POSITIONS, stage=st.sampled_from(ON_THE_WAY), by_staff=st.booleans())
    def cancel_at(self, position: int, stage: Stage, by_staff: bool) -> None:
        self.get_on(position, stage)
        self.cancel(position, by_staff, early=True)

    @rule(position=POSITIONS, quantity=PIECES)
    def give_back_what_was_delivered(self, position: int, quantity: int) -> None:
        self.get_on(position, Stage.DELIVERED)
        self.give_back(position, quantity)

    @rule(position=POSITIONS, stage=st.sampled_from(ON_THE_WAY))
    def get_on(self, position: int, stage: Stage) -> None:
        order = self.mall.order(position)
        for _ in range(PATIENCE):
            if order is None or self.mall.orders_store.known[order.id].stage in (stage, Stage.CANCELLED):
                return
            self.mall.bustle()
            self.mall.pass_time(30)

    @rule(member=MEMBERS, count=st.integers(1, 3), backwards=st.booleans())
    def hear(self, member: int, count: int, backwards: bool) -> None:
        self.mall.hear(self.member(member), count, backwards=backwards)

    @rule(member=MEMBERS, steps=st.integers(1, 8))
    def work(self, member: int, steps: int) -> None:
        task = self.mall.start_work(self.member(member))
        if task:
            self.mall.step(task, steps)

    @rule(times=st.integers(1, 5), seconds=st.sampled_from([0, 5, 100, 400]), backwards=RARELY)
    def bustle(self, times: int, seconds: int, backwards: bool) -> None:
        for _ in range(times):
            self.mall.bustle(backwards=backwards)
            self.mall.pass_time(seconds)

    @rule(seconds=st.sampled_from([1, 40, 700, 1900, 7200]))
    def pass_time(self, seconds: int) -> None:
        self.mall.pass_time(seconds)

    @rule(seed=st.integers(0, 2**32 - 1), turns=st.integers(1, 40))
    def scramble(self, seed: int, turns: int) -> None:
        """So many turns of anybody, each of which begins, goes on, ends or dies in the middle."""
        dice = Random(seed)  # noqa: S311 - nothing secret
        for _ in range(turns):
            self.mall.publish_all()
            self.mall.pass_time(dice.choice((0, 5, 60)))
            member = dice.choice(self.mall.members)
            task = self._some_task(member, dice)
            if task and not self.mall.step(task, dice.randint(1, 14)) and dice.random() < CRASHES:
                self.mall.crash(member)

    def _some_task(self, member: Member, dice: Random) -> Task | None:
        if member.tasks and dice.random() < GO_ON:
            return dice.choice(member.tasks)
        if dice.random() < WORK:
            return self.mall.start_work(member)
        return self.mall.start(member, dice.randrange(50))

    # --- what goes wrong

    @rule(member=MEMBERS)
    def crash(self, member: int) -> None:
        self.mall.crash(self.member(member))

    @rule(member=MEMBERS, position=POSITIONS, steps=st.integers(1, 14), at_work=RARELY)
    def crash_in_the_middle(self, member: int, position: int, steps: int, at_work: bool) -> None:
        chosen = self.member(member)
        self.mall.publish_all()
        task = self.mall.start_work(chosen) if at_work else self.mall.start(chosen, position)
        if task and not self.mall.step(task, steps):
            self.mall.crash(chosen)

    @rule(missing=st.sets(HEARD, max_size=3))
    def miss(self, missing: set[tuple[int, str]]) -> None:
        """Some members do not get events of some types for a while, so that others overtake them."""
        for number, member in enumerate(self.mall.members):
            member.missing = frozenset(type_ for which, type_ in missing if which == number)

    @rule(late=LATE, wish=st.sampled_from(WISHES), basket=BASKET, rounds=ROUNDS, seconds=SECONDS)
    def overtake(self, late: tuple[int, str], wish: str, basket: Basket, rounds: tuple[int, int], seconds: int) -> None:
        """Everything goes on but for one kind of event, and somebody wishes for something in the meantime."""
        self.place_another(basket)
        newest = len(self.mall.orders_store.known) - 1
        self.miss({late})
        self.bustle(rounds[0], seconds, backwards=False)
        if wish == "return":
            self.give_back(newest, 0)
        elif wish:
            self.cancel(newest, by_staff=wish == "staff", early=True)
        self.bustle(rounds[1], seconds, backwards=True)
        self.miss(set())

    @rule(position=POSITIONS, but_one=RARELY, late=st.booleans())
    def come_back(self, position: int, but_one: bool, late: bool) -> None:
        """The carrier brings back all parcels of an order, or all but one; that they left is perhaps heard later."""
        order = self.mall.order(position)
        self.get_on(position, Stage.CONFIRMED)
        self.miss({(0, "shipment.dispatched")} if late else set())
        self.bustle(6, 60, backwards=False)
        if order:
            for shipment in self.mall.parcels(order.id)[but_one:]:
                self.mall.carrier_sees(shipment, ShipmentStatus.RETURNED)
        self.bustle(1, 0, backwards=False)
        self.miss(set())

    @rule(position=POSITIONS, status=st.sampled_from(WHAT_CARRIERS_SAY))
    def carrier_says(self, position: int, status: ShipmentStatus) -> None:
        parcels = self.mall.parcels()
        if parcels:
            self.mall.carrier_sees(parcels[position % len(parcels)], status)

    @rule(member=MEMBERS, position=POSITIONS)
    def repeat(self, member: int, position: int) -> None:
        self.mall.repeat(self.member(member), position)

    @rule(bank=RARELY, carrier=RARELY, deaf=st.sets(MEMBERS, max_size=2))
    def come_and_go(self, bank: bool, carrier: bool, deaf: set[int]) -> None:
        self.mall.bank_outage.gone, self.mall.carrier_outage.gone = bank, carrier
        for position, member in enumerate(self.mall.members):
            member.deaf = position in deaf

    @rule(bank=st.integers(0, 3), carrier=st.integers(0, 3))
    def lose_answers(self, bank: int, carrier: int) -> None:
        self.mall.bank_outage.mute, self.mall.carrier_outage.mute = bank, carrier

    # --- what must be true

    @invariant()
    def no_cent_and_no_piece_is_wrong(self) -> None:
        assert faults(self.mall) == []

    def teardown(self) -> None:
        self.mall.rest()
        assert faults_at_rest(self.mall) == []


@pytest.mark.timeout(600 + EXAMPLES)
def test_every_story_ends_well() -> None:
    LifeOfOrders.TestCase.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize="CI" in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    LifeOfOrders.TestCase().runTest()
    assert sorted(expected(EXAMPLES) - CHRONICLE.seen.keys()) == []
