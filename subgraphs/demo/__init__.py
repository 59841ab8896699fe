"""The demo shop: one deterministic set of facts from which each service seeds its own database."""

from subgraphs.demo.model import CURRENCY, DemoShop
from subgraphs.demo.shop import demo_shop

__all__ = ["CURRENCY", "DemoShop", "demo_shop"]
