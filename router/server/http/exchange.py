"""What stands between a client and the endpoint: the steps that the settings ask for, in one layer.

A request is read once, and each step is called when it has something to do: when the request has come, when the head
of its answer leaves, and when it is over. So a step costs a call, and no layer of its own around all messages::

    request -> begin, begin, ... -> app -> head of the answer -> head, head, ... -> client -> end, end, ...
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.server.connections.served_request import AnswersWhole, served_request
from router.server.http.answer import failure_answer, send_answer
from router.server.http.header_section import HeaderSections, tell_section
from router.server.http.negotiation import JSON
from router.server.request_error import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.server.observation.request_trace import RequestTrace
    from router.server.observation.spans import RequestSpans

Header = tuple[bytes, bytes]
# Of the heads of whole answers to one section of headers: few differ, and where many do, all are forgotten.
_MOST_HEADS = 16


class Exchange(AnswersWhole):
    """One request and its answer. ``fields`` are the request's headers, as ``fields_of`` says, but for its length.

    ``section`` are those of them that its client sends with other requests too. ``status`` is the answer's, 0 before it
    begins, and ``told`` are its headers by name, without those of the steps; ``sent_bytes`` is how much of a body has
    left. ``send_on`` is where messages go when the steps have seen them; answers of ``as_messages_from`` bytes or more
    must go there. The others are what single steps leave for themselves, or for others.
    """

    # As they are for most requests to their end, or until it: only what differs is set for each.
    as_messages_from = sys.maxsize
    began = ended = 0.0
    status = sent_bytes = 0
    told: Mapping[bytes, bytes] = MappingProxyType({})
    trace: RequestTrace | None = None
    spans: RequestSpans | None = None

    def __init__(self, scope: Scope, send: Send, heads: Heads, sections: HeaderSections) -> None:
        self.scope = scope
        self.section, own = sections.of(scope)
        self.fields = {**self.section.fields, **own} if own else self.section.fields
        self.send_on = send
        self._served = served_request(send)
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
            for tell in self._heads.all:
                tell(self, headers)
            message = {**message, "headers": headers}
        return self.send_on(message)

    def respond(self, status: int, headers: tuple[Header, ...], body: bytes, own: Sequence[Header] = ()) -> bool:
        """As AnswersWhole says, with what the steps add to the head."""
        served = self._served
        if served is None or len(body) >= self.as_messages_from:
            return False
        shared = self._heads.shared_by(self, status, headers, len(body))
        own = list(own)
        for tell in self._heads.own:
            tell(self, own)
        if not served.respond(status, shared, body, own):
            return False
        self.status, self.sent_bytes = status, len(body)
        return True


class Step:
    """Something that the settings ask for of each request. What a step does not have is not called.

    ``methods`` are those whose requests it has something to ``begin`` for; None where it has for all.

    What it adds to the head of an answer follows from method and section of the request, from status and headers of the
    answer, and from whether that has ``large_from`` bytes; where ``adds_own``, it is another one in each answer.
    """

    __slots__ = ()
    methods: ClassVar[frozenset[str] | None] = None
    adds_own: ClassVar[bool] = False
    large_from = sys.maxsize

    def begin(self, exchange: Exchange) -> ASGIApp | None:
        """The request has come; what is to answer in place of the app, where it goes no further."""

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        """The head of the answer, whoever gives it, is about to leave: add to its ``headers``."""

    def end(self, exchange: Exchange) -> None:
        """The answer has left, or was given up. It may be that the request never came as far as this step."""


class Heads:
    """What ``steps`` add to the heads of answers: ``all`` of it in their order, and that which is ``own`` to each."""

    __slots__ = ("_large_from", "_shared", "all", "own")

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        telling = [step for step in steps if type(step).head is not Step.head]
        self.all = tuple(step.head for step in telling)
        self.own = tuple(step.head for step in telling if step.adds_own)
        self._shared = tuple(step.head for step in telling if not step.adds_own)
        # One step at most has a bound.
        self._large_from = min((step.large_from for step in telling), default=sys.maxsize)

    def shared_by(
        self, exchange: Exchange, status: int, headers: tuple[Header, ...], length: int
    ) -> tuple[Header, ...]:
        """``headers`` of a whole answer, and what is added to them in all answers like it."""
        known: dict[Any, tuple[Header, ...]] | None = exchange.section.made.get(self)
        if known is None or len(known) > _MOST_HEADS:
            known = exchange.section.made[self] = {}
        key = exchange.scope["method"], status, headers, length >= self._large_from
        shared = known.get(key)
        if shared is None:
            exchange.status, exchange.told = status, {**dict(headers), b"content-length": b"%d" % length}
            added = list(headers)
            for tell in self._shared:
                tell(exchange, added)
            shared = known[key] = tuple(added)
        return shared


class Stepwise:
    """An ASGI app that lets ``app`` answer, with the ``steps`` in their order."""

    def __init__(self, app: ASGIApp, steps: Iterable[Step]) -> None:
        self.app = app
        self.steps = tuple(steps)
        methods = {method for step in self.steps for method in step.methods or ()}
        self._begins = self._begins_of(None)
        # What has nothing to begin for POST is not asked at each POST.
        self._begins_by_method = {method: self._begins_of(method) for method in methods}
        self._heads = Heads(self.steps)
        self._ends = tuple(step.end for step in self.steps if type(step).end is not Step.end)
        self._sections = HeaderSections()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        exchange = Exchange(scope, send, self._heads, self._sections)
        tell_section(scope, exchange.section)
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
