"""Operations are noted as they come, and counted in batches as if each had been counted at once."""

from __future__ import annotations

import random

import pytest

from router.operation.model import OperationKind
from router.planning.query_plan import QueryPlan
from router.server.config.telemetry import MetricsSettings
from router.server.metrics.request_metrics import BOUNDS_S, Durations
from router.server.observation.operation_metrics import OperationMetrics
from router.server.observation.stage_durations import StageDurations

PLAN = QueryPlan(OperationKind.QUERY, ())


def metrics(max_operations: int, max_clients: int, stages: StageDurations | None = None) -> OperationMetrics:
    made = OperationMetrics(stages or StageDurations())
    made.limit(MetricsSettings(operations=True, max_operations=max_operations, max_clients=max_clients))
    return made


def note(made: OperationMetrics, name: str | None, client: bytes, seconds: float = 0.1) -> None:
    """One operation that came, was executed in half of ``seconds``, and failed."""
    made.receive(name, client)
    made.execute((name, client, seconds / 2, seconds, PLAN, True))


def counted(made: OperationMetrics) -> list[str]:
    """All that is told, in an order of its own: labels and values."""
    samples = [one for family in made.collect() for one in family.samples]
    return sorted(f"{one.name} {sorted(one.labels.items())} {one.value:.6g}" for one in samples)


def test_what_a_forgotten_name_had_counted_is_counted_for_the_others() -> None:
    made = metrics(1, 1)
    for name, client in (("A", b"web"), ("B", b"app"), ("B", b"app"), ("B", b"app")):
        note(made, name, client)
    counts = made.counts
    assert dict(counts.received) == {("other", "other"): 3, ("B", "app"): 1}
    assert sum(counts.failed.values()) == 4
    assert {name: sum(one.counts) for name, one in counts.durations.items()} == {"other": 3, "B": 1}
    assert counts.slowest.keys() <= {"B", "other"}


@pytest.mark.parametrize(
    ("name", "client", "labels"),
    [
        (None, b"", ("anonymous", "unknown")),
        ("Q" * 101, b"web", ("other", "web")),
        ("Q", b"x" * 51, ("Q", "other")),
        ("Q", "wéb".encode(), ("Q", "other")),
        ("Q", b'a"b\\', ("Q", 'a"b\\')),
    ],
)
def test_what_is_no_name_is_one_of_the_others(name: str | None, client: bytes, labels: tuple[str, str]) -> None:
    made = metrics(10, 10)
    made.receive(name, client)
    assert dict(made.counts.received) == {labels: 1}


@pytest.mark.parametrize(("max_operations", "max_clients"), [(50, 10), (3, 10), (50, 2), (2, 2)])
def test_a_batch_is_counted_as_its_notes_would_be_one_by_one(max_operations: int, max_clients: int) -> None:
    draw = random.Random(max_operations * 100 + max_clients)  # noqa: S311 - no secret
    together, apart = (metrics(max_operations, max_clients) for _ in range(2))
    for _ in range(2000):
        asked = (draw.choice(["A", "B", "B", None, "C", "D" * 200]), draw.choice([b"web", b"web", b"app", b""]))
        seconds = draw.choice(BOUNDS_S) * draw.choice([0.9, 1.0, 1.1])
        for made in (together, apart):
            note(made, *asked, seconds)
        assert sum(apart.counts.received.values())
    assert counted(together) == counted(apart)
    assert {name: one.seconds for name, one in together.counts.slowest.items()} == {
        name: one.seconds for name, one in apart.counts.slowest.items()
    }


def test_notes_that_nobody_reads_are_counted_before_they_are_many() -> None:
    stages = StageDurations()
    made = metrics(10, 10, stages)
    for _ in range(10_000):
        note(made, "A", b"web")
    # Two notes are made of each, and no more than four hundred wait.
    assert 10_000 - 200 <= sum(stages.by_stage["execute"].counts) <= 10_000
    assert sum(made.counts.durations["A"].counts) == sum(stages.by_stage["execute"].counts) == 10_000


def test_an_operation_that_came_to_nothing_was_not_projected() -> None:
    stages = StageDurations()
    made = metrics(10, 10, stages)
    made.execute(("A", b"web", 0.2, 0.2, PLAN, True))
    note(made, "A", b"web")
    assert sum(made.counts.durations["A"].counts) == sum(stages.by_stage["execute"].counts) == 2
    assert (sum(stages.by_stage["project"].counts), stages.by_stage["project"].total_s) == (1, 0.05)


@pytest.mark.parametrize("factors", [(1.0,), (0.99, 1.0, 1.01)], ids=["few", "many"])
def test_durations_counted_together_are_in_the_buckets_of_each(factors: tuple[float, ...]) -> None:
    seconds = [factor * bound for bound in BOUNDS_S[1:] for factor in factors]
    together, apart = Durations(), Durations()
    together.observe_all(reversed(seconds))
    for one in seconds:
        apart.observe(one)
    assert together.counts == apart.counts
    assert together.total_s == pytest.approx(apart.total_s)
