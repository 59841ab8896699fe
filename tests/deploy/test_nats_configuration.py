"""deploy/nats/nats.conf, read by the real server as the container would start it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError

from stack.daemon import free_port, running
from stack.nats import server_binary, server_command
from tests.deploy.compose import ROOT, read_compose

CONFIG = ROOT / "deploy" / "nats" / "nats.conf"
NUMBER_LIKE = "12e5"  # unquoted, the server would take it for a number


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


@pytest.mark.asyncio
async def test_the_password_of_the_environment_opens_jetstream_and_no_other_does(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    compose = read_compose({**environment, "NATS_PASSWORD": NUMBER_LIKE})
    password = compose["services"]["nats"]["environment"]["NATS_PASSWORD"]
    port = free_port()
    command = ["env", f"NATS_PASSWORD={password}", *server_command(server_binary(), moved_config(tmp_path, port))]
    with running(command, port, tmp_path / "nats.log"):
        client = await nats.connect(f"nats://mall:{NUMBER_LIKE}@127.0.0.1:{port}")
        account = await client.jetstream().account_info()
        await client.close()
        assert account.streams == 0
        with pytest.raises(NatsError, match="Authorization Violation"):
            await nats.connect(f"nats://mall:wrong@127.0.0.1:{port}", allow_reconnect=False)


def test_the_configuration_is_refused_without_a_password() -> None:
    bare = {key: value for key, value in os.environ.items() if key != "NATS_PASSWORD"}
    command = [str(server_binary()), "-t", "--config", str(CONFIG)]
    result = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "variable reference for 'NATS_PASSWORD'" in result.stderr
