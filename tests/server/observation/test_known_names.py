"""Names of strangers as labels: the frequent ones, however many others come."""

from __future__ import annotations

import pytest

from router.operation.model import Operation, OperationKind
from router.planning.query_plan import QueryPlan
from router.server.config.telemetry import MetricsSettings
from router.server.observation.known_names import KnownNames
from router.server.observation.operation_metrics import OperationMetrics
from router.server.observation.stage_durations import StageDurations


def names(most: int) -> tuple[KnownNames, list[str]]:
    forgotten: list[str] = []
    return KnownNames(most, forgotten.append), forgotten


def test_names_are_known_until_there_are_as_many_as_may_be() -> None:
    known, forgotten = names(2)
    assert [known.count(name) for name in ("a", "b", "c", "a", "c")] == ["a", "b", "other", "a", "other"]
    assert ([known.label(name) for name in "abc"], forgotten) == (["a", "b", "other"], [])


def test_a_frequent_name_takes_the_place_of_the_rarest() -> None:
    known, forgotten = names(2)
    for name in ("a", "a", "b"):
        known.count(name)
    assert [known.count("c") for _ in range(3)] == ["other", "other", "c"]
    assert (forgotten, known.label("a"), known.label("b")) == (["b"], "a", "other")


def test_ever_new_names_drive_no_frequent_name_out() -> None:
    known, forgotten = names(5)
    for number in range(5):
        known.count(f"early{number}")
    for number in range(20_000):
        known.count(f"junk{number}")
        known.count("checkout")
    assert known.label("checkout") == "checkout"
    assert forgotten == ["early0"]


def test_repeated_junk_changes_hands_a_logarithm_of_times() -> None:
    known, forgotten = names(4)
    for number in range(30_000):
        known.count(f"junk{number // 50}")
    # Each place at least doubles its count when it changes hands, and no name comes more than 50 times.
    assert len(forgotten) <= 4 * 6


def metrics(max_operations: int, max_clients: int) -> OperationMetrics:
    made = OperationMetrics(StageDurations())
    made.limit(MetricsSettings(operations=True, max_operations=max_operations, max_clients=max_clients))
    return made


def operation(name: str | None) -> Operation:
    return Operation(OperationKind.QUERY, name, "Query", (), ())


def test_what_a_forgotten_name_had_counted_is_counted_for_the_others() -> None:
    made, plan = metrics(1, 1), QueryPlan(OperationKind.QUERY, ())
    for name, client in (("A", b"web"), ("B", b"app"), ("B", b"app"), ("B", b"app")):
        made.receive(operation(name), client)
        made.execute(operation(name), client, 0.1, plan, failed=True)
    assert dict(made.received) == {("other", "other"): 3, ("B", "app"): 1}
    assert sum(made.failed.values()) == 4
    assert {name: sum(one.counts) for name, one in made.durations.items()} == {"other": 3, "B": 1}
    assert made.slowest.keys() <= {"B", "other"}


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
    made.receive(operation(name), client)
    assert dict(made.received) == {labels: 1}
