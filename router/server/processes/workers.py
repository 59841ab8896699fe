"""Several processes that serve one address, each on a core of its own.

Theory of operation. All that can be made before is made once (settings, graph, sockets); then the process forks, and
the workers share that memory. Each worker accepts from a socket of its own: SO_REUSEPORT lets the kernel spread the
connections. The first process serves nothing: it waits for signals, passes them on, and replaces workers that died
with new ones on the same sockets, so that connections which already wait there are not lost::

    signal           what the first process does
    SIGTERM, SIGINT  SIGTERM to all workers; ends when they have, or kills them END_WITHIN_S after they drained.
                     A second one is passed on as well: they drain no longer
    SIGHUP           SIGHUP to all workers, which read supergraph and settings anew
    SIGCHLD          a worker ended by itself: told, and replaced after a pause
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence

logger = logging.getLogger("galleria.router")

# By then a worker has ended itself, unless it cannot.
END_WITHIN_S = 9.7
PAUSE_BEFORE_REPLACING_S = 1.0
_ENDS = frozenset({signal.SIGTERM, signal.SIGINT})
_WAITED_FOR = _ENDS | {signal.SIGHUP, signal.SIGCHLD}

Work = Callable[[int, socket.socket], None]


class Workers:
    """Runs ``work(number, listener)`` in a process for each of the ``listeners``, which drains for ``drain_s``."""

    def __init__(self, listeners: Sequence[socket.socket], work: Work, drain_s: float) -> None:
        self._listeners = listeners
        self._work = work
        self._drain_s = drain_s
        self._numbers: dict[int, int] = {}

    def run(self) -> None:
        """Return when all workers have ended after a signal to end."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
        for number in range(len(self._listeners)):
            self._start(number)
        while True:
            received = signal.sigwait(_WAITED_FOR)
            if received in _ENDS:
                break
            if received is signal.SIGHUP:
                self._tell_all(signal.SIGHUP)
            for number in self._ended():
                logger.error("worker %d ended, another one takes its place", number)
                time.sleep(PAUSE_BEFORE_REPLACING_S)
                self._start(number)
        self._end()

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._numbers[pid] = number
            return
        status = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
            self._work(number, self._listeners[number])
            status = 0
        except Exception:
            logger.exception("worker %d failed", number)
        finally:
            # Not the way out of the first process: what that has open is not this one's to close.
            os._exit(status)

    def _ended(self) -> list[int]:
        """The numbers of the workers that ended since the last call."""
        ended = []
        while self._numbers:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            number = self._numbers.pop(pid, None)
            if number is not None:
                ended.append(number)
        return ended

    def _end(self) -> None:
        self._tell_all(signal.SIGTERM)
        deadline = time.monotonic() + self._drain_s + END_WITHIN_S
        while self._numbers:
            self._ended()
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                self._tell_all(signal.SIGKILL)
            received = signal.sigtimedwait({signal.SIGCHLD, *_ENDS}, max(min(left_s, 0.5), 0.01))
            if received is not None and received.si_signo in _ENDS:
                self._tell_all(signal.SIGTERM)
                deadline = min(deadline, time.monotonic() + END_WITHIN_S)

    def _tell_all(self, number: signal.Signals) -> None:
        for pid in self._numbers:
            os.kill(pid, number)
