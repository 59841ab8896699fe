"""Who sent a request, and what is passed on to the subgraphs in their name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import Struct
from starlette.types import Scope

from router.execution.subgraph_client import Headers

UNAUTHENTICATED = "UNAUTHENTICATED"


def _asked_anew() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Requester:
    """Who a verified token says is asking: its ``claims`` (None where nobody is known), and the scopes in them.

    A host that tells who asks by itself gives these two, and ``expires_at`` where subscriptions are to end then; the
    rest is the router's.

    ``expires_at`` is when the token does, in seconds since 1970. One token has one requester while it is remembered, so
    that they are compared by identity; ``derived`` is what was worked out of its claims, by what it is for.

    ``holds`` tells whether what is known here is true yet of another request with the same headers, without a look at
    these; where that must be asked anew each time, it never does.
    """

    claims: Mapping[str, Any] | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None
    derived: dict[str, Any] = field(default_factory=dict, repr=False)
    holds: Callable[[], bool] = field(default=_asked_anew, repr=False)

    @property
    def is_authenticated(self) -> bool:
        """Whether it is known who asks."""
        return self.claims is not None

    def has_expired(self) -> bool:
        """Whether the token has expired since it was verified."""
        return self.expires_at is not None and self.expires_at <= time.time()


ANONYMOUS = Requester()


class Caller(Struct, frozen=True):
    """The sender of a request; ``headers`` are those that subgraphs get, as (name in lower case, value) in bytes.

    Of what ``identify`` gives, they take the place of the client's of the same name.
    """

    headers: Headers = ()
    requester: Requester = ANONYMOUS


NOBODY = Caller()


class Identity(Protocol):
    """Tells who sends a request: by its token, or as the host says."""

    async def caller(self, scope: Scope, propagated: Headers, headers: Iterable[tuple[bytes, bytes]]) -> Caller:
        """Who sent a request with these ``headers``; subgraphs get those that are ``propagated``. RequestError."""
