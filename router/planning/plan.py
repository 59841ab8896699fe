"""The planner's five steps: positions and demands, reach, search, fetch graph, plan."""

from __future__ import annotations

from router.errors import PlanningError
from router.operation.model import Operation, OperationKind, Selection
from router.planning.choices import Choices
from router.planning.demand import DemandReader, read_as_one_above
from router.planning.fetch_graph import FetchGraph
from router.planning.limits import DEFAULT_LIMITS, LIMIT, PlanningLimits, StepCounter
from router.planning.positions import Place, Position
from router.planning.query_plan import Fetch, QueryPlan
from router.planning.reach import Node, Reach
from router.planning.search import NoWayError, choose_ways
from router.supergraph.model import Supergraph


def plan_operation(
    supergraph: Supergraph,
    operation: Operation,
    limits: PlanningLimits = DEFAULT_LIMITS,
    override_labels: frozenset[str] = frozenset(),
) -> QueryPlan:
    """The query plan of a validated operation; the same one each time.

    ``override_labels`` are the labels of progressive overrides that are active for this request: they belong to the
    key of any cache of plans. PlanningError: QUERY_PLANNING_FAILED where no subgraphs can answer a field (the message
    names it), QUERY_PLANNING_LIMIT where ``limits`` do not suffice.
    """
    steps = StepCounter(limits)
    planner = _Planner(supergraph, operation, Reach(supergraph.graph, steps, override_labels), steps, limits)
    try:
        if operation.kind is OperationKind.QUERY:
            return QueryPlan(operation.kind, tuple(planner.plan_query()))
        return QueryPlan(operation.kind, tuple(planner.plan_serially()))
    except RecursionError:
        raise PlanningError(LIMIT, "The operation is nested too deeply to be planned.") from None


class _Planner:
    """What the steps share while one operation is planned."""

    def __init__(
        self, supergraph: Supergraph, operation: Operation, reach: Reach, steps: StepCounter, limits: PlanningLimits
    ) -> None:
        self._graph = supergraph.graph
        self._operation = operation
        self._reach = reach
        self._steps = steps
        self._limits = limits

    def plan_query(self) -> list[Fetch]:
        """Root fields may come from all subgraphs at once."""
        choices = self._choose(self._operation.selections, self._graph.subgraphs)
        return FetchGraph(self._reach, self._operation, choices).fetches()

    def plan_serially(self) -> list[Fetch]:
        """Each root field from one subgraph, after all that hangs below the one before it.

        Root fields that follow each other in one subgraph with nothing hanging below are one request: it runs them in
        order itself.
        """
        fetches: list[Fetch] = []
        waiting: tuple[Selection, ...] = ()
        planned: list[Fetch] = []
        for selection in self._operation.selections:
            together = self._plan_group((*waiting, selection), fetches) if waiting else None
            if together is not None and len(planned) == 1:
                waiting, planned = (*waiting, selection), together
                continue
            fetches += planned
            waiting, planned = (selection,), self._plan_alone(selection, fetches)
        return fetches + planned

    def _plan_alone(self, selection: Selection, before: list[Fetch]) -> list[Fetch]:
        best: list[Fetch] | None = None
        failure: PlanningError | None = None
        for subgraph in self._graph.subgraphs:
            try:
                fetches = self._plan_in(subgraph, (selection,), before)
            except PlanningError as error:
                failure = error
                continue
            if best is None or _cost(fetches) < _cost(best):
                best = fetches
        if best is None:
            raise failure or PlanningError(LIMIT, "The supergraph has no subgraphs.")
        return best

    def _plan_group(self, selections: tuple[Selection, ...], before: list[Fetch]) -> list[Fetch] | None:
        """A plan that asks all of ``selections`` of one subgraph; None if there is no such subgraph."""
        plans = []
        for subgraph in self._graph.subgraphs:
            try:
                plans.append(self._plan_in(subgraph, selections, before))
            except PlanningError:
                continue
        return min(plans, key=_cost, default=None)

    def _plan_in(self, subgraph: str, selections: tuple[Selection, ...], before: list[Fetch]) -> list[Fetch]:
        choices = self._choose(selections, (subgraph,))
        depends_on = tuple(fetch.id for fetch in before)
        return FetchGraph(self._reach, self._operation, choices, len(before)).fetches(depends_on)

    def _choose(self, selections: tuple[Selection, ...], subgraphs: tuple[str, ...]) -> Choices:
        """The choices for root fields that are read from ``subgraphs``.

        A field of an interface is read from all its types alike where it can be; where something below cannot be had
        in that way, once more and type by type.
        """
        apart: frozenset[tuple[str, ...]] = frozenset()
        while True:
            demands = DemandReader(self._reach, apart)
            demands.read(self._root(subgraphs), selections)
            try:
                return choose_ways(self._reach, demands.leaves(), self._steps, self._limits)
            except NoWayError as error:
                above = read_as_one_above(error.leaf)
                if above is None or above in apart:
                    raise error.explained() from None
                apart |= {above}

    def _root(self, subgraphs: tuple[str, ...]) -> Position:
        root_type = self._graph.roots[self._operation.kind.value]
        starts = {Node(name, root_type): 1 for name in subgraphs if (name, root_type) in self._graph.types}
        root = Position(self._reach, root_type, None, Place(), "", "")
        root.start_at(starts)
        return root


def _cost(fetches: list[Fetch]) -> tuple[int, int]:
    """Sequential hops, then fetches."""
    return depth_of(fetches), len(fetches)


def depth_of(fetches: list[Fetch]) -> int:
    """How many fetches follow each other at most."""
    depths: dict[int, int] = {}
    for fetch in fetches:
        depths[fetch.id] = 1 + max((depths.get(before, 0) for before in fetch.depends_on), default=0)
    return max(depths.values(), default=0)
