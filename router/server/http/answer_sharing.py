"""Sharing of whole answers: queries that are the same, and in flight at the same time, are executed once.

The same are two requests whose operation, variables and extensions are, every one of their headers, and who sent them:
whatever an answer may depend on is among them. A query that comes after a mutation was answered shares nothing with one
from before: whoever wrote something reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Iterable
from contextlib import suppress
from typing import Any

from router.execution.in_flight import Abandoned, InFlight
from router.execution.json_numbers import encode
from router.response.projection import ProjectedResult
from router.server.access.caller import Caller
from router.server.http.answer import Answer
from router.server.http.graphql_request import GraphQLRequest
from router.server.operations.compiled_operation import CompiledOperation

AnswerOf = Callable[[ProjectedResult], Answer]


class AnswerSharing:
    """The queries under way. ``shared`` counts the requests that were not executed."""

    def __init__(self) -> None:
        self.shared = 0
        self._in_flight: InFlight[Answer] = InFlight()

    async def answer(
        self, key: Hashable, run: Callable[[], Coroutine[Any, Any, ProjectedResult]], answer_of: AnswerOf
    ) -> Answer:
        """The answer of ``run``, or of another request with this key that is under way."""
        in_flight = self._in_flight
        while key in in_flight:
            with suppress(Abandoned):
                self.shared += 1
                return await in_flight.follow(key)
        in_flight.begin(key)
        try:
            answer = answer_of(await run())
        except Exception as error:
            in_flight.fail(key, error)
            raise
        except BaseException:
            in_flight.fail(key, Abandoned())
            raise
        in_flight.land(key, answer)
        return answer


def sharing_key(
    compiled: CompiledOperation, request: GraphQLRequest, headers: Iterable[tuple[bytes, bytes]], caller: Caller
) -> Hashable:
    """What two requests have in common if one answer may serve both; ``compiled`` must live as long as the key."""
    return id(compiled), encode(dict(request.variables)), encode(dict(request.extensions)), tuple(headers), caller
