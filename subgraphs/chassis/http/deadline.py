"""The time that a request has: whoever asks says how long it waits, and nobody works on what nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import pymongo
from starlette.requests import Request

HEADER = "x-request-timeout-ms"
MAX_DIGITS = 9


class DeadlineExceeded(Exception):  # noqa: N818 - a state, not a mistake
    """The time that the request had is over."""


def seconds_left(request: Request) -> float | None:
    """What the header says; None without one, or where it is no number of milliseconds."""
    value = request.headers.get(HEADER, "")
    if not value.isascii() or not value.isdigit() or len(value) > MAX_DIGITS:
        return None
    return int(value) / 1000


@asynccontextmanager
async def within(limit_s: float | None, operation_limit_s: float) -> AsyncIterator[None]:
    """Cancel what is done in the context after ``limit_s``, and raise DeadlineExceeded; None is no limit.

    The database is told too where that is less than the ``operation_limit_s`` of each operation: it gives up by itself
    then (``maxTimeMS``), instead of working on for a client that has left.
    """
    if limit_s is None:
        yield
        return
    try:
        async with asyncio.timeout(limit_s) as limit:
            with pymongo.timeout(limit_s) if limit_s < operation_limit_s else nullcontext():
                yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise DeadlineExceeded from None
