"""``POST /webhooks/carrier``: a carrier tells what it has seen of a parcel, without being asked.

::

    {"id": "scan_7", "trackingNumber": "KP...", "status": "IN_TRANSIT", "at": "2026-03-01T12:00:00Z",
     "location": "Hub North", "description": "Sorted for the next leg."}

The same sighting twice is recorded once; one that cannot follow what is known is left out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.http_route import HttpRoute
from subgraphs.chassis.identity.webhooks import HEADER, verify
from subgraphs.shipping.domain import ShipmentStatus, Sighting, TrackingEvent
from subgraphs.shipping.journey import CARRIER_KEY, MAX_TEXT_LENGTH
from subgraphs.shipping.service import Shipping

PATH = "/webhooks/carrier"


def _in_utc(at: datetime) -> datetime:
    """``at`` in UTC; raises ValueError where that is before the first or after the last year of a datetime."""
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None


class CarrierNotice(BaseModel):
    """What a carrier sends."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)

    id: str = Field(min_length=1, max_length=100)
    tracking_number: str = Field(min_length=1, max_length=64)
    status: ShipmentStatus
    at: Annotated[AwareDatetime, AfterValidator(_in_utc)]
    location: str = Field(min_length=1, max_length=MAX_TEXT_LENGTH)
    description: str = Field(min_length=1, max_length=MAX_TEXT_LENGTH)


def carrier_routes(secret: SecretStr | None) -> tuple[HttpRoute[Shipping, Any], ...]:
    """The webhook of carriers; none without a secret, since anybody could say anything then."""
    return (HttpRoute("POST", PATH, partial(_hear, secret)),) if secret else ()


async def _hear(secret: SecretStr, request: Request, context: RequestContext[Shipping, Any]) -> Response:
    body = await request.body()
    verify(secret, request.headers.get(HEADER), body, context.service.clock())
    try:
        notice = CarrierNotice.model_validate_json(body)
    except ValidationError:
        raise CodedError("BAD_REQUEST", "The body is not a notice of a carrier.") from None
    sighting = Sighting(notice.status, _seen_at(notice, context), notice.location, notice.description)
    event = TrackingEvent(sighting, f"{CARRIER_KEY}{notice.id}")
    if not await context.service.hear_carrier(notice.tracking_number, event):
        raise CodedError("NOT_FOUND", "There is no parcel of that tracking number.")
    return Response(status_code=204)


def _seen_at(notice: CarrierNotice, context: RequestContext[Shipping, Any]) -> datetime:
    """When it was seen, in our precision; not in the future, however the carrier's clock goes."""
    at = min(notice.at, context.service.clock())
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
