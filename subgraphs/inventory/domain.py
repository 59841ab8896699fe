"""Products, their stock by warehouse, the journal of its movements, and reservations.

A reservation is the record of one order's claim on stock::

    RESERVING -> HELD -> SOLD          every line is set aside; all parcels left
        |          |
        |          +---> RELEASED      the order was cancelled: what never left is given back
        +--------------> RELEASED
        +--------------> REJECTED      a line cannot be had: nothing is held

In each warehouse ``available = on_hand - reserved >= 0``, and both sums are those of the journal's movements.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from urllib.parse import urlsplit

CURRENCY = "EUR"
LOW_STOCK = 5
MAXIMUM_PRICE_MINOR = 100_000_000
PRICE_RANGE = "A price is from 0.01 to 1000000.00."
MAXIMUM_WEIGHT_GRAMS = 1_000_000
MAXIMUM_HOLDS = 10_000
"""How many parts of a product's stock may be set aside at a time: one for each open order and warehouse.

They lie in the product's document, since who holds what must change together with what is left. That document is
written with each of them, and ends at 16 MB: beyond it nothing could be reserved, and nothing given back or sold.
"""

SKU = re.compile(r"[A-Z0-9][A-Z0-9-]{1,31}")
WAREHOUSE = re.compile(r"[A-Z0-9][A-Z0-9-]{0,15}")


class InventoryError(Exception):
    """A refusal with a stable ``code``, a sentence, and the input ``field`` that it is about."""

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class ReservationPendingError(Exception):
    """What is asked of a reservation needs its decision first, which is still to come."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency."""

    amount_minor: int
    currency_code: str = CURRENCY


class StockStatus(Enum):
    """What a shopper is told."""

    IN_STOCK = "IN_STOCK"
    LOW = "LOW"
    OUT_OF_STOCK = "OUT_OF_STOCK"


@dataclass(frozen=True, slots=True)
class StockLevel:
    """What one warehouse holds, and how much of it is set aside."""

    warehouse: str
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """What can still be reserved here."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of one product; ``levels`` in the order of the warehouses' names.

    ``version`` counts how often the product ran out or could be had again.
    """

    levels: tuple[StockLevel, ...] = ()
    version: int = 0

    @property
    def on_hand(self) -> int:
        """What lies in all warehouses."""
        return sum([level.on_hand for level in self.levels])

    @property
    def reserved(self) -> int:
        """What is set aside in all warehouses."""
        return sum([level.reserved for level in self.levels])

    @property
    def available(self) -> int:
        """What can still be reserved."""
        return sum([level.on_hand - level.reserved for level in self.levels])

    @property
    def status(self) -> StockStatus:
        """OUT_OF_STOCK at 0, LOW up to 5, else IN_STOCK."""
        available = self.available
        if available <= 0:
            return StockStatus.OUT_OF_STOCK
        return StockStatus.LOW if available <= LOW_STOCK else StockStatus.IN_STOCK


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What staff say about a product."""

    name: str
    description: str
    category: str
    image_url: str
    price: Money
    weight_grams: int
    active: bool = True


@dataclass(frozen=True, slots=True)
class Product:
    """A product; ``version`` counts the changes of its facts, not of its stock."""

    id: str
    facts: ProductFacts
    stock: Stock = field(default_factory=Stock)
    version: int = 1

    @property
    def sort_key(self) -> str:
        """Unique, and in the order in which shoppers see products: by name, then by id."""
        return f"{' '.join(words(self.facts.name))} {self.id}"


class MovementKind(Enum):
    """Why stock moved."""

    RECEIPT = "RECEIPT"
    ADJUSTMENT = "ADJUSTMENT"
    RESERVATION = "RESERVATION"
    RELEASE = "RELEASE"
    SALE = "SALE"
    RETURN = "RETURN"


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the journal; ``key`` is the idempotency key of who asked for it."""

    id: str
    product_id: str
    warehouse: str
    kind: MovementKind
    on_hand: int
    reserved: int
    at: datetime
    reason: str = ""
    reference: str | None = None
    key: str | None = None


class ReservationStatus(Enum):
    """Where a reservation is in its life, see the module's drawing."""

    RESERVING = "RESERVING"
    HELD = "HELD"
    RELEASED = "RELEASED"
    SOLD = "SOLD"
    REJECTED = "REJECTED"


OPEN = (ReservationStatus.RESERVING, ReservationStatus.HELD)


