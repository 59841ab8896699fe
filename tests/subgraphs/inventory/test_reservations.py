"""What becomes of a reservation: its parcels leave, come back, or never left because the order was cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from subgraphs.inventory.domain import (
    Allocation,
    Reservation,
    ReservationLine,
    ReservationPendingError,
    ReservationStatus,
)
from subgraphs.inventory.reservations import ReturnedParcel, confirm, expire, release, sell, take_back, withdraw
from tests.subgraphs.inventory.examples import MUG, NOON, TEAPOT

HELD, RELEASED, SOLD = ReservationStatus.HELD, ReservationStatus.RELEASED, ReservationStatus.SOLD
LINES = (
    ReservationLine(MUG, 3, (Allocation("BER", 2), Allocation("LYO", 1))),
    ReservationLine(TEAPOT, 1, (Allocation("BER", 1),)),
)


def split(**changes: object) -> Reservation:
    """Two mugs and a teapot held in BER, one mug in LYO."""
    expires_at = NOON + timedelta(minutes=30)
    held = Reservation("ord_1", "cus_ada", HELD, LINES, NOON, held=True, expires_at=expires_at)
    return replace(held, **changes)  # type: ignore[arg-type] # names and types are the caller's


def both_sold() -> Reservation:
    return sell(sell(split(), "BER"), "LYO")


def restocked(reservation: Reservation) -> list[tuple[str, dict[str, int]]]:
    return [(each.warehouse, {line.product_id: line.quantity for line in each.lines}) for each in reservation.restocks]


def test_each_parcel_sells_what_it_took_along_and_the_last_one_ends_it() -> None:
    first = sell(split(), "BER")
    assert (first.status, first.sold, first.expires_at) == (HELD, frozenset({"BER"}), None)
    assert sell(first, "BER") is first
    second = sell(first, "LYO")
    assert (second.status, second.sold) == (SOLD, frozenset({"BER", "LYO"}))
    assert sell(second, "LYO") is second


def test_the_only_parcel_sells_everything() -> None:
    assert sell(split(), None).status is SOLD


def test_a_parcel_from_elsewhere_sells_nothing() -> None:
    reservation = split()
    assert sell(reservation, "RTM") is reservation


def test_a_sale_waits_for_the_decision() -> None:
    with pytest.raises(ReservationPendingError, match=r"^The reservation of ord_1 is not decided yet\.$"):
        sell(split(status=ReservationStatus.RESERVING), "BER")


def test_a_pending_order_that_is_cancelled_gives_everything_back_at_once() -> None:
    cancelled = release(split())
    assert (cancelled.status, cancelled.expires_at) == (RELEASED, None)
    assert release(cancelled) is cancelled
    assert sell(cancelled, "LYO") is cancelled


def test_of_a_confirmed_order_that_is_cancelled_each_parcel_decides() -> None:
    cancelled = release(split(), confirmed=True)
    assert (cancelled.status, cancelled.expires_at) == (HELD, None)
    left = sell(cancelled, "BER")
    assert (left.status, withdraw(left, "BER")) == (HELD, left)
    stayed = withdraw(left, "LYO")
    assert (stayed.status, stayed.sold, stayed.withdrawn) == (RELEASED, frozenset({"BER"}), frozenset({"LYO"}))
    assert sell(stayed, "LYO") is stayed


def test_a_parcel_that_was_cancelled_before_the_order_is_known_to_be_gives_back_what_it_would_have_taken() -> None:
    stayed = withdraw(split(), None)
    assert stayed.status is RELEASED
    assert release(stayed, confirmed=True) is stayed


def test_what_has_left_whole_is_not_released() -> None:
    sold = both_sold()
    assert release(sold) is sold


def test_a_confirmed_order_does_not_expire() -> None:
    confirmed = confirm(split())
    assert (confirmed.confirmed, confirmed.expires_at) == (True, None)
    assert confirm(confirmed) is confirmed
    assert expire(confirmed) is confirmed


def test_an_order_that_waited_too_long_is_told_of_once_and_keeps_its_stock_until_it_is_cancelled() -> None:
    expired = expire(split())
    assert (expired.status, expired.expires_at) == (HELD, None)
    assert expire(expired) is expired
    assert confirm(expired).confirmed


def test_a_whole_return_comes_to_one_warehouse() -> None:
    back = take_back(
        both_sold(), ReturnedParcel("ret_1", "RTM", None, (ReservationLine(MUG, 3), ReservationLine(TEAPOT, 1)))
    )
    assert restocked(back) == [("RTM", {MUG: 3, TEAPOT: 1})]
    assert take_back(back, ReturnedParcel("ret_1", "RTM")) is back


def test_never_more_comes_back_than_was_sold() -> None:
    once = take_back(both_sold(), ReturnedParcel("ret_1", "BER", None, (ReservationLine(MUG, 2),)))
    twice = take_back(once, ReturnedParcel("ret_2", "BER", None, (ReservationLine(MUG, 2), ReservationLine("NO-1", 9))))
    assert restocked(twice) == [("BER", {MUG: 2}), ("BER", {MUG: 1})]
    assert take_back(twice, ReturnedParcel("ret_3", "BER", None, (ReservationLine(MUG, 1),))) is twice


def test_a_parcel_that_was_not_delivered_brings_back_what_it_took_along() -> None:
    cancelled = release(sell(split(), "BER"), confirmed=True)
    back = take_back(cancelled, ReturnedParcel("shp_1", "BER", "BER"))
    assert restocked(back) == [("BER", {MUG: 2, TEAPOT: 1})]


def test_a_parcel_that_was_cancelled_before_it_was_known_to_have_left_brings_back_nothing() -> None:
    cancelled = release(split())
    assert take_back(cancelled, ReturnedParcel("shp_1", "BER", "BER")) is cancelled


@pytest.mark.parametrize("sent_from", ["LYO", None])
def test_what_is_not_known_to_have_left_cannot_come_back_yet(sent_from: str | None) -> None:
    message = r"^Not all parcels of ord_1 are known to have left\.$"
    with pytest.raises(ReservationPendingError, match=message):
        take_back(sell(split(), "BER"), ReturnedParcel("shp_2", "LYO", sent_from))
