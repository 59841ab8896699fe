"""A service at work: reaches database, bus and keys in whatever order they come, and leaves them in the reverse one.

Serving begins at once. Until the database is there, its indexes are made and (if asked) the demo shop is in,
requests that need it get SERVICE_UNAVAILABLE; consumers start after that. Everything that fails is tried again after
growing pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Generic, NoReturn, TypeVar

import httpx
import pymongo
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.websockets import WebSocket

from subgraphs.chassis.cancellation import await_end, cancel_once, leave_if_cancelled
from subgraphs.chassis.clock import Clock, utc_now
from subgraphs.chassis.database.live_feed import LiveFeed, LiveOutbox
from subgraphs.chassis.database.migrations import migrate
from subgraphs.chassis.database.mongodb import Database, connect, disconnect, prepare_collections
from subgraphs.chassis.database.seeding import seed_if_empty
from subgraphs.chassis.errors import CodedError, Unavailable
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.consumer import Consumer
from subgraphs.chassis.events.outbox import Relay
from subgraphs.chassis.graphql.request_context import RequestContext
from subgraphs.chassis.identity.auth import NEEDS_USER, TokenVerifier
from subgraphs.chassis.identity.dev_keys import JWKS_FILE, ensure_key
from subgraphs.chassis.identity.keys import JwksFile, JwksUrl, KeySource
from subgraphs.chassis.observation.metrics import Metrics
from subgraphs.chassis.observation.telemetry import open_tracer
from subgraphs.chassis.observation.tracing import Tracer
from subgraphs.chassis.production import check_production
from subgraphs.chassis.readiness import Readiness
from subgraphs.chassis.service import A, L, Runtime, S, Service, Worker
from subgraphs.chassis.settings import ServiceSettings

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
CHECK_EVERY_S = 5.0
PREPARE_WITHIN_S = 60.0
MIGRATE_WITHIN_S = 3600.0
LAST_SPANS_WITHIN_S = 1.0
LOG = structlog.get_logger()

T = TypeVar("T")


class ServiceProcess(Generic[A, L, S]):
    """One running service; :meth:`lifespan` is Starlette's. Raises SettingsError where it must not start."""

    def __init__(self, service: Service[A, L, S], settings: S, clock: Clock = utc_now) -> None:
        self.service = service
        self.settings = settings
        self.metrics = Metrics()
        self.tracer, self._listeners = open_tracer(settings, service.name)
        self.readiness = Readiness(["mongodb", "nats", "jwks"])
        check_production(settings)
        ensure_development_key(settings)
        self._clock = clock
        self._relay = Relay(service.collections, self.metrics)
        self.live = LiveFeed(service.name, self.metrics)
        self._verifier: TokenVerifier | None = None
        self._use_cases: A | None = None
        self._consuming: asyncio.Task[None] | None = None
        self._ends = False

    async def context(self, request: Request | WebSocket) -> RequestContext[A, L]:
        """The context of one request; raises CodedError(UNAUTHENTICATED) or Unavailable."""
        if self._verifier is None:
            raise Unavailable(f"The {self.service.name} service is starting; try again.")
        auth = await self._verifier.verify(request.headers.get("authorization"))
        if auth.subject is None and request.scope.get(NEEDS_USER):
            message = "This service answers the router, and who bears a token: send `authorization: Bearer <token>`."
            raise CodedError("UNAUTHENTICATED", message)
        return RequestContext(auth, self._open, self.service.loaders, self.metrics, self.live)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Run everything that is not a request while the app serves."""
        async with AsyncExitStack() as resources:
            client = await resources.enter_async_context(httpx.AsyncClient(timeout=5))
            keys = key_source(self.settings, client)
            self._verifier = TokenVerifier(keys, self._clock, self.settings.token_leeway_s)
            resources.push_async_callback(_close_tracer, self.tracer)
            database = connect(self.settings, [self.metrics.mongodb, *self._listeners])
            resources.callback(disconnect, database)
            tasks = [
                asyncio.create_task(self._watch_keys(keys)),
                asyncio.create_task(self._work(database)),
            ]
            resources.push_async_callback(_cancel, tasks)
            yield

    def begin_end(self) -> None:
        """Begin nothing new but requests: subscriptions end, and no more events are taken.

        Called where requests are still answered, so that events under way end beside them and not after them.
        """
        self._ends = True
        self.live.close()
        if self._consuming is not None:
            cancel_once(self._consuming)

    def _open(self) -> A:
        if self._use_cases is None:
            reason = self.readiness.missing.get("mongodb", "starting")
            raise Unavailable(f"The {self.service.name} service does not reach its database yet ({reason}); try again.")
        return self._use_cases

    async def _watch_keys(self, keys: KeySource) -> NoReturn:
        while True:
            await self._retry("jwks", keys.check)
            await asyncio.sleep(CHECK_EVERY_S)

    async def _work(self, database: Database) -> None:
        try:
            await self._reach_and_run(database)
        except Exception as error:  # a defect of ours: say so instead of serving on without events
            LOG.exception("stopped_working")
            self._lost("service", error)
            raise

    async def _reach_and_run(self, database: Database) -> None:
        await self._retry("mongodb", partial(self._prepare, database))
        use_cases = self._use_cases = self.service.build(self._runtime(database))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_database(database))
            group.create_task(self._run_bus(database, use_cases))
            for worker in self.service.workers:
                group.create_task(_run_worker(worker, use_cases))

    def _runtime(self, database: Database) -> Runtime[S]:
        return Runtime(self.settings, database, LiveOutbox(self._relay, self.live), self._clock)

    async def _prepare(self, database: Database) -> None:
        await database.command("ping")
        with pymongo.timeout(MIGRATE_WITHIN_S):
            await migrate(database, self.service.migrations, self._clock)
        with pymongo.timeout(PREPARE_WITHIN_S):  # indexes and seeds take longer than requests may
            await prepare_collections(database, self.service.collections)
            if self.settings.seed_demo:
                await self._seed(database)

    async def _seed(self, database: Database) -> None:
        seed = partial(self.service.seed, self._runtime(database))
        count = await seed_if_empty(database, self.service.collections, seed, self._clock())
        if count is not None:
            LOG.info("seeded", documents=count)

    async def _watch_database(self, database: Database) -> NoReturn:
        while True:
            await self._retry("mongodb", partial(database.command, "ping"))
            oldest = await self._retry("mongodb", partial(self._relay.oldest_pending, database))
            self.metrics.relay_lags((utc_now() - oldest).total_seconds() if oldest else 0)
            await asyncio.sleep(CHECK_EVERY_S)

    async def _run_bus(self, database: Database, use_cases: A) -> NoReturn:
        while True:
            bus = await self._retry("nats", self._connect_bus)
            try:  # in a task of its own: a group that fails leaves its mark of cancellation on the task (CPython 3.11)
                await asyncio.create_task(self._use_bus(database, bus, use_cases))
            except ExceptionGroup as errors:
                self._lost("nats", errors.exceptions[0])
                await asyncio.sleep(FIRST_PAUSE_S)
            finally:
                await bus.close()

    async def _use_bus(self, database: Database, bus: nats_bus.NatsBus, use_cases: A) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.run(database, bus))
            group.create_task(self.live.run(bus))
            if self.service.handlers and not self._ends:
                self._consuming = asyncio.create_task(self._consumer(use_cases).run(bus))
                group.create_task(await_end(self._consuming))

    async def _connect_bus(self) -> nats_bus.NatsBus:
        def changed(loss: str | None) -> None:
            if loss is None:
                self.readiness.reached("nats")
                self.live.look_again()
            else:
                self._miss("nats", loss)

        return await nats_bus.connect(self.settings.nats_url.get_secret_value(), self.service.name, changed)

    def _consumer(self, use_cases: A) -> Consumer:
        handlers = {type_: partial(handler, use_cases) for type_, handler in self.service.handlers.items()}
        return Consumer(self.service.name, handlers, self.metrics, tracer=self.tracer)

    async def _retry(self, need: str, attempt: Callable[[], Awaitable[T]]) -> T:
        pause_s = FIRST_PAUSE_S
        while True:
            leave_if_cancelled()
            try:
                result = await attempt()
            except Exception as error:  # noqa: BLE001 - whatever is wrong, the service waits for it to be mended
                self._lost(need, error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self.readiness.reached(need)
                return result

    def _lost(self, need: str, error: Exception) -> None:
        self._miss(need, f"{type(error).__name__}: {str(error)[:200]}")

    def _miss(self, need: str, reason: str) -> None:
        if need not in self.readiness.missing or self.readiness.missing[need] != reason:
            LOG.warning("waiting", need=need, reason=reason)
        self.readiness.lost(need, reason)


def key_source(settings: ServiceSettings, client: httpx.AsyncClient) -> KeySource:
    """Where the settings say that keys are; where they do not, the development key is used."""
    if settings.jwks_url:
        return JwksUrl(settings.jwks_url, client, development=settings.development)
    return JwksFile(settings.jwks_file or settings.keys_directory / JWKS_FILE, development=settings.development)


def ensure_development_key(settings: ServiceSettings) -> None:
    """Make the development key where the settings name no other keys; raises SettingsError where it cannot be made."""
    if not settings.jwks_url and not settings.jwks_file:
        ensure_key(settings.keys_directory)


async def _run_worker(worker: Worker[A], use_cases: A) -> NoReturn:
    while True:
        leave_if_cancelled()
        try:
            await worker.round(use_cases)
        except Exception as error:  # noqa: BLE001 - the next round may do better
            LOG.warning("worker_failed", worker=worker.name, error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(worker.every_s)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _close_tracer(tracer: Tracer) -> None:
    with suppress(TimeoutError):  # a collector that does not answer may be waited for ten seconds for each batch
        await asyncio.wait_for(asyncio.to_thread(tracer.close), LAST_SPANS_WITHIN_S)
