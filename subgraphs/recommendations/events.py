"""The events that recommendations learns from; it publishes none.

``order.confirmed`` is a basket; ``product.changed`` says whether a product is sold, and ``product.stock_changed``
whether it is in stock. The payloads name only what is read of an event: all else in it may change without our noticing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from pydantic import AwareDatetime, Field

from subgraphs.chassis.events.event import Event, Payload, read_payload
from subgraphs.recommendations.domain import PRODUCT_ID_PATTERN, ProductNews, StockNews, new_basket
from subgraphs.recommendations.service import Recommendations

ProductId = Annotated[str, Field(pattern=PRODUCT_ID_PATTERN)]


class ConfirmedLinePayload(Payload):
    """One line of a confirmed order."""

    product_id: ProductId


class OrderConfirmedPayload(Payload):
    """What is read of order.confirmed."""

    order_id: str = Field(min_length=1)
    customer_id: str = Field(min_length=1)
    lines: list[ConfirmedLinePayload] = Field(min_length=1)
    confirmed_at: AwareDatetime


class ProductChangedPayload(Payload):
    """What is read of product.changed."""

    product_id: ProductId
    active: bool
    version: int = Field(ge=1)


class StockChangedPayload(Payload):
    """What is read of product.stock_changed."""

    product_id: ProductId
    in_stock: bool
    version: int = Field(ge=1)


async def on_order_confirmed(recommendations: Recommendations, event: Event) -> None:
    """Learn from the order; raises InvalidEvent where the event does not tell of one."""
    order = read_payload(event, OrderConfirmedPayload)
    product_ids = [line.product_id for line in order.lines]
    await recommendations.learn(new_basket(order.order_id, order.customer_id, product_ids, order.confirmed_at))


async def on_product_changed(recommendations: Recommendations, event: Event) -> None:
    """Remember whether the product is sold; raises InvalidEvent where the event does not tell."""
    product = read_payload(event, ProductChangedPayload)
    await recommendations.note_product(ProductNews(product.product_id, product.active, product.version))


async def on_stock_changed(recommendations: Recommendations, event: Event) -> None:
    """Remember whether the product is in stock; raises InvalidEvent where the event does not tell."""
    stock = read_payload(event, StockChangedPayload)
    await recommendations.note_stock(StockNews(stock.product_id, stock.in_stock, stock.version))


HANDLERS: Mapping[str, Callable[[Recommendations, Event], Awaitable[None]]] = {
    "order.confirmed": on_order_confirmed,
    "product.changed": on_product_changed,
    "product.stock_changed": on_stock_changed,
}
