"""Endless loops that end when they are told to, and are told once.

A cancellation can get lost on its way: ``asyncio.wait_for`` of CPython 3.11 returns a result that arrives at the same
moment instead of raising, and a task group raises the failure of a child instead. The task itself still knows.
A second cancellation, on the other hand, would cut short what the first one let finish.
"""

from __future__ import annotations

import asyncio


def leave_if_cancelled() -> None:
    """Raise CancelledError where the current task was told to end; endless loops call it at the head of each round."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def cancel_once(task: asyncio.Task[None]) -> None:
    """Tell ``task`` to end, unless it was told."""
    if not task.cancelling():
        task.cancel()


async def await_end(task: asyncio.Task[None]) -> None:
    """Await ``task``. A cancellation is handed on by :func:`cancel_once`, and waits until the task has ended."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        cancel_once(task)
        await asyncio.gather(task, return_exceptions=True)
        raise
