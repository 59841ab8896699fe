"""A circuit opens for an address that keeps failing, and one probe at a time finds out when it is back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from router.execution.traffic.breaker import BreakerPolicy, CircuitBreaker, CircuitState, Outcome
from tests.execution.traffic.clients import StillClock

POLICY = BreakerPolicy(window_s=10, min_failures=3, failure_ratio=0.5, pause_s=2, longest_pause_s=6)


@dataclass
class Circuit:
    clock: StillClock = field(default_factory=StillClock)
    changes: list[CircuitState] = field(default_factory=list)
    breaker: CircuitBreaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(POLICY, self.clock, self.changes.append)

    def happen(self, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            admission = self.breaker.enter()
            assert admission is not None
            self.breaker.leave(admission, outcome)

    def open(self) -> None:
        self.happen(*[Outcome.FAILED] * 3)
        assert self.state == "open"

    @property
    def state(self) -> str:
        return self.breaker.state.value


@pytest.fixture
def circuit() -> Circuit:
    return Circuit()


def test_few_failures_leave_it_closed(circuit: Circuit) -> None:
    circuit.happen(Outcome.FAILED, Outcome.FAILED)
    assert circuit.state == "closed"
    assert circuit.changes == []


def test_enough_failures_open_it(circuit: Circuit) -> None:
    circuit.open()
    assert circuit.breaker.enter() is None
    assert circuit.breaker.opens_in_s == 2
    assert circuit.changes == [CircuitState.OPEN]


def test_many_failures_among_more_answers_leave_it_closed(circuit: Circuit) -> None:
    circuit.happen(*[Outcome.ANSWERED] * 9, *[Outcome.FAILED] * 8)
    assert circuit.state == "closed"
    circuit.happen(Outcome.FAILED)
    assert circuit.state == "open"


def test_failures_of_long_ago_do_not_count_once_something_was_answered(circuit: Circuit) -> None:
    circuit.happen(Outcome.FAILED, Outcome.FAILED, Outcome.ANSWERED)
    circuit.clock.now += 10
    circuit.happen(Outcome.FAILED, Outcome.FAILED)
    assert circuit.state == "closed"


def test_as_many_failures_in_a_row_open_it_however_seldom_they_are(circuit: Circuit) -> None:
    """A subgraph that hangs, and is asked by one request at a time, fails once in a window."""
    for _ in range(2):
        circuit.happen(Outcome.FAILED)
        circuit.clock.now += 3600
    assert circuit.state == "closed"
    circuit.happen(Outcome.FAILED)
    assert circuit.state == "open"


@pytest.mark.parametrize("answered_after_s", [1, 60])
def test_an_answer_ends_the_row(circuit: Circuit, answered_after_s: float) -> None:
    circuit.happen(Outcome.FAILED, Outcome.FAILED)
    circuit.clock.now += answered_after_s
    circuit.happen(Outcome.ANSWERED)
    for _ in range(2):
        circuit.clock.now += 60
        circuit.happen(Outcome.FAILED)
    assert circuit.state == "closed"
    circuit.clock.now += 60
    circuit.happen(Outcome.FAILED)
    assert circuit.state == "open"


def test_what_was_given_up_between_failures_does_not_end_the_row(circuit: Circuit) -> None:
    for _ in range(3):
        circuit.happen(Outcome.GIVEN_UP, Outcome.GIVEN_UP, Outcome.FAILED)
        circuit.clock.now += 60
    assert circuit.state == "open"


def test_failures_in_a_row_are_counted_anew_after_it_was_open(circuit: Circuit) -> None:
    for _ in range(3):
        circuit.happen(Outcome.FAILED)
        circuit.clock.now += 60
    circuit.happen(Outcome.ANSWERED)
    circuit.happen(Outcome.FAILED)
    circuit.clock.now += 60
    circuit.happen(Outcome.FAILED)
    assert circuit.state == "closed"


def test_requests_that_their_clients_gave_up_say_nothing(circuit: Circuit) -> None:
    circuit.happen(*[Outcome.GIVEN_UP] * 20)
    assert circuit.state == "closed"


def test_after_the_pause_one_probe_is_let_through(circuit: Circuit) -> None:
    circuit.open()
    circuit.clock.now += 2
    assert circuit.breaker.enter() is not None
    assert circuit.breaker.enter() is None
    assert circuit.state == "half-open"


def test_an_answered_probe_closes_it(circuit: Circuit) -> None:
    circuit.open()
    circuit.clock.now += 2
    circuit.happen(Outcome.ANSWERED)
    assert circuit.changes == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]
    circuit.happen(Outcome.FAILED, Outcome.FAILED)  # Failures from before it opened are forgotten.
    assert circuit.state == "closed"


def test_each_failed_probe_doubles_the_pause_up_to_the_longest(circuit: Circuit) -> None:
    circuit.open()
    pauses = []
    for _ in range(4):
        circuit.clock.now += circuit.breaker.opens_in_s
        circuit.happen(Outcome.FAILED)
        pauses.append(circuit.breaker.opens_in_s)
    assert pauses == [4, 6, 6, 6]
    circuit.clock.now += 6
    circuit.happen(Outcome.ANSWERED)
    circuit.open()
    assert circuit.breaker.opens_in_s == 2


def test_a_probe_that_was_given_up_makes_room_for_the_next(circuit: Circuit) -> None:
    circuit.open()
    circuit.clock.now += 2
    circuit.happen(Outcome.GIVEN_UP)
    assert circuit.state == "half-open"
    circuit.happen(Outcome.ANSWERED)
    assert circuit.state == "closed"


def test_what_was_sent_before_it_opened_does_not_close_it(circuit: Circuit) -> None:
    early = circuit.breaker.enter()
    assert early is not None
    circuit.open()
    circuit.clock.now += 2
    probe = circuit.breaker.enter()
    assert probe is not None
    circuit.breaker.leave(early, Outcome.ANSWERED)
    assert circuit.state == "half-open"
    circuit.breaker.leave(probe, Outcome.FAILED)
    assert circuit.state == "open"
