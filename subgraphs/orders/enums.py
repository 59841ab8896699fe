"""The enums of the schema of orders, and what each of their values means."""

from __future__ import annotations

from subgraphs.chassis.graphql.descriptions import describe_enum
from subgraphs.orders.domain import ReturnStatus
from subgraphs.orders.order_life import OrderStatus, WaitingFor

__all__ = ["OrderStatus", "ReturnStatus", "WaitingFor"]

describe_enum(
    OrderStatus,
    "PENDING until stock and payment have both said yes; then CONFIRMED.",
    {
        OrderStatus.PENDING: "Stock or payment has not answered yet.",
        OrderStatus.CONFIRMED: "Stock is set aside and payment authorized; parcels are booked.",
        OrderStatus.DISPATCHED: "At least one parcel is on its way.",
        OrderStatus.DELIVERED: "The last parcel has arrived.",
        OrderStatus.RETURNED: "Everything has come back.",
        OrderStatus.CANCELLED: "Nothing will be delivered, and what was paid is given back.",
    },
)
describe_enum(
    WaitingFor,
    "Whose answer a pending order waits for.",
    {
        WaitingFor.STOCK: "Whether every line can be had.",
        WaitingFor.PAYMENT: "Whether the amount is authorized.",
    },
)
describe_enum(
    ReturnStatus,
    "REQUESTED until the goods are back in a warehouse.",
    {
        ReturnStatus.REQUESTED: "The goods are with the customer or on their way back.",
        ReturnStatus.RECEIVED: "The goods are back, and the refund is due.",
    },
)
