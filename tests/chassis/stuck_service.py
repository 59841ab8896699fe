"""A service with a worker that does not end: ``python -m tests.chassis.stuck_service thread|loop SECONDS``.

It prints a line when its worker is at work. Its environment is that of any service.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from dataclasses import replace

import click

from subgraphs.chassis.app import create_app
from subgraphs.chassis.observation.logs import configure_logs
from subgraphs.chassis.server import serve_app
from subgraphs.chassis.service import Worker
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.chassis.example import Notes, notes_service


def _wait_for_ever() -> None:
    threading.Event().wait()


async def _in_a_thread(notes: Notes) -> None:
    click.echo("at work")
    await asyncio.to_thread(_wait_for_ever)


async def _in_the_loop(notes: Notes) -> None:
    click.echo("at work")
    try:
        await asyncio.Event().wait()
    finally:
        _wait_for_ever()


if __name__ == "__main__":
    stuck = {"thread": _in_a_thread, "loop": _in_the_loop}[sys.argv[1]]
    service = replace(notes_service(Notes()), workers=(Worker("stuck", stuck, 1),))
    configure_logs("json", "notes")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve_app(create_app(service, read_settings(ServiceSettings, "notes")), listener, float(sys.argv[2]))
