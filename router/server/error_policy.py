"""What clients are told of the errors that subgraphs report: those of allowed codes as they are, of the others an id.

The log has the message under the same id. Errors that the router itself makes tell nothing of the inside, and stay.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from msgspec import structs

from router.execution.execute import ExecutionResult
from router.field_error import FieldError
from router.server.config import RouterConfig

Take = Callable[[int, ExecutionResult], None]
ExecuteInParts = Callable[[Take], Coroutine[Any, Any, None]]

logger = logging.getLogger("galleria.router")


class ErrorPolicy:
    """Masks by codes, and lets extensions pass by their names."""

    def __init__(self, told_codes: Iterable[str], told_extensions: Iterable[str]) -> None:
        self._told_codes = frozenset(told_codes)
        self._told_extensions = frozenset(told_extensions)

    def presented(self, errors: list[FieldError]) -> list[FieldError]:
        """The errors as clients may see them, each at its place; one id for all that is masked."""
        if all(error.subgraph is None for error in errors):
            return errors
        incident = uuid.uuid4().hex
        logged: set[tuple[str | None, str]] = set()
        return [error if error.subgraph is None else self._present(error, incident, logged) for error in errors]

    def in_result(self, result: ExecutionResult) -> ExecutionResult:
        """``result`` with its errors as clients may see them, those of absent keys too."""
        look = result.look_for_absent
        if look is None and not result.errors:
            return result
        errors = self.presented(result.errors) if result.errors else result.errors
        return ExecutionResult(result.data, errors, None if look is None else lambda: self.presented(look()))

    def presenting(self, execute: ExecuteInParts) -> ExecuteInParts:
        """``execute``, whose parts have their errors as clients may see them."""

        async def execute_presented(take: Take) -> None:
            await execute(
                lambda part, result: take(part, structs.replace(result, errors=self.presented(result.errors)))
            )

        return execute_presented

    def _present(self, error: FieldError, incident: str, logged: set[tuple[str | None, str]]) -> FieldError:
        kept = {name: value for name, value in error.extensions.items() if name in self._told_extensions}
        if error.extensions.get("code") in self._told_codes:
            return replace(error, extensions=kept)
        if (error.subgraph, error.message) not in logged:
            logged.add((error.subgraph, error.message))
            logger.warning("error %s of subgraph '%s': %.5000s", incident, error.subgraph, error.message)
        message = f"Subgraph '{error.subgraph}' reported an error. The router's log tells more under the id {incident}."
        return replace(error, message=message, extensions={**kept, "id": incident})


def error_policy(config: RouterConfig) -> ErrorPolicy | None:
    """None where everything is told."""
    settings = config.errors
    masks = config.environment == "production" if settings.mask is None else settings.mask
    return ErrorPolicy(settings.told_codes, settings.told_extensions) if masks else None
