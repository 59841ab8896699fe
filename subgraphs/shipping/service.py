"""The use cases of shipping: a parcel for a confirmed order, its way to the customer, and its way back.

Every change is one write over the revision it was derived from. Who loses that race reads again; who crashes leaves a
shipment that is due, which the next round of :meth:`Shipping.advance_due` of any replica brings forward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from subgraphs.shipping.carrier import Carrier, CarrierUnavailableError
from subgraphs.shipping.domain import (
    Change,
    ConfirmedOrder,
    ReturnRequest,
    Shipment,
    ShipmentEvent,
    ShippingError,
    StepKind,
    TrackingEvent,
)
from subgraphs.shipping.journey import (
    begin_step,
    book,
    dispatch,
    due_step,
    hear,
    observe,
    postpone_step,
    record,
    request_cancel,
    stop,
)
from subgraphs.shipping.parcels import new_return, new_shipments

ATTEMPTS = 20
"""How often a change is derived anew when others write the same shipment in between."""

DUE_BATCH = 50
LOG = structlog.get_logger()


class OrderUnknownError(Exception):
    """Nothing was ever sent for an order, so nothing of it can come back."""


class Store(Protocol):
    """Where shipments are kept; each write is one atomic step, together with its events."""

    async def shipments(self, ids: Sequence[str]) -> Mapping[str, Shipment]:
        """The shipments of those ids that there are."""

    async def shipments_of_orders(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[Shipment]]:
        """The shipments of those orders that have any, by order id, the oldest first."""

    async def tracked_shipments(self, tracking_numbers: Sequence[str]) -> Mapping[str, Shipment]:
        """The shipments that carriers know by those numbers, by number."""

    async def add(self, shipment: Shipment, cause: str | None = None) -> bool:
        """Add a shipment; False where there is one of its id."""

    async def save(
        self, shipment: Shipment, events: Sequence[ShipmentEvent] = (), cause: str | None = None
    ) -> Shipment | None:
        """Write ``shipment`` over its own revision, and return it with the next one; None where others wrote first."""

    async def due(self, now: datetime, limit: int) -> Sequence[Shipment]:
        """Up to ``limit`` shipments whose ``due_at`` has come, the longest waiting first."""

    async def mark_cancelled(self, order_id: str, at: datetime) -> None:
        """Remember for ever that an order was cancelled."""

    async def is_cancelled(self, order_id: str) -> bool:
        """Whether :meth:`mark_cancelled` was called for that order."""


@dataclass(frozen=True, slots=True)
class Shipping:
    """The use cases over a store and a carrier; ``clock`` tells the time."""

    store: Store
    carrier: Carrier
    clock: Callable[[], datetime]

    async def open_shipments(self, order: ConfirmedOrder, cause: str) -> None:
        """Book the parcels of a confirmed order; a repeat changes nothing.

        A cancellation that came first is remembered. It is looked for only after the shipments are there, and a
        cancellation looks for shipments only after it is remembered: so whichever comes second sees the other.
        """
        shipments = new_shipments(order, self.clock())
        for shipment in shipments:
            await self.store.add(shipment, cause)
        if await self.store.is_cancelled(order.id):
            # Without the cause, which the shipments have handled by being there.
            await self._stop_shipments(order.id)
            return
        for shipment in shipments:
            await self.advance(await self._reload(shipment))

    async def open_return(self, request: ReturnRequest, cause: str) -> None:
        """Have the carrier fetch what a customer returns; a repeat changes nothing.

        Raises OrderUnknownError where nothing was sent for that order.
        """
        sent = (await self.store.shipments_of_orders([request.order_id])).get(request.order_id)
        if not sent:
            raise OrderUnknownError(f"The parcels of {request.order_id} are not known yet.")
        shipment = new_return(request, sent, self.clock())
        await self.store.add(shipment, cause)
        await self.advance(await self._reload(shipment))

    async def cancel_order(self, order_id: str, cause: str) -> None:
        """Send nothing for this order, now or later, and call back what is on its way."""
        await self.store.mark_cancelled(order_id, self.clock())
        await self._stop_shipments(order_id, cause)

    async def dispatch(self, shipment_id: str, key: str) -> Shipment:
        """Hand a booked parcel to its carrier, once per key.

        Raises ShippingError: SHIPMENT_UNKNOWN, or a code of :func:`subgraphs.shipping.journey.dispatch`.
        """
        return await self._change(shipment_id, lambda shipment: dispatch(shipment, key, self.clock()))

    async def record_sighting(self, shipment_id: str, event: TrackingEvent) -> Shipment:
        """Add what a person saw of a parcel, once per key.

        Raises ShippingError: SHIPMENT_UNKNOWN, or a code of :func:`subgraphs.shipping.journey.record`.
        """
        return await self._change(shipment_id, lambda shipment: record(shipment, event, self.clock()))

    async def hear_carrier(self, tracking_number: str, event: TrackingEvent) -> bool:
        """Add what a carrier tells of a parcel, once per key; False where it is unknown.

        What cannot follow its status is left out: a carrier cannot take back what it has told out of order.
        """
        found = (await self.store.tracked_shipments([tracking_number])).get(tracking_number)
        if found is None:
            return False
        changed = await self._change(found.id, lambda shipment: hear(shipment, event, self.clock()))
        await self.advance(changed)
        return True

    async def advance(self, shipment: Shipment) -> Shipment:
        """Ask the carrier what is to be asked now, one thing after the other, until nothing is due."""
        while (kind := due_step(shipment, self.clock())) is not None:
            claimed = await self.store.save(begin_step(shipment, kind, self.clock()))
            if claimed is None:
                return await self._reload(shipment)  # whoever wrote first goes on with it
            try:
                change = await self._ask(claimed, kind)
            except CarrierUnavailableError as error:
                LOG.warning("carrier_unavailable", shipment=shipment.id, step=kind.value, reason=str(error))
                change = Change(postpone_step(claimed, self.clock()))
            shipment = await self.store.save(change.shipment, change.events) or await self._reload(shipment)
        return shipment

    async def advance_due(self) -> None:
        """One round of the worker: bring forward the shipments that are due."""
        for shipment in await self.store.due(self.clock(), DUE_BATCH):
            try:
                await self.advance(shipment)
            except Exception as error:
                # One shipment that cannot go on must not stop the others.
                LOG.exception("shipment_not_advanced", shipment=shipment.id, error=str(error))

    async def _ask(self, shipment: Shipment, kind: StepKind) -> Change:
        match kind:
            case StepKind.BOOK:
                return book(shipment, await self.carrier.book(shipment), self.clock())
            case StepKind.STOP:
                await self.carrier.stop(shipment)
                return stop(shipment, self.clock())
            case StepKind.TRACK:
                tracking = await self.carrier.track(shipment)
                seen = [TrackingEvent(sighting) for sighting in tracking.sightings]
                return observe(shipment, seen, tracking.next_check_at, self.clock())

    async def _stop_shipments(self, order_id: str, cause: str | None = None) -> None:
        for shipment in (await self.store.shipments_of_orders([order_id])).get(order_id, ()):
            await self.advance(await self._request_cancel(shipment, cause))

    async def _request_cancel(self, shipment: Shipment, cause: str | None) -> Shipment:
        for _ in range(ATTEMPTS):
            change = request_cancel(shipment, self.clock())
            if change is None:
                return shipment
            saved = await self.store.save(change.shipment, change.events, cause)
            if saved:
                return saved
            shipment = await self._reload(shipment)
        raise _conflict(shipment.id)

    async def _change(self, shipment_id: str, derive: Callable[[Shipment], Change | None]) -> Shipment:
        for _ in range(ATTEMPTS):
            shipment = (await self.store.shipments([shipment_id])).get(shipment_id)
            if shipment is None:
                raise ShippingError("SHIPMENT_UNKNOWN", "There is no shipment of that id.", "shipmentId")
            change = derive(shipment)
            if change is None:
                return shipment
            saved = await self.store.save(change.shipment, change.events)
            if saved:
                return saved
        raise _conflict(shipment_id)

    async def _reload(self, shipment: Shipment) -> Shipment:
        return (await self.store.shipments([shipment.id]))[shipment.id]


def _conflict(shipment_id: str) -> ShippingError:
    return ShippingError("CONFLICT", f"Others are changing shipment {shipment_id} at this moment; try again.")
