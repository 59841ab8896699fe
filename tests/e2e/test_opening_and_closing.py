"""The mall opens with one line, says what is in the way, and leaves nothing behind when it closes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from stack.daemon import accepts, free_port
from stack.environment import DEFAULT_PORTS
from tests.mall import ROOT, running_mall

pytestmark = [pytest.mark.xdist_group("mall"), pytest.mark.timeout(300)]


def test_ctrl_c_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    with running_mall(tmp_path) as mall:
        children = psutil.Process(mall.process.pid).children(recursive=True)
        assert len(children) >= len(DEFAULT_PORTS)
        mall.stop()
        assert mall.process.returncode == 0
    assert [child for child in children if child.is_running()] == []
    assert [name for name, port in mall.ports.items() if accepts(port)] == []


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**os.environ, "GALLERIA_DATA": str(tmp_path / "data")}
        environment |= {f"{name.upper()}_PORT": str(free_port()) for name in DEFAULT_PORTS}
        environment["SHIPPING_PORT"] = str(port)
        command = [sys.executable, "-m", "stack", "up"]
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"cannot start: port in use: {port} (shipping) by ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()
