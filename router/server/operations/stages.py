"""The stages that an operation passes, and who is told how long they took: nobody, unless a request is observed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

Stage = Literal["parse", "validate", "plan", "execute", "project"]


class StageObserver(Protocol):
    """Told of each stage that the operation of a request has passed; from any thread."""

    def passed(self, stage: Stage, started: float, ended: float) -> None:
        """Both are times of ``time.perf_counter``; a stage that failed has passed too."""


OBSERVER: ContextVar[StageObserver | None] = ContextVar("galleria_stages", default=None)


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """Tell the observer of this request, if there is one, how long the block took."""
    observer = OBSERVER.get()
    if observer is None:
        yield
        return
    started = time.perf_counter()
    try:
        yield
    finally:
        observer.passed(name, started, time.perf_counter())
