"""Threads that compile operations: one for small documents, one for large ones, so that neither takes all there is."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
        if len(text) < LARGE_TEXT:
            async with self._small:
                return await asyncio.to_thread(compile_, *arguments, **named)
        async with self._large:
            try:
                return await asyncio.to_thread(compile_, *arguments, **named)
            finally:
                # Validation leaves cycles that hold the whole document: found at once, while they are young, they cost
                # milliseconds; found by a collection of everything they cost a second, and their memory until then.
                gc.collect(1)
