"""What keeps a benchmark from running."""

from __future__ import annotations


class BenchError(Exception):
    """The benchmark cannot run, or would not mean anything: one line that says why; exit code 2."""
