"""No card number reaches the database, an event or a log, wherever somebody puts one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from structlog.testing import capture_logs

from subgraphs.chassis.database.mongodb import Database
from subgraphs.payments.card_numbers import has_card_number, mask_card_numbers
from subgraphs.payments.domain import Declined, Money, OrderFact, Outcome, PaymentError, Step
from subgraphs.payments.provider import ProviderUnavailableError
from subgraphs.payments.refunds import RefundRequest, ReturnRequested
from subgraphs.payments.service import Payments
from subgraphs.payments.store import MongoStore
from tests.subgraphs.payments.examples import ORDER, WHOLE, FakeProvider, MovableClock, captured

CARD = "4242424242424242"
WRITTEN = "4242 4242-4242 4242"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"card {CARD} refused", "card •••• 4242 refused"),
        (WRITTEN, "•••• 4242"),
        ("3782 822463 10005 and 6011000990139424", "•••• 0005 and •••• 9424"),
        (f"tok_{CARD}", "tok_•••• 4242"),
        ("4242424242424243", "4242424242424243"),
        ("order 20260301, 12 pieces at 59.90", "order 20260301, 12 pieces at 59.90"),
        ("1" * 400, "1" * 400),
        ("a0424240424242428a4b8c0d1e2f3a4b", "a0424240424242428a4b8c0d1e2f3a4b"),
        ("a0424240-4242-4242-8a4b-8c0d1e2f3a4b", "a0424240-4242-4242-8a4b-8c0d1e2f3a4b"),
        (f"card{CARD}", "card•••• 4242"),
        (f"{CARD}ffffffffffffffff", "•••• 4242ffffffffffffffff"),
    ],
)
def test_card_numbers_are_masked_and_other_numbers_are_not(text: str, masked: str) -> None:
    assert mask_card_numbers(text) == masked
    assert has_card_number(text) == (text != masked)


@dataclass(slots=True)
class TalkativeProvider:
    """A provider that tells more than it should."""

    outages: int = 1

    async def perform(self, step: Step) -> Outcome:
        if self.outages:
            self.outages -= 1
            raise ProviderUnavailableError(f"timeout while charging {WRITTEN}")
        if step.kind.value == "AUTHORIZATION":
            return Declined("DO_NOT_HONOUR", f"Card {CARD} was refused.")
        raise ZeroDivisionError(CARD)

    def describe_method(self, token: str) -> str:
        return f"Card of {token}"


@pytest.mark.asyncio
async def test_no_card_number_reaches_the_database_or_a_log(mongo_store: MongoStore, database: Database) -> None:
    clock = MovableClock()
    payments = Payments(mongo_store, TalkativeProvider(), clock)
    with capture_logs() as logs:
        await payments.open_payment(replace(ORDER, token=f"tok_{CARD}"), "placed")
        await payments.learn("ord_1", OrderFact.RESERVED, "reserved")
        clock.pass_s(10)
        await payments.advance_due()
        await payments.learn("ord_1", ReturnRequested("ret_1", Money(100, "EUR"), f"paid by {WRITTEN}"), "return")
        await mongo_store.add(captured(2))
        for reason, key in ((f"by {WRITTEN}", "key-1"), ("Damaged.", CARD)):
            with pytest.raises(PaymentError, match=r"^This looks like a card number: leave it out\.$") as refused:
                await payments.refund("pay_2", RefundRequest(Money(100, "EUR"), reason, key))
            assert refused.value.code == "CARD_NUMBER_NOT_ALLOWED"
    documents = [str(each) async for each in database["payments"].find({})]
    assert len(documents) == 2
    assert "Card •••• 4242 was refused." in "".join(documents), "the reason is kept, without the number"
    assert logs
    for text in [*documents, *map(str, logs)]:
        assert CARD not in text
        assert WRITTEN not in text


@pytest.mark.asyncio
async def test_a_defect_at_the_provider_is_logged_without_what_it_said(mongo_store: MongoStore) -> None:
    clock = MovableClock()
    await Payments(mongo_store, FakeProvider(), clock).open_payment(ORDER, "placed")
    await Payments(mongo_store, FakeProvider(), clock).learn("ord_1", OrderFact.RESERVED, "reserved")
    await Payments(mongo_store, FakeProvider(outages=1), clock).learn("ord_1", WHOLE, "dispatched")
    clock.pass_s(10)
    with capture_logs() as logs:
        await Payments(mongo_store, TalkativeProvider(outages=0), clock).advance_due()
    (entry,) = logs
    assert (entry["event"], entry["payment"]) == ("payment_not_advanced", "pay_1")
    assert entry["error"] == "ZeroDivisionError('•••• 4242')"
    assert "perform:" in entry["stack"]
