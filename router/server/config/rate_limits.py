"""Section ``rate_limits``: how much each client may ask for in a time."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, StringConstraints, model_validator

from router.server.config.section import Section

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
HeaderToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", to_lower=True)]


class RateRuleSettings(Section):
    """``limit`` requests, or so much estimated cost of operations, in any ``window_s`` for each key.

    The key is the value of a ``header`` or of a ``claim`` of the token, or the client's address: without either, and
    for whoever has neither.
    """

    name: RuleName
    header: HeaderToken | None = None
    claim: str | None = Field(None, min_length=1)
    count: Literal["requests", "cost"] = "requests"
    limit: float = Field(gt=0)
    window_s: float = Field(60.0, ge=1, le=86_400)

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        if self.header is not None and self.claim is not None:
            raise ValueError("a rule has one key: name either header or claim, or neither for the address")
        return self


class RateLimitSettings(Section):
    """A request must be within every one of the ``rules``. ``max_keys`` are remembered for each.

    ``shared``: replicas tell each other over NATS what they counted, every ``sync_interval_s``. An address in
    ``x-forwarded-for`` is believed of ``trusted_proxies`` alone.
    """

    rules: tuple[RateRuleSettings, ...] = ()
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    max_keys: int = Field(20_000, ge=1, le=500_000)
    shared: bool = False
    sync_interval_s: float = Field(0.5, ge=0.05, le=60)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two rules are named '{twice}'")
        return self
