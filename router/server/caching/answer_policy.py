"""Cache-Control of the router's own answers: the smallest of what the subgraphs said of the parts.

The parts are collected by a client around the way to the subgraphs, for the request under way in this task.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

from router.execution.subgraph_client import Headers, SubgraphClient, SubgraphRequest, SubgraphResponse
from router.operation.model import OperationKind
from router.response.projection import ProjectedResult
from router.server.caching.cache_control import NO_STORE, CachePolicy, lasting, read_policy, smallest, write_policy
from router.server.config import RouterConfig
from router.server.http.answer import NOT_STORED, Answer, result_answer
from router.server.http.exchange import Exchange, Header, Step
from router.server.operations.compiled_operation import CompiledOperation
from router.server.to_subgraphs.header_rules import forwarded_names

_NOT_STORED_ALONE: Headers = (NOT_STORED,)
# A member looked up in its enum takes nine times as long as a name of the module (CPython 3.11).
_MUTATION = OperationKind.MUTATION


class Parts:
    """The parts of one answer, as far as they have come; ``policy`` is None before the first."""

    policy: CachePolicy | None = None

    def add(self, policy: CachePolicy) -> None:
        """One part more."""
        before = self.policy
        if before is not policy:
            self.policy = policy if before is None else smallest(before, policy)


PARTS: ContextVar[Parts | None] = ContextVar("galleria_answer_parts", default=None)


class PartsClient:
    """A SubgraphClient that tells the answer under way what ``inner`` was told of its parts."""

    def __init__(self, inner: SubgraphClient, default_max_age_s: int | None) -> None:
        self._inner = inner
        self._default = NO_STORE if default_max_age_s is None else lasting(default_max_age_s)

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """As the protocol says."""
        response = await self._inner.send(request)
        parts = PARTS.get()
        if parts is not None:
            parts.add((response.headers and read_policy(response.headers)) or self._default)
        return response

    async def close(self) -> None:
        """As the protocol says."""
        await self._inner.close()


class AnswerPolicy:
    """Turns results into answers that say for how long, and by whom, they may be kept.

    An answer with errors or extensions, or of a mutation, or of which no part came from a subgraph, is kept by nobody.
    Where ``is_guarded``, not everybody may ask at all, so that no answer is for all.
    """

    def __init__(self, config: RouterConfig, *, is_guarded: bool) -> None:
        self._is_guarded = is_guarded or config.authentication.required
        names = sorted(forwarded_names(config.headers))
        who_asks = {b"authorization", config.authentication.header.lower().encode()}
        if config.authentication.cookie is not None:
            who_asks.add(b"cookie")
        self._varies_for_all = _vary(name for name in names if name not in who_asks)
        self._varies = _vary(sorted({*names, *who_asks}))
        self._headers = lru_cache(maxsize=1024)(self._written)

    def answer_of(self, compiled: CompiledOperation) -> Callable[[ProjectedResult], Answer]:
        """How the result of ``compiled``, which is about to run, becomes an answer. RequestError as result_answer."""
        parts = Parts()
        PARTS.set(parts)
        return partial(self._answer, compiled, parts)

    def _answer(self, compiled: CompiledOperation, parts: Parts, result: ProjectedResult) -> Answer:
        policy = parts.policy
        if policy is None or result.errors or result.extensions or compiled.operation.kind is _MUTATION:
            return result_answer(result, _NOT_STORED_ALONE)
        return result_answer(result, self._headers(policy, self._is_guarded or compiled.denied is not None))

    def _written(self, policy: CachePolicy, is_guarded: bool) -> Headers:
        if is_guarded:
            policy = policy._replace(is_private=True, is_public=False)
        written = write_policy(policy)
        if written == NOT_STORED[1]:
            return _NOT_STORED_ALONE
        return (b"cache-control", written), self._varies_for_all if policy.is_public else self._varies


class CacheControlling(Step):
    """Answers that say nothing of caches say no-store."""

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        """Say no-store where nothing is said."""
        if b"cache-control" not in exchange.told:
            headers.append(NOT_STORED)


def _vary(names: Any) -> tuple[bytes, bytes]:
    return b"vary", b", ".join((b"accept", *names))
