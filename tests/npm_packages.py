"""The npm packages that some tests need, installed once however many processes run the tests."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def node_with_packages(folder: Path, what: str) -> str:
    """Node's path, with the packages of ``folder`` installed.

    Where there is no Node, the test is skipped and ``what`` did not happen is told; on CI, where all must run, it
    fails.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _not_run(f"no Node here: {what} (install Node 20 or newer)")
    installed = folder / "node_modules" / ".installed"
    with (folder / ".npm-lock").open("w") as lock:
        # One at a time: npm begins by taking away what another process may be using.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists():
            command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=folder, check=True, timeout=240)
            installed.touch()
    return node


def _not_run(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
