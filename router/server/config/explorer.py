"""Section ``explorer``: the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from router.server.config.section import Section


class ExplorerSettings(Section):
    """The page at ``/``. ``enabled`` left out: in development alone. ``tabs`` are files of operations, relative to
    router.yaml; ``orders.json`` beside ``orders.graphql`` holds the variables of that tab."""

    enabled: bool | None = None
    title: str = "Galleria"
    headers: Mapping[str, str] = Field(default_factory=dict)
    tabs: tuple[Path, ...] = ()
