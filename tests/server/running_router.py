"""``galleria serve`` as a process, over a supergraph whose subgraphs are where a test says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.daemon import free_port, running
from tests.server.shop import SUPERGRAPH

GALLERIA = str(Path(sys.executable).parent / "galleria")


@dataclass(frozen=True, slots=True)
class RunningRouter:
    """A router process and its address; ``log`` is what it wrote."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path


def write_supergraph(folder: Path, **urls: str) -> Path:
    """The shop's supergraph with other addresses."""
    sdl = SUPERGRAPH
    for name, url in urls.items():
        sdl = sdl.replace(f"http://{name}.test/graphql", url)
    path = folder / "supergraph.graphql"
    path.write_text(sdl)
    return path


@contextmanager
def running_router(folder: Path, *options: str, **urls: str) -> Iterator[RunningRouter]:
    """A router on a free port until the block ends."""
    port = free_port()
    command = [GALLERIA, "serve", "--supergraph", str(write_supergraph(folder, **urls)), "--port", str(port), *options]
    log = folder / "router.log"
    with running(command, port, log) as process:
        yield RunningRouter(process, f"http://127.0.0.1:{port}", log)


def refused(arguments: Sequence[str]) -> tuple[int, str]:
    """Exit code and stderr of ``galleria serve`` with arguments that it refuses."""
    done = subprocess.run([GALLERIA, "serve", *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr
