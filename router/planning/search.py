"""The search: which way each leaf is read, so that the plan is as shallow as can be, and then has the fewest fetches.

The depth is settled before it begins: no leaf may come later than the latest of the leaves' earliest levels. Leaves
with one way are chosen first, deepest first. Each other leaf is free where a presence at hand can read it; else it
takes the way with the fewest new requests. Where that is not zero, the alternatives are weighed too (branch and bound),
until no better one is possible or the trials are used up: exact up to the budget, then the best found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from router.errors import PlanningError
from router.planning.choices import Choices
from router.planning.demand import Leaf
from router.planning.limits import PlanningLimits
from router.planning.positions import Position
from router.planning.presences import Presence
from router.planning.reach import Node, Reach, Way

NO_PLAN = "QUERY_PLANNING_FAILED"


class Task(NamedTuple):
    """A leaf with its ways (the soonest first).

    ``blind``: casts above it, what each is a cast of, and a node of that which rules the type out once it is read.
    """

    leaf: Leaf
    ways: tuple[Way, ...]
    blind: tuple[tuple[Position, Position, Node], ...]

    @property
    def earliest(self) -> int:
        """The level that the leaf can be there at, at the earliest."""
        return self.ways[0].level

    @property
    def is_forced(self) -> bool:
        """Whether there is nothing to choose."""
        return len(self.ways) == 1 and not self.blind


class Option(NamedTuple):
    """One way to serve a task, and what it costs: new requests, then its level, then new presences."""

    cost: tuple[int, int, int, int]
    way: Way


class NoWayError(Exception):
    """Leaves that can be read nowhere from where their objects are."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        super().__init__()
        self.leaves = leaves

    def explained(self) -> PlanningError:
        """The error for the client, with the first of the fields and the subgraphs that were reached."""
        return PlanningError(NO_PLAN, _witness(self.leaves[0]), {"path": _path(self.leaves[0])})


def choose_ways(choices: Choices, reach: Reach, leaves: Sequence[Leaf], limits: PlanningLimits) -> Choices:
    """``choices``, and the best found for all ``leaves``; NoWayError, and nothing chosen, if some have no way."""
    missing = ways_missing(leaves)
    if missing:
        raise NoWayError(missing)
    tasks = [task for leaf in leaves if (task := _read_task(reach, leaf)) is not None]
    depth = max((task.earliest for task in tasks), default=0)
    # Deepest first: a later request that has to be made anyway can often carry what an earlier one would have.
    tasks.sort(key=lambda task: (bool(task.blind), -task.earliest))
    _enter_certain_roots(choices, leaves)
    forced = [task for task in tasks if task.is_forced]
    open_tasks = [task for task in tasks if not task.is_forced]
    return _Search(choices, open_tasks, depth, limits).run(forced)


def _enter_certain_roots(choices: Choices, leaves: Sequence[Leaf]) -> None:
    """Have the requests of root fields that only one subgraph has: whatever is chosen for others may go with them."""
    if choices.part:
        return
    for position in {_below_root(leaf.position): True for leaf in leaves}:
        if position is not None and position.parent is not None:
            ways = position.parent.ways(position.source_name)
            if len(ways) == 1:
                choices.enter(position.parent, ways[0], ways[0].level)


def _below_root(position: Position) -> Position | None:
    """The composite root field that a position stands below, or is; None for the root itself."""
    below: Position | None = None
    while position.parent is not None:
        below, position = position, position.parent
    return below


def _read_task(reach: Reach, leaf: Leaf) -> Task | None:
    """The leaf's ways; None where its type condition can match nothing anywhere."""
    ways = sorted(leaf.position.ways(leaf.name), key=lambda way: way.level)
    return Task(leaf, tuple(ways), _blind_spots(leaf.position)) if ways else None


def _blind_spots(position: Position) -> tuple[tuple[Position, Position, Node], ...]:
    """Each cast on the way to ``position``, its position, and the nodes of that which cannot return its type."""
    spots: list[tuple[Position, Position, Node]] = []
    cast: Position | None = position
    while cast is not None and cast.parent is not None:
        if cast.is_cast:
            spots += ((cast, cast.parent, node) for node in cast.blind_nodes())
        cast = cast.parent
    return tuple(spots)


def ways_missing(leaves: Sequence[Leaf]) -> list[Leaf]:
    """Those of ``leaves`` that can be read nowhere."""
    return [leaf for leaf in leaves if not leaf.position.ways(leaf.name) and not _blind_spots(leaf.position)]


def _witness(leaf: Leaf) -> str:
    position = leaf.position
    subgraphs = sorted({node.subgraph for node in position.levels})
    where = f"{position.type_name}.{leaf.name} at {'.'.join(_path(leaf))}"
    if not subgraphs:
        return f"No plan for {where}: no subgraph can be reached that has this object."
    return f"No plan for {where}: it can be read from none of the subgraphs reached, {', '.join(subgraphs)}."


