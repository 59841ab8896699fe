"""Section ``subgraphs``: how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from router.content_coding import CODINGS, Coding
from router.server.config.section import Section
from router.server.config.tls import SubgraphTlsSettings

Seconds = Annotated[float, Field(gt=0)]
AppName = Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]


class SubgraphSubscriptionSettings(Section):
    """How a subgraph sends the events of its subscriptions; ``url`` left out: its routing_url.

    Over ``sse`` it is taken for lost after ``silence_timeout_s`` without a byte. Left out: when its machine is gone.
    """

    protocol: Literal["websocket", "sse"] = "websocket"
    url: str | None = Field(None, pattern=r"^(https?|wss?)://\S+$")
    silence_timeout_s: Seconds | None = None


class SubgraphSettings(Section):
    """How subgraphs are called. ``timeouts`` overrides ``timeout_s`` by subgraph.

    Answers may be compressed in ``accept_encodings``; ``max_response_bytes`` holds for what they come to.
    ``apps`` names those that are in this process, as ``package.module:attribute``: an ASGI app, or a Strawberry schema.
    """

    timeout_s: float = Field(20.0, gt=0)
    timeouts: Mapping[str, Seconds] = Field(default_factory=dict)
    apps: Mapping[str, AppName] = Field(default_factory=dict)
    max_connections: int = Field(200, gt=0)
    max_response_bytes: int = Field(32 * 1024 * 1024, gt=0)
    accept_encodings: tuple[Coding, ...] = CODINGS
    keep_alive_s: float = Field(30.0, gt=0)
    subscriptions: Mapping[str, SubgraphSubscriptionSettings] = Field(default_factory=dict)
    tls: SubgraphTlsSettings = SubgraphTlsSettings()
