"""An error of the answer, as execution and response both make them: plain data, placed at the client's path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

ClientPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of the answer's ``errors``; ``path`` is the client's, with list indices (empty: of no one place).

    ``explains_null`` where nothing was there when the error was placed: should another subgraph bring it all the same,
    there is nothing to explain, and the error is left out. ``subgraph`` where a subgraph reported it in its own words.
    ``null_above`` is how many steps above its path the null stood that the error made of its subgraph's answer.
    """

    path: ClientPath
    message: str
    extensions: Mapping[str, object] = field(default_factory=dict)
    explains_null: bool = False
    subgraph: str | None = None
    null_above: int = 0

    @property
    def null_path(self) -> ClientPath:
        """Where its subgraph's answer was null: at the error's path, or above it."""
        return self.path[: len(self.path) - self.null_above]

    def at(self, path: ClientPath) -> FieldError:
        """The same error at another place, which is null itself."""
        return replace(self, path=path, null_above=0)

    def to_json(self) -> dict[str, object]:
        """The error as the GraphQL specification writes it."""
        error: dict[str, object] = {"message": self.message}
        if self.path:
            error["path"] = self.path
        if self.extensions:
            error["extensions"] = self.extensions
        return error
