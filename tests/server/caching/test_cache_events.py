"""Events of a real NATS stream drop what they tell of, and none is missed while the connection is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import orjson
import pytest
from nats.js import JetStreamContext

from router.errors import InputError
from router.server.caching.events import is_subject, value_at
from router.server.config import check_config
from router.server.graphs.graph import open_graph
from router.supergraph.read import read_supergraph
from stack import nats as nats_server
from stack.daemon import free_port
from tests.server.caching.stand import Open, Stand, opened
from tests.server.nats.test_connection import SECRET, server
from tests.server.shop import SUPERGRAPH
from tests.server.subscriptions.live import until

BOTH = "{ products { name available } }"


def settings(url: str, stream: str, **more: Any) -> dict[str, Any]:
    event = {"stream": stream, "subject": f"{stream}.product.changed", "type": "Product", "pointer": "/data/productId"}
    return {
        "entity_cache": {"enabled": True, "admit": "always", "events": [{**event, **more}]},
        "nats": {"url": url, "timeout_s": 5},
    }


@asynccontextmanager
async def stream_at(url: str, name: str) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(url)
    stream = client.jetstream()
    await stream.add_stream(name=name, subjects=[f"{name}.>"])
    yield stream
    await client.close()


def saying() -> Stand:
    stand = Stand()
    stand.says = {name: {"cache-control": "public, max-age=600"} for name in stand.says}
    return stand


def is_following(router: Open) -> bool:
    return bool(router.app._cache_events.feeds) and router.app._cache_events.are_followed


async def followed(router: Open) -> None:
    await until(lambda: is_following(router))


async def handled(router: Open, position: int) -> None:
    [feed] = router.app._cache_events.feeds
    await until(lambda: (feed.next_position or 0) > position)


async def changed(stream: JetStreamContext, name: str, data: Mapping[str, Any]) -> int:
    return (await stream.publish(f"{name}.product.changed", orjson.dumps({"data": data}))).seq


@pytest.mark.asyncio
async def test_an_event_drops_what_it_tells_of_and_nothing_else(nats_url: str) -> None:
    name = f"s{uuid4().hex}"
    async with stream_at(nats_url, name) as stream, opened(settings(nats_url, name), saying()) as router:
        await followed(router)
        await router.data(BOTH)
        router.stand.names |= {"1": "Pot", "2": "Pan"}
        await stream.publish(f"{name}.order.placed", b'{"data": {"productId": "1"}}')
        await handled(router, await changed(stream, name, {"productId": "2"}))
        assert (await router.data("{ products(first: 1) { name } }"))["products"] == [{"name": "Pot"}]
        assert (await router.data(BOTH))["products"] == [
            {"name": "Pot", "available": 10},
            {"name": "Pan", "available": 20},
        ]
        assert router.stand.sent_keys("stock") == [["1", "2"], ["2"]]
        assert "galleria_entity_cache_events_followed 1.0" in (await router.client.get("/metrics")).text


@pytest.mark.asyncio
@pytest.mark.parametrize("data", [{}, {"productId": None}, {"productId": ["1"]}])
async def test_an_event_that_does_not_tell_which_drops_all_of_its_type(nats_url: str, data: dict[str, Any]) -> None:
    name = f"s{uuid4().hex}"
    async with stream_at(nats_url, name) as stream, opened(settings(nats_url, name), saying()) as router:
        await followed(router)
        await router.data(BOTH)
        await handled(router, await changed(stream, name, data))
        await router.data(BOTH)
        assert router.stand.sent_keys("stock") == [["1", "2"], ["1", "2"]]


@pytest.mark.asyncio
async def test_a_router_that_ends_does_not_complain_of_its_events(
    nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"s{uuid4().hex}"
    async with stream_at(nats_url, name):
        async with opened(settings(nats_url, name), saying()) as router:
            await followed(router)
            [following] = router.app._cache_events._tasks
        await asyncio.gather(following, return_exceptions=True)
    assert [record.message for record in caplog.records if record.name == "galleria.router"] == []


@pytest.mark.asyncio
async def test_what_was_kept_before_the_events_were_followed_is_dropped(nats_url: str) -> None:
    name = f"s{uuid4().hex}"
    async with opened(settings(nats_url, name), saying()) as router:
        await router.data(BOTH)
        await router.data(BOTH)
        assert router.stand.asked["stock"] == 1
        async with stream_at(nats_url, name):
            await followed(router)
            await router.data(BOTH)
            assert router.stand.asked["stock"] == 2


@pytest.mark.asyncio
async def test_an_event_from_while_the_connection_was_away_is_not_missed(tmp_path: Path) -> None:
    name, port = f"s{uuid4().hex}", free_port()
    url = nats_server.server_url(port, SECRET)
    async with AsyncExitStack() as resources:
        with server(tmp_path, port):
            async with stream_at(url, name) as stream:
                await changed(stream, name, {"productId": "9"})
            router = await resources.enter_async_context(opened(settings(url, name), saying()))
            await followed(router)
            await router.data(BOTH)
        await until(lambda: not is_following(router))
        with server(tmp_path, port):
            client = await nats.connect(url)
            position = await changed(client.jetstream(), name, {"productId": "2"})
            await client.close()
            await handled(router, position)
            await router.data(BOTH)
            assert router.stand.sent_keys("stock") == [["1", "2"], ["2"]]


@pytest.mark.asyncio
async def test_the_position_in_a_stream_holds_in_no_later_one_of_its_name(tmp_path: Path) -> None:
    """The later one is past the position, and what it told before that is of other events."""
    name, port = f"s{uuid4().hex}", free_port()
    url = nats_server.server_url(port, SECRET)
    async with AsyncExitStack() as resources:
        with server(tmp_path, port):
            async with stream_at(url, name) as stream:
                first = await changed(stream, name, {"productId": "9"})
            router = await resources.enter_async_context(opened(settings(url, name), saying()))
            await followed(router)
            await router.data(BOTH)
        await until(lambda: not is_following(router))
        with server(tmp_path / "later", port):
            async with stream_at(url, name) as stream:
                assert await changed(stream, name, {"productId": "2"}) == first
                await changed(stream, name, {"productId": "9"})
            await followed(router)
            await router.data(BOTH)
            assert router.stand.sent_keys("stock") == [["1", "2"], ["1", "2"]]


@pytest.mark.parametrize(
    ("subject", "pattern", "is_one"),
    [
        ("mall.product.changed", "mall.product.changed", True),
        ("mall.product.changed", "mall.*.changed", True),
        ("mall.product.changed", "mall.>", True),
        ("mall.product.changed", "mall.product", False),
        ("mall.product", "mall.product.>", False),
        ("mall.product.changed", "mall.*", False),
        ("mall.product.changed", ">", True),
    ],
)
def test_subjects_are_matched_as_nats_does(subject: str, pattern: str, *, is_one: bool) -> None:
    assert is_subject(subject, pattern) is is_one


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("/a/0", "x"), ("/a/1/m~1n", 1), ("/a/1/o~0p", 2), ("/~01", 3), ("/big", None)],
)
def test_a_pointer_leads_to_a_value_as_rfc_6901_says(pointer: str, value: object) -> None:
    body = b'{"a": ["x", {"m/n": 1, "o~p": 2}], "~1": 3, "big": null}'
    assert value_at(pointer, body) == value


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/x", "/a/0/0"])
def test_a_pointer_that_leads_nowhere_has_no_value(pointer: str) -> None:
    assert not isinstance(value_at(pointer, b'{"a": ["x", {}]}'), str | int | float | None | list | dict)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"type": "Prodct"}, "[0].type: there is no type 'Prodct'; did you mean 'Product'?"),
        ({"key": "upc"}, "[0].key: there is no key field of 'Product' 'upc'."),
    ],
)
def test_events_of_what_there_is_not_are_refused_at_the_start(more: dict[str, str], message: str) -> None:
    config = check_config(settings("nats://127.0.0.1:9", "s", **more), "settings")
    with pytest.raises(InputError) as caught:
        open_graph(read_supergraph(SUPERGRAPH), config)
    assert caught.value.message == f"entity_cache.events{message}"


def test_events_without_a_server_are_refused_at_the_start() -> None:
    values = settings("nats://127.0.0.1:9", "s")
    del values["nats"]
    with pytest.raises(InputError) as caught:
        open_graph(read_supergraph(SUPERGRAPH), check_config(values, "settings"))
    assert caught.value.message == "entity_cache.events: they come from the server in nats.url, so set that."
