"""The life of a parcel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from subgraphs.shipping.domain import (
    RETURN_TRANSITIONS,
    TRANSITIONS,
    Attempt,
    Shipment,
    ShipmentBooked,
    ShipmentCancelled,
    ShipmentDelivered,
    ShipmentDispatched,
    ShipmentReturned,
    ShipmentStatus,
    ShippingError,
    Sighting,
    StepKind,
    TrackingEvent,
)
from subgraphs.shipping.journey import (
    begin_step,
    book,
    due_step,
    next_step,
    observe,
    postpone_step,
    record,
    request_cancel,
    stop,
)
from subgraphs.shipping.parcels import shipment_id_of
from tests.subgraphs.shipping.examples import BOOKING, NOW, ORDER, PARCEL, a_shipment, new_shipment, seen

S = ShipmentStatus


def test_an_order_has_a_shipment_whose_id_follows_from_its_own() -> None:
    assert shipment_id_of("ord_0123abcd", None) == "shp_0123abcd"
    assert shipment_id_of("ord_0123abcd", "BER") == "shp_0123abcd_ber"


def test_a_new_shipment_waits_to_be_booked() -> None:
    shipment = new_shipment(ORDER, NOW)
    assert (shipment.status, next_step(shipment), due_step(shipment, NOW)) == (S.PENDING, StepKind.BOOK, StepKind.BOOK)
    assert shipment.weight_grams == 1920


def test_a_booking_tells_carrier_number_and_estimate() -> None:
    change = book(new_shipment(ORDER, NOW), BOOKING, NOW)
    assert change.shipment.status is S.BOOKED
    assert change.shipment.due_at == BOOKING.next_check_at
    assert [event.sighting.description for event in change.shipment.events] == ["Announced to Kestrel Parcel."]
    assert change.events == (
        ShipmentBooked("ord_1", "shp_1", PARCEL, "Kestrel Parcel", "KP1234567890", BOOKING.estimated_delivery),
    )


def test_what_a_carrier_saw_moves_the_shipment_on() -> None:
    events = [seen(S.IN_TRANSIT), seen(S.IN_TRANSIT), seen(S.OUT_FOR_DELIVERY), seen(S.DELIVERED)]
    change = observe(a_shipment(), events, NOW, NOW)
    assert change.shipment.status is S.DELIVERED
    assert change.events == (
        ShipmentDispatched("ord_1", "shp_1", PARCEL, NOW),
        ShipmentDelivered("ord_1", "shp_1", PARCEL, NOW),
    )
    assert (next_step(change.shipment), change.shipment.due_at) == (None, None)


def test_a_second_attempt_at_the_door_is_no_second_dispatch() -> None:
    events = [seen(S.IN_TRANSIT), seen(S.OUT_FOR_DELIVERY), seen(S.IN_TRANSIT), seen(S.OUT_FOR_DELIVERY)]
    change = observe(a_shipment(), events, NOW, NOW)
    assert [type(event) for event in change.events] == [ShipmentDispatched]
    assert len(change.shipment.events) == 5


def test_what_cannot_follow_is_left_out() -> None:
    change = observe(a_shipment(), [seen(S.DELIVERED), seen(S.PENDING)], NOW, NOW)
    assert (change.shipment.status, change.events, len(change.shipment.events)) == (S.BOOKED, (), 1)


@pytest.mark.parametrize(("end", "told"), [(S.DELIVERED, ShipmentDelivered), (S.RETURNED, ShipmentReturned)])
def test_a_parcel_with_a_long_history_comes_to_its_end_all_the_same(
    end: ShipmentStatus, told: type[ShipmentDelivered | ShipmentReturned]
) -> None:
    scanned = replace(a_shipment(S.IN_TRANSIT), events=(seen(S.IN_TRANSIT),) * 200)
    change = observe(scanned, [seen(S.IN_TRANSIT), seen(end)], NOW, NOW)
    assert (change.shipment.status, len(change.shipment.events)) == (end, 201)
    assert change.events == (told("ord_1", "shp_1", PARCEL, NOW),)
    recorded = record(scanned, seen(end, "key-1"), NOW)
    assert recorded
    assert recorded.shipment.status is end


def test_a_parcel_with_a_long_history_is_called_back_all_the_same() -> None:
    scanned = replace(a_shipment(S.IN_TRANSIT), events=(seen(S.IN_TRANSIT),) * 200)
    assert stop(scanned, NOW).shipment.status is S.RETURNED


def test_a_pending_shipment_is_cancelled_at_once() -> None:
    change = request_cancel(new_shipment(ORDER, NOW), NOW)
    assert change
    assert change.shipment.status is S.CANCELLED
    assert change.events == (ShipmentCancelled("ord_1", "shp_1", PARCEL),)


def test_a_shipment_that_is_just_being_booked_is_stopped_at_the_carrier() -> None:
    begun = begin_step(new_shipment(ORDER, NOW), StepKind.BOOK, NOW)
    change = request_cancel(begun, NOW)
    assert change
    assert (change.shipment.status, next_step(change.shipment)) == (S.PENDING, StepKind.STOP)
    assert stop(change.shipment, NOW).shipment.status is S.CANCELLED


@pytest.mark.parametrize(
    ("status", "ends"),
    [(S.BOOKED, S.CANCELLED), (S.IN_TRANSIT, S.RETURNED), (S.OUT_FOR_DELIVERY, S.RETURNED)],
)
def test_a_shipment_is_stopped_wherever_it_is(status: ShipmentStatus, ends: ShipmentStatus) -> None:
    requested = request_cancel(a_shipment(status), NOW)
    assert requested
    assert due_step(requested.shipment, NOW) is StepKind.STOP
    change = stop(requested.shipment, NOW)
    assert change.shipment.status is ends
    told = (
        ShipmentCancelled("ord_1", "shp_1", PARCEL)
        if ends is S.CANCELLED
        else ShipmentReturned("ord_1", "shp_1", PARCEL, NOW)
    )
    assert change.events == (told,)


@pytest.mark.parametrize("status", [S.DELIVERED, S.CANCELLED, S.RETURNED])
def test_a_shipment_at_its_end_is_not_stopped(status: ShipmentStatus) -> None:
    assert request_cancel(a_shipment(status), NOW) is None


def test_a_repeated_cancellation_changes_nothing() -> None:
    requested = request_cancel(a_shipment(), NOW)
    assert requested
    assert request_cancel(requested.shipment, NOW) is None


@pytest.mark.parametrize(("count", "pause_s"), [(1, 2.0), (3, 8.0), (40, 300.0)])
def test_pauses_between_attempts_grow_up_to_a_limit(count: int, pause_s: float) -> None:
    shipment = replace(new_shipment(ORDER, NOW), attempt=Attempt(StepKind.BOOK, count))
    assert postpone_step(shipment, NOW).due_at == NOW + timedelta(seconds=pause_s)


def test_attempts_at_the_same_step_are_counted() -> None:
    twice = begin_step(begin_step(new_shipment(ORDER, NOW), StepKind.BOOK, NOW), StepKind.BOOK, NOW)
    assert twice.attempt == Attempt(StepKind.BOOK, 2)
    assert begin_step(twice, StepKind.STOP, NOW).attempt == Attempt(StepKind.STOP, 1)


def test_what_staff_saw_is_recorded_once_for_each_key() -> None:
    change = record(a_shipment(), seen(S.IN_TRANSIT, "key-1"), NOW)
    assert change
    assert change.events == (ShipmentDispatched("ord_1", "shp_1", PARCEL, NOW),)
    assert change.shipment.due_at == NOW, "the carrier is asked what comes next"
    assert record(change.shipment, seen(S.IN_TRANSIT, "key-1"), NOW) is None


def sighting(location: str = "Hub", description: str = "Seen.") -> TrackingEvent:
    return TrackingEvent(Sighting(S.IN_TRANSIT, NOW, location, description), "key-1")


@pytest.mark.parametrize(
    ("shipment", "event", "code", "field"),
    [
        (a_shipment(), seen(S.IN_TRANSIT, ""), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (a_shipment(), seen(S.IN_TRANSIT, "k" * 129), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (a_shipment(), seen(S.IN_TRANSIT, "carrier:scan_1"), "IDEMPOTENCY_KEY_INVALID", "idempotencyKey"),
        (
            replace(a_shipment(), events=(seen(S.BOOKED, "key-1"),)),
            seen(S.IN_TRANSIT, "key-1"),
            "IDEMPOTENCY_KEY_REUSED",
            "idempotencyKey",
        ),
        (a_shipment(), sighting(location=" "), "TEXT_INVALID", "location"),
        (a_shipment(), sighting(description="x" * 201), "TEXT_INVALID", "description"),
        (a_shipment(), sighting(description="x" + " " * 200), "TEXT_INVALID", "description"),
        (replace(a_shipment(), cancel_requested=True), sighting(), "SHIPMENT_CANCEL_REQUESTED", "shipmentId"),
        (a_shipment(), seen(S.DELIVERED, "key-1"), "TRANSITION_NOT_ALLOWED", "status"),
        (a_shipment(), seen(S.CANCELLED, "key-1"), "TRANSITION_NOT_ALLOWED", "status"),
        (a_shipment(S.DELIVERED), sighting(), "TRANSITION_NOT_ALLOWED", "status"),
        (a_shipment(S.PENDING), sighting(), "TRANSITION_NOT_ALLOWED", "status"),
        (a_shipment(S.PENDING), seen(S.BOOKED, "key-1"), "TRANSITION_NOT_ALLOWED", "status"),
        (
            replace(a_shipment(S.IN_TRANSIT), events=(seen(S.IN_TRANSIT),) * 200),
            sighting(),
            "TOO_MANY_EVENTS",
            "shipmentId",
        ),
    ],
)
def test_a_wrong_sighting_is_refused_with_a_code_and_a_field(
    shipment: Shipment, event: TrackingEvent, code: str, field: str
) -> None:
    with pytest.raises(ShippingError) as refused:
        record(shipment, event, NOW)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_final_states_have_no_way_out() -> None:
    assert {status for status, targets in TRANSITIONS.items() if not targets} == {S.DELIVERED, S.CANCELLED, S.RETURNED}
    assert {status for status, targets in RETURN_TRANSITIONS.items() if S.RETURNED in targets} == {S.IN_TRANSIT}
