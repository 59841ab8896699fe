"""How long the stages of operations took, as histograms."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import get_args

from router.server.metrics.request_metrics import Durations
from router.server.operations.stages import Stage

_IN_THE_LOOP = ("execute", "project")


class StageDurations:
    """A histogram for each stage. Operations are compiled in threads, so that those stages need a lock."""

    def __init__(self) -> None:
        self.by_stage: dict[Stage, Durations] = {name: Durations() for name in get_args(Stage)}
        self._lock = threading.Lock()

    def ran(self, operations: Sequence[tuple[float, float]]) -> None:
        """Count operations: the seconds until each was executed, and until it was projected too, if that is later."""
        self.by_stage["execute"].observe_all([executed_s for executed_s, _ in operations])
        self.by_stage["project"].observe_all([over_s - done_s for done_s, over_s in operations if over_s > done_s])

    def observe(self, stage: Stage, seconds: float) -> None:
        """Count one duration."""
        if stage in _IN_THE_LOOP:
            self.by_stage[stage].observe(seconds)
            return
        with self._lock:
            self.by_stage[stage].observe(seconds)
