"""The supervisor keeps the mall open when a shop closes, and closes all of it when asked."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Callable

import psutil
from honcho.printer import Printer

from stack.supervisor import Pauses, Supervisor


def await_condition(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


class RunningSupervisor:
    """A supervisor in a thread of its own, with its log as text."""

    def __init__(self, pauses: Pauses | None = None, **commands: str) -> None:
        self.log = io.StringIO()
        self.supervisor = Supervisor(commands, dict(os.environ), Printer(self.log), pauses)
        self.thread = threading.Thread(target=self.supervisor.run, args=([],))

    def __enter__(self) -> RunningSupervisor:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()

    def pids(self) -> list[int]:
        return [int(line.split("pid=")[1]) for line in self.log.getvalue().splitlines() if "pid=" in line]


def test_a_killed_process_is_told_and_started_again() -> None:
    with RunningSupervisor(shop='echo "pid=$$"; exec sleep 600') as running:
        await_condition(lambda: len(running.pids()) == 1)
        os.kill(running.pids()[0], signal.SIGKILL)
        await_condition(lambda: len(running.pids()) == 2)
    assert "shop was killed by signal 9; starting it again in 1 s" in running.log.getvalue()


def test_the_pauses_are_those_it_is_given() -> None:
    with RunningSupervisor(Pauses(0.01, 0.02), shop="exit 3") as running:
        await_condition(lambda: running.log.getvalue().count("again in 0.02 s") >= 3)
    assert running.log.getvalue().count("again in 0.01 s") == 1
    assert "0.04 s" not in running.log.getvalue()


def test_the_pause_grows_while_a_process_keeps_dying() -> None:
    with RunningSupervisor(shop="exit 3") as running:
        await_condition(lambda: "starting it again in 2 s" in running.log.getvalue())
    assert running.log.getvalue().index("again in 1 s") < running.log.getvalue().index("again in 2 s")
    assert "shop ended with code 3" in running.log.getvalue()


def test_stop_ends_every_process_and_its_children() -> None:
    with RunningSupervisor(shop='sleep 601 & echo "pid=$!"; echo "pid=$$"; wait') as running:
        await_condition(lambda: len(running.pids()) == 2)
        assert all(psutil.pid_exists(pid) for pid in running.pids())
    await_condition(lambda: not any(_alive(pid) for pid in running.pids()))


def test_the_log_names_the_process_on_every_line() -> None:
    with RunningSupervisor(orders="echo one; echo two; exec sleep 600") as running:
        await_condition(lambda: "two" in running.log.getvalue())
    lines = running.log.getvalue().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["orders | one", "orders | two"]


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
