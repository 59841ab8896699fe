"""What the demo shop consists of: frozen records that each service's seed maps to its own documents.

Amounts are integer minor units of EUR, weights are grams, times are UTC. Statuses and kinds are plain strings, so
that a seed can map them to its own by name.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CURRENCY = "EUR"

OrderStatus = Literal["PENDING", "CONFIRMED", "DISPATCHED", "DELIVERED", "CANCELLED"]
PaymentStatus = Literal["PENDING", "AUTHORIZED", "DECLINED", "CAPTURED", "PARTIALLY_REFUNDED", "REFUNDED", "VOIDED"]
TransactionKind = Literal["AUTHORIZATION", "CAPTURE", "VOID", "REFUND"]
ShipmentStatus = Literal["BOOKED", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED", "CANCELLED", "RETURNED"]
ReservationStatus = Literal["HELD", "SOLD", "RELEASED", "REJECTED"]
MovementKind = Literal["RECEIPT", "SALE", "RETURN"]


@dataclass(frozen=True, slots=True)
class Item:
    """One fact of the catalogue: what a product is, without stock."""

    sku: str
    name: str
    price_minor: int
    weight_grams: int
    description: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place that holds stock."""

    id: str
    name: str
    country_code: str


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What one warehouse holds of one product; available is `on_hand - reserved`, never below zero."""

    warehouse_id: str
    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it is sold today; its id is the SKU."""

    id: str
    name: str
    description: str
    category: str
    image_url: str
    price_minor: int
    weight_grams: int
    active: bool
    listed_at: datetime
    stock: tuple[StockLevel, ...]


@dataclass(frozen=True, slots=True)
class StockMovement:
    """One line of the stock journal; the quantities of a product at a warehouse add up to its `on_hand`."""

    product_id: str
    warehouse_id: str
    kind: MovementKind
    quantity: int
    at: datetime
    order_id: str | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes."""

    name: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country_code: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone who buys, with the address that their orders go to."""

    id: str
    name: str
    email: str
    address: Address


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A product in an order, at the price it had when the order was placed."""

    product_id: str
    quantity: int
    unit_price_minor: int
    weight_grams: int


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One change of an order's status; `from_status` is None where the order was placed."""

    at: datetime
    from_status: OrderStatus | None
    to_status: OrderStatus
    reason: str
    code: str | None


@dataclass(frozen=True, slots=True)
class PaymentTransaction:
    """One answer of the payment provider; `code` and `message` say why it declined."""

    id: str
    kind: TransactionKind
    approved: bool
    amount_minor: int
    at: datetime
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back out of what was captured."""

    id: str
    transaction_id: str
    amount_minor: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment of one order: `refunded <= captured <= authorized <= amount`."""

    id: str
    token: str
    status: PaymentStatus
    amount_minor: int
    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    created_at: datetime
    updated_at: datetime
    transactions: tuple[PaymentTransaction, ...]
    refunds: tuple[Refund, ...]


@dataclass(frozen=True, slots=True)
class ShipmentEvent:
    """A sighting of a parcel by its carrier."""

    at: datetime
    status: ShipmentStatus
    location: str
    description: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """The parcel of one order, from the day that it was booked."""

    id: str
    carrier: str
    tracking_number: str
    status: ShipmentStatus
    booked_at: datetime
    estimated_delivery: datetime
    events: tuple[ShipmentEvent, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """A quantity of a product that one warehouse set aside for an order."""

    product_id: str
    warehouse_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """What inventory answered to an order: a rejected one allocates nothing and names the products that lacked."""

    id: str
    status: ReservationStatus
    allocations: tuple[Allocation, ...]
    rejected_product_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """An order with all that the five services know of it."""

    id: str
    number: str
    customer_id: str
    status: OrderStatus
    lines: tuple[OrderLine, ...]
    subtotal_minor: int
    shipping_fee_minor: int
    total_minor: int
    shipping_address: Address
    placed_at: datetime
    updated_at: datetime
    history: tuple[StatusChange, ...]
    payment: Payment
    shipments: tuple[Shipment, ...]
    reservation: Reservation

    @property
    def confirmed_at(self) -> datetime | None:
        """When the order was confirmed; None if it never was."""
        return next((change.at for change in self.history if change.to_status == "CONFIRMED"), None)


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A year of a small shop; orders are in the order in which they were placed."""

    warehouses: tuple[Warehouse, ...]
    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    orders: tuple[Order, ...]
    movements: tuple[StockMovement, ...]
