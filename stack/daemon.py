"""One background process that listens on a port: started, awaited, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` until the block ends; the block begins when 127.0.0.1:``port`` accepts connections.

    Output is appended to ``log``. Raises StackError if the process ends or does not listen within 30 s.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _await_port(process, command[0], port, log)
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and its whole group: TERM, and KILL after 10 s."""
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment.

    On Linux it is kept until this process ends: the system gives it to no connection and to nobody else who asks for
    any port, only to a server that asks for this one (with SO_REUSEADDR, as all do). Elsewhere it may be taken before
    the server that it is chosen for listens.
    """
    with socket.socket() as probe:
        if sys.platform == "linux":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        if sys.platform == "linux":
            probe.detach()  # Open, bound and not listening until this process ends.
        return port


def accepts(port: int) -> bool:
    """Whether somebody listens on 127.0.0.1:``port``."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0 and not is_connected_to_itself(probe)


def is_connected_to_itself(connection: socket.socket) -> bool:
    """Whether nobody else is at the other end.

    The system chooses the port that a connection comes from. Where nobody listens and it happens to choose the very
    port that is asked for, TCP takes the connection's own SYN for another's (RFC 9293, section 3.5).
    """
    try:
        return bool(connection.getsockname() == connection.getpeername())
    except OSError:
        return False  # Whoever was there has closed it again.


def _await_port(process: subprocess.Popen[bytes], name: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not accepts(port):
        if process.poll() is not None:
            raise StackError(f"{name} ended with code {process.returncode} before it listened on {port}; see {log}")
        if time.monotonic() > deadline:
            raise StackError(f"{name} does not listen on port {port} after {START_TIMEOUT_S:.0f} s; see {log}")
        time.sleep(0.02)


def _signal_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    try:
        os.killpg(process.pid, signum)
    except ProcessLookupError:
        return