def _path(leaf: Leaf) -> list[str]:
    return [*leaf.position.path(), leaf.response_key]


class _Search:
    """The state of one search: the choices, and the best set of decisions on the open tasks."""

    def __init__(self, choices: Choices, tasks: list[Task], depth: int, limits: PlanningLimits) -> None:
        self._choices = choices
        self._tasks = tasks
        self._depth = depth
        self._trials_left = limits.max_trials
        self._best: list[tuple[Task, Way | None]] = []
        self._best_slots: int | None = None
        self._least_slots = 0
        self._decided: list[tuple[Task, Way | None]] = []

    def run(self, forced: list[Task]) -> Choices:
        """Choose the only ways, then the best combination of the others."""
        # What the first requests alone can read comes with them in any case, and may be what a lookup needs.
        for task in sorted(forced, key=lambda task: task.earliest > 1):
            self._commit(task, task.ways[0])
        self._least_slots = len(self._choices.slots)
        start = self._choices.mark()
        self._explore(0)
        self._choices.undo(start)
        for task, way in self._best:
            self._commit(task, way)
        return self._choices

    def _commit(self, task: Task, way: Way | None) -> None:
        """Read the task's leaf by ``way``; None leaves out what cannot match where its object is read."""
        if way is None:
            return
        leaf = task.leaf
        _, use = self._choices.read_leaf(leaf.position, way, self._depth, leaf.name, leaf.response_key, leaf.arguments)
        self._choices.ask(use, leaf.conditions)

    def _explore(self, index: int) -> None:
        """Decide on every task from ``index`` on, and keep the result if it is the best so far."""
        for number in range(index, len(self._tasks)):
            task = self._tasks[number]
            free, way = self._free_way(task)
            if free:
                self._decide(task, way)
                continue
            options = self._weigh(task)
            if options[0].cost[0]:
                self._branch(task, options, number + 1)
                return
            self._decide(task, options[0].way)
        self._keep()

    def _decide(self, task: Task, way: Way | None) -> None:
        self._commit(task, way)
        self._decided.append((task, way))

    def _keep(self) -> None:
        slots = len(self._choices.slots)
        if self._best_slots is None or slots < self._best_slots:
            self._best_slots = slots
            self._best = list(self._decided)

    def _branch(self, task: Task, options: list[Option], index: int) -> None:
        for number, option in enumerate(options):
            if number and self._is_good_enough(option):
                return
            mark, decided = self._choices.mark(), len(self._decided)
            self._decide(task, option.way)
            self._explore(index)
            self._choices.undo(mark)
            del self._decided[decided:]

    def _is_good_enough(self, option: Option) -> bool:
        """Whether ``option`` cannot lead to fewer requests than the best so far, or there are no trials left."""
        if self._trials_left <= 0 or self._best_slots is None:
            return True
        # The first decision that costs a request must cost one in every combination.
        return self._best_slots <= max(len(self._choices.slots) + option.cost[0], self._least_slots + 1)

    def _free_way(self, task: Task) -> tuple[bool, Way | None]:
        """A way through a presence at hand, the earliest; or none, if the object is only read where it cannot match."""
        present = sorted(self._choices.present(task.leaf.position), key=lambda presence: presence.level)
        for presence in present:
            for way in task.ways:
                if way.node == presence.node and self._serves(presence, way, task):
                    return True, way
        if not present and self._is_ruled_out(task):
            options = self._weigh(task)
            return True, options[0].way if options[0].cost[0] == 0 else None
        return False, None

    def _serves(self, presence: Presence, way: Way, task: Task) -> bool:
        return not way.is_computed or task.leaf.response_key in presence.uses

    def _is_ruled_out(self, task: Task) -> bool:
        """Whether an object that the leaf stands under is read only where it cannot be of the leaf's type."""
        for cast, above, blind in task.blind:
            nodes = [presence.node for presence in self._choices.present(above)]
            if blind in nodes and not self._choices.present(cast):
                return True
        return False

    def _weigh(self, task: Task) -> list[Option]:
        """Every way of the task within the depth, the cheapest first."""
        ways = enumerate(task.ways)
        return sorted(self._cost_of(task, way, number) for number, way in ways if way.level <= self._depth)

    def _cost_of(self, task: Task, way: Way, number: int) -> Option:
        self._trials_left -= 1
        mark, slots = self._choices.mark(), len(self._choices.slots)
        self._commit(task, way)
        cost = (len(self._choices.slots) - slots, way.level, self._choices.mark() - mark, number)
        self._choices.undo(mark)
        return Option(cost, way)
