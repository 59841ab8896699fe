"""How the orders of the demo shop went: a table of fates, each with the states that the services ended in."""

from dataclasses import dataclass

from subgraphs.demo.model import OrderStatus, PaymentStatus, ReservationStatus, ShipmentStatus

_DAY = 24


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Why an order was cancelled: `code` is stable, `reason` is what its history says."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fate:
    """One way for an order to go: how many went so, how old they are, and where each service stands.

    `path` lists the order's statuses in time; `youngest_h` leaves room for all that happened to be in the past.
    """

    orders: int
    youngest_h: int
    oldest_h: int
    token: str
    path: tuple[OrderStatus, ...]
    payment: PaymentStatus
    reservation: ReservationStatus
    shipment: ShipmentStatus | None = None
    cancellation: Cancellation | None = None

    @property
    def pays_slowly(self) -> bool:
        """Whether the payment provider took half a minute to answer."""
        return self.token == "tok_slow"  # noqa: S105 - the name of a sandbox payment method


_CONFIRMED: tuple[OrderStatus, ...] = ("PENDING", "CONFIRMED")
_DISPATCHED: tuple[OrderStatus, ...] = (*_CONFIRMED, "DISPATCHED")
_DELIVERED: tuple[OrderStatus, ...] = (*_DISPATCHED, "DELIVERED")
_REFUSED: tuple[OrderStatus, ...] = ("PENDING", "CANCELLED")

_NO_FUNDS = Cancellation("INSUFFICIENT_FUNDS", "Payment declined: the account does not cover the amount.")
_EXPIRED = Cancellation("EXPIRED_CARD", "Payment declined: the card has expired.")
_FRAUD = Cancellation("FRAUD_SUSPECTED", "Payment declined: the provider suspects fraud.")
_NO_STOCK = Cancellation("OUT_OF_STOCK", "Not every product of the order was in stock.")
_BY_CUSTOMER = Cancellation("CUSTOMER_REQUEST", "Cancelled at the customer's wish.")

AWAITING_PAYMENT = Fate(10, 1, 20, "tok_unreachable", ("PENDING",), "PENDING", "HELD")
CONFIRMED = Fate(26, 1, 28, "tok_approved", _CONFIRMED, "AUTHORIZED", "HELD", "BOOKED")
IN_TRANSIT = Fate(30, 2 * _DAY, 5 * _DAY, "tok_approved", _DISPATCHED, "CAPTURED", "SOLD", "IN_TRANSIT")
OUT_FOR_DELIVERY = Fate(12, 4 * _DAY, 6 * _DAY, "tok_approved", _DISPATCHED, "CAPTURED", "SOLD", "OUT_FOR_DELIVERY")
DELIVERED = Fate(330, 6 * _DAY, 365 * _DAY, "tok_approved", _DELIVERED, "CAPTURED", "SOLD", "DELIVERED")
DELIVERED_SLOWLY_PAID = Fate(16, 6 * _DAY, 365 * _DAY, "tok_slow", _DELIVERED, "CAPTURED", "SOLD", "DELIVERED")
PARTLY_REFUNDED = Fate(12, 13 * _DAY, 365 * _DAY, "tok_approved", _DELIVERED, "PARTIALLY_REFUNDED", "SOLD", "DELIVERED")
REFUNDED = Fate(8, 13 * _DAY, 365 * _DAY, "tok_approved", _DELIVERED, "REFUNDED", "SOLD", "DELIVERED")
WITHOUT_FUNDS = Fate(
    10, 6, 365 * _DAY, "tok_declined_insufficient_funds", _REFUSED, "DECLINED", "RELEASED", cancellation=_NO_FUNDS
)
EXPIRED_CARD = Fate(
    6, 6, 365 * _DAY, "tok_declined_expired_card", _REFUSED, "DECLINED", "RELEASED", cancellation=_EXPIRED
)
SUSPECTED_FRAUD = Fate(4, 6, 365 * _DAY, "tok_declined_fraud", _REFUSED, "DECLINED", "RELEASED", cancellation=_FRAUD)
OUT_OF_STOCK = Fate(12, 6, 300 * _DAY, "tok_approved", _REFUSED, "VOIDED", "REJECTED", cancellation=_NO_STOCK)
CANCELLED_UNPAID = Fate(8, 6, 300 * _DAY, "tok_unreachable", _REFUSED, "VOIDED", "RELEASED", cancellation=_BY_CUSTOMER)
CANCELLED_AUTHORIZED = Fate(
    10, 6, 365 * _DAY, "tok_approved", (*_CONFIRMED, "CANCELLED"), "VOIDED", "RELEASED", "CANCELLED", _BY_CUSTOMER
)
CANCELLED_ON_ITS_WAY = Fate(
    6, 9 * _DAY, 365 * _DAY, "tok_approved", (*_DISPATCHED, "CANCELLED"), "REFUNDED", "SOLD", "RETURNED", _BY_CUSTOMER
)

FATES = (
    AWAITING_PAYMENT,
    CONFIRMED,
    IN_TRANSIT,
    OUT_FOR_DELIVERY,
    DELIVERED,
    DELIVERED_SLOWLY_PAID,
    PARTLY_REFUNDED,
    REFUNDED,
    WITHOUT_FUNDS,
    EXPIRED_CARD,
    SUSPECTED_FRAUD,
    OUT_OF_STOCK,
    CANCELLED_UNPAID,
    CANCELLED_AUTHORIZED,
    CANCELLED_ON_ITS_WAY,
)

# The customer of the examples sees something of everything.
FATES_OF_ADA = (
    AWAITING_PAYMENT,
    CONFIRMED,
    IN_TRANSIT,
    OUT_FOR_DELIVERY,
    DELIVERED,
    PARTLY_REFUNDED,
    WITHOUT_FUNDS,
    CANCELLED_AUTHORIZED,
)
