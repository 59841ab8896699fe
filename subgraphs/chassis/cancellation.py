"""Endless loops that end when they are told to.

A cancellation can get lost on its way: ``asyncio.wait_for`` of CPython 3.11 returns a result that arrives at the same
moment instead of raising, and a task group raises the failure of a child instead. The task itself still knows.
"""

from __future__ import annotations

import asyncio


def leave_if_cancelled() -> None:
    """Raise CancelledError where the current task was told to end; endless loops call it at the head of each round."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
