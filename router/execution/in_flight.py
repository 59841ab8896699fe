"""Work that several ask for at the same time, done once: the first does it, the others wait for its outcome.

Who comes alone pays for one entry in a table: no task and no future are made before somebody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")


class Abandoned(Exception):  # noqa: N818 - an outcome, not an error of the program
    """Who did the work was cancelled: whoever waited may begin anew."""


class InFlight(Generic[Outcome]):
    """The work under way, by what makes two requests the same."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Hashable, list[asyncio.Future[Outcome]]] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._waiting

    def begin(self, key: Hashable) -> None:
        """The caller does the work for ``key``, which nobody does yet, and tells its end by ``land`` or ``fail``."""
        self._waiting[key] = []

    def follow(self, key: Hashable) -> asyncio.Future[Outcome]:
        """The outcome of the work under way for ``key``: its result, its exception, or Abandoned."""
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(waiter)
        return waiter

    def is_followed(self, key: Hashable) -> bool:
        """Whether somebody waits for the outcome of the work under way for ``key``."""
        return bool(self._waiting[key])

    def land(self, key: Hashable, outcome: Outcome) -> None:
        """The work is done."""
        for waiter in self._waiting.pop(key):
            if not waiter.done():
                waiter.set_result(outcome)

    def fail(self, key: Hashable, error: Exception) -> None:
        """The work came to nothing."""
        for waiter in self._waiting.pop(key):
            if not waiter.done():
                waiter.set_exception(error)
