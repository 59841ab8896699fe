"""An operation as a requester may run it: what they may not see is cut from it before it is planned."""

from __future__ import annotations

from graphql import GraphQLError

from router.errors import OperationError
from router.operation.authorization import UNAUTHORIZED, Denied, Grant
from router.server.access.caller import Requester
from router.server.access.policies import Policies
from router.server.config import RouterConfig
from router.server.graphs.graph import Graph
from router.server.metrics.telemetry import Telemetry
from router.server.operations.compiled_operation import CompiledOperation, GuardedOperation
from router.server.operations.operation_cache import OperationKey


class Gate:
    """Decides for each operation that touches what is protected; the others pass by it."""

    def __init__(self, config: RouterConfig, telemetry: Telemetry) -> None:
        """InputError as Policies."""
        self._telemetry = telemetry
        self._policies = Policies(config.authorization)
        self._rejects = config.authorization.reject

    async def open(
        self, graph: Graph, text: str, operation_name: str | None, requester: Requester
    ) -> CompiledOperation:
        """The operation as compiled for ``requester``.

        OperationError where it cannot be compiled, and UNAUTHORIZED_FIELD_OR_TYPE where the settings refuse what asks
        for more than its requester may see.
        """
        labels = graph.active_labels()
        found = await self._compiled(graph, (text, operation_name, labels, None))
        if isinstance(found, GuardedOperation):
            denied = await self._denied(found, requester)
            found = await self._compiled(graph, (text, operation_name, labels, denied))
        assert isinstance(found, CompiledOperation)  # noqa: S101 - it was said what is denied
        return found

    async def _compiled(self, graph: Graph, key: OperationKey) -> CompiledOperation | GuardedOperation:
        found = graph.operations.known(key)
        if found is None:
            found = await graph.operations.compiled(key)
            self._telemetry.compiled()
        return found

    async def _denied(self, guarded: GuardedOperation, requester: Requester) -> Denied:
        demands = guarded.demands
        policies = await self._policies.granted(demands.policies, requester) if demands.policies else frozenset()
        denied = demands.denied_to(Grant(requester.is_authenticated, requester.scopes, policies))
        if denied and self._rejects:
            raise _refusal(denied, requester)
        return denied


def _refusal(denied: Denied, requester: Requester) -> OperationError:
    errors = [
        GraphQLError(f"Not authorized to see {coordinate}.", extensions={"code": UNAUTHORIZED})
        for coordinate in sorted(denied)
    ]
    return OperationError(UNAUTHORIZED, errors[0].message, errors, 403 if requester.is_authenticated else 401)
