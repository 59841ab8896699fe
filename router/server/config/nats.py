"""Section ``nats``: the NATS server by which replicas of the router share what they know."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from router.server.config.headers import UNSAFE_VALUE
from router.server.config.section import Section

_URL = re.compile(r"(nats|tls|ws|wss)://\S+")


def _nats_url(url: SecretStr) -> SecretStr:
    if _URL.fullmatch(url.get_secret_value()) is None:
        # The value may hold a password, which no message may tell.
        raise PydanticCustomError(UNSAFE_VALUE, "this is no URL of a NATS server, as in nats://user:password@host:4222")
    return url


class NatsSettings(Section):
    """Without ``url`` nothing is shared. Buckets are JetStream key-value stores, whose names begin with ``prefix``.

    ``timeout_s`` bounds every wait for the server.
    """

    url: Annotated[SecretStr, AfterValidator(_nats_url)] | None = Field(None, repr=False)
    prefix: str = Field("galleria", pattern=r"^[A-Za-z0-9_-]+$")
    replicas: int = Field(1, ge=1, le=5)
    timeout_s: float = Field(0.5, gt=0, le=30)
