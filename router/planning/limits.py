"""How much planning may cost, and the error that tells that it was not enough."""

from __future__ import annotations

from dataclasses import dataclass

from router.errors import PlanningError

LIMIT = "QUERY_PLANNING_LIMIT"


@dataclass(frozen=True, slots=True)
class PlanningLimits:
    """``max_steps`` bounds all work on one operation, ``max_trials`` the weighing of alternatives.

    Steps, unlike seconds, give the same plan or the same error each time and on every machine.
    """

    max_steps: int = 500_000
    max_trials: int = 400


DEFAULT_LIMITS = PlanningLimits()


class StepCounter:
    """Counts the steps of one planning; PlanningError(QUERY_PLANNING_LIMIT) when they are used up."""

    __slots__ = ("_left", "_limits")

    def __init__(self, limits: PlanningLimits) -> None:
        self._limits = limits
        self._left = limits.max_steps

    def take(self, steps: int = 1) -> None:
        """Use up ``steps``."""
        self._left -= steps
        if self._left < 0:
            raise PlanningError(
                LIMIT,
                f"Planning this operation takes more than {self._limits.max_steps} steps: "
                "ask for less at once, or raise the planning limit of the router.",
            )
