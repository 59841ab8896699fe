"""Threads that compile operations: one for small documents, one for large ones, so that neither takes all there is."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from router.errors import OperationError
from router.server.processes.allocator import give_free_pages_back

LARGE_TEXT = 10_000

Parameters = ParamSpec("Parameters")
Product = TypeVar("Product")


class CompileTurns:
    """Lets documents be compiled in turns, each in a thread."""

    def __init__(self) -> None:
        self._small = asyncio.Semaphore(1)
        self._large = asyncio.Semaphore(1)

    async def run(
        self,
        text: str,
        compile_: Callable[Parameters, Product],
        *arguments: Parameters.args,
        **named: Parameters.kwargs,
    ) -> Product:
        """What ``compile_`` makes of the document ``text``, once it is its turn. Raises what that raises."""
        is_large = len(text) >= LARGE_TEXT
        async with self._large if is_large else self._small:
            try:
                return await asyncio.to_thread(_without_traces, partial(compile_, *arguments, **named))
            finally:
                if is_large:
                    # Validation leaves cycles that hold a whole document. Found while they are young they cost
                    # milliseconds; by a collection of everything, a second, and their memory until then.
                    gc.collect(1)
                    give_free_pages_back()


def _without_traces(compile_: Callable[[], Product]) -> Product:
    """What it makes; what it raises forgets where it was raised, and so the document that was compiled there."""
    try:
        return compile_()
    except OperationError as error:
        error.__context__ = None
        raise error.with_traceback(None) from None
