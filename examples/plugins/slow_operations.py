"""A line in the log for each operation that was slow."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pydantic import BaseModel, Field

import router

logger = logging.getLogger("galleria.plugins.slow_operations")


class SlowOperations(router.Plugin):
    """Remembers what was planned for a request, and logs it when the answer begins too late."""

    class Settings(BaseModel):
        """Answers that begin ``after_s`` seconds after the request came are slow."""

        after_s: float = Field(1.0, ge=0)

    def __init__(self, settings: Any) -> None:
        self._after_s: float = settings.after_s

    async def on_plan(
        self, context: router.RequestContext, operation: router.Operation, plan: router.QueryPlan
    ) -> None:
        """Remember how many fetches it takes."""
        context.state["slow_operations"] = (operation.kind.value, len(plan.fetches))

    async def on_response(self, context: router.RequestContext, head: router.ResponseHead) -> None:
        """Log what took too long."""
        took_s = asyncio.get_running_loop().time() - context.received_at
        if "slow_operations" in context.state and took_s >= self._after_s:
            kind, fetches = context.state["slow_operations"]
            logger.warning("slow %s of %d fetches: %.3f s, status %d", kind, fetches, took_s, head.status)
