"""To which request a fetch, a line of a log and an answer belong: an id and a W3C trace context.

A client's ids are taken where they have the shape of ids, else new ones are made. Fetches bear both, so that the logs
of the router and of all services that a request came to can be found by one id. Ids are no secrets: they come from the
generator of ``random``, which each worker process seeds anew, because asking the system for each costs as much as a
layer of the router.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import getrandbits

from msgspec import Struct

from router.execution.subgraph_client import Headers
from router.execution.traffic.trace import TRACE_HEADERS

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, parent id, flags.
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MAX_TRACESTATE_BYTES = 512
_SAMPLED = 1
# Whether spans are kept of the trace with an id; what its sender says of it, None where it begins here.
Samples = Callable[[bytes, bool | None], bool]


class RequestTrace(Struct, frozen=True):
    """The ids of one request; ``headers`` are those that its fetches bear.

    ``parent_id`` is the sender's span, None where the trace begins here. ``is_sampled`` is what the headers say.
    """

    request_id: bytes
    trace_id: bytes
    headers: Headers
    parent_id: bytes | None = None
    is_sampled: bool = True


def begin_trace(fields: Mapping[bytes, bytes], samples: Samples | None = None) -> RequestTrace:
    """Continue the trace that a request's headers tell of, or begin one, by a span of the router's own.

    Without ``samples`` the sender's word holds, and what begins here is sampled.
    """
    sent_id, parent = fields.get(b"x-request-id"), fields.get(b"traceparent")
    # One number for all ids that may be needed: of the request 64 bits, of a trace 128, and of the router's span 64.
    digits = getrandbits(256).to_bytes(32).hex().encode()
    request_id = sent_id if sent_id and _REQUEST_ID.fullmatch(sent_id) else digits[:16]
    continued = _TRACEPARENT.fullmatch(parent) if parent else None
    if continued is None:
        trace_id = digits[16:48]
        is_sampled = samples is None or samples(trace_id, None)
        own = b"00-" + trace_id + b"-" + digits[48:] + (b"-01" if is_sampled else b"-00")
        headers = ((b"traceparent", own), (b"x-request-id", request_id))
        return RequestTrace(request_id, trace_id, headers, None, is_sampled)
    trace_id, parent_id, flags = continued.group(1, 2, 3)
    is_sampled = said = bool(int(flags, 16) & _SAMPLED)
    if samples is not None and samples(trace_id, said) is not said:
        is_sampled, flags = not said, b"00" if said else b"01"
    own = b"00-%b-%b-%b" % (trace_id, digits[48:], flags)
    passed_on: Headers = ((b"traceparent", own), (b"x-request-id", request_id))
    state = fields.get(b"tracestate")
    if state and len(state) <= _MAX_TRACESTATE_BYTES:
        passed_on += ((b"tracestate", state),)
    return RequestTrace(request_id, trace_id, passed_on, parent_id, is_sampled)


def current_trace_id() -> str | None:
    """The trace of the request under way in this task; None where requests have none."""
    headers = TRACE_HEADERS.get()
    return headers[0][1].split(b"-")[1].decode() if headers else None
