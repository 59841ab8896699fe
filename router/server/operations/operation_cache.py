"""Text, operation name, override labels and what is denied -> compiled operation.

An operation that touches nothing protected is there once. One that does is there as a GuardedOperation, which says what
must be asked of a requester, and once more for each outcome: never for each user.
"""

from __future__ import annotations

from collections.abc import Callable

from router.operation.authorization import Denied
from router.planning.override_labels import ActiveLabels
from router.server.operations.compiled_cache import CompiledCache
from router.server.operations.compiled_operation import CompiledOperation, GuardedOperation, weight_of
from router.server.operations.recently_used import CacheSize

# What is denied is None where it has not been asked yet.
OperationKey = tuple[str, str | None, ActiveLabels, Denied | None]
Compile = Callable[[str, str | None, ActiveLabels, Denied | None], CompiledOperation | GuardedOperation]
OperationCache = CompiledCache[OperationKey, CompiledOperation | GuardedOperation]


def operation_cache(compile_: Compile, size: CacheSize) -> OperationCache:
    """An empty cache of operations."""
    return CompiledCache(lambda key: compile_(*key), _weigh, size)


def _weigh(key: OperationKey, compiled: CompiledOperation | GuardedOperation) -> int:
    return weight_of(key[0], compiled.operation.selections)
