"""An error of the answer, as execution and response both make them: plain data, placed at the client's path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ClientPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of the answer's ``errors``; ``path`` is the client's, with list indices (empty: of no one place)."""

    path: ClientPath
    message: str
    extensions: Mapping[str, object] = field(default_factory=dict)

    def at(self, path: ClientPath) -> FieldError:
        """The same error at another place."""
        return FieldError(path, self.message, self.extensions)

    def to_json(self) -> dict[str, object]:
        """The error as the GraphQL specification writes it."""
        error: dict[str, object] = {"message": self.message}
        if self.path:
            error["path"] = self.path
        if self.extensions:
            error["extensions"] = self.extensions
        return error
