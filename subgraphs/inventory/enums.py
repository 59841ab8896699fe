"""The enums of the schema of inventory, and what each of their values means."""

from __future__ import annotations

from enum import Enum

from subgraphs.chassis.graphql.descriptions import describe_enum
from subgraphs.inventory.domain import MovementKind, StockStatus

__all__ = ["MovementKind", "ReservationStatus", "StockStatus"]


class ReservationStatus(Enum):
    """Whether stock is still set aside for an order: the states of a reservation that ever held something."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    SOLD = "SOLD"


describe_enum(
    StockStatus,
    "What a shopper is told: LOW is five pieces or fewer.",
    {
        StockStatus.IN_STOCK: "More than five pieces can be had.",
        StockStatus.LOW: "One to five pieces can be had.",
        StockStatus.OUT_OF_STOCK: "Nothing can be had.",
    },
)
describe_enum(
    MovementKind,
    "Why stock moved.",
    {
        MovementKind.RECEIPT: "A delivery arrived.",
        MovementKind.ADJUSTMENT: "Staff corrected what is there.",
        MovementKind.RESERVATION: "Set aside for an order.",
        MovementKind.RELEASE: "Given back by an order that was cancelled.",
        MovementKind.SALE: "Left in a parcel.",
        MovementKind.RETURN: "Sold before, and back in stock.",
    },
)
describe_enum(
    ReservationStatus,
    "Whether stock is still set aside for an order.",
    {
        ReservationStatus.HELD: "It is set aside.",
        ReservationStatus.RELEASED: "It was given back, or some of it was.",
        ReservationStatus.SOLD: "It has left.",
    },
)
