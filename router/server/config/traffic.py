"""Section ``traffic``: how the router keeps its footing when subgraphs do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from router.server.config.headers import HeaderName
from router.server.config.section import Section

Url = Annotated[str, Field(pattern=r"^https?://\S+$")]


class RetrySettings(Section):
    """Queries that nobody answered are asked again; ``budget`` is how many retries a request pays for."""

    enabled: bool = True
    max_retries: int = Field(2, ge=1, le=10)
    budget: float = Field(0.2, ge=0, le=1)
    first_pause_s: float = Field(0.025, ge=0)
    longest_pause_s: float = Field(0.5, ge=0)


class BreakerSettings(Section):
    """An address that keeps failing is not asked for a while."""

    enabled: bool = True
    window_s: float = Field(10.0, gt=0)
    min_failures: int = Field(5, ge=1)
    failure_ratio: float = Field(0.5, gt=0, le=1)
    pause_s: float = Field(1.0, gt=0)
    longest_pause_s: float = Field(30.0, gt=0)


class ConcurrencySettings(Section):
    """How many requests a subgraph gets at once, learned from how long it takes to answer."""

    enabled: bool = True
    initial: int = Field(50, ge=1)
    least: int = Field(5, ge=1)
    most: int = Field(200, ge=1)
    max_waiting: int = Field(1000, ge=0)


class SheddingSettings(Section):
    """Requests of clients that the router cannot answer in time are refused at once."""

    enabled: bool = True
    initial: int = Field(200, ge=1)
    max_in_flight: int = Field(2000, ge=1)
    max_lag_s: float = Field(0.1, gt=0)
    target_lag_s: float = Field(0.002, gt=0)
    max_body_bytes: int = Field(20_000_000, ge=1)


class TrafficSettings(Section):
    """``addresses`` are the replicas of a subgraph, by name, in place of its routing_url.

    Where ``resolve`` names a subgraph, each address that its host name has is a replica. ``health_path`` is asked of
    each replica where there are several: one that does not answer 2xx is about to go. ``share``: queries that are the
    same, with the same forwarded headers, are asked once while they are in flight. ``timeout_header`` tells
    subgraphs how many milliseconds the router will wait.
    """

    share: bool = True
    timeout_header: HeaderName | None = None
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    concurrency: ConcurrencySettings = ConcurrencySettings()
    shedding: SheddingSettings = SheddingSettings()
    addresses: Mapping[str, Annotated[tuple[Url, ...], Field(min_length=1)]] = Field(default_factory=dict)
    resolve: tuple[str, ...] = ()
    health_path: str | None = Field(None, pattern=r"^/\S*$")
    watch_interval_s: float = Field(2.0, gt=0)
