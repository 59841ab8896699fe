"""What the tests of every service use: the service in this process, asked over ASGI, with tokens for anyone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route
from starlette.websockets import WebSocket

from subgraphs.chassis.app import create_app
from subgraphs.chassis.clock import Clock, utc_now
from subgraphs.chassis.command import STAFF_SCOPES
from subgraphs.chassis.database.live_feed import LiveFeed
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.bus import Bus
from subgraphs.chassis.events.event import Event, Payload, decode_event, new_event
from subgraphs.chassis.graphql.endpoint import GraphQLEndpoint
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.http.body_limit import BodyLimit
from subgraphs.chassis.identity.auth import AuthContext, TokenVerifier, issue_token
from subgraphs.chassis.identity.dev_keys import JWKS_FILE, ensure_key
from subgraphs.chassis.identity.keys import JwksFile
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.service import Service
from subgraphs.chassis.settings import read_settings

DEADLINE_S = 20.0
Json = dict[str, Any]
T = TypeVar("T")
AnyService = Service[Any, Any, Any]


class ServiceClient:
    """Asks a service in this process as a customer, as staff, or as nobody."""

    def __init__(self, app: Starlette, keys: Path) -> None:
        self._keys = keys
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", timeout=DEADLINE_S)

    @classmethod
    def over(cls, http: httpx.AsyncClient, keys: Path) -> Self:
        """A client of a service in another process."""
        client = cls(Starlette(), keys)
        client.http = http
        return client

    def token(self, subject: str, expires: datetime | None = None, scopes: Sequence[str] = STAFF_SCOPES) -> str:
        """A token for ``cus_...`` (a customer) or ``staff_...`` (with ``scopes``)."""
        role = "staff" if subject.startswith("staff") else "customer"
        claims = {"sub": subject, "role": role, "name": subject, "scope": " ".join(scopes)}
        return issue_token(ensure_key(self._keys), claims, expires or utc_now() + timedelta(hours=1))

    async def ask(self, query: str, subject: str | None = None, /, **variables: object) -> Json:
        """The GraphQL response to ``query`` from ``subject``; None is anonymous."""
        headers = {"authorization": f"Bearer {self.token(subject)}"} if subject else {}
        response = await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        body: Json = response.json()
        return body

    async def data(self, query: str, subject: str | None = None, /, **variables: object) -> Json:
        """The ``data`` of a response that must have no errors."""
        body = await self.ask(query, subject, **variables)
        assert "errors" not in body, body["errors"]
        data: Json = body["data"]
        return data

    async def error_code(self, query: str, subject: str | None = None, /, **variables: object) -> str:
        """The code of the one error of a response."""
        (error,) = (await self.ask(query, subject, **variables))["errors"]
        code: str = error["extensions"]["code"]
        return code


@asynccontextmanager
async def running_service(
    service: AnyService, environment: Mapping[str, str], clock: Clock = utc_now
) -> AsyncIterator[ServiceClient]:
    """The whole service with its database, bus and consumers; begins when it is ready."""
    app = create_app(service, read_settings(service.settings, service.name, environment), clock)
    client = ServiceClient(app, Path(environment["GALLERIA_DATA"]) / "keys")
    async with app.router.lifespan_context(app), client.http:
        await asyncio.wait_for(app.state.process.readiness.wait_ready(), DEADLINE_S)
        yield client


def client_of(service: AnyService, use_cases: object, keys: Path, metrics: Metrics | None = None) -> ServiceClient:
    """The schema of a service over ``use_cases`` alone: no database, no bus."""
    ensure_key(keys)
    verifier, metrics = TokenVerifier(JwksFile(keys / JWKS_FILE)), metrics or Metrics()
    live = LiveFeed(service.name, metrics)
    live.close()  # a subscription ends when it has told what there is now

    async def context(request: Request | WebSocket) -> RequestContext[Any, Any]:
        auth: AuthContext = await verifier.verify(request.headers.get("authorization"))
        return RequestContext(auth, lambda: use_cases, service.loaders, metrics, live)

    endpoint = GraphQLEndpoint(service.schema, context, metrics)
    return ServiceClient(Starlette(routes=[Route("/graphql", endpoint)], middleware=[Middleware(BodyLimit)]), keys)


async def eventually(attempt: Callable[[], Awaitable[T | None]], what: str) -> T:
    """The first true answer of ``attempt``; fails when there is none in time."""
    deadline = time.monotonic() + DEADLINE_S
    while not (answer := await attempt()):
        assert time.monotonic() < deadline, f"{what} did not come true within {DEADLINE_S:.0f} s"
        await asyncio.sleep(0.02)
    return answer


def event(type_: str, subject: str, data: Mapping[str, object], source: str = "tests") -> Event:
    """An event as another service would publish it."""
    blank = new_event(source, type_, subject, utc_now(), Payload())
    return Event(blank.id, blank.source, blank.type, blank.subject, blank.time, dict(data))


@asynccontextmanager
async def bus_of(nats_url: str) -> AsyncIterator[Bus]:
    """A connection of the test's own to the bus."""
    bus = await nats_bus.connect(nats_url, "tests")
    try:
        yield bus
    finally:
        await bus.close()


async def published(bus: Bus, types: Sequence[str], count: int) -> list[tuple[str, Json]]:
    """The first ``count`` events of ``types`` since the stream began, as (type, data)."""
    subscription = await bus.subscribe("tests", types)
    found: list[tuple[str, Json]] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < count:
        assert time.monotonic() < deadline, f"only {found} of {count} events {types} came within {DEADLINE_S:.0f} s"
        for delivery in await subscription.fetch(count - len(found), 1):
            found.append((delivery.type, dict(decode_event(delivery.body).data)))
            await delivery.acknowledge()
    return found


class CommandLog(CommandListener):
    """Writes down the names of the database commands that a client sends."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to write down."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to write down."""
