"""deploy/nats/nats.conf, read by the real server as the container would start it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

from stack.daemon import free_port, running
from stack.nats import USER, server_binary, server_command
from tests.deploy.compose import ROOT, read_compose

CONFIG = ROOT / "deploy" / "nats" / "nats.conf"
NUMBER_LIKE = "12e5"  # without the quotes of compose.yaml the server would take it for a number


def moved_config(directory: Path, port: int) -> Path:
    """The file as it is, but for ports and a directory that are free here."""
    moves = {"0.0.0.0:4222": f"127.0.0.1:{port}", "127.0.0.1:8222": f"127.0.0.1:{free_port()}", "/data": str(directory)}
    text = CONFIG.read_text()
    for fixed, free in moves.items():
        assert text.count(fixed) == 1
        text = text.replace(fixed, free)
    moved = directory / "nats.conf"
    moved.write_text(text)
    return moved


def login(port: int, password: str) -> tuple[bool, str]:
    """Whether the server says that it has JetStream, and its answer to ``password``."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, connection.makefile("rw") as lines:
        info = json.loads(lines.readline().removeprefix("INFO "))
        options = {"user": USER, "pass": password, "verbose": False}
        lines.write(f"CONNECT {json.dumps(options)}\r\nPING\r\n")
        lines.flush()
        return bool(info.get("jetstream")), lines.readline().strip()


def test_the_password_of_the_environment_opens_jetstream_and_no_other_does(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    compose = read_compose({**environment, "NATS_PASSWORD": NUMBER_LIKE})
    password = compose["services"]["nats"]["environment"]["NATS_PASSWORD"]
    port = free_port()
    command = ["env", f"NATS_PASSWORD={password}", *server_command(server_binary(), moved_config(tmp_path, port))]
    with running(command, port, tmp_path / "nats.log"):
        assert login(port, NUMBER_LIKE) == (True, "PONG")
        assert login(port, "wrong") == (True, "-ERR 'Authorization Violation'")


def test_the_configuration_is_refused_without_a_password() -> None:
    bare = {key: value for key, value in os.environ.items() if key != "NATS_PASSWORD"}
    command = [str(server_binary()), "-t", "--config", str(CONFIG)]
    result = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "variable reference for 'NATS_PASSWORD'" in result.stderr
