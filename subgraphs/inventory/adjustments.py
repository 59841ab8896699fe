"""Adjustments: what staff may do to the stock of a product.

:func:`check_adjustment` looks at the adjustment alone, :func:`find_obstacle` at the stock that it meets. What stands
in its way there is asked again by the store within its one write, since others write meanwhile.
"""

from __future__ import annotations

from subgraphs.inventory.domain import WAREHOUSE, InventoryError, Movement, Product, Stock, StockLevel, check_text

MAXIMUM_QUANTITY = 1_000_000
MAXIMUM_STOCK = 1_000_000_000
"""How many pieces of a product adjustments may heap up, over all warehouses.

A GraphQL Int ends at 2,147,483,647. The room up to there is for what was sold and comes back, which is never refused.
"""
MAXIMUM_WAREHOUSES = 100
"""In how many warehouses a product may lie: each is a part of its document, and a row of ``byWarehouse``."""
RESTOCK_KEY = "restock:"
"""What the keys of movements begin with that put returned pieces in stock again."""


def check_adjustment(movement: Movement) -> None:
    """Refuse an adjustment: WAREHOUSE_INVALID, QUANTITY_INVALID, REASON_INVALID, IDEMPOTENCY_KEY_INVALID."""
    if not WAREHOUSE.fullmatch(movement.warehouse):
        message = "A warehouse is 1 to 16 of A-Z, 0-9 and '-', such as BER."
        raise InventoryError("WAREHOUSE_INVALID", message, "warehouse")
    if movement.on_hand == 0 or abs(movement.on_hand) > MAXIMUM_QUANTITY:
        message = f"A delta is from -{MAXIMUM_QUANTITY} to {MAXIMUM_QUANTITY}, and not 0."
        raise InventoryError("QUANTITY_INVALID", message, "delta")
    check_text(movement.reason, 1, 200, "REASON_INVALID", "reason")
    check_text(movement.key or "", 1, 100, "IDEMPOTENCY_KEY_INVALID", "idempotencyKey")
    if (movement.key or "").startswith(RESTOCK_KEY):
        message = f"Keys that begin with {RESTOCK_KEY!r} are ours: take another one."
        raise InventoryError("IDEMPOTENCY_KEY_INVALID", message, "idempotencyKey")


def find_obstacle(product: Product, movement: Movement) -> InventoryError | None:
    """Why ``movement`` cannot change the stock of ``product``; None where it can.

    STOCK_INSUFFICIENT, STOCK_TOO_LARGE or TOO_MANY_WAREHOUSES.
    """
    level = _level(product.stock, movement.warehouse)
    available = level.available if level else 0
    if available + movement.on_hand < 0:
        taken = -movement.on_hand
        message = f"{movement.warehouse} has {available} of {product.id} available; {taken} cannot be taken out."
        return InventoryError("STOCK_INSUFFICIENT", message, "delta")
    if movement.on_hand > 0 and product.stock.on_hand + movement.on_hand > MAXIMUM_STOCK:
        message = f"There are {product.stock.on_hand} of {product.id}; there cannot be more than {MAXIMUM_STOCK}."
        return InventoryError("STOCK_TOO_LARGE", message, "delta")
    if level is None and len(product.stock.levels) >= MAXIMUM_WAREHOUSES:
        message = f"{product.id} lies in {MAXIMUM_WAREHOUSES} warehouses already, which is the most there can be."
        return InventoryError("TOO_MANY_WAREHOUSES", message, "warehouse")
    return None


def _level(stock: Stock, warehouse: str) -> StockLevel | None:
    return next((level for level in stock.levels if level.warehouse == warehouse), None)
