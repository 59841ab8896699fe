"""The bus over NATS JetStream.

Stream ``MALL`` holds ``mall.<type>``; a revived dead letter travels as ``mall.retry.<consumer>.<type>``, which that
consumer alone listens to. Stream ``MALL_DEAD`` holds ``mall-dead.<consumer>.<type>`` with the reason in a header.
Notices for live subscriptions are plain messages ``live.<topic>``, in no stream.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import nats
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsInbox
from nats.errors import SecureConnWantedError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RawStreamMsg, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from subgraphs.chassis.errors import InvalidEvent, Unavailable
from subgraphs.chassis.events.bus import DeadLetter, Delivery
from subgraphs.chassis.events.event import Event, decode_event, encode_event
from subgraphs.chassis.events.nats_client import TlsAwareClient

STREAM = "MALL"
DEAD_STREAM = "MALL_DEAD"
RETRY_PREFIX = "mall.retry."
LIVE_PREFIX = "live."
DEDUPLICATION_WINDOW_S = 600.0
ACKNOWLEDGE_WITHIN_S = 30.0
CONNECT_WITHIN_S = 3.0
ANSWER_MARGIN_S = 1.0
LEAVE_WITHIN_S = 1  # whole seconds: the client's type
REPLAY_BATCH = 500
REPLAY_WITHIN_S = 10.0
NO_MESSAGES = "404"
REQUEST_EXPIRED = "408"
_REFUSAL = re.compile("authorization|authentication", re.IGNORECASE)
LOG = structlog.get_logger()


class NatsSubscription:
    """A durable pull consumer; see :class:`subgraphs.chassis.events.bus.Subscription`.

    One pull request is open at a time, and its messages are handed over as they come. (The client's own ``fetch`` of a
    batch waits for the rest of the batch once it has the first message.)
    """

    def __init__(self, client: Client, consumer: str, inbox: NatsInbox) -> None:
        self._client = client
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}"
        self._inbox = inbox
        self._requested = 0

    async def fetch(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        """See :class:`~subgraphs.chassis.events.bus.Subscription`.

        Raises Unavailable where this consumer must be made anew.
        """
        if self._requested <= 0:
            await self._request(limit, wait_s)
        deliveries: list[Delivery] = []
        try:
            while len(deliveries) < limit and (not deliveries or self._inbox.pending_msgs):
                message = await self._inbox.next_msg(wait_s + ANSWER_MARGIN_S)
                if _ends_request(message):
                    self._requested = 0
                    break
                self._requested -= 1
                deliveries.append(_delivery(message))
        except nats.errors.TimeoutError:  # the request was lost with a connection
            self._requested = 0
        return deliveries

    async def leave(self) -> None:
        """See :class:`subgraphs.chassis.events.bus.Subscription`; without a server, they come again unacknowledged."""
        try:
            await self._inbox.unsubscribe()
            while self._inbox.pending_msgs:
                message = await self._inbox.next_msg(LEAVE_WITHIN_S)
                if not _ends_request(message):
                    await message.nak()
            await self._client.flush(LEAVE_WITHIN_S)
        except (nats.errors.Error, TimeoutError) as error:
            LOG.debug("not_given_back", error=f"{type(error).__name__}: {error}")

    async def _request(self, limit: int, wait_s: float) -> None:
        expires_ns = int(wait_s * 1_000_000_000)
        await self._client.publish(
            self._next, orjson.dumps({"batch": limit, "expires": expires_ns}), self._inbox.subject
        )
        self._requested = limit


class NatsBus:
    """Implements :class:`subgraphs.chassis.events.bus.Bus`; made by :func:`connect`."""

    def __init__(self, client: Client, jetstream: JetStreamContext) -> None:
        self._client = client
        self._jetstream = jetstream

    @property
    def connected(self) -> bool:
        """Whether the server is there at this moment; the client reconnects by itself."""
        return self._client.is_connected

    async def publish(self, event: Event) -> None:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""
        headers = {"Nats-Msg-Id": event.id}
        await self._jetstream.publish(f"mall.{event.type}", encode_event(event), stream=STREAM, headers=headers)

    async def subscribe(self, consumer: str, types: Collection[str]) -> NatsSubscription:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""
        subjects = [f"mall.{type_}" for type_ in types] + [f"{RETRY_PREFIX}{consumer}.>"]
        config = ConsumerConfig(
            durable_name=consumer, filter_subjects=subjects, ack_wait=ACKNOWLEDGE_WITHIN_S, max_ack_pending=1000
        )
        await self._jetstream.add_consumer(STREAM, config)
        return NatsSubscription(self._client, consumer, await self._client.subscribe(self._client.new_inbox()))

    async def replay(self, types: Collection[str], after: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""
        config = ConsumerConfig(
            filter_subjects=[f"mall.{type_}" for type_ in types],
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=6 * REPLAY_WITHIN_S,  # it has no name, and is gone a minute after we are
        )
        consumer = await self._jetstream.add_consumer(STREAM, config)
        subscription = await self._jetstream.pull_subscribe_bind(consumer=consumer.name, stream=STREAM)
        left = consumer.num_pending or 0
        while left > 0:
            messages = await _fetch(subscription, min(left, REPLAY_BATCH))
            left -= len(messages)
            for message in messages:
                try:
                    yield message.metadata.sequence.stream, decode_event(message.data)
                except InvalidEvent as error:
                    LOG.warning("not_replayed", position=message.metadata.sequence.stream, reason=str(error))
        await subscription.unsubscribe()

    async def bury(self, consumer: str, delivery: Delivery, reason: str) -> None:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""
        headers = {
            "Reason": " ".join(reason.split())[:1000],
            "Buried-At": datetime.now(UTC).isoformat(),
            "Nats-Msg-Id": f"{consumer}-{delivery.position}",
        }
        subject = f"mall-dead.{consumer}.{delivery.type}"
        await self._jetstream.publish(subject, delivery.body, stream=DEAD_STREAM, headers=headers)

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""
        letters: list[DeadLetter] = []
        sequence = 1
        while (message := await self._next_dead(sequence)) is not None:
            letters.append(_letter(message))
            sequence = (message.seq or sequence) + 1
        return letters

    async def revive(self, letter: DeadLetter) -> None:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""
        # The id makes a second revival of the same letter harmless, should we end between the two steps.
        headers = {"Nats-Msg-Id": f"revived-{letter.sequence}-{letter.buried_at.isoformat()}"}
        subject = f"{RETRY_PREFIX}{letter.consumer}.{letter.type}"
        await self._jetstream.publish(subject, letter.body, stream=STREAM, headers=headers)
        await self._jetstream.delete_msg(DEAD_STREAM, letter.sequence)

    async def announce(self, topic: str, notice: str) -> None:
        """See :class:`subgraphs.chassis.events.bus.Bus`; a plain message, in no stream."""
        await self._client.publish(f"{LIVE_PREFIX}{topic}", notice.encode())

    async def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """See :class:`subgraphs.chassis.events.bus.Bus`."""

        async def heard(message: Msg) -> None:
            hear(message.data.decode(errors="replace"))

        await self._client.subscribe(f"{LIVE_PREFIX}{topic}", cb=heard)

    async def close(self) -> None:
        """Send what is still to be sent, and leave."""
        await self._client.close()

    async def _next_dead(self, sequence: int) -> RawStreamMsg | None:
        try:
            return await self._jetstream.get_msg(DEAD_STREAM, seq=sequence, subject="mall-dead.>", next=True)
        except NotFoundError:
            return None


async def connect(url: str, name: str, on_change: Callable[[str | None], None] | None = None) -> NatsBus:
    """A bus whose streams exist; ``on_change`` hears why the connection is lost, and None when it is regained.

    Raises Unavailable where the server is not there, refuses us, has no TLS for a ``tls://`` URL, or no JetStream.
    """
    client = TlsAwareClient()
    failures = _Failures(client, on_change)
    connecting = client.connect(
        url,
        name=name,
        connect_timeout=2,
        reconnect_time_wait=1,
        max_reconnect_attempts=-1,
        error_cb=failures.failed,
        disconnected_cb=failures.lost,
        reconnected_cb=failures.regained,
    )
    try:
        await asyncio.wait_for(connecting, CONNECT_WITHIN_S)
    except (OSError, nats.errors.Error, TimeoutError) as error:
        await _close(client)
        raise Unavailable(_why(failures.first or error)) from None
    failures.watch()
    return await _with_streams(client, failures)


class _Failures:
    """What the client says of its connection; ``first`` is the first failure, which tells more than those after it."""

    def __init__(self, client: Client, on_change: Callable[[str | None], None] | None) -> None:
        self.first: Exception | None = None
        self._client = client
        self._on_change = on_change
        self._watching = False

    def watch(self) -> None:
        """The connection is there: from now on changes are told, and failures are those of what is asked of it."""
        self.first = None
        self._watching = True

    async def failed(self, error: Exception) -> None:
        """The client tells each failure, also while it is connected."""
        self.first = self.first or error
        LOG.debug("nats_error", error=f"{type(error).__name__}: {error}")
        if _is_refusal(error) or isinstance(error, SecureConnWantedError):
            self._tell(_why(error))

    async def lost(self) -> None:
        """The connection is lost, or we leave."""
        if not self._client.is_closed:
            self._tell("the connection is lost")

    async def regained(self) -> None:
        """The connection is there again."""
        self._tell(None)

    def _tell(self, reason: str | None) -> None:
        if self._watching and self._on_change:
            self._on_change(reason)


def _is_refusal(error: Exception) -> bool:
    """Whether the server does not let us in; it says so in words alone."""
    return _REFUSAL.search(str(error)) is not None


def _why(error: Exception) -> str:
    if _is_refusal(error):
        return (
            f"NATS refuses our user or password ({error}): set NATS_URL to nats://USER:PASSWORD@HOST:PORT of its users"
        )
    if isinstance(error, SecureConnWantedError):
        return f"NATS has no TLS, which NATS_URL asks for ({error}): give the server a certificate, or set nats://"
    return f"NATS does not answer: {type(error).__name__}: {error}"


async def _close(client: Client) -> None:
    with suppress(Exception):  # it may be half connected, and then fail in any way; its socket is closed all the same
        await client.close()


async def _fetch(subscription: JetStreamContext.PullSubscription, count: int) -> Sequence[Msg]:
    try:
        return await subscription.fetch(count, timeout=REPLAY_WITHIN_S)
    except (TimeoutError, nats.errors.Error) as error:
        raise Unavailable(f"NATS stopped in the middle of a replay: {type(error).__name__}: {error}") from None


async def _with_streams(client: Client, failures: _Failures) -> NatsBus:
    jetstream = client.jetstream(timeout=5)
    try:
        await _ensure_stream(jetstream, STREAM, "mall.>")
        await _ensure_stream(jetstream, DEAD_STREAM, "mall-dead.>")
    except (TimeoutError, nats.errors.Error) as error:
        await _close(client)
        # What a user may not publish is not answered: the client tells of it beside the request, which then times out.
        reason = failures.first or error
        remedy = "start the server with JetStream, and let our user publish to $JS.API.>"
        raise Unavailable(f"NATS has no JetStream for us: {type(reason).__name__}: {reason}: {remedy}") from None
    return NatsBus(client, jetstream)


async def _ensure_stream(jetstream: JetStreamContext, name: str, subjects: str) -> None:
    try:
        await jetstream.stream_info(name)
    except NotFoundError:
        config = StreamConfig(
            name=name, subjects=[subjects], storage=StorageType.FILE, duplicate_window=DEDUPLICATION_WINDOW_S
        )
        await jetstream.add_stream(config)


def _ends_request(message: Msg) -> bool:
    """Whether ``message`` says that a pull request is over rather than carry an event.

    Raises Unavailable where the server would not serve another one either: the consumer is gone, or the server leaves.
    """
    headers = message.headers or {}
    status = headers.get("Status")
    if status is not None and status not in (NO_MESSAGES, REQUEST_EXPIRED):
        raise Unavailable(f"NATS ended our consumer: {status} {headers.get('Description', '')}".rstrip())
    return status is not None


def _delivery(message: Msg) -> Delivery:
    def acknowledge() -> Awaitable[None]:
        return message.ack()

    def retry(after_s: float) -> Awaitable[None]:
        return message.nak(delay=after_s)

    seen = message.metadata
    type_ = _event_type(message.subject)
    return Delivery(type_, message.data, seen.sequence.stream, seen.num_delivered, acknowledge, retry)


def _event_type(subject: str) -> str:
    if subject.startswith(RETRY_PREFIX):
        return subject.removeprefix(RETRY_PREFIX).split(".", 1)[1]
    return subject.removeprefix("mall.")


def _letter(message: RawStreamMsg) -> DeadLetter:
    _, consumer, type_ = (message.subject or "").split(".", 2)
    headers = message.headers or {}
    buried_at = datetime.fromisoformat(headers["Buried-At"])
    return DeadLetter(message.seq or 0, consumer, type_, headers["Reason"], buried_at, message.data or b"")
