"""The store's promises, kept by the one in memory and by the one on a real database alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.errors import WriteError

from subgraphs.chassis.database.mongodb import Database
from subgraphs.payments.domain import Approved, Money, OrderFact, Payment, PaymentAuthorized
from subgraphs.payments.refunds import RefundRequest, ReturnReceived, ReturnRequested
from subgraphs.payments.service import Store
from subgraphs.payments.steps import News, begin_step, conclude_step, learn, next_step, request_refund
from subgraphs.payments.store import MongoStore, to_document
from tests.services import CommandLog
from tests.subgraphs.payments.examples import MUGS, NOW, TOTAL, a_payment, captured

pytestmark = pytest.mark.asyncio


def told(payment: Payment, news: News) -> Payment:
    change = learn(payment, news, NOW)
    return change.payment if change else payment


def with_everything() -> Payment:
    """A payment whose every field is set."""
    change = learn(a_payment(), OrderFact.RESERVED, NOW)
    assert change
    payment = change.payment
    for _ in ("authorization", "capture"):
        step = next_step(payment)
        assert step
        payment = conclude_step(payment, step, Approved(), NOW, "INV-2026-000001").payment
        payment = told(payment, MUGS)
    payment = told(told(payment, ReturnRequested("ret_1", TOTAL, "Too small.")), ReturnReceived("ret_2"))
    refunding = request_refund(payment, RefundRequest(Money(100, "EUR"), "Arrived damaged.", "key"), NOW)
    step = next_step(refunding)
    assert step
    return begin_step(refunding, step, NOW)


async def test_a_payment_comes_back_as_it_was_kept(store: Store) -> None:
    payment = with_everything()
    assert payment.invoices
    assert payment.returns
    assert payment.attempt
    assert await store.add(payment)
    assert await store.payments(["pay_1", "pay_unknown"]) == {"pay_1": payment}
    assert await store.payments_of_orders(["ord_1", "ord_unknown"]) == {"ord_1": payment}


async def test_an_order_has_one_payment(store: Store) -> None:
    assert await store.add(a_payment(), "event-1")
    assert not await store.add(replace(a_payment(), customer_id="cus_other"), "event-2")
    assert await store.payments(["pay_1"]) == {"pay_1": a_payment()}


async def test_a_change_is_written_over_its_own_revision_alone(store: Store) -> None:
    await store.add(a_payment())
    saved = await store.save(replace(a_payment(), method="first"))
    assert saved == replace(a_payment(), method="first", revision=1)
    assert await store.save(replace(a_payment(), method="second")) is None
    assert (await store.payments(["pay_1"]))["pay_1"].method == "first"


async def test_an_event_that_was_handled_is_not_handled_again(store: Store) -> None:
    await store.add(a_payment(), "event-0")
    assert await store.save(a_payment(), cause="event-0") is None, "by being there it has handled what made it"
    saved = await store.save(a_payment(), cause="event-1")
    assert saved
    assert await store.save(saved, cause="event-1") is None
    assert await store.save(saved, cause="event-2")


async def test_of_many_writers_one_wins(store: Store) -> None:
    await store.add(a_payment())
    saved = await asyncio.gather(*(store.save(replace(a_payment(), method=str(n))) for n in range(8)))
    (winner,) = [payment for payment in saved if payment]
    assert (await store.payments(["pay_1"]))["pay_1"] == winner


async def test_due_payments_come_the_longest_waiting_first(store: Store) -> None:
    for number, due_in_s in enumerate([-1, -5, 0, 1], start=1):
        await store.add(replace(a_payment(number=number), due_at=NOW + timedelta(seconds=due_in_s)))
    await store.add(a_payment(number=5))
    assert [payment.id for payment in await store.due(NOW, 10)] == ["pay_2", "pay_1", "pay_3"]
    assert [payment.id for payment in await store.due(NOW, 1)] == ["pay_2"]


async def test_invoice_numbers_have_no_gaps_and_stay(store: Store) -> None:
    ids = [f"pay_{number}" for number in range(6)]
    numbers = await asyncio.gather(*(store.invoice_number("INV-2026", id_) for id_ in [*ids, *ids]))
    assert sorted(set(numbers)) == [f"INV-2026-00000{number}" for number in range(1, 7)]
    assert numbers[:6] == numbers[6:]
    assert await store.invoice_number("INV-2027", "pay_0") == numbers[0]
    assert await store.invoice_number("INV-2027", "pay_new") == "INV-2027-000001"


async def test_state_and_events_are_one_document(mongo_store: MongoStore, database: Database) -> None:
    await mongo_store.add(a_payment())
    await mongo_store.save(a_payment(), [PaymentAuthorized("ord_1", "pay_1", TOTAL)], "event-1")
    document = await database["payments"].find_one({"_id": "pay_1"})
    assert document
    (pending,) = document["outbox"]
    assert (pending["type"], pending["subject"]) == ("payment.authorized", "pay_1")
    assert pending["data"] == {
        "orderId": "ord_1",
        "paymentId": "pay_1",
        "amount": {"amountMinor": 5990, "currencyCode": "EUR"},
    }
    assert document["handledEvents"] == ["event-1"]


async def test_a_batch_is_one_query(mongo_store: MongoStore, commands: CommandLog) -> None:
    for number in range(5):
        await mongo_store.add(captured(number))
    commands.commands.clear()
    assert len(await mongo_store.payments([f"pay_{number}" for number in range(10)])) == 5
    assert len(await mongo_store.payments_of_orders([f"ord_{number}" for number in range(10)])) == 5
    assert commands.commands == ["find", "find"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"orderId": None},
        {"status": "LOST"},
        {"captured": {"amountMinor": -1, "currencyCode": "EUR"}},
        {"amount": {"amountMinor": 59.9, "currencyCode": "EUR"}},
        {"token": "tok_4242424242424242"},
        {"method": "4242 4242 42424242"},
    ],
)
async def test_the_database_refuses_a_payment_that_cannot_be(database: Database, wrong: dict[str, object]) -> None:
    document = {**to_document(a_payment()), "outbox": [], "handledEvents": []}
    with pytest.raises(WriteError, match="Document failed validation"):
        await database["payments"].insert_one({**document, **wrong})
    assert await database["payments"].count_documents({}) == 0
    await database["payments"].insert_one(document)
