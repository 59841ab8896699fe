"""What becomes of a reservation: pure functions from one to the next; the same one where nothing changes.

News of an order's parcels, its confirmation and its cancellation come in any order and repeated. What has to come
first raises ReservationPendingError; what comes too late changes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from subgraphs.inventory.domain import (
    OPEN,
    Reservation,
    ReservationLine,
    ReservationPendingError,
    ReservationStatus,
    Restock,
)


@dataclass(frozen=True, slots=True)
class ReturnedParcel:
    """What came back to ``warehouse``: ``id`` is the return's or the shipment's.

    ``sent_from`` is the warehouse whose parcel it is, None where it may hold anything of the order (a return, or the
    only parcel). No ``lines`` are all that had been sent from there.
    """

    id: str
    warehouse: str | None = None
    sent_from: str | None = None
    lines: tuple[ReservationLine, ...] = ()


def confirm(reservation: Reservation) -> Reservation:
    """The order was confirmed: what is held for it stays held until it is dispatched or cancelled."""
    if reservation.confirmed or reservation.status is not ReservationStatus.HELD:
        return reservation
    return replace(reservation, confirmed=True, expires_at=None)


def expire(reservation: Reservation) -> Reservation:
    """The order was not confirmed in time: it is asked for no longer, and its own service decides whether it ends.

    What is held stays so until the order is cancelled. Were it given back here, the order might be confirmed at this
    very moment and be without stock; so its own document decides which of the two came first.
    """
    if reservation.status is not ReservationStatus.HELD or reservation.expires_at is None:
        return reservation
    return replace(reservation, expires_at=None)


def release(reservation: Reservation, *, confirmed: bool = False) -> Reservation:
    """The order was cancelled: what is held for it is given back at once, unless it was ``confirmed`` before.

    Of a confirmed order parcels may have left already, whether that is known here or not. So each of them decides for
    itself: it leaves and is sold, or it is cancelled and :func:`withdraw` gives back what it would have taken along.
    """
    if reservation.status not in OPEN:
        return reservation
    if confirmed or reservation.confirmed or reservation.sold or reservation.withdrawn:
        return confirm(reservation)
    return replace(reservation, status=ReservationStatus.RELEASED, expires_at=None)


def sell(reservation: Reservation, warehouse: str | None) -> Reservation:
    """The parcel of ``warehouse`` (None: the only one) has left: what is held there is sold."""
    left = _parcels(reservation, warehouse) - reservation.withdrawn
    return _decide_parcels(reservation, reservation.sold | left, reservation.withdrawn)


def withdraw(reservation: Reservation, warehouse: str | None) -> Reservation:
    """The parcel of ``warehouse`` (None: the only one) will not leave: what is held there is given back."""
    stays = _parcels(reservation, warehouse) - reservation.sold
    return _decide_parcels(reservation, reservation.sold, reservation.withdrawn | stays)


def _parcels(reservation: Reservation, warehouse: str | None) -> frozenset[str]:
    if reservation.status is ReservationStatus.RESERVING:
        raise ReservationPendingError(f"The reservation of {reservation.order_id} is not decided yet.")
    return reservation.warehouses if warehouse is None else reservation.warehouses & {warehouse}


def _decide_parcels(reservation: Reservation, sold: frozenset[str], withdrawn: frozenset[str]) -> Reservation:
    unchanged = (sold, withdrawn) == (reservation.sold, reservation.withdrawn)
    if unchanged or reservation.status is not ReservationStatus.HELD:
        return reservation
    decided = replace(reservation, sold=sold, withdrawn=withdrawn, expires_at=None)
    if sold | withdrawn != reservation.warehouses:
        return decided
    return replace(decided, status=ReservationStatus.RELEASED if withdrawn else ReservationStatus.SOLD)


def take_back(reservation: Reservation, parcel: ReturnedParcel) -> Reservation:
    """``parcel`` came back: its pieces are put in stock again, as far as they had been sold and did not come back yet.

    Raises ReservationPendingError where the news that they had left is still to come.
    """
    if any(each.id == parcel.id for each in reservation.restocks):
        return reservation
    _check_has_left(reservation, parcel)
    left = _sold_pieces(reservation)
    for earlier in reservation.restocks:
        left.subtract({line.product_id: line.quantity for line in earlier.lines})
    sent = _sold_pieces(reservation, parcel.sent_from)
    wanted = {line.product_id: line.quantity for line in parcel.lines} or sent
    lines = tuple(
        ReservationLine(product_id, min(quantity, left[product_id]))
        for product_id, quantity in wanted.items()
        if left[product_id] > 0
    )
    if not lines:
        return reservation
    warehouse = parcel.warehouse or min(reservation.sold)
    return replace(reservation, restocks=(*reservation.restocks, Restock(parcel.id, warehouse, lines)))


def _check_has_left(reservation: Reservation, parcel: ReturnedParcel) -> None:
    expected = (reservation.warehouses & {parcel.sent_from} or reservation.warehouses) - reservation.withdrawn
    if reservation.status in OPEN and not expected <= reservation.sold:
        raise ReservationPendingError(f"Not all parcels of {reservation.order_id} are known to have left.")


def _sold_pieces(reservation: Reservation, warehouse: str | None = None) -> Counter[str]:
    pieces = Counter[str]()
    for line in reservation.lines:
        for each in line.allocations:
            if each.warehouse in reservation.sold and warehouse in (None, each.warehouse):
                pieces[line.product_id] += each.quantity
    return pieces
