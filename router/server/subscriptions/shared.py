"""One subscription at a subgraph, whose events are executed once for all clients that asked the same.

Its life: connect; for each event fetch what else was selected, project, encode, and offer the result to every client.
A lost connection is told to the clients and made again with growing pauses. It ends when the subgraph completes or
refuses it, when it stays lost for too long, when the last client has left, or when a new supergraph does not know it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from router.errors import OperationError
from router.execution.answer import SubgraphAnswer
from router.execution.errors import SubgraphFailure
from router.execution.execute import ExecutionContext, FetchObserver, execute_event
from router.execution.json_numbers import encode
from router.execution.subgraph_client import SubgraphClient
from router.execution.subscription.event_source import EventRequest, SubscriptionRefused
from router.execution.traffic.trace import TRACE_HEADERS
from router.field_error import FieldError
from router.server.access.caller import Caller
from router.server.access.gate import Gate
from router.server.graphs.graph import Graph
from router.server.graphs.startup import LONGEST_PAUSE_S, growing_pauses
from router.server.http.answer import errors_of, in_trace, result_answer
from router.server.http.graphql_request import GraphQLRequest
from router.server.observation.events import ObservedEvents
from router.server.operations.compiled_operation import CompiledOperation
from router.server.subscriptions.subscriber import COMPLETED, Ending, Subscriber

# A connection that held for so long without an event was a good one; one that ends sooner is still the same loss.
HELD_AFTER_S = LONGEST_PAUSE_S
Tell = Callable[[Exception | FieldError], Awaitable[None]]
logger = logging.getLogger("galleria.router")


@dataclass(frozen=True, slots=True)
class EventPlan:
    """A client's subscription over one graph: what is asked of the subgraph, and what is made of each event."""

    graph: Graph
    compiled: CompiledOperation
    variables: Mapping[str, object]
    subgraph: str
    body: bytes

    def asks_the_same(self, other: EventPlan) -> bool:
        """Whether the stream of events of ``other`` is that of this plan too."""
        mine, others = self.graph.event_routes[self.subgraph], other.graph.event_routes.get(other.subgraph)
        if others is None or (mine.url, mine.rules) != (others.url, others.rules):
            return False
        is_same_way = type(mine.source) is type(others.source)
        return is_same_way and self.subgraph == other.subgraph and self.body == other.body


def plan_events(graph: Graph, compiled: CompiledOperation, raw_variables: Mapping[str, Any]) -> EventPlan:
    """The plan of a compiled subscription for a client's variables. OperationError: BAD_USER_INPUT."""
    variables = compiled.coerce(raw_variables)
    first = compiled.executable.fetches[0]
    return EventPlan(graph, compiled, variables, first.subgraph, first.body.render(variables, (), ()))


@dataclass(frozen=True, slots=True)
class EventLimits:
    """``timeout_s`` for what is fetched per event; ``reconnect_timeout_s`` until a lost subgraph is given up."""

    timeout_s: float
    reconnect_timeout_s: float


class EventObserver(FetchObserver, Protocol):
    """Hears of fetches, and of costs."""

    def event_cost(self, cost: float) -> None:
        """The answer to an event did cost so much."""


async def nobody_hears(_: Exception | FieldError) -> None:
    """Nobody looks at errors."""


@dataclass(slots=True)
class EventWatch:
    """What looks at events, as the settings of now say: ``observed`` gives them traces, ``tell`` hears of errors."""

    observed: ObservedEvents | None = None
    tell: Tell = nobody_hears


