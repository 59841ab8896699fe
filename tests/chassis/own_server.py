"""A server of one test alone, which may do to it what it likes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from stack.daemon import running


class Server:
    """A server process that is killed and started again on the same data and port."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self._command = command
        self._port = port
        self._log = log
        self._running = ExitStack()

    def start(self) -> None:
        self._process = self._running.enter_context(running(self._command, self._port, self._log))

    def kill(self) -> None:
        self._process.kill()
        self._running.close()
