"""``POST /webhooks/provider``: the payment provider's own word for a call that it had not answered.

::

    {"id": "evt_7", "type": "call.approved", "paymentId": "pay_1", "key": "pay_1:authorization"}
    {"id": "evt_8", "type": "call.declined", "paymentId": "pay_1", "key": "pay_1:authorization",
     "code": "INSUFFICIENT_FUNDS", "message": "The account does not cover the amount."}

The same word twice changes nothing the second time, nor does one that comes after the call was concluded.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.http_route import HttpRoute
from subgraphs.chassis.identity.webhooks import HEADER, verify
from subgraphs.payments.domain import Approved, Declined
from subgraphs.payments.service import Payments

PATH = "/webhooks/provider"


class ProviderNotice(BaseModel):
    """What the provider sends."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)

    id: str = Field(min_length=1, max_length=100)
    type: Literal["call.approved", "call.declined"]
    payment_id: str = Field(min_length=1, max_length=200)
    key: str = Field(min_length=1, max_length=400)
    code: str = Field(default="DECLINED", pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    message: str = Field(default="The payment provider has declined.", min_length=1, max_length=500)

    @property
    def outcome(self) -> Approved | Declined:
        """The answer that it stands for."""
        return Approved() if self.type == "call.approved" else Declined(self.code, self.message)


def provider_routes(secret: SecretStr | None) -> tuple[HttpRoute[Payments, Any], ...]:
    """The webhook of the provider; none without a secret, since anybody could say anything then."""
    return (HttpRoute("POST", PATH, partial(_hear, secret)),) if secret else ()


async def _hear(secret: SecretStr, request: Request, context: RequestContext[Payments, Any]) -> Response:
    body = await request.body()
    verify(secret, request.headers.get(HEADER), body, context.service.clock())
    try:
        notice = ProviderNotice.model_validate_json(body)
    except ValidationError:
        raise CodedError("BAD_REQUEST", "The body is not a notice of the payment provider.") from None
    cause = f"provider:{notice.id}:{notice.key}"
    if not await context.service.hear(notice.payment_id, notice.key, notice.outcome, cause):
        raise CodedError("NOT_FOUND", "There is no payment of that id.")
    return Response(status_code=204)
