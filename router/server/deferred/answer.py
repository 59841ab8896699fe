"""One answer in parts, from the first to the last: runs the operation, and gives out what there is to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from router.execution.execute import ExecutionResult
from router.execution.in_parts import Deliver
from router.field_error import FieldError
from router.response.completion import JsonObject
from router.response.incremental import Completed, Delivery, GrowingAnswer
from router.response.projection import ProjectedResult
from router.server.deferred.compiled import CompiledDeferral
from router.server.deferred.formats import DeferredFormat, PayloadWriter
from router.server.http.answer import TOO_DEEP, TOO_DEEP_MESSAGE, errors_of
from router.server.request_error import RequestError

Variables = Mapping[str, object]
Hear = Callable[[FieldError], Awaitable[None]]
Execute = Callable[[Deliver], Coroutine[Any, Any, None]]


class DeferredAnswer:
    """The parts of one answer. ``begin`` runs the operation up to the first; then ``next`` until it gives None.

    It must be closed, which gives up what is still under way.
    """

    def __init__(self, compiled: CompiledDeferral, variables: Variables, execute: Execute) -> None:
        self._compiled = compiled
        self._variables = variables
        self._execute = execute
        self._growing = GrowingAnswer(compiled.deferred, variables)
        self._changed = asyncio.Event()
        self._first: ProjectedResult | None = None
        self._work: asyncio.Task[None] | None = None
        self._writer: PayloadWriter | None = None
        self._is_over = False
        self._tell: Callable[[JsonObject], None] | None = None
        self._data: JsonObject = {}
        self._hear: Hear | None = None

    def hear(self, hear: Hear) -> None:
        """Have ``hear`` told of each error before the payload that has it; to be said before the answer begins."""
        self._hear = hear

    def at_end(self, tell: Callable[[JsonObject], None]) -> None:
        """Call ``tell`` with all merged data when the last payload is written; to be said before the answer begins."""
        self._tell = tell

    async def begin(self, form: DeferredFormat) -> bytes:
        """The first payload in ``form``. Raises what keeps the operation from running."""
        self._work = asyncio.create_task(self._execute(self._take))
        self._work.add_done_callback(lambda _: self._changed.set())
        while self._first is None:
            await self._changed.wait()
            if self._first is None:
                await self._work
            self._changed.clear()
        self._writer = PayloadWriter(form, self._compiled.deferred.keys)
        await self._tell_of(self._first.errors)
        # What has come by now goes with the next payload, so that the first is the same each time.
        delivery = self._growing.announce()
        self._changed.set()
        try:
            return self._written(self._writer.first(self._first, delivery), delivery)
        except TypeError:
            raise RequestError(500, TOO_DEEP, TOO_DEEP_MESSAGE) from None

    async def next(self) -> bytes | None:
        """The next payload; None after the last."""
        assert self._writer is not None  # noqa: S101 - begun
        assert self._work is not None  # noqa: S101 - begun
        while not self._is_over:
            await self._changed.wait()
            self._changed.clear()
            if self._work.done():
                self._fail_if_broken(self._work)
            delivery = self._growing.deliver()
            if delivery.pending or delivery.completed:
                await self._tell_of(_errors_in(delivery))
                return self._written(_write(self._writer, delivery), delivery)
        return None

    async def close(self) -> None:
        """Give up what is still under way."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    def _take(self, part: int, result: ExecutionResult) -> None:
        self._data = result.data
        if part == 0:
            errors = self._compiled.deferred.errors_at_first(result.errors, self._variables)
            self._first = self._compiled.first(result.data, errors, self._variables)
            self._growing.begin(self._first.data, result.data)
        else:
            self._growing.add_part(part, result.errors)
        self._changed.set()

    def _fail_if_broken(self, work: asyncio.Task[None]) -> None:
        """A fault of ours, after the answer has begun: tell it in place of all that is missing."""
        error = work.exception()
        if error is not None:
            told = errors_of(error if isinstance(error, Exception) else RuntimeError("cancelled"))[0]
            self._growing.fail(FieldError((), str(told["message"]), {"code": "INTERNAL_SERVER_ERROR"}))

    async def _tell_of(self, errors: Iterable[FieldError]) -> None:
        if self._hear is not None:
            for error in errors:
                await self._hear(error)

    def _written(self, payload: bytes, delivery: Delivery) -> bytes:
        self._is_over = not delivery.has_next
        if self._is_over and self._tell is not None:
            self._tell(self._data)
        return payload


def _errors_in(delivery: Delivery) -> Iterator[FieldError]:
    for completed in delivery.completed:
        yield from completed.fragment.errors or ()
        for group in completed.groups:
            yield from group.errors


def _write(writer: PayloadWriter, delivery: Delivery) -> bytes:
    try:
        return writer.subsequent(delivery)
    except TypeError:
        failed = [Completed(completed.fragment, ()) for completed in delivery.completed]
        for fragment in (completed.fragment for completed in failed):
            fragment.errors = (FieldError(fragment.path, TOO_DEEP_MESSAGE, {"code": TOO_DEEP}),)
        return writer.subsequent(replace(delivery, completed=failed))
