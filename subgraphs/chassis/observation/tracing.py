"""Which request something belongs to: W3C trace context, from the router through resolvers, events and handlers.

A request begins a span under the router's ``traceparent``; events written meanwhile carry it on (the CloudEvents
extension of that name), and their handlers in other services continue it. So one trace id finds all that became of one
click, in the logs of every service, whether spans are exported or not (:mod:`subgraphs.chassis.observation.otel`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

TRACEPARENT = re.compile(r"^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
SAMPLED = 1

Kind = Literal["server", "consumer"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of work in a trace; the ids are lower-case hexadecimal, of 32 and 16 digits."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The header that makes the next service continue here."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


class Tracer(Protocol):
    """Begins spans."""

    def span(
        self, name: str, kind: Kind, parent: Span | None, attributes: Mapping[str, str]
    ) -> AbstractContextManager[Span]:
        """A span under ``parent`` (None begins a trace), current and in the logs as ``trace`` until it ends."""

    def close(self) -> None:
        """Send what is still to be sent; may block."""


class IdTracer:
    """Passes ids on and exports nothing."""

    @contextmanager
    def span(self, name: str, kind: Kind, parent: Span | None, attributes: Mapping[str, str]) -> Iterator[Span]:
        """See :class:`Tracer`."""
        span = Span(parent.trace_id if parent else secrets.token_hex(16), secrets.token_hex(8), _is_sampled(parent))
        with current(span):
            yield span

    def close(self) -> None:
        """See :class:`Tracer`; nothing to send."""


@contextmanager
def current(span: Span) -> Iterator[None]:
    """Make ``span`` the current one of this task, and name its trace in every line that the task logs."""
    reset_span = CURRENT.set(span)
    reset_log = structlog.contextvars.bind_contextvars(trace=span.trace_id)
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**reset_log)
        CURRENT.reset(reset_span)


def parse_traceparent(header: str | None) -> Span | None:
    """The span that a ``traceparent`` names; None for one that is none (W3C Trace Context, section 3.2)."""
    found = TRACEPARENT.match(header) if header else None
    if found is None or (header and header.startswith("00-") and found[4]):
        return None
    return Span(found[1], found[2], bool(int(found[3], 16) & SAMPLED))


def current_traceparent() -> str | None:
    """What an event that is written now carries; None outside of any trace."""
    span = CURRENT.get()
    return span.traceparent if span else None


def _is_sampled(parent: Span | None) -> bool:
    return parent is None or parent.sampled
