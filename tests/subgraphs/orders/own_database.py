"""An empty database with the indexes of orders, and the store over it."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.chassis.database.mongodb import Database
from subgraphs.orders.store import MongoStore
from tests.services import CommandLog


class NoRelay:
    """Leaves events in their outboxes."""

    def wake(self) -> None:
        """Nobody publishes."""


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    """A database, the store over it, and the commands that it was sent."""

    database: Database
    store: MongoStore
    log: CommandLog
