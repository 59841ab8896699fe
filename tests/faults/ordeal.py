"""The ordeal of a mall: a load of orders, a saboteur among the processes, then quiet, then the audit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from stack.environment import SERVICES
from tests.faults.audit import Finding, Kind, audit, unsettled
from tests.faults.books import Books, open_databases, read_books, read_bustle
from tests.faults.load import Load, Placed, plans
from tests.faults.misprints import Misprints
from tests.faults.saboteur import Saboteur, schedule
from tests.mall import RunningMall, await_condition

SETTINGS: Final = {
    "GALLERIA_FIRST_PAUSE_S": "0.2",
    "GALLERIA_LONGEST_PAUSE_S": "1",
    # Parcels leave on staff's word alone, and are at the door soon after.
    "SHIPPING_DISPATCH_AFTER_S": "86400",
    "SHIPPING_HUB_AFTER_S": "0.5",
    "SHIPPING_OUT_FOR_DELIVERY_AFTER_S": "0.5",
    "SHIPPING_DELIVERY_AFTER_S": "0.5",
    "INVENTORY_RESERVATION_TTL_S": "86400",
}
"""The settings of a mall for an ordeal."""
QUIET_WITHIN_S = 300.0
PRODUCTS = "{ products(first: 100, inStock: true) { edges { node { id stock { available } } } } }"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What an ordeal did and found: strikes by victim, what was placed and misprinted, findings, the books after it.

    ``quiet_after_s`` is the time from the last strike until nothing was on its way any more.
    """

    seed: int
    kills: Mapping[str, int]
    pauses: Mapping[str, int]
    placed: Sequence[Placed]
    misprints: Sequence[str]
    known_before: frozenset[str]
    struck_s: float
    quiet_after_s: float
    findings: Sequence[Finding]
    books: Books

    def text(self) -> str:
        """The report as it is printed."""
        scenarios = Counter(each.plan.scenario.name.lower() for each in self.placed)
        ids = {each.order_id for each in self.placed}
        ends = Counter(order["status"] for order in self.books.orders if order["_id"] in ids)
        kinds = Counter(finding.kind for finding in self.findings)
        parcels = [shipment["parcel"] for shipment in self.books.shipments if shipment["orderId"] in ids]
        lines = [
            f"seed {self.seed}: {sum(self.kills.values())} kills and {sum(self.pauses.values())} pauses"
            f" in {self.struck_s:.0f} s, {len(self.placed)} orders",
            f"kills:   {_listed(self.kills)}",
            f"pauses:  {_listed(self.pauses)}",
            f"orders:  {_listed(scenarios)}",
            f"ends:    {_listed(ends)}",
            f"parcels: {len(parcels)}, {sum(each['count'] > 1 for each in parcels)} of them of orders that were split",
            f"letters: {len(self.books.dead_letters)} dead ones, of {len(self.misprints)} misprints",
            f"quiet {self.quiet_after_s:.1f} s after the last strike",
            "audit:   " + ", ".join(f"{kinds[kind] or 'zero'} {kind}" for kind in Kind),
        ]
        return "\n".join(lines + [f"  {finding.kind}: {finding.what}" for finding in self.findings])


def undergo(mall: RunningMall, seed: int, kills: int, shoppers: int, tell: Tell = lambda _: None) -> Report:
    """Load ``mall`` with ``shoppers`` and misprints, strike it ``kills`` times as ``seed`` says, await quiet, audit."""
    with open_databases(mall) as clients:
        known_before = frozenset(order["_id"] for order in clients["orders"]["orders"]["orders"].find({}, {"_id": 1}))
    load, press = Load(mall, plans(seed, _products(mall)), shoppers), Misprints(mall)
    saboteur = Saboteur(mall)
    started_at = time.monotonic()
    try:
        saboteur.carry_out(schedule(seed, kills), tell)
    finally:
        ended_at = time.monotonic()
        tell("all strikes are done; the last shoppers finish")
        placed, misprints = load.finish(), press.finish()
    _await_open(mall)
    tell(f"{len(placed)} orders are placed; waiting for quiet")
    books = _await_quiet(mall, placed)
    quiet_at = time.monotonic()
    return Report(
        seed=seed,
        kills=saboteur.kills,
        pauses=saboteur.pauses,
        placed=placed,
        misprints=misprints,
        known_before=known_before,
        struck_s=ended_at - started_at,
        quiet_after_s=quiet_at - ended_at,
        findings=[*_still_on_its_way(mall), *audit(books, placed, known_before, misprints)],
        books=books,
    )


def _products(mall: RunningMall) -> list[str]:
    """Products in stock; the first is the scarcest of which there are five."""
    nodes = [edge["node"] for edge in mall.data(PRODUCTS)["products"]["edges"]]
    by_stock = sorted(nodes, key=lambda node: (int(node["stock"]["available"]) < 5, node["stock"]["available"]))
    return [node["id"] for node in by_stock]


def _await_open(mall: RunningMall) -> None:
    waiting = {*SERVICES, "router"}

    def all_ready() -> bool:
        waiting.difference_update({name for name in waiting if _is_ready(mall, name)})
        return not waiting

    await_condition(all_ready, 120, f"the readiness of {waiting}")


def _is_ready(mall: RunningMall, name: str) -> bool:
    try:
        return mall.client.get(mall.url(name, "/health/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _await_quiet(mall: RunningMall, placed: Sequence[Placed]) -> Books:
    """The books once nothing is on its way and every order is where it belongs, or as they are when time is up."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    while True:
        over = read_bustle(mall).is_over
        if over or time.monotonic() > deadline:
            books = read_books(mall)
            if time.monotonic() > deadline or not any(unsettled(books, placed)):
                return books
        time.sleep(0.5)


def _still_on_its_way(mall: RunningMall) -> list[Finding]:
    bustle = read_bustle(mall)
    on_their_way = {**bustle.in_outboxes, **bustle.with_consumers}
    return [Finding(Kind.STUCK, f"{count} events at {where}") for where, count in on_their_way.items() if count]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
