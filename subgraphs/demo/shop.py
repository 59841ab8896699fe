"""Puts the demo shop together: drafts -> orders -> stock -> products.

Times hang on the full hour before `now`, and nothing else but the year in an order's number depends on it: services
that seed themselves some seconds apart agree on every identifier, amount and status.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from subgraphs.demo.baskets import fill_basket, shipping_fee_minor
from subgraphs.demo.catalogue import DISCONTINUED, ITEMS_BY_CATEGORY
from subgraphs.demo.drafts import Draft, draft_orders, seeded
from subgraphs.demo.model import DemoShop, Item, Order, Product, StockLevel
from subgraphs.demo.payments import draw_payment
from subgraphs.demo.people import customers
from subgraphs.demo.stock import WAREHOUSES, draw_reservation, reserved_units, stock_journal, stock_levels
from subgraphs.demo.timeline import draw_milestones, draw_shipments, new_id, status_history

_OPEN_FOR = timedelta(days=400)


def demo_shop(now: datetime, edition: str = "") -> DemoShop:
    """Return the demo shop as it stands at `now` (with a time zone): equal for all instants of the same hour.

    Another `edition` is the same shop with other orders: other tastes, other baskets, at other times.

    Raises ValueError where `now` has no time zone.
    """
    if now.tzinfo is None:
        msg = "demo_shop needs an instant with a time zone, such as datetime.now(UTC)"
        raise ValueError(msg)
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    buyers = customers()
    orders = _orders(draft_orders(buyers, edition), hour, edition)
    reserved = reserved_units(orders)
    levels = {item.sku: stock_levels(item.sku, reserved) for items in ITEMS_BY_CATEGORY.values() for item in items}
    opened_at = hour - _OPEN_FOR
    return DemoShop(
        warehouses=WAREHOUSES,
        products=tuple(
            _product(item, category, levels[item.sku], opened_at)
            for category, items in ITEMS_BY_CATEGORY.items()
            for item in items
        ),
        customers=buyers,
        orders=orders,
        movements=stock_journal(levels, orders, opened_at),
    )


def _orders(drafts: Sequence[Draft], hour: datetime, edition: str) -> tuple[Order, ...]:
    """Write the drafts out in time, so that nobody buys twice what is bought once."""
    owned: dict[str, list[str]] = {}
    orders = []
    for sequence, draft in enumerate(drafts, start=1):
        owned_by_customer = owned.setdefault(draft.shopper.customer.id, [])
        dice = seeded(f"order {sequence}{edition}")
        order = _order(draft, sequence, hour - draft.age, owned_by_customer, dice)
        if order.status != "CANCELLED":
            owned_by_customer.extend(line.product_id for line in order.lines)
        orders.append(order)
    return tuple(orders)


def _order(draft: Draft, sequence: int, placed_at: datetime, owned: Sequence[str], dice: Random) -> Order:
    customer, fate = draft.shopper.customer, draft.fate
    lines = fill_basket(draft, owned, dice)
    subtotal_minor = sum(line.quantity * line.unit_price_minor for line in lines)
    fee_minor = shipping_fee_minor(subtotal_minor, customer.address.country_code)
    times = draw_milestones(fate, placed_at, dice)
    history = status_history(fate, times)
    return Order(
        id=new_id("ord", dice),
        number=f"G-{placed_at.year}-{sequence:06}",
        customer_id=customer.id,
        status=fate.path[-1],
        lines=lines,
        subtotal_minor=subtotal_minor,
        shipping_fee_minor=fee_minor,
        total_minor=subtotal_minor + fee_minor,
        shipping_address=customer.address,
        placed_at=placed_at,
        updated_at=history[-1].at,
        history=history,
        payment=draw_payment(fate, times, lines, subtotal_minor + fee_minor, dice),
        shipments=draw_shipments(fate, times, customer.address.city, dice),
        reservation=draw_reservation(fate, times, lines, customer.address.country_code, dice),
    )


def _product(item: Item, category: str, stock: tuple[StockLevel, ...], listed_at: datetime) -> Product:
    return Product(
        id=item.sku,
        name=item.name,
        description=item.description,
        category=category,
        image_url=f"/images/products/{item.sku}.webp",
        price_minor=item.price_minor,
        weight_grams=item.weight_grams,
        active=item.sku not in DISCONTINUED,
        listed_at=listed_at,
        stock=stock,
    )
