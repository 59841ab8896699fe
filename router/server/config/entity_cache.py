"""Section ``entity_cache``: subgraphs' answers, kept by entity and by root fetch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from router.server.config.bearer_secret import BearerSecret
from router.server.config.free_path import FreePath
from router.server.config.headers import UNSAFE_VALUE, HeaderName
from router.server.config.section import Section

Name = Annotated[str, Field(pattern=r"^[_A-Za-z][_0-9A-Za-z]*$")]
Coordinate = Annotated[str, Field(pattern=r"^[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)?$")]


def _valkey_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("valkey://", "valkeys://", "redis://", "rediss://", "unix://")):
        # The value may hold a password, which no message may tell.
        raise PydanticCustomError(UNSAFE_VALUE, "this is no URL of a Valkey server, as in valkey://:password@host:6379")
    return url


class LifetimeSettings(Section):
    """How long what a type or field says may be kept, and whether it is for all or for who asked."""

    max_age_s: float = Field(ge=0)
    scope: Literal["public", "private"] = "public"


class ValkeySettings(Section):
    """A Valkey or Redis server that all replicas keep entries in; without ``url`` each process has its own."""

    url: Annotated[SecretStr, AfterValidator(_valkey_url)] | None = Field(None, repr=False)
    prefix: str = Field("galleria", pattern=r"^[A-Za-z0-9_.-]+$")
    timeout_s: float = Field(0.05, gt=0, le=5)


class InvalidationSettings(Section):
    """The endpoint that drops entries, for whoever knows the ``secret`` or has the ``scope``; there is none without."""

    path: FreePath = "/cache/invalidate"
    secret: BearerSecret | None = Field(None, repr=False)
    scope: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether anybody may drop entries."""
        return self.secret is not None or self.scope is not None


class EventSettings(Section):
    """Events of ``subject`` in the JetStream ``stream`` (of the server in ``nats``) drop entities of ``type``: those
    whose ``key`` is the value at ``pointer`` of the payload."""

    stream: str = Field(pattern=r"^[^\s.*>/\\]+$")
    subject: str = Field(pattern=r"^\S+$")
    type: Name
    key: Name = "id"
    pointer: str = Field(pattern=r"^(/[^/]*)+$")


class EntityCacheSettings(Section):
    """``private_by`` are the headers that tell who asks. ``max_bytes`` and ``max_entries`` bound a process's memory.

    ``admit`` is when an answer is kept: ``second``, where it was asked for before; ``always``, at once.
    """

    enabled: bool = False
    admit: Literal["second", "always"] = "second"
    default_ttl_s: float | None = Field(None, ge=0)
    max_ttl_s: float = Field(3600.0, gt=0)
    stale_s: float = Field(0.0, ge=0)
    max_stale_s: float = Field(60.0, ge=0)
    lifetimes: Mapping[Coordinate, LifetimeSettings] = Field(default_factory=dict)
    private_by: tuple[HeaderName, ...] = ("authorization",)
    max_bytes: int = Field(100_000_000, gt=0)
    max_entries: int = Field(100_000, gt=0)
    valkey: ValkeySettings = ValkeySettings()
    invalidation: InvalidationSettings = InvalidationSettings()
    events: tuple[EventSettings, ...] = ()

    @model_validator(mode="after")
    def _someone_is_told_apart(self) -> Self:
        if not self.private_by:
            raise ValueError("private_by names the headers that tell who asks, so that it names at least one")
        return self
