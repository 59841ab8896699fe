"""Tables of the README, which tests hold to the code."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def table_below(heading: str) -> list[str]:
    """The lines of the first table below ``heading``: its header, and its rows without the line between them."""
    _, _, section = README.read_text().partition(f"\n## {heading}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    assert len(lines) > 2, f"README.md has no table below {heading}"
    return [lines[0], *lines[2:]]
