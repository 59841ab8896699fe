"""Keeps the Procfile's processes running, with their output in one coloured log.

honcho reads the Procfile, runs each command and prints the log. Its own manager ends all processes when one ends; a
mall stays open when a shop closes, so this one starts the process again, after a pause that grows while it keeps dying.

A process is in one of three states: running (``running``; ``pid`` is known a moment after the start), waiting for its
next start (``restart_at`` is set), or ended for good (neither).
"""

from __future__ import annotations

import datetime
import os
import queue
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from honcho.colour import get_colours
from honcho.printer import Message, Printer
from honcho.process import Process

STEADY_AFTER_S = 30.0
STOP_TIMEOUT_S = 12.0
SYSTEM = "mall"


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long a process that ended waits for its next start: ``first_s``, then twice as long each time."""

    first_s: float = 1.0
    longest_s: float = 30.0


@dataclass(slots=True)
class Supervised:
    """One process of the Procfile and where it is in its life; times are of the monotonic clock, in seconds."""

    name: str
    command: str
    colour: str
    pause_s: float
    running: bool = False
    pid: int | None = None
    started_at: float = 0.0
    restart_at: float | None = None


class Supervisor:
    """Runs ``commands`` (name -> shell command) until :meth:`stop` is called, restarting those that end."""

    def __init__(
        self,
        commands: Mapping[str, str],
        environment: Mapping[str, str],
        printer: Printer,
        pauses: Pauses | None = None,
    ) -> None:
        self._environment = dict(environment)
        self._pauses = pauses or Pauses()
        self._printer = printer
        self._printer.width = max(len(name) for name in (*commands, SYSTEM))
        self._events: queue.Queue[Message] = queue.Queue()
        colours = get_colours()
        self._processes = {
            name: Supervised(name, command, next(colours), self._pauses.first_s) for name, command in commands.items()
        }
        self.stopping = threading.Event()

    def say(self, text: str) -> None:
        """Put a line of the supervisor's own into the log; may be called from any thread."""
        self._events.put(Message("line", text, datetime.datetime.now(), SYSTEM, None))

    def stop(self) -> None:
        """Ask :meth:`run` to end every process and return; may be called from a signal handler."""
        self.stopping.set()

    def run(self, stop_first: Sequence[str]) -> None:
        """Start all, restart what ends, and return when all have ended after :meth:`stop`.

        ``stop_first`` are ended before the others, so that services can finish while their engines still run.
        """
        for process in self._processes.values():
            self._start(process)
        while not self.stopping.is_set():
            self._handle_events(0.1)
            self._restart_due()
        self._end([self._processes[name] for name in stop_first])
        self._end(list(self._processes.values()))

    def _start(self, process: Supervised) -> None:
        process.restart_at = None
        process.running = True
        process.started_at = time.monotonic()
        runner = Process(process.command, name=process.name, colour=process.colour, env=self._environment)
        threading.Thread(target=runner.run, args=(self._events,), name=process.name, daemon=True).start()

    def _restart_due(self) -> None:
        now = time.monotonic()
        for process in self._processes.values():
            if process.restart_at is not None and process.restart_at <= now:
                self._start(process)

    def _handle_events(self, timeout_s: float) -> None:
        try:
            message = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return
        if message.type == "line":
            self._printer.write(message)
        elif message.type == "start":
            self._processes[message.name].pid = message.data["pid"]
        else:
            self._ended(self._processes[message.name], message.data["returncode"])

    def _ended(self, process: Supervised, returncode: int) -> None:
        process.pid = None
        process.running = False
        if self.stopping.is_set():
            return
        if time.monotonic() - process.started_at > STEADY_AFTER_S:
            process.pause_s = self._pauses.first_s
        how = f"was killed by signal {-returncode}" if returncode < 0 else f"ended with code {returncode}"
        self.say(f"{process.name} {how}; starting it again in {process.pause_s:g} s")
        process.restart_at = time.monotonic() + process.pause_s
        process.pause_s = min(process.pause_s * 2, self._pauses.longest_s)

    def _end(self, processes: Sequence[Supervised]) -> None:
        for signum in (signal.SIGTERM, signal.SIGKILL):
            signalled: set[str] = set()
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while any(process.running for process in processes) and time.monotonic() < deadline:
                for process in processes:
                    if process.pid is not None and process.name not in signalled:
                        signalled.add(process.name)
                        _signal_group(process.pid, signum)
                self._handle_events(0.05)


def _signal_group(pid: int, signum: signal.Signals) -> None:
    try:
        os.killpg(pid, signum)
    except ProcessLookupError:
        return
