"""Large blocks of memory go back to the system when they are freed, whatever small ones came behind them."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Blocks of 900 kB, each with a small one behind it that stays, after one of 30 MB has taught glibc to keep such blocks.
FLOOD = """
import psutil
from router.server.processes.allocator import give_large_blocks_back

{prepare}
process = psutil.Process()
del (learned := [bytearray(30_000_000)])[:]
before = process.memory_info().rss
blocks, kept = [], []
for _ in range(30):
    blocks.append(bytearray(b"x" * 900_000))
    kept.append(bytearray(b"x" * 2_000))
blocks.clear()
print(process.memory_info().rss - before)
"""


def left_resident(prepare: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", FLOOD.format(prepare=prepare)], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")
def test_a_flood_of_large_blocks_leaves_nothing_resident() -> None:
    assert left_resident("") > 20_000_000
    assert left_resident("give_large_blocks_back()") < 2_000_000
