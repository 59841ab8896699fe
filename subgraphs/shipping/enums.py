"""The enums of the schema of shipping, and what each of their values means."""

from __future__ import annotations

from subgraphs.chassis.graphql.descriptions import describe_enum
from subgraphs.shipping.domain import Direction, ShipmentStatus
from subgraphs.shipping.quote import Zone

__all__ = ["Direction", "ShipmentStatus", "Zone"]

describe_enum(
    ShipmentStatus,
    "Where a parcel is.",
    {
        ShipmentStatus.PENDING: "No carrier has taken the booking yet.",
        ShipmentStatus.BOOKED: "A carrier is going to pick it up.",
        ShipmentStatus.IN_TRANSIT: "The carrier has it.",
        ShipmentStatus.OUT_FOR_DELIVERY: "It is in the van.",
        ShipmentStatus.DELIVERED: "The customer has it.",
        ShipmentStatus.CANCELLED: "It was never handed over.",
        ShipmentStatus.RETURNED: "It is back in a warehouse.",
    },
)
describe_enum(
    Direction,
    "OUTBOUND to the customer; RETURN back from them.",
    {
        Direction.OUTBOUND: "To the customer.",
        Direction.RETURN: "Back from the customer.",
    },
    name="ShipmentDirection",
)
describe_enum(
    Zone,
    "How far a parcel goes.",
    {
        Zone.HOME: "To a country that has a warehouse.",
        Zone.EU: "To the rest of the European Union.",
        Zone.EUROPE: "To the rest of Europe.",
        Zone.WORLD: "Anywhere else.",
    },
    name="ShippingZone",
)
