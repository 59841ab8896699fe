"""The ``mall`` command: serve a service, print its schema, seed it, look after its events, and make tokens.

Services are found by name (``subgraphs.<name>.app``, attribute ``service``) only when they are asked for.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import pkgutil
import socket
import sys
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import click
import pymongo
import structlog
from pymongo.errors import PyMongoError

import subgraphs
from subgraphs.chassis.app import create_app
from subgraphs.chassis.clock import utc_now
from subgraphs.chassis.database.migrations import migrate
from subgraphs.chassis.database.mongodb import connect, disconnect, prepare_collections
from subgraphs.chassis.database.seeding import seed_if_empty
from subgraphs.chassis.errors import ChassisError, SettingsError, Unavailable
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.bus import DeadLetter
from subgraphs.chassis.identity.auth import issue_token
from subgraphs.chassis.identity.dev_keys import ensure_key
from subgraphs.chassis.observation.logs import configure_logs
from subgraphs.chassis.process import PREPARE_WITHIN_S
from subgraphs.chassis.server import serve_app
from subgraphs.chassis.service import Runtime, Service
from subgraphs.chassis.settings import BusSettings, CommandSettings, ServiceSettings, read_settings

TOKEN_LIFE = timedelta(hours=12)
SUBJECTS = {
    "customer": {"sub": "cus_ada", "name": "Ada Lovelace", "email": "ada@example.com"},
    "staff": {"sub": "staff_grace", "name": "Grace Hopper", "email": "grace@example.com"},
}
STAFF_SCOPES = ("inventory:write", "orders:read-all", "orders:write", "payments:refund", "shipping:write")

LOG = structlog.get_logger()

AnyService = Service[Any, Any, ServiceSettings]


@click.group()
@click.version_option(package_name="galleria")
def mall() -> None:
    """Run the services of the mall."""


@mall.command()
@click.argument("name")
@click.option("--host", help="Address to listen on (default: HOST, else 127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT, else the service's own)."
)
def serve(name: str, host: str | None, port: int | None) -> None:
    """Serve the service NAME until SIGTERM."""
    service = load_service(name)
    settings = read_settings(service.settings, name)
    address = (host or settings.host, _first(port, settings.port, service.port))
    configure_logs(settings.log_format, name, settings.log_level)
    with _listen(*address) as listener:
        app = create_app(service, settings)
        LOG.info("serving", url=f"http://{address[0]}:{listener.getsockname()[1]}/graphql")
        serve_app(app, listener)


@mall.command()
@click.argument("name")
def sdl(name: str) -> None:
    """Print the schema of the service NAME."""
    click.echo(load_service(name).schema.as_str())


@mall.command()
@click.argument("name", required=False)
def seed(name: str | None) -> None:
    """Fill the empty database of NAME, or of every service whose <NAME>_MONGODB_URL is set, with the demo shop."""
    names = [name] if name else _services_with_databases()
    if not names:
        raise SettingsError(
            "<SERVICE>_MONGODB_URL: is not set for any service; set it, or say which one: mall seed NAME"
        )
    for each in names:
        count = _run(_seed(each))
        click.echo(f"{each}: {'not empty, left as it is' if count is None else f'{count} documents'}")


@mall.command()
@click.argument("name")
def rebuild(name: str) -> None:
    """Let the service NAME learn everything anew from the stream of events; it may serve meanwhile."""
    click.echo(f"{name}: learned {_run(_rebuild(name))} events")


@mall.command()
@click.option("--role", type=click.Choice(sorted(SUBJECTS)), required=True)
@click.option("--subject", help="Customer or staff id (default: cus_ada, staff_grace).")
@click.option("--scope", help=f"What staff may do, as one text: some of '{' '.join(STAFF_SCOPES)}' (default: all).")
def token(role: str, subject: str | None, scope: str | None) -> None:
    """Print a bearer token signed with the development key."""
    settings = read_settings(CommandSettings, "mall")
    if not settings.development:
        raise SettingsError("GALLERIA_ENV: production has no development key; get tokens from your identity provider")
    claims = {**SUBJECTS[role], "role": role, "scope": _scopes(role, scope)}
    if subject:
        claims |= {"sub": subject, "name": subject}
    click.echo(issue_token(ensure_key(settings.keys_directory), claims, utc_now() + TOKEN_LIFE))


@mall.group()
def events() -> None:
    """Look after events that no handler could take."""


@events.command()
def dead() -> None:
    """List the dead letters: number, consumer, type, when, why."""
    letters = _run(_dead_letters())
    if not letters:
        click.echo("There are none: every event was taken.", err=True)
    for letter in letters:
        when = letter.buried_at.isoformat(timespec="seconds")
        click.echo(f"{letter.sequence}\t{letter.consumer}\t{letter.type}\t{when}\t{letter.reason}")


@events.command()
@click.argument("numbers", type=int, nargs=-1)
def retry(numbers: tuple[int, ...]) -> None:
    """Deliver the dead letters NUMBERS (default: all) once more, each to the consumer that failed."""
    count = _run(_retry(numbers))
    click.echo(f"{count} events are on their way again")


def load_service(name: str) -> AnyService:
    """The service ``name``; raises SettingsError, naming those there are, where there is none."""
    if name not in service_names():
        raise SettingsError(f"there is no service {name!r}; there are {', '.join(service_names())}")
    service: AnyService = importlib.import_module(f"subgraphs.{name}.app").service
    return service


def service_names() -> list[str]:
    """The packages of ``subgraphs`` that have an ``app`` of a service, in alphabetical order."""
    packages = [
        found.name for found in pkgutil.iter_modules(subgraphs.__path__) if found.ispkg and found.name != "chassis"
    ]
    return [name for name in packages if importlib.util.find_spec(f"subgraphs.{name}.app")]


def main() -> None:
    """Run the command line; a wrong setting is one line on stderr and exit code 2, never a traceback."""
    try:
        mall()
    except SettingsError as error:
        click.echo(f"mall: {error}", err=True)
        sys.exit(2)
    except ChassisError as error:
        click.echo(f"mall: {error}", err=True)
        sys.exit(1)


def _scopes(role: str, scope: str | None) -> str:
    if scope is None:
        return " ".join(STAFF_SCOPES) if role == "staff" else ""
    if role != "staff":
        raise SettingsError("--scope: only staff has scopes; use it with --role staff")
    unknown = sorted(set(scope.split()) - set(STAFF_SCOPES))
    if unknown:
        raise SettingsError(f"--scope: there is no scope {unknown[0]!r}; there are {', '.join(STAFF_SCOPES)}")
    return " ".join(scope.split())


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SettingsError(f"PORT: cannot listen on {host}:{port}: {reason}; choose another with --port") from None


async def _seed(name: str) -> int | None:
    service = load_service(name)
    settings = read_settings(service.settings, name)
    database = connect(settings)
    runtime = Runtime(settings, database, _NoOutbox(), utc_now)
    try:
        await database.command("ping")
        with pymongo.timeout(PREPARE_WITHIN_S):
            await migrate(database, service.migrations)
            await prepare_collections(database, service.collections)
            return await seed_if_empty(database, service.collections, partial(service.seed, runtime), utc_now())
    except PyMongoError as error:
        raise Unavailable(f"{name}: the database cannot be seeded: {type(error).__name__}: {error}") from None
    finally:
        disconnect(database)


async def _rebuild(name: str) -> int:
    service = load_service(name)
    if service.rebuild is None:
        raise SettingsError(f"{name} is not made of others' events: there is nothing to rebuild it from")
    settings = read_settings(service.settings, name)
    database = connect(settings)
    bus = await nats_bus.connect(settings.nats_url.get_secret_value(), f"{name} rebuild")
    try:
        await prepare_collections(database, service.collections)
        return await service.rebuild(Runtime(settings, database, _NoOutbox(), utc_now), bus)
    finally:
        await bus.close()
        disconnect(database)


class _NoOutbox:
    """Neither seeding nor rebuilding announces anything."""

    def wake(self) -> None:
        """Nobody listens."""


async def _dead_letters() -> Sequence[DeadLetter]:
    bus = await nats_bus.connect(_nats_url(), "mall")
    try:
        return await bus.dead_letters()
    finally:
        await bus.close()


async def _retry(numbers: Sequence[int]) -> int:
    bus = await nats_bus.connect(_nats_url(), "mall")
    try:
        letters = [letter for letter in await bus.dead_letters() if not numbers or letter.sequence in numbers]
        for letter in letters:
            await bus.revive(letter)
        return len(letters)
    finally:
        await bus.close()


def _nats_url() -> str:
    return read_settings(BusSettings, "mall").nats_url.get_secret_value()


def _services_with_databases() -> list[str]:
    return [name for name in service_names() if os.environ.get(f"{name.upper()}_MONGODB_URL")]


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
