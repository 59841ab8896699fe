"""What stands between a client and the endpoint: the steps that the settings ask for, in one layer.

A request is read once, and each step is called when it has something to do: when the request has come, when the head
of its answer leaves, and when it is over. So a step costs a call, and no layer of its own around all messages::

    request -> begin, begin, ... -> app -> head of the answer -> head, head, ... -> client -> end, end, ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.server.answer import failure_answer, send_answer
from router.server.negotiation import JSON
from router.server.request_error import RequestError

if TYPE_CHECKING:
    from router.server.observation.spans import RequestSpans
    from router.server.request_trace import RequestTrace

Header = tuple[bytes, bytes]
_NONE: Mapping[bytes, bytes] = MappingProxyType({})


class Exchange:
    """One request and its answer. ``fields`` are the request's headers, as ``fields_of`` says.

    ``status`` is the answer's, 0 before it begins, and ``told`` are its headers by name, without those of the steps;
    ``sent_bytes`` is how much of a body has left. ``send_on`` is where messages go when the steps have seen them. The
    others are what single steps leave for themselves, or for others.
    """

    __slots__ = (
        "_heads",
        "began",
        "ended",
        "fields",
        "scope",
        "send_on",
        "sent_bytes",
        "spans",
        "status",
        "told",
        "trace",
    )

    def __init__(self, scope: Scope, send: Send, heads: Sequence[Callable[[Exchange, list[Header]], None]]) -> None:
        self.scope = scope
        self.fields = fields_of(scope["headers"])
        self.send_on = send
        self.began = self.ended = 0.0
        self.status = 0
        self.told: Mapping[bytes, bytes] = _NONE
        self.sent_bytes = 0
        self.trace: RequestTrace | None = None
        self.spans: RequestSpans | None = None
        self._heads = heads

    def send(self, message: Message) -> Awaitable[None]:
        """As ASGI says: hand ``message`` on, and the head of an answer with what the steps add to it."""
        kind = message["type"]
        if kind == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
        elif kind == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            self.told = dict(headers)
            for tell in self._heads:
                tell(self, headers)
            message = {**message, "headers": headers}
        return self.send_on(message)


class Step:
    """Something that the settings ask for of each request. What a step does not have is not called.

    ``methods`` are those whose requests it has something to ``begin`` for; None where it has for all.
    """

    __slots__ = ()
    methods: ClassVar[frozenset[str] | None] = None

    def begin(self, exchange: Exchange) -> ASGIApp | None:
        """The request has come; what is to answer in place of the app, where it goes no further."""

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        """The head of the answer, whoever gives it, is about to leave: add to its ``headers``."""

    def end(self, exchange: Exchange) -> None:
        """The answer has left, or was given up. It may be that the request never came as far as this step."""


class Stepwise:
    """An ASGI app that lets ``app`` answer, with the ``steps`` in their order."""

    def __init__(self, app: ASGIApp, steps: Iterable[Step]) -> None:
        self.app = app
        self.steps = tuple(steps)
        methods = {method for step in self.steps for method in step.methods or ()}
        self._begins = self._begins_of(None)
        # What has nothing to begin for POST is not asked at each POST.
        self._begins_by_method = {method: self._begins_of(method) for method in methods}
        self._heads = tuple(step.head for step in self.steps if type(step).head is not Step.head)
        self._ends = tuple(step.end for step in self.steps if type(step).end is not Step.end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        exchange = Exchange(scope, send, self._heads)
        app = self.app
        try:
            for begin in self._begins_by_method.get(scope.get("method", ""), self._begins):
                instead = begin(exchange)
                if instead is not None:
                    app = instead
                    break
            await app(scope, receive, exchange.send)
        finally:
            for end in self._ends:
                end(exchange)

    def _begins_of(self, method: str | None) -> tuple[Callable[[Exchange], ASGIApp | None], ...]:
        begin = [step for step in self.steps if type(step).begin is not Step.begin]
        return tuple(step.begin for step in begin if step.methods is None or method in step.methods)


def stepwise(app: ASGIApp, steps: Sequence[Step]) -> ASGIApp:
    """``app`` with ``steps`` before it; itself where there are none."""
    return Stepwise(app, steps) if steps else app


def refusing(error: RequestError) -> ASGIApp:
    """An ASGI app that answers every request by ``error``."""

    async def refuse(_: Scope, __: Receive, send: Send) -> None:
        await send_answer(send, failure_answer(error, JSON), JSON)

    return refuse


def fields_of(headers: Iterable[Header]) -> Mapping[bytes, bytes]:
    """Headers by name; what was sent several times is one list (RFC 9110, section 5.3; RFC 6265, section 5.4).

    Where only one is allowed, as of ``traceparent``, such a list is no value, which is what the specifications ask for.
    """
    sent = headers if isinstance(headers, list) else list(headers)
    fields = dict(sent)
    if len(fields) == len(sent):
        return fields
    gathered: dict[bytes, list[bytes]] = {}
    for name, value in sent:
        gathered.setdefault(name, []).append(value)
    return {name: (b"; " if name == b"cookie" else b", ").join(values) for name, values in gathered.items()}
