"""The table of ``docs/who-may-do-what.md``: who may do what, one cell at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parents[2] / "docs" / "who-may-do-what.md"
OWNER, STRANGER, GRACE = "cus_ada", "cus_nobody", "staff_grace"
ROLES = ("anonymous", "owner", "other customer", "staff without", "staff with")
SUBJECTS = {"owner": OWNER, "other customer": STRANGER, "staff without": GRACE, "staff with": GRACE}


@dataclass(frozen=True, slots=True)
class Row:
    """What each role gets of one operation of one service; ``scope`` is empty where none matters."""

    service: str
    operation: str
    scope: str
    outcomes: tuple[str, ...]

    @property
    def field(self) -> str:
        """The schema's name of it: ``Query.order``, or ``entity Order``."""
        return self.operation.partition(":")[0]


def read_table() -> list[Row]:
    """All rows, in the document's order."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    header, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert tuple(header[3:]) == ROLES
    return [Row(service, operation, scope.strip("-"), tuple(cells)) for service, operation, scope, *cells in rows]


def cells() -> list[tuple[Row, str, str]]:
    """Every (row, role, outcome)."""
    return [(row, *cell) for row in read_table() for cell in zip(ROLES, row.outcomes, strict=True)]
