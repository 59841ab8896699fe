"""``python -m bench.collector PORT``: a collector that takes spans and forgets them, in a process of its own.

What it costs is nobody's who is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from stack.daemon import free_port
from stack.daemon import running as running_daemon

LOG = Path(__file__).parent / "results" / "collector.log"


@contextmanager
def running_collector(cpu: int | str) -> Iterator[str]:
    """The URL of a collector that runs on ``cpu`` until the block ends."""
    port = free_port()
    command = ["taskset", "-c", str(cpu), sys.executable, "-m", "bench.collector", str(port)]
    with running_daemon(command, port, LOG):
        yield f"http://127.0.0.1:{port}"


class _Forgetful(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take what is sent."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of it."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Forgetful).serve_forever()
