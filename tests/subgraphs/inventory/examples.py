"""Products and lines that tests of inventory speak of."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import SecretStr

from subgraphs.inventory.app import InventorySettings
from subgraphs.inventory.domain import (
    Money,
    Movement,
    MovementKind,
    Product,
    ProductChanged,
    ProductFacts,
    ReservationLine,
)
from subgraphs.inventory.store_contract import Store

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MUG = "MUG-001"
TEAPOT = "TEA-001"


def settings_for(mongodb_url: str) -> InventorySettings:
    """Settings of an inventory that reaches its database alone."""
    return InventorySettings(mongodb_url=SecretStr(mongodb_url), nats_url=SecretStr("nats://unused"))


def facts(name: str = "Blue Mug", price_minor: int = 1250, category: str = "Tableware") -> ProductFacts:
    """What a product may be."""
    return ProductFacts(name, "Holds coffee.", category, "/images/mug.webp", Money(price_minor), 350)


def receipt(product_id: str, quantity: int, warehouse: str = "BER", key: str = "") -> Movement:
    """``quantity`` pieces arrive at a warehouse."""
    key = key or f"{product_id}-{warehouse}-{quantity}"
    return Movement(f"mov_{key}", product_id, warehouse, MovementKind.RECEIPT, quantity, 0, NOON, "delivery", None, key)


def lines(**quantities: int) -> list[ReservationLine]:
    """``lines(MUG_001=2)``: two of MUG-001."""
    return [ReservationLine(name.replace("_", "-"), quantity) for name, quantity in quantities.items()]


async def stocked(store: Store) -> None:
    """Ten mugs in BER, four in LYO; three teapots in BER."""
    for product in (Product(MUG, facts()), Product(TEAPOT, facts("Green Teapot", 3900, "Tea"))):
        await store.add_product(product, ProductChanged(product, NOON))
    for movement in (receipt(MUG, 10), receipt(MUG, 4, "LYO"), receipt(TEAPOT, 3)):
        await store.adjust(movement)
