"""What a service still waits for: ``/health/ready`` prints it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence


class Readiness:
    """The state of each thing that a service needs, by name; all begin as missing."""

    def __init__(self, needs: Sequence[str]) -> None:
        self._missing = dict.fromkeys(needs, "not reached yet")
        self._changed = asyncio.Event()

    @property
    def missing(self) -> Mapping[str, str]:
        """What is missing, and why."""
        return dict(self._missing)

    def reached(self, need: str) -> None:
        """``need`` is there."""
        self._missing.pop(need, None)
        self._changed.set()

    def lost(self, need: str, reason: str) -> None:
        """``need`` is not there."""
        self._missing[need] = reason

    async def wait_ready(self) -> None:
        """Return when nothing is missing."""
        while self._missing:
            self._changed.clear()
            await self._changed.wait()
