"""The table "Who may do what" of the README, one cell at a time.

A row of the table has all the operations for which the cells are the same::

    | orders `Query.me`, `Mutation.placeOrder`; payments `Query.payment` | - | UNAUTHENTICATED | yes | ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.readme import table_below

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
    """What is said of each operation, in the table's order."""
    header, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table_below("Who may do what"))
    assert tuple(header[2:]) == ROLES
    return [
        Row(service, operation, scope.strip("-"), tuple(outcomes))
        for operations, scope, *outcomes in rows
        for service, operation in _operations(operations)
    ]


def _operations(cell: str) -> Iterator[tuple[str, str]]:
    for part in cell.split("; "):
        service, _, listed = part.partition(" ")
        for operation in listed.split(", "):
            quoted = re.fullmatch("`(.+)`", operation)
            assert quoted, f"{operation} is not an operation in backquotes"
            yield service, quoted[1]


def cells() -> list[tuple[Row, str, str]]:
    """Every (row, role, outcome)."""
    return [(row, *cell) for row in read_table() for cell in zip(ROLES, row.outcomes, strict=True)]
