"""A subgraph as its owner gives it: a name, an address and SDL, or a Strawberry schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strawberry.schema import BaseSchema


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in the source that an SDL was made from; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One input of composition: ``sdl`` of Federation 1 or 2, which is asked at ``url`` (its ``routing_url``).

    ``file`` is the path that messages show, where the SDL was read from one.

    ``origins`` gives lines of the SDL that were made from other source the place there, which messages show instead.
    """

    name: str
    url: str
    sdl: str
    file: str | None = None
    origins: Mapping[int, Origin] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_strawberry(cls, name: str, url: str, schema: BaseSchema) -> Subgraph:
        """A subgraph of a Strawberry schema; errors point at the Python file and line of the class or resolver."""
        from router.composition.strawberry_origins import read_origins

        sdl = schema.as_str()
        return cls(name, url, sdl, origins=read_origins(schema, sdl))
