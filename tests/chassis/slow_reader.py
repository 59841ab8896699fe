"""``python -m tests.chassis.slow_reader PORT``: notes whose event handler waits for a line on stdin before it writes.

It prints what it does: "handling" when an event is there, "stopping" when the service was told to end.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from dataclasses import replace
from typing import Any, cast

from subgraphs.chassis.app import create_app
from subgraphs.chassis.database.mongodb import Database
from subgraphs.chassis.events.event import Event
from subgraphs.chassis.server import serve_app
from subgraphs.chassis.service import Service, Worker
from subgraphs.chassis.settings import read_settings
from tests.chassis.example import Notes, notes_service


async def write_note(database: Database, event: Event) -> None:
    """An insert, so that a second delivery would fail."""
    print("handling", flush=True)  # noqa: T201 - the test reads it
    await asyncio.to_thread(sys.stdin.readline)
    await database["notes"].insert_one({"_id": event.id, "outbox": []})


async def tell_the_end(_: Database) -> None:
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("stopping", flush=True)  # noqa: T201 - the test reads it
        raise


def slow_service() -> Service[Any, Any, Any]:
    """The example of the chassis over a database."""
    service = cast("Service[Any, Any, Any]", notes_service(Notes()))
    return replace(
        service,
        build=lambda runtime: runtime.database,
        handlers={"note.taken": write_note},
        workers=(Worker("tells", tell_the_end, 1),),
    )


def main() -> None:
    """Serve as ``mall serve`` does."""
    service = slow_service()
    app = create_app(service, read_settings(service.settings, service.name, os.environ))
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        serve_app(app, listener)


if __name__ == "__main__":
    main()
