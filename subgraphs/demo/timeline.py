"""When things happened to an order: its milestones, and from them its history, payment and parcel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from subgraphs.demo.fates import Fate
from subgraphs.demo.model import OrderStatus, Shipment, ShipmentEvent, ShipmentStatus, StatusChange

_REASONS: dict[OrderStatus, str] = {
    "PENDING": "Order placed.",
    "CONFIRMED": "Stock reserved and payment authorized.",
    "DISPATCHED": "Handed over to the carrier.",
    "DELIVERED": "Delivered to the customer.",
}

# Carrier and the letters that its tracking numbers begin with.
_CARRIERS = (("Nordpost", "NP"), ("Kestrel Parcel", "KP"))


@dataclass(frozen=True, slots=True)
class Milestones:
    """When each step of an order happens, in the order of the fields; a fate takes those that it reached.

    `given_up` is a customer's change of mind before dispatch, `called_back` one after it, `refunded` a complaint.
    """

    placed: datetime
    reserved: datetime
    decided: datetime
    booked: datetime
    given_up: datetime
    dispatched: datetime
    called_back: datetime
    at_hub: datetime
    out_for_delivery: datetime
    delivered: datetime
    refunded: datetime


def new_id(prefix: str, dice: Random) -> str:
    """Return an identifier such as `ord_` and 32 hex digits of a version 4 UUID."""
    return f"{prefix}_{UUID(int=dice.getrandbits(128), version=4).hex}"


def draw_milestones(fate: Fate, placed: datetime, dice: Random) -> Milestones:
    """Draw the times of an order; all that `fate` reaches lie within `fate.youngest_h` of `placed`."""
    answer_s = dice.randrange(3, 9) + 30 * fate.pays_slowly
    decided = placed + timedelta(seconds=answer_s)
    dispatched = placed + timedelta(seconds=dice.randrange(6 * 3600, 28 * 3600))
    at_hub = dispatched + timedelta(seconds=dice.randrange(10 * 3600, 14 * 3600))
    out_for_delivery = at_hub + timedelta(seconds=dice.randrange(20 * 3600, 48 * 3600))
    delivered = out_for_delivery + timedelta(seconds=dice.randrange(2 * 3600, 9 * 3600))
    return Milestones(
        placed=placed,
        reserved=placed + timedelta(seconds=1),
        decided=decided,
        booked=decided + timedelta(seconds=dice.randrange(1, 4)),
        given_up=placed + timedelta(seconds=dice.randrange(20 * 60, 300 * 60)),
        dispatched=dispatched,
        called_back=dispatched + timedelta(seconds=dice.randrange(2 * 3600, 8 * 3600)),
        at_hub=at_hub,
        out_for_delivery=out_for_delivery,
        delivered=delivered,
        refunded=delivered + timedelta(seconds=dice.randrange(20 * 3600, 160 * 3600)),
    )


def cancelled_at(fate: Fate, times: Milestones) -> datetime:
    """Return when an order of this fate was cancelled: at the services' refusal, or at the customer's wish."""
    if "DISPATCHED" in fate.path:
        return times.called_back
    if fate.payment == "DECLINED" or fate.reservation == "REJECTED":
        return times.decided
    return times.given_up


def status_history(fate: Fate, times: Milestones) -> tuple[StatusChange, ...]:
    """Return every change of the order's status, the first one from None."""
    at: dict[OrderStatus, datetime] = {
        "PENDING": times.placed,
        "CONFIRMED": times.decided,
        "DISPATCHED": times.dispatched,
        "DELIVERED": times.delivered,
        "CANCELLED": cancelled_at(fate, times),
    }
    before: tuple[OrderStatus | None, ...] = (None, *fate.path[:-1])
    return tuple(
        _change(at[to_status], from_status, to_status, fate)
        for from_status, to_status in zip(before, fate.path, strict=True)
    )


def _change(at: datetime, from_status: OrderStatus | None, to_status: OrderStatus, fate: Fate) -> StatusChange:
    if to_status == "CANCELLED" and fate.cancellation is not None:
        return StatusChange(at, from_status, to_status, fate.cancellation.reason, fate.cancellation.code)
    return StatusChange(at, from_status, to_status, _REASONS[to_status], None)


def draw_shipments(fate: Fate, times: Milestones, city: str, dice: Random) -> tuple[Shipment, ...]:
    """Return the parcel of an order, or nothing where none was booked; `city` is where it goes."""
    if fate.shipment is None:
        return ()
    carrier, letters = dice.choice(_CARRIERS)
    return (
        Shipment(
            id=new_id("shp", dice),
            carrier=carrier,
            tracking_number=f"{letters}{dice.randrange(10**9, 10**10)}",
            status=fate.shipment,
            booked_at=times.booked,
            estimated_delivery=times.placed + timedelta(days=4),
            events=_parcel_events(fate.shipment, times, city),
        ),
    )


def _parcel_events(status: ShipmentStatus, times: Milestones, city: str) -> tuple[ShipmentEvent, ...]:
    """Return the sightings that led to `status`, in time."""
    booked = ShipmentEvent(times.booked, "BOOKED", "Warehouse", "Parcel announced to the carrier.")
    picked_up = ShipmentEvent(times.dispatched, "IN_TRANSIT", "Warehouse", "Picked up by the carrier.")
    at_hub = ShipmentEvent(times.at_hub, "IN_TRANSIT", "Sorting centre", "Sorted for the next leg.")
    loaded = ShipmentEvent(times.out_for_delivery, "OUT_FOR_DELIVERY", city, "In the van, on its way to you.")
    handed_over = ShipmentEvent(times.delivered, "DELIVERED", city, "Handed over at the door.")
    stopped = ShipmentEvent(times.given_up, "CANCELLED", "Warehouse", "Cancelled before pick-up.")
    returned = ShipmentEvent(times.out_for_delivery, "RETURNED", "Warehouse", "Called back and returned.")
    sightings: dict[ShipmentStatus, tuple[ShipmentEvent, ...]] = {
        "BOOKED": (booked,),
        "IN_TRANSIT": (booked, picked_up, at_hub),
        "OUT_FOR_DELIVERY": (booked, picked_up, at_hub, loaded),
        "DELIVERED": (booked, picked_up, at_hub, loaded, handed_over),
        "CANCELLED": (booked, stopped),
        "RETURNED": (booked, picked_up, at_hub, returned),
    }
    return sightings[status]
