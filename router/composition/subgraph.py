"""A subgraph as its owner gives it: a name, an address and SDL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One input of composition; ``file`` is the path that messages show, where the SDL was read from one."""

    name: str
    url: str
    sdl: str
    file: str | None = None
