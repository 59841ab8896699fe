"""What is noted of one request while it is under way; its service and its fetches find it in RECORD."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from router.server.observation.stage_durations import StageDurations
from router.server.operations.stages import OBSERVER, Stage

if TYPE_CHECKING:
    from router.server.observation.spans import RequestSpans


class RequestRecord(Struct):
    """One HTTP request, or one WebSocket connection with all its operations.

    ``client`` is the name that it gives itself. ``asks_for_fetches`` where it wants to see its plan and fetches.
    ``spans`` where it is sampled. ``has_missed`` while an operation is compiled for it. ``projected_at`` is when an
    operation began to be projected, from then until that has ended. Implements StageObserver.
    """

    client: bytes
    asks_for_fetches: bool
    stages: StageDurations
    spans: RequestSpans | None = None
    has_missed: bool = False
    projected_at: float = 0.0

    def passed(self, stage: Stage, started: float, ended: float) -> None:
        """As the protocol says."""
        self.stages.observe(stage, ended - started)
        if self.spans is not None:
            self.spans.add_stage(stage, started, ended)


# The observer of a request's stages is its record: nothing else is ever put there.
RECORD = cast("ContextVar[RequestRecord | None]", OBSERVER)


@dataclass(slots=True)
class FetchRecord:
    """One fetch as it was sent: times of ``time.perf_counter``, and what came back; ``code`` where nothing did.

    ``representations`` are how many entities it asks for, None where it asks for root fields.
    """

    subgraph: str
    document: str
    operation_name: str | None
    representations: int | None
    request_bytes: int
    started: float
    ended: float = 0.0
    status: int | None = None
    response_bytes: int = 0
    code: str | None = None

    def end(self) -> None:
        """It is over."""
        self.ended = time.perf_counter()
