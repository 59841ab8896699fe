"""The use cases, over the store in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from subgraphs.orders.changes import move
from subgraphs.orders.checkout import LineRequest, OrderRequest, fingerprint, order_id, order_number
from subgraphs.orders.domain import (
    Customer,
    Money,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderPlaced,
    ReturnLine,
    ReturnRequested,
)
from subgraphs.orders.order_life import Occurrence, OrderStatus, Stage, TransitionError
from subgraphs.orders.refusal import RefusalError
from subgraphs.orders.returns import ReturnRequest
from subgraphs.orders.service import ATTEMPTS, Change, Orders
from tests.subgraphs.orders.examples import ADDRESS, LAMP, MUG, NOW, OLD_POT, a_request, an_order
from tests.subgraphs.orders.memory_store import MemoryStore

ADA = Customer("cus_ada", "Ada Lovelace", "ada@example.org")
pytestmark = pytest.mark.asyncio


def a_shop(*orders: Order, numbers: Iterator[int] | None = None) -> tuple[Orders, MemoryStore]:
    store = MemoryStore(known={order.id: order for order in orders})
    store.known_products = {each.id: (each, 1) for each in (MUG, LAMP, OLD_POT)}
    source = numbers or itertools.count(1)
    return Orders(store, lambda: NOW, lambda: next(source)), store


def happens(occurrence: Occurrence, reason: str | None = None, code: str | None = None) -> Change:
    """The news that this happened."""
    return lambda order, at: move(order, occurrence, at, reason, code)


def refused(error: pytest.ExceptionInfo[RefusalError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


async def test_a_placed_order_is_pending_priced_by_the_shop_and_announced_with_its_token() -> None:
    orders, store = a_shop()
    order = await orders.place(ADA, a_request())
    assert (order.status, order.total, order.customer_id) == (OrderStatus.PENDING, Money(3490), "cus_ada")
    assert order.number == order_number(2026, 1)
    assert store.known == {order.id: order}
    assert store.published == [OrderPlaced(order, "tok_approved")]
    assert store.known_customers == {"cus_ada": ADA}


async def test_a_repeat_returns_the_first_order_and_announces_nothing() -> None:
    orders, store = a_shop()
    first = await orders.place(ADA, a_request())
    await orders.change_product(replace(MUG, price=Money(1), active=False), 2)
    assert await orders.place(ADA, a_request()) == first
    assert len(store.published) == 1


async def test_a_repeat_returns_the_first_order_also_where_its_country_is_served_no_more() -> None:
    request = a_request(shipping_address=replace(ADDRESS, country_code="AQ"))
    first = an_order(id=order_id("cus_ada", "key-1"), shipping_address=request.shipping_address)
    first = replace(first, fingerprint=fingerprint(request))
    orders, _ = a_shop(first)
    assert await orders.place(ADA, request) == first


async def test_the_same_key_with_other_input_is_refused() -> None:
    orders, store = a_shop()
    first = await orders.place(ADA, a_request())
    with pytest.raises(RefusalError) as error:
        await orders.place(ADA, a_request(lines=(LineRequest("LMP-001", 1),)))
    [problem] = error.value.problems
    assert (problem.code, problem.field) == ("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    assert problem.message == f"Order {first.number} was placed under this key with other input; use a new key."
    assert store.known == {first.id: first}
    assert len(store.published) == 1


async def test_the_same_key_of_another_customer_is_another_order() -> None:
    orders, _ = a_shop()
    first = await orders.place(ADA, a_request())
    second = await orders.place(Customer("cus_bob"), a_request())
    assert first.id != second.id


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (a_request(lines=()), "ORDER_EMPTY"),
        (a_request(lines=(LineRequest("MUG-001", 0),)), "QUANTITY_INVALID"),
        (a_request(lines=(LineRequest("MUG-001", 10**9),)), "QUANTITY_INVALID"),
        (a_request(lines=(LineRequest("NOPE-000", 1),)), "PRODUCT_UNKNOWN"),
        (a_request(lines=(LineRequest("POT-009", 1),)), "PRODUCT_INACTIVE"),
        (a_request(payment_token="visa"), "PAYMENT_METHOD_INVALID"),
        (a_request(shipping_address=replace(ADDRESS, country_code="Germany")), "ADDRESS_INVALID"),
        (a_request(shipping_address=replace(ADDRESS, country_code="AQ")), "COUNTRY_NOT_SERVED"),
    ],
)
async def test_a_wrong_request_changes_nothing(request_: OrderRequest, code: str) -> None:
    orders, store = a_shop()
    with pytest.raises(RefusalError) as error:
        await orders.place(ADA, request_)
    assert refused(error) == [code]
    assert (store.known, store.published, store.known_customers) == ({}, [], {})


async def test_a_number_that_is_taken_is_drawn_again() -> None:
    orders, _ = a_shop(an_order(number=order_number(2026, 7)), numbers=iter([7, 8]))
    assert (await orders.place(ADA, a_request())).number == order_number(2026, 8)


async def test_a_shop_without_free_numbers_gives_up_and_changes_nothing() -> None:
    taken = an_order(number=order_number(2026, 7))
    orders, store = a_shop(taken, numbers=itertools.repeat(7))
    with pytest.raises(RefusalError) as error:
        await orders.place(ADA, a_request())
    assert refused(error) == ["ORDER_BUSY"]
    assert store.known == {taken.id: taken}


@dataclass(slots=True)
class RacingStore(MemoryStore):
    """Somebody else places the same order, or moves it, just before each write; ``rivals`` times."""

    rivals: list[Order] = field(default_factory=list)

    def rival_writes(self) -> None:
        if self.rivals:
            rival = self.rivals.pop()
            self.known[rival.id] = rival

    async def insert(self, order: Order, events: Sequence[OrderEvent]) -> bool:
        self.rival_writes()
        return await MemoryStore.insert(self, order, events)

    async def save(self, order: Order, events: Sequence[OrderEvent] = (), cause: str | None = None) -> Order | None:
        self.rival_writes()
        return await MemoryStore.save(self, order, events, cause)


async def test_a_repeat_at_the_same_moment_returns_the_order_that_won() -> None:
    orders, store = a_shop()
    winner = await orders.place(ADA, a_request())
    racing = RacingStore(known_products=store.known_products, rivals=[winner])
    assert await Orders(racing, lambda: NOW, lambda: 99).place(ADA, a_request()) == winner
    assert racing.published == []


async def test_two_answers_at_the_same_moment_confirm_the_order_once() -> None:
    placed = an_order()
    racing = RacingStore(known={placed.id: placed}, rivals=[replace(placed, stage=Stage.RESERVED, revision=1)])
    orders = Orders(racing, lambda: NOW, lambda: 1)
    after = await orders.learn(placed.id, happens(Occurrence.PAYMENT_AUTHORIZED), "evt_1")
    assert after is not None
    assert after.stage is Stage.CONFIRMED
    assert racing.published == [OrderConfirmed(replace(after, revision=1))]


async def test_an_order_that_never_rests_is_busy() -> None:
    placed = an_order()
    flips = [replace(placed, revision=number) for number in range(ATTEMPTS, 0, -1)]
    racing = RacingStore(known={placed.id: placed}, rivals=flips)
    with pytest.raises(RefusalError) as error:
        await Orders(racing, lambda: NOW, lambda: 1).cancel(placed.id, "enough", None)
    assert refused(error) == ["ORDER_BUSY"]
    assert racing.published == []


async def test_an_order_is_confirmed_when_both_have_said_yes() -> None:
    orders, store = a_shop(an_order())
    await orders.learn("ord_1", happens(Occurrence.PAYMENT_AUTHORIZED), "evt_1")
    assert store.published == []
    order = await orders.learn("ord_1", happens(Occurrence.STOCK_RESERVED), "evt_2")
    assert order is not None
    assert order.status is OrderStatus.CONFIRMED
    assert store.published == [OrderConfirmed(replace(order, revision=1))]


async def test_a_refusal_cancels_the_order_with_its_code_and_message() -> None:
    orders, store = a_shop(an_order())
    order = await orders.learn(
        "ord_1", happens(Occurrence.PAYMENT_DECLINED, "The card has expired.", "EXPIRED_CARD"), "evt_1"
    )
    assert order is not None
    assert order.status is OrderStatus.CANCELLED
    assert (order.history[-1].reason, order.history[-1].code) == ("The card has expired.", "EXPIRED_CARD")
    assert store.published == [OrderCancelled(replace(order, revision=0))]


async def test_a_repeated_event_changes_nothing() -> None:
    orders, store = a_shop(an_order())
    after = await orders.learn("ord_1", happens(Occurrence.STOCK_RESERVED), "evt_1")
    with pytest.raises(TransitionError):
        await orders.learn("ord_1", happens(Occurrence.STOCK_RESERVED), "evt_1")
    assert store.known == {"ord_1": after}


async def test_an_event_of_an_unknown_order_is_told_as_such() -> None:
    orders, store = a_shop()
    assert await orders.learn("ord_9", happens(Occurrence.STOCK_RESERVED), "evt_1") is None
    assert store.known == {}


@pytest.mark.parametrize(("customer_id", "code"), [("cus_ada", "CUSTOMER_REQUEST"), (None, "STAFF_REQUEST")])
async def test_an_order_is_cancelled_by_its_customer_and_by_staff(customer_id: str | None, code: str) -> None:
    orders, store = a_shop(an_order(stage=Stage.CONFIRMED))
    order = await orders.cancel("ord_1", "  changed my \n mind ", customer_id)
    assert order.status is OrderStatus.CANCELLED
    assert (order.history[-1].reason, order.history[-1].code) == ("changed my mind", code)
    assert store.published == [OrderCancelled(replace(order, revision=0))]


@pytest.mark.parametrize("customer_id", ["cus_ada", None])
async def test_a_cancellation_whose_answer_was_lost_can_be_repeated(customer_id: str | None) -> None:
    orders, store = a_shop(an_order(stage=Stage.CONFIRMED))
    first = await orders.cancel("ord_1", "changed my mind", customer_id)
    assert await orders.cancel("ord_1", " changed  my mind", customer_id) == first
    assert len(store.published) == 1


@pytest.mark.parametrize(("reason", "customer_id"), [("not mine", "cus_ada"), ("changed my mind", None)])
async def test_another_cancellation_of_a_cancelled_order_is_refused(reason: str, customer_id: str | None) -> None:
    orders, store = a_shop(an_order(stage=Stage.CONFIRMED))
    first = await orders.cancel("ord_1", "changed my mind", "cus_ada")
    with pytest.raises(RefusalError) as error:
        await orders.cancel("ord_1", reason, customer_id)
    assert refused(error) == ["ORDER_ALREADY_CANCELLED"]
    assert (store.known, len(store.published)) == ({"ord_1": first}, 1)


async def test_two_cancellations_at_the_same_moment_are_one() -> None:
    confirmed = an_order(stage=Stage.CONFIRMED)
    orders, _ = a_shop(confirmed)
    winner = await orders.cancel("ord_1", "changed my mind", "cus_ada")
    racing = RacingStore(known={"ord_1": confirmed}, rivals=[winner])
    assert await Orders(racing, lambda: NOW, lambda: 1).cancel("ord_1", "changed my mind", "cus_ada") == winner
    assert racing.published == []


@pytest.mark.parametrize(
    ("known_id", "reason", "customer_id", "code"),
    [
        ("ord_9", "why not", "cus_ada", "NOT_FOUND"),
        ("ord_1", "why not", "cus_bob", "NOT_FOUND"),
        ("ord_1", " ", "cus_ada", "REASON_INVALID"),
        ("ord_1", "r" * 501, "cus_ada", "REASON_INVALID"),
        ("ord_1", "why not", "cus_ada", "ORDER_ALREADY_DISPATCHED"),
    ],
)
async def test_a_cancellation_that_cannot_be_changes_nothing(
    known_id: str, reason: str, customer_id: str, code: str
) -> None:
    order = an_order(stage=Stage.DISPATCHED)
    orders, store = a_shop(order)
    with pytest.raises(RefusalError) as error:
        await orders.cancel(known_id, reason, customer_id)
    assert refused(error) == [code]
    assert (store.known, store.published) == ({"ord_1": order}, [])


async def test_someone_elses_order_is_refused_like_one_that_does_not_exist() -> None:
    orders, _ = a_shop(an_order())
    with pytest.raises(RefusalError) as of_another:
        await orders.cancel("ord_1", "why not", "cus_bob")
    with pytest.raises(RefusalError) as unknown:
        await orders.cancel("ord_9", "why not", "cus_bob")
    assert of_another.value.problems == unknown.value.problems


async def test_staff_call_back_a_parcel_on_its_way() -> None:
    orders, _ = a_shop(an_order(stage=Stage.DISPATCHED))
    assert (await orders.cancel("ord_1", "lost by the carrier", None)).status is OrderStatus.CANCELLED


A_RETURN = ReturnRequest((ReturnLine("MUG-001", 1),), "broken", "key-1")


@pytest.mark.parametrize("customer_id", ["cus_ada", None])
async def test_a_return_is_requested_once_by_its_customer_or_by_staff(customer_id: str | None) -> None:
    orders, store = a_shop(an_order(stage=Stage.DELIVERED))
    first = await orders.request_return("ord_1", A_RETURN, customer_id)
    again = await orders.request_return("ord_1", A_RETURN, customer_id)
    assert first == again
    assert first.order.returns == (first.requested,)
    assert store.published == [ReturnRequested(replace(first.order, revision=0), first.requested)]


@pytest.mark.parametrize(
    ("known_id", "customer_id", "code"),
    [("ord_9", "cus_ada", "NOT_FOUND"), ("ord_1", "cus_bob", "NOT_FOUND"), ("ord_1", None, "ORDER_NOT_DELIVERED")],
)
async def test_a_return_that_cannot_be_changes_nothing(known_id: str, customer_id: str | None, code: str) -> None:
    order = an_order(stage=Stage.DISPATCHED)
    orders, store = a_shop(order)
    with pytest.raises(RefusalError) as error:
        await orders.request_return(known_id, A_RETURN, customer_id)
    [problem] = error.value.problems
    assert (problem.code, problem.field) == (code, "orderId")
    assert (store.known, store.published) == ({"ord_1": order}, [])


async def test_a_changed_price_places_nothing() -> None:
    orders, store = a_shop()
    request_ = a_request(lines=(LineRequest("MUG-001", 2, Money(1)),))
    with pytest.raises(RefusalError) as error:
        await orders.place(ADA, request_)
    assert refused(error) == ["PRICE_CHANGED"]
    assert (store.known, store.published, store.known_customers) == ({}, [], {})
    assert (await orders.place(ADA, replace(request_, accept_price_change=True))).total == Money(3490)