class SharedSubscription:
    """The subscribers of one ``request`` with one set of forwarded headers."""

    def __init__(
        self,
        request: GraphQLRequest,
        caller: Caller,
        plan: EventPlan,
        limits: EventLimits,
        observer: EventObserver,
        watch: EventWatch,
    ) -> None:
        self.request = request
        self.subscribers: set[Subscriber] = set()
        self._caller = caller
        self._plan = plan
        self._newest_graph = plan.graph
        self._limits = limits
        self._observer = observer
        self._watch = watch
        self._following: asyncio.Task[Ending] | None = None
        self._has_moved = False
        self._has_connected = False
        self._has_delivered = False
        self._has_ended = False

    @property
    def has_ended(self) -> bool:
        """Whether it is too late to join."""
        return self._has_ended

    def is_told(self, headers: frozenset[bytes]) -> bool:
        """Whether its subgraphs get one of ``headers``."""
        return any(name in headers for name, _ in self._caller.headers)

    async def run(self) -> None:
        """Live until the end; every subscriber knows it then."""
        ending = COMPLETED
        try:
            ending = await self._until_the_end()
        except Exception as error:  # noqa: BLE001 - ours: the log gets the reason, the clients an id
            ending = Ending(errors_of(error))
        finally:
            self.end(ending)

    def end(self, ending: Ending) -> None:
        """End every subscriber."""
        self._has_ended = True
        for subscriber in tuple(self.subscribers):
            subscriber.end(ending)

    async def replan(self, graph: Graph, gate: Gate) -> None:
        """Go on over a new ``graph``: without a break, if the subgraph is asked the same; else by subscribing anew.

        Where the operation is not valid any more, or its variables are not, it ends and says so. It ends too where it
        touches for the first time what is protected: its subscribers may differ in what they may see. Of several graphs
        that come while it is compiled, the last alone counts.
        """
        request, self._newest_graph = self.request, graph
        try:
            compiled = await gate.open(graph, request.query, request.operation_name, self._caller.requester)
            plan = plan_events(graph, compiled, request.variables)
        except OperationError as error:
            if graph is self._newest_graph:
                self.end(Ending([_invalid_now(), *errors_of(error)]))
            return
        if graph is not self._newest_graph:
            return
        if compiled.denied is not None and self._plan.compiled.denied is None:
            self.end(Ending([_invalid_now()], is_ours=True))
            return
        old, self._plan = self._plan, plan
        if self._following is not None and not plan.asks_the_same(old):
            self._has_moved = True
            self._following.cancel()

    async def _until_the_end(self) -> Ending:
        while True:
            self._following = asyncio.create_task(self._follow())
            try:
                return await self._following
            except asyncio.CancelledError:
                # A move cancels what is awaited here. This task may have been told to end in the same moment.
                if not self._has_moved or _is_told_to_end():
                    raise
                self._has_moved = False

    async def _follow(self) -> Ending:
        """Follow the subgraph's events, over lost connections, until it completes or is given up."""
        clock = asyncio.get_running_loop().time
        lost_at: float | None = None
        pauses = growing_pauses()
        while True:
            plan = self._plan
            route = plan.graph.event_routes[plan.subgraph]
            headers = route.headers(self._caller.headers, plan.body) + TRACE_HEADERS.get()
            request = EventRequest(plan.subgraph, route.url, plan.body, headers, plan.graph.decode)
            opened_at, self._has_delivered = math.inf, False
            try:
                async with route.source.open(request) as events:
                    self._has_connected, opened_at = True, clock()
                    await self._deliver_all(events)
                return COMPLETED
            except SubgraphFailure as failure:
                now = clock()
                if self._has_delivered or now - opened_at >= HELD_AFTER_S:
                    lost_at, pauses = None, growing_pauses()
                is_first_loss = lost_at is None
                lost_at = now if lost_at is None else lost_at
                is_hopeless = not self._has_connected or isinstance(failure, SubscriptionRefused)
                if is_hopeless or now - lost_at >= self._limits.reconnect_timeout_s:
                    return Ending([_told(failure, plan.subgraph, is_lost=False)])
                if is_first_loss:
                    await self._tell_loss(failure, plan.subgraph)
            await asyncio.sleep(next(pauses))

    async def _deliver_all(self, events: AsyncIterator[SubgraphAnswer]) -> None:
        async for event in events:
            # Read for each event: a reload may have exchanged the plan.
            self._offer(await self._result(self._plan, event))
            self._has_delivered = True

    async def _result(self, plan: EventPlan, event: SubgraphAnswer) -> bytes:
        """The client's result for an event, as JSON."""
        observed = self._watch.observed
        if observed is None:
            return (await self._answer(plan, event, plan.graph.client))[0]
        with observed.event(plan.compiled.operation, plan.graph.client) as seen:
            result, seen.errors = await self._answer(plan, event, seen.client)
            return result

    async def _answer(self, plan: EventPlan, event: SubgraphAnswer, client: SubgraphClient) -> tuple[bytes, int]:
        """The result with its number of errors; an event that cannot be answered is an error of its own."""
        graph = plan.graph
        context = ExecutionContext(
            client=client,
            headers=self._caller.headers,
            deadline=asyncio.get_running_loop().time() + self._limits.timeout_s,
            timeouts_s=graph.timeouts_s,
            decode=graph.decode,
            observer=self._observer,
        )
        try:
            result = await execute_event(plan.compiled.executable, plan.variables, context, event)
            if graph.errors is not None:
                result = graph.errors.in_result(result)
            projected = plan.compiled.projection(result.data, result.errors, plan.variables, result.look_for_absent)
            if projected.cost is not None:
                self._observer.event_cost(projected.cost)
            for one in projected.errors:
                await self._watch.tell(one)
            return result_answer(projected).body, len(projected.errors)
        except Exception as error:  # noqa: BLE001 - one event's fault is not the subscription's
            await self._watch.tell(error)
            return encode({"errors": errors_of(error), "data": None}), 1

    async def _tell_loss(self, failure: SubgraphFailure, subgraph: str) -> None:
        await self._watch.tell(failure)
        logger.warning("subscription of subgraph '%s' lost, connecting again: %s", subgraph, failure.message)
        self._offer(encode({"errors": in_trace([_told(failure, subgraph, is_lost=True)]), "data": None}))

    def _offer(self, result: bytes) -> None:
        for subscriber in tuple(self.subscribers):
            subscriber.offer(result)


def _told(failure: SubgraphFailure, subgraph: str, *, is_lost: bool) -> dict[str, object]:
    more = " Events are missed until it is back; the subscription goes on then." if is_lost else ""
    return {"message": failure.message + more, "extensions": {"code": failure.code, "service": subgraph}}


def _is_told_to_end() -> bool:
    """Whether the current task was cancelled itself, and not only something that it awaits."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _invalid_now() -> dict[str, object]:
    message = "The subscription is closed: the schema has changed, and it is not valid any more."
    return {"message": message, "extensions": {"code": "SUBSCRIPTION_NO_LONGER_VALID"}}
