"""Registered documents are known to all replicas by a real NATS server, and to each alone where it is away."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from router.errors import InputError
from router.server.app import RouterApp
from router.server.config import NatsSettings, RouterConfig, check_config
from router.server.nats.connection import NatsConnection
from router.server.persisted_documents.shared import BUCKET
from stack import nats as nats_server
from stack.daemon import free_port
from tests.server.nats.test_connection import SECRET, server
from tests.server.persisted_documents.test_persisted_documents import (
    ANSWER,
    NOT_FOUND,
    WAREHOUSES,
    by_hash,
    hash_of,
    post,
)
from tests.server.shop import Shop, client_of, router_over
from tests.server.subscriptions.live import until


def config(url: str, prefix: str, **more: Any) -> RouterConfig:
    documents = {"apq": True, "apq_shared": True, **more}
    settings = {"persisted_documents": documents, "nats": {"url": url, "prefix": prefix, "timeout_s": 5}}
    return check_config(settings, "settings")


@asynccontextmanager
async def replica(shop: Shop, settings: RouterConfig) -> AsyncIterator[tuple[RouterApp, httpx.AsyncClient]]:
    app = router_over(shop, settings)
    async with app.lifespan(), client_of(app) as client:
        yield app, client


async def knows(app: RouterApp, text: str) -> None:
    documents = app.service.documents
    assert documents is not None
    registered = documents.registered
    assert registered is not None
    await until(lambda: registered.get(hash_of(text)) == text)


def is_following(app: RouterApp) -> bool:
    shared = app._document_sharing.shared
    return shared is not None and shared.is_following


@pytest.mark.asyncio
async def test_documents_are_not_shared_by_a_nats_that_is_there_for_something_else(shop: Shop, nats_url: str) -> None:
    async with replica(shop, config(nats_url, f"t{uuid4().hex}", apq_shared=False)) as (_, client):
        assert await post(client, by_hash(WAREHOUSES, query=WAREHOUSES)) == ANSWER
        assert "galleria_documents_shared" not in (await client.get("/metrics")).text


@pytest.mark.asyncio
async def test_a_document_that_one_replica_was_sent_runs_by_its_hash_on_all(shop: Shop, nats_url: str) -> None:
    settings = config(nats_url, f"t{uuid4().hex}")
    async with replica(shop, settings) as (_, one), replica(shop, settings) as (app, other):
        assert await post(other, by_hash(WAREHOUSES)) == NOT_FOUND
        assert await post(one, by_hash(WAREHOUSES, query=WAREHOUSES)) == ANSWER
        await knows(app, WAREHOUSES)
        assert await post(other, by_hash(WAREHOUSES)) == ANSWER
        assert "galleria_documents_shared 1.0" in (await other.get("/metrics")).text
    async with replica(shop, settings) as (app, later):
        await knows(app, WAREHOUSES)
        assert await post(later, by_hash(WAREHOUSES)) == ANSWER


@pytest.mark.asyncio
@pytest.mark.parametrize("value", [b"{ whoami }", b"\xff", b""])
async def test_what_is_not_the_document_that_its_hash_says_is_refused(shop: Shop, nats_url: str, value: bytes) -> None:
    prefix = f"t{uuid4().hex}"
    planted = NatsConnection(NatsSettings.model_validate({"url": nats_url, "prefix": prefix, "timeout_s": 5}))
    await planted.bucket(BUCKET).put(hash_of(WAREHOUSES), value)
    async with replica(shop, config(nats_url, prefix)) as (app, client):
        shared = app._document_sharing.shared
        assert shared is not None
        await until(lambda: shared.refused == 1)
        assert await post(client, by_hash(WAREHOUSES)) == NOT_FOUND
        assert await post(client, by_hash(WAREHOUSES, query=WAREHOUSES)) == ANSWER
        assert "galleria_documents_refused_total 1.0" in (await client.get("/metrics")).text
    await planted.close()


@pytest.mark.asyncio
async def test_without_nats_each_replica_has_its_own_and_shares_them_when_it_is_back(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "galleria.router")
    port = free_port()
    settings = config(nats_server.server_url(port, SECRET), "t")
    async with AsyncExitStack() as resources:
        one_app, one = await resources.enter_async_context(replica(shop, settings))
        other_app, other = await resources.enter_async_context(replica(shop, settings))
        assert await post(one, by_hash(WAREHOUSES, query=WAREHOUSES)) == ANSWER
        assert await post(one, by_hash(WAREHOUSES)) == ANSWER
        assert await post(other, by_hash(WAREHOUSES)) == NOT_FOUND
        assert not is_following(one_app)
        await until(lambda: any("NATS cannot be reached" in record.message for record in caplog.records))
        with server(tmp_path, port):
            await knows(other_app, WAREHOUSES)
            assert await post(other, by_hash(WAREHOUSES)) == ANSWER
        assert await post(other, by_hash(WAREHOUSES)) == ANSWER
    assert SECRET not in caplog.text


@pytest.mark.asyncio
async def test_a_document_that_the_bucket_cannot_take_is_this_replicas_own(
    shop: Shop, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = config(nats_url, f"t{uuid4().hex}", apq_max_bytes=4000)
    large = "{ warehouses " + "#" * 2500 + "\n}"
    async with replica(shop, settings) as (app, client):
        await until(lambda: is_following(app))
        for number in range(3):
            text = f"{large}{' ' * number}"
            assert await post(client, by_hash(text, query=text)) == ANSWER
        await until(lambda: "a document could not be shared" in caplog.text)
        # Memory has room for one of them too, and the first comes back from the bucket: by now it has.
        assert await post(client, by_hash(text, query=text)) == ANSWER
        assert await post(client, by_hash(text)) == ANSWER


@pytest.mark.asyncio
async def test_sharing_outlives_a_reload(shop: Shop, nats_url: str) -> None:
    settings = config(nats_url, f"t{uuid4().hex}")
    async with replica(shop, settings) as (app, client), replica(shop, settings) as (other, _):
        shared = app._document_sharing.shared
        graph = app.service.served_graph()
        app.replace_graph(graph)
        assert app._document_sharing.shared is shared
        await post(client, by_hash(WAREHOUSES, query=WAREHOUSES))
        await knows(other, WAREHOUSES)


def test_what_nobody_can_share_is_refused_at_the_start(shop: Shop) -> None:
    with pytest.raises(InputError) as caught:
        router_over(shop, RouterConfig.model_validate({"persisted_documents": {"apq": True, "apq_shared": True}}))
    message = "persisted_documents.apq_shared: replicas share by the server in nats.url, so set that."
    assert caught.value.message == message
    with pytest.raises(InputError, match="apq_shared shares what apq lets clients register"):
        check_config({"persisted_documents": {"apq_shared": True}}, "settings")
