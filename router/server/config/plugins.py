"""Section ``plugins``: code of your own that is called on the way of a request, in the order of the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from router.server.config.authorization import FunctionPlace
from router.server.config.section import Section


class PluginSettings(Section):
    """``use`` names a class as ``module:Class``, and ``settings`` are what its own model takes."""

    use: FunctionPlace
    settings: Mapping[str, Any] = Field(default_factory=dict, repr=False)
