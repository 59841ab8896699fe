"""Every query that a store sends, explained: which index does it read?

A test calls each method of a store through :class:`Watched`, with a :class:`QueryLog` listening, and wants nothing of
:func:`collection_scans`. A method that is added to the store and not to its test is in :meth:`Watched.uncalled`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from subgraphs.chassis.database.mongodb import Database, Document

S = TypeVar("S")
KEPT = ("find", "filter", "sort", "limit")
UNEXPLAINED = frozenset({"findAndModify", "delete", "count", "distinct", "mapReduce"})
"""Commands that search, and that no store sends yet."""


class QueryLog(CommandListener):
    """Writes down what a client searches for, as finds that can be explained: finds, updates, joins."""

    def __init__(self) -> None:
        self.finds: list[Document] = []
        self.unknown: set[str] = set()
        self._readers: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Document]]] = {
            "find": _of_find,
            "update": _of_update,
            "aggregate": _of_aggregate,
        }

    def started(self, event: CommandStartedEvent) -> None:
        read = self._readers.get(event.command_name)
        if read:
            self.finds += read(event.command)
        elif event.command_name in UNEXPLAINED:
            self.unknown.add(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to write down."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to write down."""


class Watched(Generic[S]):
    """A store whose methods are written down when they are called."""

    def __init__(self, store: S) -> None:
        self._store = store
        self._called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self._called.add(name)
        return getattr(self._store, name)

    def uncalled(self) -> set[str]:
        """The public methods of the store that nobody called."""
        methods = {name for name, _ in inspect.getmembers(type(self._store), inspect.isfunction)}
        return {name for name in methods if not name.startswith("_")} - self._called


async def collection_scans(database: Database, log: QueryLog) -> list[Document]:
    """The searches of ``log`` that read a whole collection rather than an index.

    What names an ``_id`` is found by it: the embedded server says otherwise where the filter names more than that. A
    list without a filter must be a beginning of the index that it is sorted by.
    """
    assert log.unknown == set(), "commands that nobody knows how to explain"
    return [find for find in list(log.finds) if "_id" not in find["filter"] and await _is_scan(database, find)]


async def _is_scan(database: Database, find: Document) -> bool:
    if not find["filter"]:
        indexes = (await database[find["find"]].index_information()).values()
        firsts = {index["key"][0][0] for index in indexes}
        return not find.get("limit") or next(iter(find.get("sort", ())), None) not in firsts
    plan = await database.command("explain", find)
    return "COLLSCAN" in _stages(plan["queryPlanner"]["winningPlan"])


def _of_find(command: Mapping[str, Any]) -> Iterator[Document]:
    yield {name: command[name] for name in KEPT if name in command}


def _of_update(command: Mapping[str, Any]) -> Iterator[Document]:
    for update in command["updates"]:
        yield {"find": command["update"], "filter": update["q"]}


def _of_aggregate(command: Mapping[str, Any]) -> Iterator[Document]:
    first, *others = command["pipeline"]
    yield {"find": command["aggregate"], "filter": first["$match"]}
    for join in (stage["$lookup"] for stage in others if "$lookup" in stage):
        listed: Document = {name: value for stage in join["pipeline"] for name, value in stage.items()}
        where = {join["foreignField"]: "joined", **listed["$match"]}
        yield {"find": join["from"], "filter": where, "sort": listed["$sort"], "limit": listed["$limit"]}


def _stages(plan: Any) -> set[str]:
    if isinstance(plan, Sequence) and not isinstance(plan, str):
        return set().union(*(_stages(part) for part in plan))
    if not isinstance(plan, Mapping):
        return set()
    own = {plan["stage"]} if "stage" in plan else set()
    return own.union(*(_stages(part) for part in plan.values()))
