"""The planner's five steps: positions and demands, reach, search, fetch graph, plan.

Where fragments are deferred, search goes on for them with what has been chosen for the first answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.errors import PlanningError
from router.operation.deferral import DeferredOperation
from router.operation.model import Field, Operation, OperationKind, Selection
from router.planning.choices import Choices
from router.planning.deferral import DeferralPlanner, Parts, deferred_parts, reserve_keys
from router.planning.demand import DemandReader, ResponsePath, read_apart_for, read_as_one_above
from router.planning.fetch_graph import FetchGraph
from router.planning.limits import DEFAULT_LIMITS, LIMIT, PlanningLimits, StepCounter
from router.planning.mutation_turns import Turn, take_turns
from router.planning.positions import Place, Position
from router.planning.postpone import postpone_lookups
from router.planning.query_plan import Fetch, QueryPlan
from router.planning.reach import Node, Reach
from router.planning.search import NoWayError, choose_ways
from router.supergraph.model import Supergraph

# How many fields of interfaces are tried type by type to spare a request.
MAX_READ_APART = 4


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
    return _plan(supergraph, operation, (), limits, override_labels)


def plan_deferred(
    supergraph: Supergraph,
    operation: DeferredOperation,
    limits: PlanningLimits = DEFAULT_LIMITS,
    override_labels: frozenset[str] = frozenset(),
) -> QueryPlan:
    """The plan of an operation that is answered in parts: as plan_operation for the first, and fetches for the others.

    An entity that is deferred is looked up by a fetch of its own; an object that is none is read again from the nearest
    entity above it, or from the root of a query, and in a mutation with what is answered first.
    """
    return _plan(supergraph, operation.first, deferred_parts(operation), limits, override_labels)


def _plan(
    supergraph: Supergraph, operation: Operation, parts: Parts, limits: PlanningLimits, labels: frozenset[str]
) -> QueryPlan:
    steps = StepCounter(limits)
    planner = _Planner(supergraph, operation, parts, Reach(supergraph.graph, steps, labels), steps, limits)
    try:
        is_query = operation.kind is OperationKind.QUERY
        fetches = planner.plan_query() if is_query else planner.plan_serially()
        return QueryPlan(operation.kind, tuple(fetches), tuple(part.part for part in parts))
    except RecursionError:
        raise PlanningError(LIMIT, "The operation is nested too deeply to be planned.") from None


class _Planner:
    """What the steps share while one operation is planned."""

    def __init__(
        self,
        supergraph: Supergraph,
        operation: Operation,
        parts: Parts,
        reach: Reach,
        steps: StepCounter,
        limits: PlanningLimits,
    ) -> None:
        self._graph = supergraph.graph
        self._operation = operation
        self._parts = parts
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
        for turn in self._turns():
            may_join = bool(waiting) and not _is_mentioned(turn, waiting)
            together = self._plan_group((*waiting, *turn), fetches) if may_join else None
            if together is not None and len(_of_first_answer(planned)) == 1:
                waiting, planned = (*waiting, *turn), together
                continue
            fetches += planned
            waiting, planned = turn, self._plan_alone(turn, fetches)
        return fetches + planned

    def _turns(self) -> list[Turn]:
        root = self._graph.merged[self._graph.roots[self._operation.kind.value]]
        return take_turns(self._operation.selections, {name: field.target for name, field in root.fields.items()})

    def _plan_alone(self, turn: Turn, before: list[Fetch]) -> list[Fetch]:
        best: list[Fetch] | None = None
        failure: PlanningError | None = None
        for subgraph in self._graph.subgraphs:
            try:
                fetches = self._plan_in(subgraph, turn, before)
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
        depends_on = tuple(fetch.id for fetch in _of_first_answer(before))
        return FetchGraph(self._reach, self._operation, choices, len(before)).fetches(depends_on)

    def _choose(self, selections: tuple[Selection, ...], subgraphs: tuple[str, ...]) -> Choices:
        """The choices for root fields that are read from ``subgraphs``."""
        chosen = self._choose_first(selections, subgraphs, frozenset())
        if chosen.may_be_bettered:
            chosen = self._read_more_apart(chosen, selections, subgraphs)
        if self._parts:
            self._choose_deferred(chosen.choices, chosen.root, selections, chosen.demands.numbered)
        return chosen.choices

    def _choose_first(
        self, selections: tuple[Selection, ...], subgraphs: tuple[str, ...], apart: frozenset[ResponsePath]
    ) -> _Chosen:
        """What is chosen for the first answer, with the fields of interfaces at ``apart`` read type by type.

        Other fields of an interface are read from all its types alike where they can be; where something below cannot
        be had in that way, once more and type by type.
        """
        while True:
            demands = DemandReader(self._reach, apart)
            root = self._root(subgraphs)
            if self._parts:
                reserve_keys(root.place, self._parts)
            demands.read(root, selections)
            choices = Choices(self._reach, self._steps)
            try:
                choose_ways(choices, self._reach, demands.leaves(), self._limits)
            except NoWayError as error:
                tried = {None, *apart}
                hopeless = [leaf for leaf in error.leaves if read_as_one_above(leaf) in tried]
                if hopeless:
                    raise NoWayError(hopeless).explained() from None
                apart |= read_apart_for(error.leaves)
                continue
            return _Chosen(choices, root, demands, apart)

    def _read_more_apart(
        self, chosen: _Chosen, selections: tuple[Selection, ...], subgraphs: tuple[str, ...]
    ) -> _Chosen:
        """``chosen``, or better choices where a field that was read from all types alike goes with their lookups."""
        for path in chosen.worth_reading_apart()[:MAX_READ_APART]:
            try:
                other = self._choose_first(selections, subgraphs, chosen.apart | {path})
            except PlanningError:
                continue
            chosen = min(chosen, other, key=lambda one: one.cost)
        return chosen

    def _choose_deferred(
        self, choices: Choices, root: Position, selections: tuple[Selection, ...], numbered: int
    ) -> None:
        """Choose for the deferred parts of what stands below ``selections`` of the root."""
        is_query = self._operation.kind is OperationKind.QUERY
        keys = None if is_query else {one.response_key for one in selections if isinstance(one, Field)}
        planner = DeferralPlanner(self._reach, choices, root, is_query=is_query, limits=self._limits, numbered=numbered)
        for part in self._parts:
            planner.choose(part.below(keys))

    def _root(self, subgraphs: tuple[str, ...]) -> Position:
        root_type = self._graph.roots[self._operation.kind.value]
        starts = {Node(name, root_type): 1 for name in subgraphs if (name, root_type) in self._graph.types}
        root = Position(self._reach, root_type, None, Place(), "", "")
        root.start_at(starts)
        return root


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What was chosen for a first answer, and the fields of interfaces that were read ``apart``, type by type."""

    choices: Choices
    root: Position
    demands: DemandReader
    apart: frozenset[ResponsePath]

    @property
    def cost(self) -> tuple[int, int]:
        """Sequential hops, then fetches."""
        requests = set(postpone_lookups(self.choices.entries).values())
        return max((level for _, level, _, _ in requests), default=0), len(requests)

    @property
    def may_be_bettered(self) -> bool:
        """Whether some request neither follows the others nor is followed by them."""
        depth, fetches = self.cost
        return bool(self.demands.read_as_one) and fetches > depth

    def worth_reading_apart(self) -> list[ResponsePath]:
        """Fields of interfaces that were read from all types alike, where the objects, or some below, are looked up."""
        looked_up = [entry.position for entry in self.choices.entries if entry.level > 1]
        return [
            path for position, path in self.demands.read_as_one if any(below.is_within(position) for below in looked_up)
        ]


def _cost(fetches: list[Fetch]) -> tuple[int, int, int]:
    """Sequential hops to the first answer, then its fetches, then all."""
    first = _of_first_answer(fetches)
    return depth_of(first), len(first), len(fetches)


def _is_mentioned(turn: Turn, others: tuple[Selection, ...]) -> bool:
    """Whether ``others`` have the same field: one of them runs, and one request cannot ask for it in two places."""
    keys = {other.response_key for other in others if isinstance(other, Field)}
    return any(isinstance(mention, Field) and mention.response_key in keys for mention in turn)


def _of_first_answer(fetches: list[Fetch]) -> list[Fetch]:
    return [fetch for fetch in fetches if not fetch.part]


def depth_of(fetches: list[Fetch]) -> int:
    """How many fetches follow each other at most."""
    depths: dict[int, int] = {}
    for fetch in fetches:
        depths[fetch.id] = 1 + max((depths.get(before, 0) for before in fetch.depends_on), default=0)
    return max(depths.values(), default=0)
