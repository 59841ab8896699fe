"""Documents that requests name: registered by hash, or listed in a manifest, beside which nothing else may run."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from router.errors import InputError
from router.server.config import BatchingSettings, PersistedDocumentSettings, RouterConfig
from router.server.graphs.graph_files import GraphFiles
from router.server.persisted_documents.manifest import read_manifest
from router.server.persisted_documents.registered import ENTRY_BYTES, RegisteredDocuments
from tests.server.config.test_settings_reload import running
from tests.server.shop import SUPERGRAPH, Shop, client_of, codes, router_over
from tests.server.subscriptions.live import BIDS, live_stack

WAREHOUSES = "{ warehouses }"
ANSWER = {"data": {"warehouses": ["north", "south"]}}
OTHER = "{ whoami }"
NOT_FOUND = {"errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]}


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def by_hash(text: str, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}, **more}


def relay_manifest(folder: Path, **documents: str) -> Path:
    path = folder / "documents.json"
    path.write_text(json.dumps(documents))
    return path


def apollo_manifest(folder: Path, *texts: str) -> Path:
    operations = [{"id": hash_of(text), "name": "Q", "type": "query", "body": text} for text in texts]
    path = folder / "manifest.json"
    path.write_text(json.dumps({"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}))
    return path


@asynccontextmanager
async def client_with(shop: Shop, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    config = RouterConfig(
        persisted_documents=PersistedDocumentSettings(**settings), batching=BatchingSettings(enabled=True)
    )
    async with client_of(router_over(shop, config)) as client:
        yield client


async def post(client: httpx.AsyncClient, sent: object) -> Any:
    return (await client.post("/graphql", json=sent)).json()


@pytest.mark.asyncio
async def test_a_document_is_asked_for_once_and_runs_by_its_hash_from_then_on(shop: Shop) -> None:
    async with client_with(shop, apq=True) as client:
        response = await client.post("/graphql", json=by_hash(WAREHOUSES))
        assert (response.status_code, response.json()) == (200, NOT_FOUND)
        assert response.headers["cache-control"] == "no-store"
        assert shop.asked["stock"] == 0
        assert await post(client, by_hash(WAREHOUSES, query=WAREHOUSES)) == ANSWER
        assert await post(client, by_hash(WAREHOUSES)) == ANSWER


@pytest.mark.asyncio
async def test_not_found_is_told_under_status_200_also_where_other_errors_have_their_own(shop: Shop) -> None:
    """Apollo iOS, which accepts this media type, looks for the message under a status of success alone."""
    async with client_with(shop, apq=True) as client:
        headers = {"accept": "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json"}
        response = await client.post("/graphql", json=by_hash(WAREHOUSES), headers=headers)
        assert (response.status_code, response.json()) == (200, NOT_FOUND)
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
        other = await client.post("/graphql", json={"documentId": "a"}, headers=headers)
        assert (other.status_code, codes(other)) == (400, ["PERSISTED_DOCUMENT_NOT_FOUND"])


@pytest.mark.asyncio
async def test_a_get_names_the_document_by_hash(shop: Shop) -> None:
    async with client_with(shop, apq=True) as client:
        parameters = {"extensions": json.dumps(by_hash(WAREHOUSES)["extensions"])}
        assert (await client.get("/graphql", params=parameters)).json() == NOT_FOUND
        assert (await client.get("/graphql", params={**parameters, "query": WAREHOUSES})).json() == ANSWER
        assert (await client.get("/graphql", params=parameters)).json() == ANSWER


@pytest.mark.asyncio
async def test_a_mutation_by_hash_is_refused_by_get(shop: Shop) -> None:
    text = 'mutation { rename(id: "1", name: "Bowl") { name } }'
    async with client_with(shop, apq=True) as client:
        parameters = {"extensions": json.dumps(by_hash(text)["extensions"]), "query": text}
        for _ in range(2):
            response = await client.get("/graphql", params=parameters)
            assert (response.status_code, codes(response)) == (405, ["METHOD_NOT_ALLOWED"])
            parameters.pop("query", None)
    assert shop.names["1"] == "Mug"


@pytest.mark.asyncio
async def test_a_document_under_the_hash_of_another_is_refused_and_not_remembered(shop: Shop) -> None:
    async with client_with(shop, apq=True) as client:
        response = await client.post("/graphql", json=by_hash(WAREHOUSES, query=OTHER))
        assert codes(response) == ["PERSISTED_QUERY_HASH_MISMATCH"]
        assert shop.asked == {"catalog": 0, "stock": 0}
        assert await post(client, by_hash(WAREHOUSES)) == NOT_FOUND


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "sent",
    [
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "a"}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": "a"}},
        {"documentId": 7},
        {"documentId": ""},
        {"extensions": {}},
        {"query": 7},
        {},
    ],
)
async def test_what_names_no_document_is_refused(shop: Shop, sent: dict[str, Any]) -> None:
    async with client_with(shop, apq=True) as client:
        response = await client.post("/graphql", json=sent)
        assert (response.status_code, codes(response)) == (400, ["INVALID_REQUEST"])


@pytest.mark.asyncio
async def test_clients_are_told_to_send_their_documents_where_nothing_is_persisted(
    production: httpx.AsyncClient,
) -> None:
    error = {"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}
    for media_type in ("application/json", "application/graphql-response+json"):
        response = await production.post("/graphql", json=by_hash(WAREHOUSES), headers={"accept": media_type})
        assert (response.status_code, response.json()) == (200, {"errors": [error]})
    assert await post(production, by_hash(WAREHOUSES, query=WAREHOUSES)) == ANSWER
    assert codes(await production.post("/graphql", json={"documentId": "a"})) == ["INVALID_REQUEST"]


@pytest.mark.asyncio
async def test_a_member_of_a_batch_that_is_not_found_is_an_error_at_its_place(shop: Shop) -> None:
    async with client_with(shop, apq=True) as client:
        assert await post(client, [by_hash(OTHER), {"query": WAREHOUSES}]) == [NOT_FOUND, ANSWER]


def test_registered_documents_stay_within_their_bound_and_the_oldest_go() -> None:
    documents = RegisteredDocuments(2 * ENTRY_BYTES + 8)
    for name in ("a", "b"):
        documents.add(name, name * 4)
    assert documents.get("a") == "aaaa"
    documents.add("c", "cccc")
    assert [documents.get(name) for name in ("a", "b", "c")] == ["aaaa", None, "cccc"]
    documents.add("d", "d" * (2 * ENTRY_BYTES))
    assert (documents.get("d"), len(documents)) == (None, 2)
    documents.add("e", "é" * 5)
    assert [documents.get(name) for name in ("a", "c", "e")] == [None, None, "é" * 5]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "named",
    [
        {"documentId": "w1"},
        {"documentId": f"sha256:{hash_of(WAREHOUSES)}"},
        {"doc_id": "w1"},
        {"id": "w1", "query": None},
        by_hash(WAREHOUSES),
    ],
)
async def test_a_listed_document_runs_by_each_of_its_names(shop: Shop, tmp_path: Path, named: dict[str, Any]) -> None:
    async with client_with(shop, manifest=relay_manifest(tmp_path, w1=WAREHOUSES), require=True) as client:
        assert await post(client, named) == ANSWER


@pytest.mark.asyncio
async def test_a_listed_document_runs_by_get(shop: Shop, tmp_path: Path) -> None:
    async with client_with(shop, manifest=apollo_manifest(tmp_path, WAREHOUSES), require=True) as client:
        response = await client.get("/graphql", params={"documentId": f"sha256:{hash_of(WAREHOUSES)}"})
        assert response.json() == ANSWER


@pytest.mark.asyncio
async def test_an_id_that_is_not_listed_is_told(shop: Shop, tmp_path: Path) -> None:
    async with client_with(shop, manifest=relay_manifest(tmp_path, w1=WAREHOUSES)) as client:
        response = await client.post("/graphql", json={"documentId": "w2"})
        assert codes(response) == ["PERSISTED_DOCUMENT_NOT_FOUND"]
        assert await post(client, {"query": OTHER}) == {"data": {"whoami": None}}
        # Without apq nothing is remembered.
        assert await post(client, by_hash(OTHER, query=OTHER)) == {"data": {"whoami": None}}
        assert await post(client, by_hash(OTHER)) == NOT_FOUND


@pytest.mark.asyncio
async def test_required_documents_may_be_sent_in_full_and_others_run_in_no_way(shop: Shop, tmp_path: Path) -> None:
    async with client_with(shop, manifest=apollo_manifest(tmp_path, WAREHOUSES), require=True) as client:
        assert await post(client, {"query": WAREHOUSES}) == ANSWER
        refused = ({"query": OTHER}, {"query": WAREHOUSES + " "}, by_hash(OTHER), {"documentId": "w2"})
        for sent in (*refused, by_hash(WAREHOUSES, query=OTHER), {"documentId": hash_of(WAREHOUSES), "query": OTHER}):
            response = await client.post("/graphql", json=sent)
            assert codes(response) == ["PERSISTED_DOCUMENT_REQUIRED"]
        response = await client.get("/graphql", params={"query": OTHER})
        assert codes(response) == ["PERSISTED_DOCUMENT_REQUIRED"]
        first, second = await post(client, [{"query": OTHER}, {"query": WAREHOUSES}])
        assert (first["errors"][0]["extensions"]["code"], second) == ("PERSISTED_DOCUMENT_REQUIRED", ANSWER)
    assert shop.asked["catalog"] == 0


@pytest.mark.asyncio
async def test_a_subscription_over_websocket_runs_by_its_id_and_others_do_not(tmp_path: Path) -> None:
    settings = PersistedDocumentSettings(manifest=relay_manifest(tmp_path, bids=BIDS), require=True)
    async with live_stack(RouterConfig(persisted_documents=settings)) as stack, stack.socket() as client:
        await client.send(type="subscribe", id="1", payload={"query": "{ highest }"})
        message = await client.receive()
        assert (message["type"], message["payload"][0]["extensions"]) == (
            "error",
            {"code": "PERSISTED_DOCUMENT_REQUIRED"},
        )
        await client.send(type="subscribe", id="1", payload={"documentId": "bids"})
        await stack.auction.followed_by(1)
        stack.auction.bid(10)
        data = {"bids": {"amount": 10, "product": {"id": "1", "name": "Mug"}}}
        assert (await client.receive())["payload"] == {"data": data}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "not an object of documents, neither in Apollo's form nor in Relay's"),
        (b'{"format": "other"}', "its format is not apollo-persisted-query-manifest of version 1"),
        (
            b'{"format": "apollo-persisted-query-manifest", "version": 1, "operations": {}}',
            "its 'operations' are no list of objects",
        ),
        (
            b'{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a"}]}',
            "the document 'a' has no id or no text",
        ),
        (
            b'{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": 1, "body": "{ a }"}]}',
            "the document 1 has no id or no text",
        ),
        (b'{"": "{ a }"}', "the document '' has no id or no text"),
        (
            json.dumps({"a": WAREHOUSES, hash_of(WAREHOUSES): OTHER}).encode(),
            f"'{hash_of(WAREHOUSES)}' stands for two documents",
        ),
    ],
)
def test_a_bad_manifest_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "documents.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_manifest(path)
    assert refused.value.code == "INVALID_CONFIG"
    assert refused.value.message == f"persisted_documents.manifest: {path}: {reason}."


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file or directory"):
        read_manifest(tmp_path / "missing.json")


@pytest.mark.parametrize("settings", [{"require": True}, {"require": True, "apq": True, "manifest": "documents.json"}])
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="require"):
        PersistedDocumentSettings(**settings)


@pytest.mark.asyncio
async def test_a_changed_manifest_is_taken_over_and_a_bad_one_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    named = {"documentId": "t"}
    manifest = relay_manifest(tmp_path, t="{ __typename }")
    async with running(tmp_path, "persisted_documents: {manifest: documents.json, require: true}") as router:
        assert await post(router.client, named) == {"data": {"__typename": "Query"}}
        relay_manifest(tmp_path, t="{ kind: __typename }")
        await router.reloader.reload()
        assert await post(router.client, named) == {"data": {"kind": "Query"}}
        before = router.app.service
        manifest.write_text("{")
        await router.reloader.reload()
        assert router.app.service is before
        assert await post(router.client, named) == {"data": {"kind": "Query"}}
    assert [record.message for record in caplog.records] == [
        "reload: refused, the old supergraph is served on: INVALID_CONFIG: "
        f"persisted_documents.manifest: {manifest}: not JSON."
    ]


@pytest.mark.asyncio
async def test_what_clients_registered_outlives_a_reload(tmp_path: Path) -> None:
    text = "{ __typename }"
    async with running(tmp_path, "persisted_documents: {apq: true}") as router:
        await post(router.client, by_hash(text, query=text))
        await router.write("{persisted_documents: {apq: true}, batching: {enabled: true}}")
        assert await post(router.client, by_hash(text)) == {"data": {"__typename": "Query"}}
        await router.write("batching: {enabled: true}")
        assert router.app.service.documents is None


def test_the_manifest_is_among_the_watched_files(tmp_path: Path) -> None:
    supergraph, settings = tmp_path / "supergraph.graphql", tmp_path / "router.yaml"
    supergraph.write_text(SUPERGRAPH)
    settings.write_text("persisted_documents: {manifest: documents.json}")
    relay_manifest(tmp_path, t="{ __typename }")
    files = GraphFiles(supergraph, settings, {})
    read = files.read()
    before = files.stamps(read)
    relay_manifest(tmp_path, t="{ kind: __typename }")
    assert files.stamps(read) != before
