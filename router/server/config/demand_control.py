"""Section ``demand_control``: what an operation may cost by ``@cost`` and ``@listSize``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from router.server.config.section import Section

Mode = Literal["off", "measure", "enforce"]


def _as_written(mode: object) -> object:
    """YAML takes ``off`` for false."""
    return "off" if mode is False else mode


class DemandControlSettings(Section):
    """``measure`` tells what operations cost; ``enforce`` refuses those that may cost more than ``max``, too.

    A list without ``@listSize`` is taken to have ``default_list_size`` members. With ``count_actual`` the objects of
    each answer are counted.
    """

    mode: Annotated[Mode, BeforeValidator(_as_written)] = "off"
    max: float = Field(1000.0, ge=0)
    default_list_size: int = Field(10, ge=0, le=1_000_000)
    count_actual: bool = True
