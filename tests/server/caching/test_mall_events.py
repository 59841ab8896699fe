"""The mall's own ``product.changed``, on the mall's own stream, drops that product."""

from __future__ import annotations

from typing import Any

import pytest

from subgraphs.chassis.events import nats_bus
from subgraphs.inventory.domain import Product, ProductChanged
from subgraphs.inventory.events import encode
from tests.server.caching.stand import opened
from tests.server.caching.test_cache_events import BOTH, followed, handled, saying
from tests.subgraphs.inventory.examples import NOON, facts

SETTINGS: dict[str, Any] = {"stream": "MALL", "subject": "mall.product.changed"}


@pytest.mark.asyncio
async def test_a_product_that_inventory_changes_is_dropped_everywhere(nats_url: str) -> None:
    event = {**SETTINGS, "type": "Product", "pointer": "/data/productId"}
    settings = {
        "entity_cache": {"enabled": True, "admit": "always", "events": [event]},
        "nats": {"url": nats_url, "timeout_s": 5},
    }
    bus = await nats_bus.connect(nats_url, "tests")
    async with opened(settings, saying()) as router:
        await followed(router)
        await router.data(BOTH)
        router.stand.names["2"] = "Pan"
        product = Product("2", facts("Pan"))
        await bus.publish(encode(ProductChanged(product, NOON)))
        await handled(router, 1)
        assert [one["name"] for one in (await router.data(BOTH))["products"]] == ["Mug", "Pan"]
        assert router.stand.sent_keys("stock") == [["1", "2"], ["2"]]
    await bus.close()
