"""Operation -> query plan."""

from router.planning.limits import PlanningLimits
from router.planning.plan import plan_deferred, plan_operation
from router.planning.plan_graph import render_dot, render_mermaid
from router.planning.plan_json import plan_to_json
from router.planning.plan_text import render_text

__all__ = [
    "PlanningLimits",
    "plan_deferred",
    "plan_operation",
    "plan_to_json",
    "render_dot",
    "render_mermaid",
    "render_text",
]
