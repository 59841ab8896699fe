"""All subscriptions of this router: who shares one, how many there may be, and what happens to them at a reload."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from router.errors import OperationError
from router.execution.json_numbers import encode
from router.execution.subgraph_client import Headers
from router.server.access.caller import Caller, Requester
from router.server.access.gate import Gate
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph
from router.server.http.graphql_request import GraphQLRequest
from router.server.metrics.telemetry import Telemetry
from router.server.observation.events import ObservedEvents
from router.server.operations.compiled_operation import CompiledOperation
from router.server.shedding.overload import TINY_BODY_BYTES
from router.server.subscriptions.shared import EventLimits, EventWatch, SharedSubscription, Tell, plan_events
from router.server.subscriptions.subscriber import Ending, Subscriber
from router.server.to_subgraphs.header_rules import claim_headers

# What makes two subscriptions one: document, operation name, variables as JSON, forwarded headers, and who asks where
# the operation touches what is protected.
SharingKey = tuple[str, str | None, bytes, Headers, Requester | None]

SHUTTING_DOWN = Ending(
    [{"message": "The router is shutting down. Subscribe again.", "extensions": {"code": "SHUTTING_DOWN"}}],
    is_ours=True,
)

SETTINGS_CHANGED = Ending(
    [{"message": "The router's settings have changed. Subscribe again.", "extensions": {"code": "SETTINGS_CHANGED"}}],
    is_ours=True,
)

EXPIRED = Ending(
    [{"message": "The token has expired. Subscribe again with a new one.", "extensions": {"code": "UNAUTHENTICATED"}}]
)


class SubscriptionHub:
    """Begins subscriptions and keeps them; its tasks live until the last subscriber has left, or ``close``."""

    def __init__(self, config: RouterConfig, telemetry: Telemetry) -> None:
        self._follow(config)
        self._claim_headers = claim_headers(config)
        self._telemetry = telemetry
        self._watch = EventWatch()
        self._shared: dict[SharedSubscription, tuple[SharingKey, asyncio.Task[None]]] = {}
        self._by_key: dict[SharingKey, SharedSubscription] = {}
        self._replanning: set[asyncio.Task[None]] = set()
        self._expiries: dict[Subscriber, asyncio.TimerHandle] = {}
        self._count = 0
        # Of documents and variables that are not tiny.
        self.held_bytes = 0
        self._graph: Graph | None = None
        self._is_closed = False
        telemetry.watch_subscriptions(lambda: self.count, lambda: self.shared_count)

    @property
    def count(self) -> int:
        """How many clients are subscribed."""
        return self._count

    @property
    def shared_count(self) -> int:
        """How many subscriptions there are at subgraphs, for all of them."""
        return len(self._shared)

    def subscribe(
        self, graph: Graph, request: GraphQLRequest, compiled: CompiledOperation, caller: Caller
    ) -> Subscriber:
        """Subscribe a client, which must be closed afterwards.

        OperationError: SUBSCRIPTIONS_DISABLED, SUBSCRIPTION_LIMIT, SHUTTING_DOWN, BAD_USER_INPUT.
        """
        self._refuse_if_need_be()
        plan = plan_events(graph, compiled, request.variables)
        # It may last for days: of what the client sent no more is kept than is needed to plan it anew.
        variables = {name: value for name, value in request.variables.items() if name in plan.variables}
        request = GraphQLRequest(request.query, request.operation_name, variables)
        requester = caller.requester if compiled.denied is not None else None
        key = (request.query, request.operation_name, _as_key(plan.variables), caller.headers, requester)
        shared = self._by_key.get(key) if self._settings.share else None
        if shared is None or shared.has_ended:
            if self._graph is not None and graph is not self._graph:
                return _come_again()
            self._refuse_too_much(_size_of(key))
            shared = SharedSubscription(request, caller, plan, self._limits, self._telemetry, self._watch)
            self._start(key, shared)
        of = shared
        subscriber = Subscriber(self._settings.max_buffered_events, lambda one: self._leave(of, one))
        shared.subscribers.add(subscriber)
        self._count += 1
        self._end_at(caller.requester.expires_at, subscriber)
        return subscriber

    def watch(self, observed: ObservedEvents | None, tell: Tell) -> None:
        """Have events of all subscriptions, of those that are there too, looked at so from now on."""
        self._watch.observed, self._watch.tell = observed, tell

    def replace_graph(self, graph: Graph, config: RouterConfig, gate: Gate) -> None:
        """Carry every subscription over to ``graph``; new ones begin by ``config``, old ones keep their limits.

        The ``gate`` decides anew what each may see. Where a header that a client sent is that of a claim from now on,
        its subscriptions end: it must say anew who it is.
        """
        self._graph = graph
        claimed = claim_headers(config)
        newly_claimed, self._claim_headers = claimed - self._claim_headers, claimed
        self._follow(config)
        for shared in tuple(self._shared):
            if shared.is_told(newly_claimed):
                shared.end(SETTINGS_CHANGED)
                continue
            task = asyncio.get_running_loop().create_task(shared.replan(graph, gate))
            self._replanning.add(task)
            task.add_done_callback(self._replanning.discard)

    def close(self) -> None:
        """End all subscriptions, and take no more; the clients are told to come again."""
        self._is_closed = True
        for shared, (_, task) in tuple(self._shared.items()):
            shared.end(SHUTTING_DOWN)
            task.cancel()

    def _follow(self, config: RouterConfig) -> None:
        self._settings = config.subscriptions
        self._max_held_bytes = config.traffic.shedding.max_body_bytes
        self._limits = EventLimits(config.graphql.timeout_s, config.subscriptions.reconnect_timeout_s)

    def _refuse_if_need_be(self) -> None:
        if not self._settings.enabled:
            message = "Subscriptions are disabled. Set subscriptions.enabled in router.yaml to allow them."
            raise OperationError("SUBSCRIPTIONS_DISABLED", message)
        if self._is_closed:
            raise OperationError("SHUTTING_DOWN", "The router is shutting down. Subscribe again.", http_status=503)
        if self.count >= self._settings.max_total:
            message = f"There are {self.count} subscriptions already, as many as this router takes. Try again later."
            raise OperationError("SUBSCRIPTION_LIMIT", message, http_status=503)

    def _refuse_too_much(self, size: int) -> None:
        if size and self.held_bytes + size > self._max_held_bytes:
            message = (
                "The documents and variables of subscriptions under way take as much as they may. Try again later."
            )
            raise OperationError("SUBSCRIPTION_LIMIT", message, http_status=503)

    def _start(self, key: SharingKey, shared: SharedSubscription) -> None:
        task = asyncio.get_running_loop().create_task(shared.run())
        self._shared[shared] = key, task
        self._by_key[key] = shared
        self.held_bytes += _size_of(key)
        task.add_done_callback(lambda _: self._forget(shared))

    def _end_at(self, expires_at: float | None, subscriber: Subscriber) -> None:
        """A subscription lives no longer than the token that it was begun with."""
        if expires_at is not None:
            timer = asyncio.get_running_loop().call_later(max(0.0, expires_at - time.time()), self._expire, subscriber)
            self._expiries[subscriber] = timer

    def _expire(self, subscriber: Subscriber) -> None:
        subscriber.end(EXPIRED)
        subscriber.leave()

    def _leave(self, shared: SharedSubscription, subscriber: Subscriber) -> None:
        if subscriber in shared.subscribers:
            shared.subscribers.remove(subscriber)
            timer = self._expiries.pop(subscriber, None)
            if timer is not None:
                timer.cancel()
            self._count -= 1
        found = self._shared.get(shared)
        if found is not None and not shared.subscribers:
            found[1].cancel()
            self._forget(shared)

    def _forget(self, shared: SharedSubscription) -> None:
        found = self._shared.pop(shared, None)
        if found is None:
            return
        self.held_bytes -= _size_of(found[0])
        if self._by_key.get(found[0]) is shared:
            del self._by_key[found[0]]


def _come_again() -> Subscriber:
    """For a client whose subscription was still being compiled when its graph was replaced: no reload came by it."""
    subscriber = Subscriber(0, lambda _: None)
    subscriber.end(SETTINGS_CHANGED)
    return subscriber


def _size_of(key: SharingKey) -> int:
    """How many bytes are kept of what a client sent; nothing where that is tiny, as for bodies of requests."""
    query, _, variables, *_ = key
    size = len(query.encode()) + len(variables)
    return size if size > TINY_BODY_BYTES else 0


def _as_key(variables: Mapping[str, object]) -> bytes:
    return encode(dict(sorted(variables.items())))
