"""Operations by name and client, the stages that they pass, and which of them are slow: as plain numbers.

Names are taken of valid operations alone, and of so many as the settings say; see :mod:`known_names`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from router.planning.query_plan import QueryPlan
from router.server.config.telemetry import MetricsSettings
from router.server.metrics.request_metrics import Durations
from router.server.observation.known_names import OTHER, KnownNames

ANONYMOUS = "anonymous"
UNKNOWN = "unknown"
_LONGEST_CLIENT = 50
_CLIENT_NAME = re.compile(rb"[ -~]+")
_LONGEST_NAME = 100
Counts = defaultdict[tuple[str, str], int]


# A valid operation came: its name, and the client as it calls itself.
Received = tuple[str | None, bytes]
# One was executed and projected: its name and client, the seconds until it was executed, and until it was projected
# too (the same, where it came to nothing), its plan, and whether there were errors.
Executed = tuple[str | None, bytes, float, float, QueryPlan, bool]
# What happened, as plain tuples: a request makes two of them.
Note = Received | Executed


@dataclass(slots=True)
class Slowest:
    """How long the slowest execution of an operation took, and the plan by which it was."""

    seconds: float
    plan: QueryPlan


class OperationCounts:
    """What was counted since the start, of as many names as the settings allow."""

    def __init__(self) -> None:
        defaults = MetricsSettings()
        self.received: Counts = defaultdict(int)
        self.failed: Counts = defaultdict(int)
        self.durations: dict[str, Durations] = {}
        self.slowest: dict[str, Slowest] = {}
        self._names = KnownNames(defaults.max_operations, self._forget_operation)
        self._clients = KnownNames(defaults.max_clients, self._forget_client)

    def limit(self, settings: MetricsSettings) -> None:
        """Tell so many names apart from now on."""
        self._names.limit(settings.max_operations)
        self._clients.limit(settings.max_clients)

    def count(self, notes: Sequence[Note]) -> None:
        """Count what happened. Its order matters only where there is no room for all names in it."""
        received = Counter([note for note in notes if len(note) == 2])
        names, clients = {_name_of(name) for name, _ in received}, {_client_name(client) for _, client in received}
        if not (self._names.have_room(names) and self._clients.have_room(clients)):
            for note in notes:
                self._count_one(note)
            return
        for (name, client), times in received.items():
            self._receive(name, client, times)
        by_name: defaultdict[str | None, list[Executed]] = defaultdict(list)
        for one in executed_in(notes):
            by_name[one[0]].append(one)
        for of_name in by_name.values():
            self._execute(of_name)

    def _count_one(self, note: Note) -> None:
        if len(note) == 2:
            self._receive(*note, times=1)
        else:
            self._execute([note])

    def _receive(self, name: str | None, client: bytes, times: int) -> None:
        known = self._names.count(_name_of(name), times), self._clients.count(_client_name(client), times)
        self.received[known] += times

    def _execute(self, executed: Sequence[Executed]) -> None:
        """Count executions of one operation."""
        name = self._names.label(_name_of(executed[0][0]))
        durations = self.durations.get(name)
        if durations is None:
            durations = self.durations[name] = Durations()
        durations.observe_all([seconds for _, _, _, seconds, _, _ in executed])
        _, _, _, seconds, plan, _ = max(executed, key=itemgetter(3))
        before = self.slowest.get(name)
        if before is None or seconds > before.seconds:
            self.slowest[name] = Slowest(seconds, plan)
        for _, client, _, _, _, failed in executed:
            if failed:
                self.failed[name, self._clients.label(_client_name(client))] += 1

    def _forget_operation(self, name: str) -> None:
        for counts in (self.received, self.failed):
            for key in [key for key in counts if key[0] == name]:
                counts[OTHER, key[1]] += counts.pop(key)
        durations = self.durations.pop(name, None)
        if durations is not None:
            self.durations.setdefault(OTHER, Durations()).add(durations)
        self.slowest.pop(name, None)

    def _forget_client(self, name: str) -> None:
        for counts in (self.received, self.failed):
            for key in [key for key in counts if key[1] == name]:
                counts[key[0], OTHER] += counts.pop(key)


def executed_in(notes: Iterable[Note]) -> list[Executed]:
    """The executions among ``notes``."""
    return [note for note in notes if len(note) == 6]


def _name_of(name: str | None) -> str:
    if name is None:
        return ANONYMOUS
    return name if len(name) <= _LONGEST_NAME else OTHER


@lru_cache(maxsize=1024)
def _known_client_name(client: bytes) -> str:
    return client.decode() if _CLIENT_NAME.fullmatch(client) else OTHER


def _client_name(client: bytes) -> str:
    if not client:
        return UNKNOWN
    return _known_client_name(client) if len(client) <= _LONGEST_CLIENT else OTHER
