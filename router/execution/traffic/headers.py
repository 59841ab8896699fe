"""Headers by subgraph: which of a request's headers one gets, under which names, and what every request to it bears.

``x-tenant: a`` by the targets ``{x-tenant: (tenant,)}`` and the fixed ``x-key: k`` becomes ``tenant: a``, ``x-key: k``.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse, with_headers
from router.execution.traffic.once_for_headers import OnceForHeaders


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """``targets`` are the names, none or several, under which a header is sent; one that is not there keeps its own.

    All names are in lower case. ``fixed`` is sent with every request.
    """

    targets: Mapping[bytes, tuple[bytes, ...]]
    fixed: Headers = ()

    def applied(self, headers: Headers) -> Headers:
        """What the subgraph gets of ``headers``, in their order, and then what is fixed."""
        targets = self.targets
        sent = [
            (target, value)
            for name, value in headers
            for lower in (name.lower(),)
            for target in targets.get(lower, (lower,))
        ]
        return (*sent, *self.fixed)


class HeaderRulesClient:
    """A SubgraphClient that sends by ``inner`` with the headers that the ``rules`` for its subgraph make."""

    def __init__(self, inner: SubgraphClient, rules: Mapping[str, HeaderRules]) -> None:
        self._inner = inner
        # Subgraphs with the same rules get the same headers.
        applied = {id(one): OnceForHeaders(one.applied) for one in rules.values()}
        self._applied = {name: applied[id(one)] for name, one in rules.items()}

    def send(self, request: SubgraphRequest) -> Coroutine[Any, Any, SubgraphResponse]:
        """As the protocol says."""
        headers = self._applied[request.subgraph](request.headers)
        return self._inner.send(with_headers(request, headers))

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()
