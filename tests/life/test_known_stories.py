"""Stories that once went wrong, or nearly: told by name, so that they stay told."""

from __future__ import annotations

import pytest

from subgraphs.orders.checkout import LineRequest, OrderRequest
from subgraphs.orders.domain import Address, Customer, Order
from subgraphs.orders.order_life import OrderStatus
from subgraphs.orders.refusal import RefusalError
from subgraphs.orders.returns import ReturnRequest
from tests.life.audit import faults, faults_at_rest
from tests.life.mall_in_memory import Mall, Member

A_DAY = 24


def place(mall: Mall, mugs: int, teapots: int = 0, token: str = "tok_approved", country: str = "DE") -> str:
    wanted = (("MUG-001", mugs), ("TEA-001", teapots))
    lines = tuple(LineRequest(product_id, quantity) for product_id, quantity in wanted if quantity)
    address = Address("Ada", "Street 1", None, "Town", "12345", country)
    request = OrderRequest(lines, address, token, f"key-{len(mall.orders_store.known)}")
    return mall.ask(mall.orders.place(Customer("cus_ada"), request)).id


def order(mall: Mall, order_id: str) -> Order:
    return mall.orders_store.known[order_id]


def member(mall: Mall, name: str) -> Member:
    return next(each for each in mall.members if each.name == name)


def until(mall: Mall, order_id: str, status: OrderStatus) -> None:
    for _ in range(100):
        if order(mall, order_id).status is status:
            return
        mall.bustle()
        mall.pass_time(30)
    pytest.fail(f"{order_id} is {order(mall, order_id).status}, never {status}")


def assert_well(mall: Mall) -> None:
    assert faults(mall) == []
    mall.rest(A_DAY)
    assert faults_at_rest(mall) == []


def test_an_order_that_nobody_disturbs_is_delivered_and_paid() -> None:
    mall = Mall()
    order_id = place(mall, 2, 1)
    mall.rest(A_DAY)
    assert [entry.to_status.value for entry in order(mall, order_id).history] == [
        "PENDING",
        "CONFIRMED",
        "DISPATCHED",
        "DELIVERED",
    ]
    assert_well(mall)


def test_a_split_order_is_captured_parcel_by_parcel_up_to_its_total() -> None:
    mall = Mall()
    order_id = place(mall, 5, 3)
    until(mall, order_id, OrderStatus.DELIVERED)
    assert len(order(mall, order_id).parcels) > 1
    assert_well(mall)


def test_a_cancel_that_overtakes_the_news_of_the_delivery_puts_nothing_in_stock_that_is_gone() -> None:
    """Released at once, the pieces would be sold a second time, though they are with the customer."""
    mall = Mall()
    order_id = place(mall, 2)
    until(mall, order_id, OrderStatus.CONFIRMED)
    shipping, inventory, orders = (member(mall, name) for name in ("shipping", "inventory", "orders"))
    orders.deaf = inventory.deaf = True
    for _ in range(30):
        mall.bustle()
        mall.pass_time(60)
    mall.ask(mall.orders.cancel(order_id, "changed my mind", "cus_ada"))
    mall.publish(orders, 10)
    orders.deaf = inventory.deaf = False
    mall.bustle(backwards=True)
    assert shipping.inbox == []
    assert_well(mall)


@pytest.mark.parametrize("by", ["cus_ada", None])
def test_a_confirmed_order_is_cancelled_before_its_parcel_leaves(by: str | None) -> None:
    mall = Mall()
    order_id = place(mall, 2)
    until(mall, order_id, OrderStatus.CONFIRMED)
    mall.ask(mall.orders.cancel(order_id, "why not", by))
    assert_well(mall)


def test_staff_call_back_one_parcel_on_its_way_and_one_that_never_left() -> None:
    mall = Mall()
    order_id = place(mall, 5, 3)
    until(mall, order_id, OrderStatus.DISPATCHED)
    mall.ask(mall.orders.cancel(order_id, "lost", None))
    assert_well(mall)


def test_an_answer_that_is_lost_while_money_is_taken_is_neither_taken_twice_nor_forgotten() -> None:
    """The bank took it and could not say so, and the order is cancelled before it is asked again."""
    mall = Mall()
    order_id = place(mall, 2)
    until(mall, order_id, OrderStatus.CONFIRMED)
    mall.bank_outage.mute = 1
    until(mall, order_id, OrderStatus.DISPATCHED)
    [account] = mall.bank.accounts.values()
    [payment] = mall.payments_store.kept.values()
    assert (account.captured, payment.captured.amount_minor) == (order(mall, order_id).total.amount_minor, 0)
    mall.ask(mall.orders.cancel(order_id, "lost", None))
    assert_well(mall)
    assert account.refunded == account.captured


def test_a_bank_that_is_gone_leaves_the_order_waiting_and_it_says_so() -> None:
    mall = Mall()
    mall.bank_outage.gone = True
    order_id = place(mall, 2)
    for _ in range(5):
        mall.bustle()
        mall.pass_time(5)
    waiting = order(mall, order_id)
    assert [each.value for each in waiting.waiting_for] == ["PAYMENT"]
    assert [entry.code for entry in waiting.history] == [None, "PAYMENT_DELAYED"]
    mall.bank_outage.end()
    until(mall, order_id, OrderStatus.CONFIRMED)
    assert_well(mall)


def test_an_order_whose_bank_never_answers_expires_and_holds_nothing() -> None:
    mall = Mall()
    order_id = place(mall, 2, token="tok_unreachable")
    mall.rest(A_DAY)
    assert order(mall, order_id).history[-1].code == "RESERVATION_EXPIRED"
    assert_well(mall)


def test_a_reservation_that_expires_while_the_news_of_the_confirmation_are_on_their_way_is_kept() -> None:
    mall = Mall()
    order_id = place(mall, 2)
    inventory = member(mall, "inventory")
    mall.bustle()
    inventory.deaf = True
    until(mall, order_id, OrderStatus.CONFIRMED)
    mall.pass_time(2000)
    work = mall.start_work(inventory)
    assert work is not None
    mall.finish(work)
    until(mall, order_id, OrderStatus.DISPATCHED)
    inventory.deaf = False
    until(mall, order_id, OrderStatus.DELIVERED)
    assert_well(mall)


def test_everything_is_returned_piece_by_piece() -> None:
    mall = Mall()
    order_id = place(mall, 5, 3)
    until(mall, order_id, OrderStatus.DELIVERED)
    mall.ask(mall.orders.request_return(order_id, ReturnRequest(None, "broken", "key"), "cus_ada"))
    until(mall, order_id, OrderStatus.RETURNED)
    with pytest.raises(RefusalError, match="ORDER_ALREADY_RETURNED"):
        mall.ask(mall.orders.cancel(order_id, "why not", None))
    assert_well(mall)
