"""Section ``subscriptions``: those of clients."""

from __future__ import annotations

from pydantic import Field

from router.server.config.section import Section


class SubscriptionSettings(Section):
    """Subscriptions of clients, and how long a lost subgraph is tried again before they are given up.

    A client that leaves ``max_buffered_events`` waiting is closed. Equal subscriptions of clients with equal forwarded
    headers share one at the subgraph, unless ``share`` is off.
    """

    enabled: bool = True
    share: bool = True
    max_total: int = Field(10_000, gt=0)
    max_per_connection: int = Field(100, gt=0)
    max_buffered_events: int = Field(100, gt=0)
    connection_init_timeout_s: float = Field(10.0, gt=0)
    heartbeat_s: float = Field(5.0, gt=0)
    reconnect_timeout_s: float = Field(300.0, ge=0)
