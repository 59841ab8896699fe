"""What composition noticed though the subgraphs fit."""

from __future__ import annotations

from dataclasses import dataclass

from router.composition.errors import SourceLocation
from router.federation.hint_codes import HINT_LEVELS, HintCode, HintLevel


@dataclass(frozen=True, slots=True)
class CompositionHint:
    """Something to look at; ``coordinate`` is what it is about (``Product.name``), where there is one."""

    code: HintCode
    message: str
    coordinate: str | None = None
    locations: tuple[SourceLocation, ...] = ()

    @property
    def level(self) -> HintLevel:
        """How much it matters."""
        return HINT_LEVELS[self.code]

    def __str__(self) -> str:
        return f"{self.code} ({self.level.name}): {self.message}"