@dataclass(frozen=True, slots=True)
class Allocation:
    """A quantity that one warehouse sets aside."""

    warehouse: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ReservationLine:
    """A product of an order; ``allocations`` add up to ``quantity`` once they are decided."""

    product_id: str
    quantity: int
    allocations: tuple[Allocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an order cannot be served."""

    code: str
    message: str
    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restock:
    """Pieces that came back to a warehouse; ``id`` is that of the return or the shipment that brought them."""

    id: str
    warehouse: str
    lines: tuple[ReservationLine, ...]


@dataclass(frozen=True, slots=True)
class Reservation:
    """One order's claim; ``held`` tells whether its lines were ever all set aside.

    ``sold`` names the warehouses whose parcels have left, ``withdrawn`` those whose parcels never will. ``expires_at``
    is when an order that is not ``confirmed`` has waited too long, None where there is nothing to wait for.
    ``revision`` counts the writes: a change is stored only over the revision from which it was derived.
    """

    order_id: str
    customer_id: str
    status: ReservationStatus
    lines: tuple[ReservationLine, ...]
    created_at: datetime
    held: bool = False
    rejection: Rejection | None = None
    destination: str | None = None
    confirmed: bool = False
    expires_at: datetime | None = None
    sold: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    restocks: tuple[Restock, ...] = ()
    revision: int = 0

    @property
    def id(self) -> str:
        """One for each order, so that a repeated order reserves once."""
        return reservation_id(self.order_id)

    @property
    def warehouses(self) -> frozenset[str]:
        """Where its lines are set aside: each sends one parcel."""
        return frozenset(each.warehouse for line in self.lines for each in line.allocations)


@dataclass(frozen=True, slots=True)
class ProductChanged:
    """The facts of a product are new or different."""

    product: Product
    at: datetime


@dataclass(frozen=True, slots=True)
class StockChanged:
    """A product ran out, or can be had again; of what is said of a product, the highest ``version`` holds."""

    product_id: str
    in_stock: bool
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class StockReserved:
    """Every line of an order is set aside."""

    reservation: Reservation
    at: datetime


@dataclass(frozen=True, slots=True)
class StockRejected:
    """An order cannot be served, and nothing is held for it."""

    reservation: Reservation
    rejection: Rejection
    at: datetime


@dataclass(frozen=True, slots=True)
class ReservationExpired:
    """An order was not confirmed in time: where it is still pending, it should end."""

    reservation: Reservation
    at: datetime


InventoryEvent = ProductChanged | StockChanged | StockReserved | StockRejected | ReservationExpired


def reservation_id(order_id: str) -> str:
    """The id of the reservation of an order."""
    return f"res_{order_id.removeprefix('ord_')}"


def merge_lines(lines: Iterable[ReservationLine]) -> tuple[ReservationLine, ...]:
    """One line for each product, in the order of their ids: all orders claim products in the same order, so that of two
    orders for the same last pieces the first to come wins rather than neither.
    """
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return tuple(ReservationLine(product_id, quantities[product_id]) for product_id in sorted(quantities))


def find_rejection(lines: Sequence[ReservationLine], products: Mapping[str, Product]) -> Rejection | None:
    """Why ``lines`` cannot be had, naming every product at fault; None where they can."""
    unknown = tuple(line.product_id for line in lines if line.product_id not in products)
    if unknown:
        return Rejection("PRODUCT_UNKNOWN", f"There is no product {', '.join(unknown)}.", unknown)
    inactive = tuple(line.product_id for line in lines if not products[line.product_id].facts.active)
    if inactive:
        return Rejection("PRODUCT_INACTIVE", f"No longer sold: {', '.join(inactive)}.", inactive)
    short = tuple(line.product_id for line in lines if products[line.product_id].stock.available < line.quantity)
    return out_of_stock(short) if short else None


def out_of_stock(product_ids: tuple[str, ...]) -> Rejection:
    """The rejection for products of which there is not enough."""
    return Rejection("OUT_OF_STOCK", f"Not enough in stock: {', '.join(product_ids)}.", product_ids)


def too_many_open_orders(product_id: str) -> Rejection:
    """The rejection for a product of which MAXIMUM_HOLDS parts are set aside and not sent yet."""
    message = f"Too many orders of {product_id} wait to be sent; order it again when some have left."
    return Rejection("TOO_MANY_OPEN_ORDERS", message, (product_id,))


def check_sku(product_id: str) -> None:
    """Refuse an id that is no SKU: PRODUCT_ID_INVALID."""
    if not SKU.fullmatch(product_id):
        raise InventoryError("PRODUCT_ID_INVALID", "An id is 2 to 32 of A-Z, 0-9 and '-', such as MUG-001.", "id")


def check_facts(facts: ProductFacts) -> None:
    """Refuse facts that a shop cannot sell by; the codes are those below."""
    check_text(facts.name, 1, 200, "NAME_INVALID", "name")
    check_text(facts.description, 0, 5000, "DESCRIPTION_INVALID", "description")
    check_text(facts.category, 1, 60, "CATEGORY_INVALID", "category")
    if facts.price.currency_code != CURRENCY:
        message = f"This shop sells in {CURRENCY} only."
        raise InventoryError("CURRENCY_NOT_SUPPORTED", message, "price.currencyCode")
    if not 0 < facts.price.amount_minor <= MAXIMUM_PRICE_MINOR:
        raise InventoryError("PRICE_INVALID", PRICE_RANGE, "price.amount")
    if not 0 < facts.weight_grams <= MAXIMUM_WEIGHT_GRAMS:
        raise InventoryError("WEIGHT_INVALID", f"A weight is from 1 to {MAXIMUM_WEIGHT_GRAMS} grams.", "weightGrams")
    _check_image_url(facts.image_url)


def check_text(text: str, shortest: int, longest: int, code: str, field_name: str) -> None:
    """Refuse a text of fewer or more characters, not counting spaces around it for the fewest: ``code``."""
    if not shortest <= len(text.strip()) or len(text) > longest:
        raise InventoryError(code, f"{field_name} must have {shortest} to {longest} characters.", field_name)


def words(text: str) -> list[str]:
    """The words of ``text`` as they are searched for: ``Crème brûlée`` -> creme, brulee."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[a-z0-9]+", "".join(char for char in plain if not unicodedata.combining(char)))


def search_words(product_id: str, facts: ProductFacts) -> list[str]:
    """The words that find a product, each once."""
    return sorted({*words(product_id), product_id.lower(), *words(facts.name), *words(facts.category)})


def _check_image_url(url: str) -> None:
    if len(url) > 500 or not _is_image_url(url):
        message = "An image is an http(s) URL or a path that starts with '/'."
        raise InventoryError("IMAGE_URL_INVALID", message, "imageUrl")


def _is_image_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # a host in brackets that is no address
        return False
    absolute = parts.scheme in ("http", "https") and bool(parts.netloc)
    return absolute or (url.startswith("/") and not parts.netloc)
