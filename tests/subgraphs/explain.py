"""What the database does with the queries that a store really sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from subgraphs.chassis.mongodb import Database

SESSION_FIELDS = ("lsid", "$db", "$readPreference", "$clusterTime", "txnNumber")


class QueryLog(CommandListener):
    """Keeps every ``find`` that a client sends; updates name an ``_id``, which is an index."""

    def __init__(self) -> None:
        self.finds: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.finds.append({name: value for name, value in event.command.items() if name not in SESSION_FIELDS})
        if event.command_name == "update":
            assert all("_id" in update["q"] for update in event.command["updates"])

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to keep."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to keep."""


async def scans(database: Database, log: QueryLog) -> list[str]:
    """The queries of ``log`` that read a whole collection, as text; one entry for each."""
    found = []
    for find in list(log.finds):
        plan = await database.command("explain", find)
        if "COLLSCAN" in _stages(plan["queryPlanner"]["winningPlan"]):
            found.append(f"{find['find']} {find['filter']}")
    return found


def _stages(plan: Mapping[str, Any]) -> Iterator[str]:
    if "stage" in plan:
        yield plan["stage"]
    for child in (plan.get("inputStage"), plan.get("queryPlan"), *plan.get("inputStages", ())):
        if child:
            yield from _stages(child)
