"""How much of its peak a router still answers under twice the load, measured in neighbouring turns.

The peak is what the router carries, not the best that it was seen to do: requests a second by as many clients as ask at
once, over a whole window. The speed of a machine changes from minute to minute by more than what is promised, so that
the best of some short samples is one of a lucky moment, which nothing reaches for long. Each turn is a window of the
closed loop, then one of twice its rate by the open loop, and the goodput of the latter is compared with the former,
its neighbour. The median of the turns counts::

    closed loop 500/s, open loop at 1000/s: 460 answered/s    0.92
    closed loop 440/s, open loop at  880/s: 410 answered/s    0.93
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import click

from bench import load as closed_loop
from bench.contestants import Running
from bench.errors import BenchError
from bench.operations import Operation
from bench.overload.measure import Load, loaded

CONNECTIONS = 50
PEAK_S = 10
OVERLOAD_S = 15
# The router learns in the first seconds of overload how many requests may be under way; and after it, that all may.
LEARNING_S = 5
REST = 0.3  # of the peak


@dataclass(frozen=True, slots=True)
class Turn:
    """Answered requests a second: by a closed loop, and by an open one at twice that rate right after it."""

    peak: float
    goodput: float

    @property
    def share(self) -> float:
        """Of the peak."""
        return self.goodput / self.peak


def peak_of(router: Running, operation: Operation, stub: Running, cpu: int) -> float:
    """Requests a second by as many clients as ask at once. BenchError where one was not answered."""
    sample = closed_loop.measure(router, operation, closed_loop.Load(CONNECTIONS, PEAK_S, cpu), stub)
    if sample.errors:
        raise BenchError(
            f"{sample.errors} requests of those that look for the peak were not answered: it would be none"
        )
    click.echo(f"peak of {operation.name}: {sample.requests_per_s:.0f} requests/s", err=True)
    return sample.requests_per_s


def take_turns(router: Running, operation: Operation, stub: Running, cpu: int, count: int) -> list[Turn]:
    """``count`` turns, after one of the closed loop that warms up. BenchError as ``peak_of``."""
    peak_of(router, operation, stub, cpu)
    turns = []
    for _ in range(count):
        peak = peak_of(router, operation, stub, cpu)
        over = loaded(router, operation, Load(peak * 2, OVERLOAD_S, cpu))
        turns.append(Turn(peak, over.goodput(LEARNING_S)))
        loaded(router, operation, Load(peak * REST, LEARNING_S, cpu))
    return turns


def median_share(turns: list[Turn]) -> float:
    """The median of the turns' shares."""
    return median(turn.share for turn in turns)
