"""The shipments' store in memory; ``told`` is all that its writes told, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from subgraphs.shipping.domain import Shipment, ShipmentEvent


@dataclass(slots=True)
class MemoryStore:
    """Implements the store's Protocol; ``queries`` names the reads."""

    kept: dict[str, Shipment] = field(default_factory=dict)
    cancelled: dict[str, datetime] = field(default_factory=dict)
    told: list[ShipmentEvent] = field(default_factory=list)
    causes: set[tuple[str, str]] = field(default_factory=set)
    queries: list[str] = field(default_factory=list)

    async def shipments(self, ids: Sequence[str]) -> Mapping[str, Shipment]:
        self.queries.append("shipments")
        return {id_: self.kept[id_] for id_ in ids if id_ in self.kept}

    async def shipments_of_orders(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[Shipment]]:
        self.queries.append("shipments_of_orders")
        found: dict[str, list[Shipment]] = defaultdict(list)
        for shipment in sorted(self.kept.values(), key=lambda each: (each.created_at, each.id)):
            if shipment.order_id in order_ids:
                found[shipment.order_id].append(shipment)
        return found

    async def tracked_shipments(self, tracking_numbers: Sequence[str]) -> Mapping[str, Shipment]:
        self.queries.append("tracked_shipments")
        known = {each.tracking_number: each for each in self.kept.values()}
        return {number: known[number] for number in tracking_numbers if number in known}

    async def add(self, shipment: Shipment, cause: str | None = None) -> bool:
        if shipment.id in self.kept:
            return False
        self.kept[shipment.id] = shipment
        if cause:
            self.causes.add((shipment.id, cause))
        return True

    async def save(
        self, shipment: Shipment, events: Sequence[ShipmentEvent] = (), cause: str | None = None
    ) -> Shipment | None:
        if self.kept[shipment.id].revision != shipment.revision or (cause and (shipment.id, cause) in self.causes):
            return None
        if cause:
            self.causes.add((shipment.id, cause))
        written = self.kept[shipment.id] = replace(shipment, revision=shipment.revision + 1)
        self.told.extend(events)
        return written

    async def due(self, now: datetime, limit: int) -> Sequence[Shipment]:
        due = [shipment for shipment in self.kept.values() if shipment.due_at and shipment.due_at <= now]
        return sorted(due, key=lambda shipment: shipment.due_at or now)[:limit]

    async def mark_cancelled(self, order_id: str, at: datetime) -> None:
        self.cancelled.setdefault(order_id, at)

    async def is_cancelled(self, order_id: str) -> bool:
        return order_id in self.cancelled
