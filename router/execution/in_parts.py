"""Running the plan of an operation with deferred fragments: what comes first is delivered before anything deferred.

``await execute_in_parts(executable, variables, context, deliver)`` calls ``deliver(part, result)`` once for each part,
as soon as its fetches are merged, with part 0 before all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from router.execution.absences import Answered
from router.execution.answer import SubgraphAnswer
from router.execution.errors import SubgraphFailure
from router.execution.executable import ExecutableFetch, ExecutablePlan
from router.execution.execute import ExecutionContext, ExecutionResult, PlanRun, made_ready
from router.execution.missing_values import Failures
from router.operation.model import OperationKind

Deliver = Callable[[int, ExecutionResult], None]


async def execute_in_parts(
    executable: ExecutablePlan, variables: Mapping[str, object], context: ExecutionContext, deliver: Deliver
) -> None:
    """Run the fetches of a plan with coerced ``variables``; each part has the errors of its own fetches and of those
    that may have brought some of it.

    All results share one ``data``, which grows. A deferred fetch starts as soon as its inputs are there, of a mutation
    once all of that has run, so that it reads what the whole left behind. What it brings is merged once part 0 is
    delivered, so that the first answer does not depend on what came by then.
    """
    first = Failures({}, variables)
    parts: list[_Part] = []
    for number, sources in enumerate(executable.parts):
        fetches = tuple(fetch for fetch in executable.fetches if fetch.part == number)
        plan = ExecutablePlan(executable.kind, fetches, (), is_chain=False)
        parts.append(_Part(number, plan, sources, len(fetches)))
    await _PartsRun(executable, variables, context, first, parts, deliver).run()


@dataclass(slots=True)
class _Part:
    """A part under way: the plan of its fetches alone, and how many of them are left; it may hold what ``sources``
    have brought."""

    number: int
    executable: ExecutablePlan
    sources: tuple[int, ...]
    left: int
    is_delivered: bool = False


@dataclass(slots=True)
class _PartsRun:
    """One execution of a plan in parts."""

    executable: ExecutablePlan
    variables: Mapping[str, object]
    context: ExecutionContext
    failures: Failures
    parts: Sequence[_Part]
    deliver: Deliver
    runs: list[PlanRun] = field(default_factory=list)
    first_is_delivered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Run every fetch, and deliver every part."""
        data, answered = self.failures.data, list[Answered]()
        for part in self.parts:
            if part.number:
                failures = self.failures.of_part()
                wait = self.first_is_delivered.wait
                run: PlanRun = _LaterRun(
                    part.executable, self.variables, self.context, data, failures, answered, waits=wait
                )
            else:
                run = PlanRun(part.executable, self.variables, self.context, data, self.failures, answered)
            self.runs.append(run)
        waits = list(self.executable.waits)
        async with asyncio.TaskGroup() as tasks:
            self._deliver_what_is_there()
            for fetch, count in zip(self.executable.fetches, self.executable.waits, strict=True):
                if count == 0:
                    tasks.create_task(self._follow(fetch, waits, tasks))

    async def _follow(self, fetch: ExecutableFetch, waits: list[int], tasks: asyncio.TaskGroup) -> None:
        """Run one fetch, then start whatever waited for it alone."""
        part, run = self.parts[fetch.part], self.runs[fetch.part]
        run.failures.first_loss = run.failures.first_loss or self.failures.first_loss
        await run.fetch(fetch)
        part.left -= 1
        if not part.left:
            self._deliver_what_is_there()
        for ready in made_ready(fetch, waits):
            tasks.create_task(self._follow(self.executable.fetches[ready], waits, tasks))

    def _deliver_what_is_there(self) -> None:
        """Deliver each part whose fetches, and those of its sources, have ended; sources come before it."""
        for part in self.parts:
            if part.is_delivered or part.left or not all(self.parts[one].is_delivered for one in part.sources):
                continue
            part.is_delivered = True
            run = self.runs[part.number]
            run.look_for_absent()
            run.tell_of_late_entities()
            errors = [error for one in (*part.sources, part.number) for error in self.runs[one].failures.errors]
            self.deliver(part.number, ExecutionResult(run.data, errors))
            if not part.number:
                self.first_is_delivered.set()


class _LaterRun(PlanRun, kw_only=True):
    """A run whose answers, and failures, are taken in when what it ``waits`` for has happened."""

    waits: Callable[[], Awaitable[object]]

    async def fetch(self, fetch: ExecutableFetch) -> None:
        """Send one fetch, if it is needed, and merge its answer."""
        if self.executable.kind is OperationKind.MUTATION:
            await self.waits()
        await PlanRun.fetch(self, fetch)

    async def send(self, fetch: ExecutableFetch, body: bytes) -> SubgraphAnswer:
        """The subgraph's answer. SubgraphFailure."""
        try:
            answer = await PlanRun.send(self, fetch, body)
        except SubgraphFailure:
            await self.waits()
            raise
        await self.waits()
        return answer
