"""The events that recommendations learns from; it publishes none.

``order.confirmed`` is a basket; ``product.changed`` says whether a product is sold, and whether it is in stock. The
payloads name only what is read of an event: all else in it may change without our noticing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from pydantic import AwareDatetime, Field

from subgraphs.chassis.event import Event, Payload, read_payload
from subgraphs.recommendations.domain import PRODUCT_ID_PATTERN, ProductNews, new_basket
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
    in_stock: bool | None = None


async def on_order_confirmed(recommendations: Recommendations, event: Event) -> None:
    """Learn from the order; raises InvalidEvent where the event does not tell of one."""
    order = read_payload(event, OrderConfirmedPayload)
    product_ids = [line.product_id for line in order.lines]
    await recommendations.learn(new_basket(order.order_id, order.customer_id, product_ids, order.confirmed_at))


async def on_product_changed(recommendations: Recommendations, event: Event) -> None:
    """Remember whether the product can be had; raises InvalidEvent where the event does not tell if it is sold.

    An event that says nothing of stock leaves what is known of it; a product of which nothing is known is in stock.
    """
    product = read_payload(event, ProductChangedPayload)
    await recommendations.note_product(ProductNews(product.product_id, product.active, event.time, product.in_stock))


HANDLERS: Mapping[str, Callable[[Recommendations, Event], Awaitable[None]]] = {
    "order.confirmed": on_order_confirmed,
    "product.changed": on_product_changed,
}
