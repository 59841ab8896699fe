"""The books of a mall: what lies in its five databases and on its bus, read directly."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nats
import orjson
from pymongo import MongoClient

from stack import mongodb
from stack import nats as nats_server
from stack.environment import SERVICES
from stack.secrets import passwords
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.nats_bus import STREAM
from tests.mall import RunningMall

Document = dict[str, Any]
OUTBOXES = {
    "orders": ("orders",),
    "payments": ("payments",),
    "inventory": ("products", "reservations"),
    "shipping": ("shipments",),
}


@dataclass(frozen=True, slots=True)
class Books:
    """Documents as they lie in the databases: one list for each collection that the audit reads."""

    orders: Sequence[Document]
    payments: Sequence[Document]
    invoices: Sequence[Document]
    reservations: Sequence[Document]
    products: Sequence[Document]
    movements: Sequence[Document]
    shipments: Sequence[Document]
    baskets: Sequence[Document]
    tallies: Sequence[Document]
    histories: Sequence[Document]
    dead_letters: Sequence[tuple[str, str]]
    """Consumer and event id of each."""

    def by_order(self, documents: Sequence[Document]) -> Mapping[str, list[Document]]:
        """``documents`` by their field ``orderId``."""
        found: dict[str, list[Document]] = defaultdict(list)
        for document in documents:
            found[document["orderId"]].append(document)
        return found


@dataclass(frozen=True, slots=True)
class Bustle:
    """What is still on its way: events in outboxes, and events that consumers have not handled."""

    in_outboxes: Mapping[str, int]
    with_consumers: Mapping[str, int]

    @property
    def is_over(self) -> bool:
        """Whether nothing is on its way."""
        return not any(self.in_outboxes.values()) and not any(self.with_consumers.values())


@contextmanager
def open_databases(mall: RunningMall) -> Iterator[Mapping[str, MongoClient[Document]]]:
    """A client of each service's own database, with that service's own user."""
    words = _passwords(mall)
    server = f"mongodb://127.0.0.1:{mall.ports['mongodb']}/"
    urls = {name: mongodb.service_url(server, name, words[name]) for name in SERVICES}
    clients = {name: MongoClient[Document](url, timeoutMS=60_000, tz_aware=True) for name, url in urls.items()}
    try:
        yield clients
    finally:
        for client in clients.values():
            client.close()


def read_books(mall: RunningMall) -> Books:
    """Everything that is written down at this moment."""
    with open_databases(mall) as clients:
        read = partial(_read, clients)
        products = read("inventory", "products")
        fresh = [line for product in products for line in product["journal"]]
        movements = {line["_id"]: line for line in [*read("inventory", "movements"), *fresh]}
        return Books(
            orders=read("orders", "orders"),
            payments=read("payments", "payments"),
            invoices=read("payments", "invoices"),
            reservations=read("inventory", "reservations"),
            products=products,
            movements=list(movements.values()),
            shipments=read("shipping", "shipments"),
            baskets=read("recommendations", "baskets"),
            tallies=read("recommendations", "tallies"),
            histories=read("recommendations", "histories"),
            dead_letters=asyncio.run(_dead_letters(nats_url(mall))),
        )


def read_bustle(mall: RunningMall) -> Bustle:
    """What is on its way at this moment."""
    with open_databases(mall) as clients:
        waiting = {
            f"{service}.{name}": clients[service][service][name].count_documents({"outbox.time": {"$gt": ""}})
            for service, names in OUTBOXES.items()
            for name in names
        }
    return Bustle(waiting, asyncio.run(_unhandled(nats_url(mall))))


def nats_url(mall: RunningMall) -> str:
    """The URL of the mall's NATS."""
    return nats_server.server_url(mall.ports["nats"], _passwords(mall)["nats"])


def _read(clients: Mapping[str, MongoClient[Document]], service: str, collection: str) -> list[Document]:
    return list(clients[service][service][collection].find())


def _passwords(mall: RunningMall) -> Mapping[str, str]:
    return passwords(Path(mall.environment["GALLERIA_DATA"]) / "secrets.json", [*SERVICES, "nats"])


async def _unhandled(url: str) -> dict[str, int]:
    client = await nats.connect(url)
    try:
        consumers = await client.jetstream().consumers_info(STREAM)
        return {each.name: (each.num_pending or 0) + (each.num_ack_pending or 0) for each in consumers}
    finally:
        await client.close()


async def _dead_letters(url: str) -> list[tuple[str, str]]:
    bus = await nats_bus.connect(url, "audit")
    try:
        return [(letter.consumer, orjson.loads(letter.body)["id"]) for letter in await bus.dead_letters()]
    finally:
        await bus.close()
