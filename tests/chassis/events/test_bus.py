"""What every bus promises, tried on the one in memory and on NATS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from stack import nats as nats_server
from stack.daemon import free_port, running
from subgraphs.chassis.errors import Unavailable
from subgraphs.chassis.events import nats_bus
from subgraphs.chassis.events.bus import Bus, Delivery, MemoryBus, Subscription
from subgraphs.chassis.events.event import decode_event, encode_event
from tests.services import DEADLINE_S, bus_of, event

PASSWORD = "of-a-server-of-its-own"
TAKEN = event("note.taken", "n1", {"text": "Crème"})
TORN = event("note.torn", "n1", {})


@pytest_asyncio.fixture(params=["memory", "nats"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        yield MemoryBus()
        return
    url: str = request.getfixturevalue("nats_url")
    async with bus_of(url) as connected:
        yield connected


async def take(subscription: Subscription, count: int) -> list[Delivery]:
    """The next ``count`` deliveries."""
    taken: list[Delivery] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(taken) < count:
            taken += await subscription.fetch(count - len(taken), 1)
    return taken


async def nothing(subscription: Subscription) -> Sequence[Delivery]:
    return await subscription.fetch(10, 0.1)


@pytest.mark.asyncio
async def test_an_event_arrives_as_it_was_published(bus: Bus) -> None:
    subscription = await bus.subscribe("reader", ["note.taken"])
    await bus.publish(TAKEN)
    (delivery,) = await take(subscription, 1)
    assert (delivery.type, delivery.attempt) == ("note.taken", 1)
    assert decode_event(delivery.body) == TAKEN
    assert delivery.body == encode_event(TAKEN)


@pytest.mark.asyncio
async def test_a_replay_is_what_the_stream_carried_from_a_position_on(bus: Bus) -> None:
    """In order, by type, as often as one likes, and without a consumer noticing."""
    others = [event("note.taken", f"n{number}", {}) for number in range(2, 5)]
    for each in (TAKEN, TORN, *others):
        await bus.publish(each)
    replayed = [each async for each in bus.replay(["note.taken"])]
    assert [each for _, each in replayed] == [TAKEN, *others]
    assert [each async for each in bus.replay(["note.taken"], after=replayed[1][0])] == replayed[2:]
    assert [each async for each in bus.replay(["note.taken"], after=replayed[-1][0])] == []
    subscription = await bus.subscribe("reader", ["note.taken"])
    assert len(await take(subscription, 4)) == 4


@pytest.mark.asyncio
async def test_a_new_consumer_sees_its_types_from_the_beginning(bus: Bus) -> None:
    for each in (TAKEN, TORN):
        await bus.publish(each)
    deliveries = await take(await bus.subscribe("reader", ["note.torn"]), 1)
    assert [each.type for each in deliveries] == ["note.torn"]


@pytest.mark.asyncio
async def test_the_same_event_is_stored_once(bus: Bus) -> None:
    subscription = await bus.subscribe("reader", ["note.taken"])
    for _ in range(3):
        await bus.publish(TAKEN)
    (delivery,) = await take(subscription, 1)
    await delivery.acknowledge()
    assert await nothing(subscription) == []


@pytest.mark.asyncio
async def test_every_consumer_gets_every_event(bus: Bus) -> None:
    readers = [await bus.subscribe(name, ["note.taken"]) for name in ("one", "two")]
    await bus.publish(TAKEN)
    assert [len(await take(reader, 1)) for reader in readers] == [1, 1]


@pytest.mark.asyncio
async def test_events_arrive_in_order_and_all_that_are_there_at_once(bus: Bus) -> None:
    subscription = await bus.subscribe("reader", ["note.taken"])
    events = [event("note.taken", "n1", {"number": number}) for number in range(5)]
    for each in events:
        await bus.publish(each)
    deliveries = await take(subscription, 5)
    assert [decode_event(each.body).data["number"] for each in deliveries] == [0, 1, 2, 3, 4]


@pytest.mark.asyncio
async def test_a_retried_event_comes_again_with_its_attempt(bus: Bus) -> None:
    subscription = await bus.subscribe("reader", ["note.taken"])
    await bus.publish(TAKEN)
    (first,) = await take(subscription, 1)
    await first.retry(0.05)
    (second,) = await take(subscription, 1)
    assert (second.attempt, second.body) == (2, first.body)
    await second.acknowledge()
    assert await nothing(subscription) == []


@pytest.mark.asyncio
async def test_a_dead_letter_keeps_its_reason_and_can_be_revived_for_its_consumer_alone(bus: Bus) -> None:
    reader, other = [await bus.subscribe(name, ["note.taken"]) for name in ("reader", "other")]
    await bus.publish(TAKEN)
    (delivery,) = await take(reader, 1)
    (seen,) = await take(other, 1)
    await seen.acknowledge()
    await bus.bury("reader", delivery, "ValueError: no\nsuch note")
    await delivery.acknowledge()
    (letter,) = await bus.dead_letters()
    assert (letter.consumer, letter.type, letter.body) == ("reader", "note.taken", encode_event(TAKEN))
    assert letter.reason.split() == ["ValueError:", "no", "such", "note"]
    await bus.revive(letter)
    assert await bus.dead_letters() == []
    (again,) = await take(reader, 1)
    assert (again.type, again.attempt, again.body) == ("note.taken", 1, delivery.body)
    assert await nothing(other) == []


@pytest.mark.asyncio
async def test_a_delivery_that_is_buried_again_is_one_dead_letter_and_a_revived_one_another(bus: Bus) -> None:
    """A consumer that is killed between burying and acknowledging gets the event once more."""
    subscription = await bus.subscribe("reader", ["note.taken"])
    await bus.publish(TAKEN)
    (first,) = await take(subscription, 1)
    await bus.bury("reader", first, "ValueError: no such note")
    await first.retry(0.01)  # as the end of the consumer would have it
    (second,) = await take(subscription, 1)
    await bus.bury("reader", second, "ValueError: no such note")
    await second.acknowledge()
    (letter,) = await bus.dead_letters()
    await bus.revive(letter)
    (third,) = await take(subscription, 1)
    await bus.bury("reader", third, "ValueError: still no such note")
    await third.acknowledge()
    assert [each.reason for each in await bus.dead_letters()] == ["ValueError: still no such note"]


@pytest.mark.asyncio
async def test_a_bus_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="NATS does not answer: ConnectionRefusedError"):
        await nats_bus.connect("nats://127.0.0.1:1", "tests")


@pytest.mark.asyncio
async def test_a_password_that_is_refused_is_told_with_what_to_do(nats_url: str) -> None:
    address = nats_url.rpartition("@")[2]
    with pytest.raises(Unavailable) as refusal:
        await nats_bus.connect(f"nats://mall:planted-password@{address}", "tests")
    remedy = "set NATS_URL to nats://USER:PASSWORD@HOST:PORT of its users"
    assert str(refusal.value) == f"NATS refuses our user or password (nats: 'Authorization Violation'): {remedy}"


@pytest.mark.asyncio
async def test_a_user_that_may_not_use_jetstream_is_told_so(tmp_path: Path) -> None:
    port = free_port()
    config = nats_server.write_config(tmp_path, port, PASSWORD)
    text = config.read_text().replace('" }', '" }] }')
    rights = "users: [{ permissions: { publish: [live.>] }, "
    config.write_text(text.replace("authorization { ", f"authorization {{ {rights}"))
    command = nats_server.server_command(nats_server.server_binary(), config)
    with running(command, port, tmp_path / "nats.log"), pytest.raises(Unavailable) as refusal:
        await nats_bus.connect(nats_server.server_url(port, PASSWORD), "tests")
    assert "permissions violation" in str(refusal.value)
    assert str(refusal.value).endswith(": start the server with JetStream, and let our user publish to $JS.API.>")


@pytest.mark.asyncio
async def test_a_password_that_is_changed_is_told_when_the_connection_is_lost(tmp_path: Path) -> None:
    heard: list[str | None] = []
    port = free_port()
    command = nats_server.server_command(nats_server.server_binary(), tmp_path / "nats.conf")
    nats_server.write_config(tmp_path, port, PASSWORD)
    async with AsyncExitStack() as opened:
        with running(command, port, tmp_path / "nats.log"):
            bus = await nats_bus.connect(nats_server.server_url(port, PASSWORD), "tests", heard.append)
            opened.push_async_callback(bus.close)
        nats_server.write_config(tmp_path, port, "another")
        with running(command, port, tmp_path / "nats.log"):
            async with asyncio.timeout(20):
                while len(heard) < 2:  # noqa: ASYNC110 - the client has no event for it
                    await asyncio.sleep(0.01)
    assert heard[0] == "the connection is lost"
    assert heard[1] is not None
    assert heard[1].startswith("NATS refuses our user or password")


@pytest.mark.asyncio
async def test_a_server_without_tls_is_refused_where_the_url_asks_for_it(nats_url: str) -> None:
    with pytest.raises(Unavailable) as refusal:
        await nats_bus.connect(nats_url.replace("nats://", "tls://"), "tests")
    assert str(refusal.value) == (
        "NATS has no TLS, which NATS_URL asks for (nats: secure connection not available): "
        "give the server a certificate, or set nats://"
    )


@pytest.mark.asyncio
async def test_who_takes_tls_out_of_the_greeting_hears_no_password() -> None:
    heard = bytearray()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id": "x", "version": "2.10.0", "max_payload": 1048576, "auth_required": true}\r\n')
        heard.extend(await reader.read(1000))
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="NATS has no TLS"):
            await nats_bus.connect(f"tls://mall:{PASSWORD}@127.0.0.1:{port}", "tests")
    assert heard == b""


@pytest.mark.asyncio
async def test_a_server_that_comes_back_without_tls_is_told_and_not_spoken_to(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str | None] = []
    port = free_port()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    config = nats_server.write_config(tmp_path, port, PASSWORD)
    without_tls = config.read_text()
    pem = json.dumps(str(tmp_path / "server.pem"))
    config.write_text(f"{without_tls}tls {{ cert_file: {pem}, key_file: {pem} }}\n")
    command = nats_server.server_command(nats_server.server_binary(), config)
    async with AsyncExitStack() as opened:
        with running(command, port, tmp_path / "nats.log"):
            url = nats_server.server_url(port, PASSWORD).replace("nats://", "tls://")
            bus = await nats_bus.connect(url, "tests", heard.append)
            opened.push_async_callback(bus.close)
            await bus.publish(TAKEN)
        config.write_text(without_tls)
        with running(command, port, tmp_path / "nats.log"):
            async with asyncio.timeout(20):
                while len(heard) < 2:  # noqa: ASYNC110 - the client has no event for it
                    await asyncio.sleep(0.01)
            assert not bus.connected
    assert heard[0] == "the connection is lost"
    assert heard[1] is not None
    assert heard[1].startswith("NATS has no TLS, which NATS_URL asks for")


@pytest.mark.asyncio
async def test_an_event_published_while_a_consumer_waits_arrives_at_once(nats_url: str) -> None:
    async with bus_of(nats_url) as bus:
        subscription = await bus.subscribe("reader", ["note.taken"])
        waiting = asyncio.create_task(subscription.fetch(10, 15))
        await bus.publish(TAKEN)
        async with asyncio.timeout(10):  # less than the fetch itself may wait
            assert len(await waiting) == 1
