"""How long the stages of operations took, as histograms."""

from __future__ import annotations

import threading
from typing import get_args

from router.server.request_metrics import Durations
from router.server.stages import Stage

_IN_THE_LOOP = ("execute", "project")


class StageDurations:
    """A histogram for each stage. Operations are compiled in threads, so that those stages need a lock."""

    def __init__(self) -> None:
        self.by_stage: dict[Stage, Durations] = {name: Durations() for name in get_args(Stage)}
        self._lock = threading.Lock()

    def observe(self, stage: Stage, seconds: float) -> None:
        """Count one duration."""
        if stage in _IN_THE_LOOP:
            self.by_stage[stage].observe(seconds)
            return
        with self._lock:
            self.by_stage[stage].observe(seconds)
