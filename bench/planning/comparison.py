"""Plans side by side -> sums, and the operations where ours is worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.planning.cases import Case
from bench.planning.planners import Planned
from bench.planning.reasons import EMPTY, SERIAL, PlanThem, reason_of

MEANT = {
    SERIAL: "what hangs below a root mutation is fetched before the next mutation begins, as serial execution asks; "
    "the peer, asked for one mutation at a time, needs as much",
    EMPTY: "an object of which the client's conditions leave nothing is asked for all the same, because its being null "
    "or not is part of the answer; the peer, asked for the `__typename` of such objects, needs as much",
}


@dataclass(frozen=True, slots=True)
class Worse:
    """An operation for which our plan is deeper, or as deep with more fetches; ``reason`` is the rule that asks it."""

    case: str
    text: str
    ours: Planned
    theirs: Planned
    reason: str | None


@dataclass(slots=True)
class Comparison:
    """The sums over all operations that both have planned."""

    supergraphs: int = 0
    ours: list[Planned] = field(default_factory=list)
    theirs: list[Planned] = field(default_factory=list)
    refused_by_us: int = 0
    refused_by_them: int = 0
    worse: list[Worse] = field(default_factory=list)

    @property
    def unexplained(self) -> int:
        """How many of our plans are worse, and no rule says why."""
        return sum(one.reason is None for one in self.worse)

    def add(self, case: Case, ours: Sequence[Planned], theirs: Sequence[Planned], plan_them: PlanThem) -> None:
        """Count the plans of one case, aligned with its operations; ``plan_them`` asks the peer for others."""
        self.supergraphs += 1
        for text, mine, other in zip(case.operations, ours, theirs, strict=True):
            self.refused_by_us += mine.error is not None
            self.refused_by_them += other.error is not None
            if mine.error is not None or other.error is not None:
                continue
            self.ours.append(mine)
            self.theirs.append(other)
            if (mine.depth, mine.fetches) > (other.depth, other.fetches):
                self.worse.append(Worse(case.name, text, mine, other, reason_of(text, mine, plan_them)))


def render(comparison: Comparison, conditions: str) -> str:
    """The report as Markdown."""
    one, other = comparison.ours, comparison.theirs
    pairs = list(zip(one, other, strict=True))
    rows = [
        ("sequential fetches, sum", sum(p.depth for p in one), sum(p.depth for p in other)),
        ("fetches, sum", sum(p.fetches for p in one), sum(p.fetches for p in other)),
        ("operations it plans shallower", *_wins(pairs, lambda a, b: a.depth < b.depth)),
        ("as deep, with fewer fetches", *_wins(pairs, lambda a, b: a.depth == b.depth and a.fetches < b.fetches)),
        ("worse, and no rule says why", comparison.unexplained, "-"),
        ("operations it refuses", comparison.refused_by_us, comparison.refused_by_them),
        ("median planning time, ms", f"{median(p.ms for p in one):.2f}", f"{median(p.ms for p in other):.2f}"),
        ("longest planning time, ms", f"{max(p.ms for p in one):.0f}", f"{max(p.ms for p in other):.0f}"),
    ]
    head = f"{len(pairs)} operations over {comparison.supergraphs} supergraphs, {conditions}."
    table = ["| | galleria | @apollo/query-planner |", "|---|---|---|"]
    table += [f"| {name} | {mine} | {theirs} |" for name, mine, theirs in rows]
    lines = ["# Planners side by side", "", head, "", *table, ""]
    for reason, why in MEANT.items():
        lines += _listed(comparison, reason, f"Longer by a rule, `{reason}`: {why} (depth, fetches).")
    lines += _listed(comparison, None, "Where ours is worse, and no rule says why (depth, fetches):")
    return "\n".join(lines)


def _listed(comparison: Comparison, reason: str | None, head: str) -> list[str]:
    found = [one for one in comparison.worse if one.reason == reason]
    rows = [f"- {one.case}: {_pair(one.ours)} against {_pair(one.theirs)}: `{_short(one.text)}`" for one in found]
    return [head, "", *rows, ""] if rows else []


def _wins(pairs: Sequence[tuple[Planned, Planned]], is_better: Callable[[Planned, Planned], bool]) -> tuple[int, int]:
    return sum(is_better(a, b) for a, b in pairs), sum(is_better(b, a) for a, b in pairs)


def _pair(planned: Planned) -> str:
    return f"{planned.depth}, {planned.fetches}"


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= 160 else f"{one_line[:157]}..."
