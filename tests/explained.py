"""Every query that a store sends, explained: which index does it read?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from subgraphs.chassis.mongodb import Database, Document


class QueryLog(CommandListener):
    """Writes down each find, and the filter of each update, that a client sends, as finds that can be explained."""

    def __init__(self) -> None:
        self.finds: list[Document] = []

    def started(self, event: CommandStartedEvent) -> None:
        command: Mapping[str, Any] = event.command
        if event.command_name == "find":
            kept = ("find", "filter", "sort", "limit")
            self.finds.append({name: command[name] for name in kept if name in command})
        if event.command_name == "update":
            self.finds += [{"find": command["update"], "filter": update["q"]} for update in command["updates"]]

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to write down."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to write down."""


async def collection_scans(database: Database, finds: Sequence[Document]) -> list[Document]:
    """Those of ``finds`` that read a whole collection rather than an index.

    What names an ``_id`` is found by it: the embedded server says otherwise where the filter names more than that.
    """
    searching = [find for find in finds if "_id" not in find["filter"]]
    explained = [(find, await database.command("explain", find)) for find in searching]
    return [find for find, plan in explained if "COLLSCAN" in _stages(plan["queryPlanner"]["winningPlan"])]


def _stages(plan: Any) -> set[str]:
    if isinstance(plan, list):
        return set().union(*(_stages(part) for part in plan))
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    return own.union(*(_stages(part) for part in plan.values()))
