"""The provider's webhook over the store in memory: signed, idempotent, and never the last word twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.http_route import to_starlette
from subgraphs.chassis.identity.auth import ANONYMOUS
from subgraphs.chassis.identity.webhooks import HEADER, sign
from subgraphs.payments.app import PaymentsSettings, service
from subgraphs.payments.domain import InProgress, OrderFact, PaymentAuthorized, PaymentDeclined, TransactionKind
from subgraphs.payments.schema import Loaders, make_loaders
from subgraphs.payments.service import Payments
from subgraphs.payments.webhooks import provider_routes
from tests.services import Json
from tests.subgraphs.payments.examples import NOW, ORDER, TOTAL, FakeProvider, MovableClock
from tests.subgraphs.payments.memory_store import MemoryStore

pytestmark = pytest.mark.asyncio

SECRET = SecretStr("a-secret-of-at-least-32-characters")
APPROVED: Json = {"id": "evt_1", "type": "call.approved", "paymentId": "pay_1", "key": "pay_1:authorization"}
DECLINED: Json = {**APPROVED, "type": "call.declined", "code": "FRAUD_SUSPECTED", "message": "Suspicious."}


@dataclass(slots=True)
class Shop:
    """A payment whose provider thinks about its authorisation, and the webhook."""

    store: MemoryStore = field(default_factory=MemoryStore)
    provider: FakeProvider = field(
        default_factory=lambda: FakeProvider({TransactionKind.AUTHORIZATION: InProgress(60.0)})
    )

    @property
    def payments(self) -> Payments:
        return Payments(self.store, self.provider, MovableClock())

    async def place(self) -> None:
        await self.payments.open_payment(ORDER, "placed")
        await self.payments.learn("ord_1", OrderFact.RESERVED, "reserved")
        self.store.events.clear()

    async def post(self, notice: object, signature: str | None = None) -> httpx.Response:
        async def context(request: object) -> RequestContext[Payments, Loaders]:
            return RequestContext(ANONYMOUS, lambda: self.payments, make_loaders)

        body = json.dumps(notice).encode()
        app = Starlette(routes=[to_starlette(route, context) for route in provider_routes(SECRET)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            headers = {HEADER: signature or sign(SECRET, body, NOW)}
            return await client.post("/webhooks/provider", content=body, headers=headers)

    @property
    def status(self) -> str:
        return self.store.kept["pay_1"].status.value


async def test_an_approval_is_taken_once() -> None:
    shop = Shop()
    await shop.place()
    for _ in range(3):
        assert (await shop.post(APPROVED)).status_code == 204
    assert shop.status == "AUTHORIZED"
    assert shop.store.events == [PaymentAuthorized("ord_1", "pay_1", TOTAL)]
    assert len(shop.store.kept["pay_1"].transactions) == 1


async def test_a_refusal_is_taken_with_its_reason_and_stays() -> None:
    shop = Shop()
    await shop.place()
    assert (await shop.post(DECLINED)).status_code == 204
    assert (await shop.post(APPROVED)).status_code == 204
    assert shop.status == "DECLINED"
    assert shop.store.events == [PaymentDeclined("ord_1", "pay_1", "FRAUD_SUSPECTED", "Suspicious.")]


async def test_an_approval_that_a_cancellation_has_overtaken_changes_nothing() -> None:
    shop = Shop()
    await shop.place()
    shop.provider.outages = 1
    await shop.payments.learn("ord_1", OrderFact.CANCELLED, "cancelled")
    before = shop.store.kept["pay_1"]
    assert (await shop.post(APPROVED)).status_code == 204
    assert shop.store.kept["pay_1"] == before


@pytest.mark.parametrize("signature", ["t=1,v1=00", sign(SECRET, b"{}", NOW), "none"])
async def test_a_notice_that_is_not_signed_changes_nothing(signature: str) -> None:
    shop = Shop()
    await shop.place()
    before = shop.store.kept["pay_1"]
    answer = await shop.post(APPROVED, signature)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "SIGNATURE_INVALID")
    assert (shop.store.kept["pay_1"], shop.store.events) == (before, [])


async def test_an_old_notice_that_is_played_again_changes_nothing() -> None:
    shop = Shop()
    await shop.place()
    body = json.dumps(APPROVED).encode()
    answer = await shop.post(APPROVED, sign(SECRET, body, NOW - timedelta(seconds=301)))
    assert (answer.status_code, shop.status) == (401, "PENDING")


@pytest.mark.parametrize(
    "notice", [[], {}, {**APPROVED, "type": "call.lost"}, {**DECLINED, "code": "x" * 1000}, "\u2028"]
)
async def test_a_body_that_is_no_notice_is_refused(notice: object) -> None:
    shop = Shop()
    await shop.place()
    answer = await shop.post(notice)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {"code": "BAD_REQUEST", "message": "The body is not a notice of the payment provider."}
    }
    assert shop.status == "PENDING"


async def test_a_payment_that_is_not_known_is_not_found() -> None:
    answer = await Shop().post(APPROVED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_without_a_secret_there_is_no_webhook() -> None:
    settings = {"mongodb_url": "mongodb://u:p@h/payments", "nats_url": "nats://h:1"}
    assert service.routes(PaymentsSettings.model_validate(settings)) == ()
    signed = PaymentsSettings.model_validate({**settings, "provider_webhook_secret": SECRET.get_secret_value()})
    assert [route.path for route in service.routes(signed)] == ["/webhooks/provider"]
    assert SECRET.get_secret_value() not in repr(signed)
    with pytest.raises(ValueError, match="must have at least 32 characters"):
        PaymentsSettings.model_validate({**settings, "provider_webhook_secret": "short"})
