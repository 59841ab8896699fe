"""Mutual TLS towards subgraphs: who has no certificate gets nothing, on every way that leads to a subgraph."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import strawberry
import trustme
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from strawberry.asgi import GraphQL

from router.commands.compose import command as compose_command
from router.composition.subgraphs_file import load_subgraphs
from router.errors import InputError
from router.execution.errors import SubgraphFailure
from router.execution.http.client import HttpSubgraphClient
from router.execution.json_numbers import decode
from router.execution.subgraph_client import SubgraphRequest
from router.execution.subscription.event_source import EventRequest
from router.execution.uploads import SentFile, UploadedFile
from router.server.app import create_app
from router.server.config import RouterConfig, check_config, load_config
from router.server.graphs.graph import build_graph, open_graph
from router.server.graphs.graph_files import GraphFiles
from router.server.graphs.subgraph_sdl import sdl_fetcher
from router.server.to_subgraphs.replica_health import ReplicaHealth
from router.server.to_subgraphs.subgraph_tls import open_tls
from router.supergraph.read import read_supergraph
from tests.server.running_router import running_router
from tests.server.secured import Files, secured, write_files, write_revocations
from tests.server.shop import SUPERGRAPH, Shop, client_of
from tests.server.subscriptions.live import Auction, auction_app

QUERY = {"query": "{ warehouses }"}
ANSWER = {"data": {"warehouses": ["north", "south"]}}
REFUSAL = "Subgraph 'stock' closed the connection without an answer, which may be its no to the router's certificate."


def config_of(tls: Mapping[str, Any], **others: Any) -> RouterConfig:
    settings = {"subgraphs": {"tls": tls, **others.pop("subgraphs", {})}, "errors": {"mask": False}, **others}
    return check_config(settings, "settings")


def stock_at(url: str) -> str:
    return SUPERGRAPH.replace("http://stock.test/graphql", url)


async def answered(config: RouterConfig, url: str) -> Any:
    """What a router answers, of whose subgraphs stock is at ``url``."""
    graph = open_graph(read_supergraph(stock_at(url)), config)
    try:
        async with client_of(create_app(config, graph)) as client:
            return (await client.post("/graphql", json=QUERY)).json()
    finally:
        await graph.client.close()


def message_of(answer: Any) -> str:
    assert answer["data"] == {"warehouses": None}
    message: str = answer["errors"][0]["message"]
    return message


@pytest.mark.asyncio
async def test_with_a_certificate_the_subgraph_answers_and_without_it_is_not_asked(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    files, foreign = write_files(tmp_path / "own", authority), write_files(tmp_path / "foreign", authority, stranger)
    shop = Shop()
    async with secured(shop.app("stock"), authority) as subgraph:
        for without in ({"ca_file": str(files.ca)}, foreign.settings()):
            assert message_of(await answered(config_of(without), subgraph.url())) == REFUSAL
        assert shop.asked["stock"] == 0
        assert await answered(config_of(files.settings()), subgraph.url()) == ANSWER
        assert shop.asked["stock"] == 1


@pytest.mark.asyncio
async def test_what_holds_for_one_subgraph_holds_over_what_holds_for_all(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    files, foreign = write_files(tmp_path / "own", authority), write_files(tmp_path / "foreign", stranger)
    async with secured(Shop().app("stock"), authority) as subgraph:
        settings = {**foreign.settings(), "subgraphs": {"stock": files.settings()}}
        assert await answered(config_of(settings), subgraph.url()) == ANSWER
        ca_alone = {**files.settings(), "ca_file": str(foreign.ca), "subgraphs": {"stock": {"ca_file": str(files.ca)}}}
        assert await answered(config_of(ca_alone), subgraph.url()) == ANSWER


@pytest.mark.asyncio
async def test_an_authority_in_place_of_the_systems_is_believed_and_no_other(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    files, foreign = write_files(tmp_path / "own", authority), write_files(tmp_path / "foreign", stranger, authority)
    shop = Shop()
    async with secured(shop.app("stock"), authority) as subgraph:
        for other in (foreign.settings(), {**files.settings(), "ca_file": None}):
            message = message_of(await answered(config_of(other), subgraph.url()))
            assert message == "Subgraph 'stock' could not be reached: TLS handshake failed."
    assert shop.asked["stock"] == 0


@pytest.mark.asyncio
async def test_the_name_that_a_certificate_must_be_for_can_be_said(tmp_path: Path, authority: trustme.CA) -> None:
    files = write_files(tmp_path, authority)
    async with secured(Shop().app("stock"), authority, host="stock.internal") as subgraph:
        assert message_of(await answered(config_of(files.settings()), subgraph.url())).endswith("TLS handshake failed.")
        named = {**files.settings(), "server_name": "stock.internal"}
        assert await answered(config_of(named), subgraph.url()) == ANSWER


@pytest.mark.asyncio
async def test_several_addresses_and_their_health_are_asked_with_the_certificate(
    tmp_path: Path, authority: trustme.CA
) -> None:
    files = write_files(tmp_path, authority)
    async with secured(Shop().app("stock"), authority) as subgraph:
        traffic = {"addresses": {"stock": [subgraph.url(), subgraph.url("127.0.0.1")]}}
        settings = {**files.settings(), "server_name": "localhost"}
        assert await answered(config_of(settings, traffic=traffic), "http://stock.test/graphql") == ANSWER
        urls = {"stock": subgraph.url()}
        tls = open_tls(config_of(settings).subgraphs.tls, urls)
        # The shop's only path takes POST alone: 405 is an answer of the subgraph, and no success.
        health = ReplicaHealth(urls, "/nowhere", tls)
        assert await health.is_ready("stock", "127.0.0.1") is False
        await health.close()


@pytest.mark.asyncio
async def test_health_is_told_by_who_accepts_the_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    files = write_files(tmp_path, authority)
    app = GraphQL(strawberry.Schema(query=_Health))
    async with secured(app, authority) as subgraph:
        urls = {"stock": subgraph.url()}
        for settings, ready in ((files.settings(), True), ({"ca_file": str(files.ca)}, False)):
            health = ReplicaHealth(urls, "/?query={ok}", open_tls(config_of(settings).subgraphs.tls, urls))
            assert await health.is_ready("stock", "127.0.0.1") is ready
            await health.close()


@strawberry.type(name="Query")
class _Health:
    ok: bool = True


@pytest.mark.asyncio
async def test_files_are_passed_on_with_the_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    files = write_files(tmp_path, authority)
    received: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            received.append(message.get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    (tmp_path / "photo").write_bytes(b"a photo")
    async with secured(app, authority, host="photos.internal") as subgraph:
        urls = {"stock": subgraph.url()}
        settings = {**files.settings(), "server_name": "photos.internal"}
        client = HttpSubgraphClient(urls, tls=open_tls(config_of(settings).subgraphs.tls, urls))
        with (tmp_path / "photo").open("rb") as photo:
            file = SentFile(UploadedFile("photo", "image/png", 7, photo), ("variables.photo",))
            response = await client.send(SubgraphRequest("stock", b"{}", timeout_s=5, files=(file,)))
        bare = HttpSubgraphClient(urls, tls=open_tls(config_of({"ca_file": str(files.ca)}).subgraphs.tls, urls))
        with (tmp_path / "photo").open("rb") as photo:
            file = SentFile(UploadedFile("photo", "image/png", 7, photo), ("variables.photo",))
            with pytest.raises(SubgraphFailure):
                await bare.send(SubgraphRequest("stock", b"{}", timeout_s=5, files=(file,)))
        await client.close()
        await bare.close()
    assert response.status == 200
    assert b"".join(received).count(b"a photo") == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("protocol", ["websocket", "sse"])
async def test_subscriptions_use_the_certificate(tmp_path: Path, authority: trustme.CA, protocol: str) -> None:
    files, auction = write_files(tmp_path, authority), Auction()
    sse = b'event: next\ndata: {"data":{"bids":{"amount":7}}}\n\n'

    async def events(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": sse, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    app = auction_app(auction)[1] if protocol == "websocket" else events
    async with secured(app, authority) as subgraph:
        url = subgraph.url()
        request = EventRequest("stock", url, b'{"query":"subscription { bids { amount } }"}', (), decode)
        for settings, is_accepted in ((files.settings(), True), ({"ca_file": str(files.ca)}, False)):
            config = config_of(settings, subgraphs={"subscriptions": {"stock": {"protocol": protocol}}})
            source = open_graph(read_supergraph(stock_at(url)), config).event_routes["stock"].source
            if not is_accepted:
                with pytest.raises(SubgraphFailure) as caught:
                    async with source.open(request) as events_of_stock:
                        await anext(events_of_stock)
                assert caught.value.code == "SUBGRAPH_REQUEST_FAILED"
                continue
            async with source.open(request) as events_of_stock:
                if protocol == "websocket":
                    await auction.followed_by(1)
                    auction.bid(7)
                answer = await anext(events_of_stock)
            assert answer.data == {"bids": {"amount": 7}}


@pytest.mark.asyncio
async def test_the_schema_is_asked_for_with_certificate_and_signature(tmp_path: Path, authority: trustme.CA) -> None:
    files = write_files(tmp_path, authority)
    headers: list[dict[bytes, bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers.append(dict(scope["headers"]))
        await receive()
        body = json.dumps({"data": {"_service": {"sdl": "type Query { warehouses: [String!] }"}}}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    keys = "k:a-secret-of-the-router-with-forty-letters"
    path, config = tmp_path / "supergraph.yaml", tmp_path / "router.yaml"
    async with secured(app, authority) as subgraph:
        address = subgraph.url()
        path.write_text(f"subgraphs: {{stock: {{schema: {{subgraph_url: '{address}'}}}}}}")
        config.write_text(json.dumps({"subgraphs": {"tls": files.settings()}, "signing": {"keys": keys}}))
        found = await asyncio.to_thread(lambda: load_subgraphs(path, fetch=sdl_fetcher(load_config(config))))
        assert [one.sdl for one in found] == ["type Query { warehouses: [String!] }"]
        read = await asyncio.to_thread(lambda: GraphFiles(path, config).read())
        assert read.source.subgraphs == found
        assert all(b'tag="stock"' in sent[b"signature-input"] for sent in headers)
        with pytest.raises(InputError) as caught:
            await asyncio.to_thread(lambda: load_subgraphs(path))
        assert caught.value.code == "SUBGRAPH_UNREACHABLE"
        composed = await asyncio.to_thread(
            lambda: CliRunner().invoke(compose_command, [str(path), "--config", str(config)])
        )
    assert len(headers) == 3
    assert "warehouses" in composed.output


@pytest.mark.asyncio
async def test_renewed_files_are_taken_over_and_what_is_wrong_meanwhile_is_not(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    """The subgraph believes another authority from the start, so that only renewed files open it."""
    files = write_files(tmp_path / "tls", authority)
    async with secured(Shop().app("stock"), authority, clients=stranger) as subgraph:
        supergraph, config = tmp_path / "supergraph.graphql", tmp_path / "router.yaml"
        supergraph.write_text(stock_at(subgraph.url()))
        config.write_text(json.dumps({"subgraphs": {"tls": files.settings()}}))
        reader = GraphFiles(supergraph, config)
        first = reader.read()
        graph = build_graph(first)
        before = reader.stamps(first)
        assert reader.read() == first

        renewed = write_files(tmp_path / "renewed", authority, stranger)
        files.certificate.write_bytes(renewed.certificate.read_bytes())
        assert reader.stamps(first) != before
        with pytest.raises(InputError) as caught:
            build_graph(reader.read(), graph)
        mismatch = f"the key in {files.key} is not that of the certificate in {files.certificate}."
        assert caught.value.message == f"subgraphs.tls.key_file: {mismatch}"

        files.key.write_bytes(renewed.key.read_bytes())
        second = reader.read()
        assert second != first
        again = build_graph(second, graph)
        assert again.traffic is not graph.traffic
        request = SubgraphRequest("stock", json.dumps(QUERY).encode(), timeout_s=5)
        with pytest.raises(SubgraphFailure):
            await graph.client.send(request)
        assert json.loads((await again.client.send(request)).body) == ANSWER
        assert build_graph(reader.read(), again).traffic is again.traffic
        await graph.client.close()
        await again.client.close()


@pytest.mark.asyncio
async def test_a_running_router_takes_over_renewed_files_and_tells_no_key(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    files = write_files(tmp_path / "tls", authority)
    renewed = write_files(tmp_path / "renewed", authority, stranger)
    config = tmp_path / "router.yaml"
    settings = {"supergraph": {"watch_interval_s": 0.1}, "subgraphs": {"tls": files.settings()}}
    config.write_text(json.dumps(settings))
    async with secured(Shop().app("stock"), authority, clients=stranger) as subgraph:
        options = ("--config", str(config))
        with running_router(tmp_path, *options, stock=subgraph.url()) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                refused = (await client.post(f"{router.url}/graphql", json=QUERY)).json()
                assert refused["data"] == {"warehouses": None}
                files.key.write_bytes(renewed.key.read_bytes())
                files.certificate.write_bytes(renewed.certificate.read_bytes())
                async with asyncio.timeout(20):
                    while (await client.post(f"{router.url}/graphql", json=QUERY)).json() != ANSWER:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
        log = router.log.read_text()
    secrets = [line for key in (files.key, renewed.key) for line in key.read_text().splitlines()[1:-1]]
    assert len(secrets) > 2
    assert not [line for line in secrets if line in log]


@pytest.mark.asyncio
async def test_a_running_router_hears_of_a_certificate_that_is_revoked(tmp_path: Path, authority: trustme.CA) -> None:
    files, lists, config = write_files(tmp_path / "tls", authority), tmp_path / "revoked.pem", tmp_path / "router.yaml"
    write_revocations(lists, authority)
    tls = {**files.settings(), "crl_file": str(lists)}
    config.write_text(json.dumps({"supergraph": {"watch_interval_s": 0.1}, "subgraphs": {"tls": tls}}))
    certificate = authority.issue_cert("localhost")
    async with secured(Shop().app("stock"), authority, certificate=certificate) as subgraph:
        with running_router(tmp_path, "--config", str(config), stock=subgraph.url()) as router:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                assert (await client.post(f"{router.url}/graphql", json=QUERY)).json() == ANSWER
                write_revocations(lists, authority, certificate)
                async with asyncio.timeout(20):
                    while (await client.post(f"{router.url}/graphql", json=QUERY)).json() == ANSWER:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)


@pytest.mark.asyncio
async def test_lists_for_all_are_not_those_of_an_authority_of_one(
    tmp_path: Path, authority: trustme.CA, stranger: trustme.CA
) -> None:
    lists = tmp_path / "revoked.pem"
    write_revocations(lists, stranger)
    files, foreign = write_files(tmp_path / "own", authority), write_files(tmp_path / "foreign", stranger)
    for_all = {**foreign.settings(), "crl_file": str(lists)}
    async with secured(Shop().app("stock"), authority) as subgraph:
        settings = {**for_all, "subgraphs": {"stock": files.settings()}}
        assert await answered(config_of(settings), subgraph.url()) == ANSWER


def wrong(files: Files, folder: Path) -> dict[str, tuple[dict[str, str], str]]:
    """By what is wrong: the settings, and the message."""
    missing, text = folder / "missing.pem", folder / "text.pem"
    text.write_text("a text")
    no_pair = "certificate_file: {} holds no certificate in PEM, or {} no private key in PEM that key_password opens."
    return {
        "no authority": ({"ca_file": str(missing)}, f"ca_file: {missing}: No such file or directory."),
        "a folder": ({"ca_file": str(folder)}, f"ca_file: {folder}: Is a directory."),
        "no key": ({**files.settings(), "key_file": str(missing)}, f"key_file: {missing}: No such file or directory."),
        "a text for an authority": (
            {"ca_file": str(text)},
            f"ca_file: {text} holds no certificates of authorities in PEM.",
        ),
        "a text for a list": (
            {"crl_file": str(text)},
            f"crl_file: {text} holds no revocation lists of authorities in PEM.",
        ),
        "an authority for its list": (
            {**files.settings(), "crl_file": str(files.ca)},
            f"crl_file: {files.ca} holds no revocation lists of authorities in PEM.",
        ),
        "a text for a certificate": (
            {**files.settings(), "certificate_file": str(text)},
            no_pair.format(text, files.key),
        ),
        "a text for a key": (
            {**files.settings(), "key_file": str(text)},
            no_pair.format(files.certificate, text),
        ),
    }


@pytest.mark.parametrize(
    "name",
    [
        "no authority",
        "a folder",
        "no key",
        "a text for an authority",
        "a text for a list",
        "an authority for its list",
        "a text for a certificate",
        "a text for a key",
    ],
)
@pytest.mark.parametrize("for_one", [False, True])
def test_what_is_wrong_with_a_file_is_told_with_its_key(
    tmp_path: Path, authority: trustme.CA, name: str, for_one: bool
) -> None:
    settings, message = wrong(write_files(tmp_path / "tls", authority), tmp_path)[name]
    config = config_of({"subgraphs": {"stock": settings}} if for_one else settings)
    with pytest.raises(InputError) as caught:
        open_graph(read_supergraph(stock_at("https://stock.test/graphql")), config)
    key = "subgraphs.tls.subgraphs.stock" if for_one else "subgraphs.tls"
    assert (caught.value.code, caught.value.message) == ("INVALID_CONFIG", f"{key}.{message}")


def test_an_encrypted_key_needs_its_password_which_is_told_nowhere(tmp_path: Path, authority: trustme.CA) -> None:
    files = write_files(tmp_path, authority)
    encrypt(files.key, b"open-sesame")
    urls = {"stock": "https://stock.test/graphql"}
    settings = {**files.settings(), "key_password": "open-sesame"}
    assert isinstance(open_tls(config_of(settings).subgraphs.tls, urls)["stock"].context, ssl.SSLContext)
    for password in ("open-barley", ""):
        config = config_of({**settings, "key_password": password})
        with pytest.raises(InputError) as caught:
            open_tls(config.subgraphs.tls, urls)
        assert caught.value.message.endswith("no private key in PEM that key_password opens.")
        assert "open-barley" not in caught.value.message + repr(config)


def encrypt(key: Path, password: bytes) -> None:
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    form = serialization.BestAvailableEncryption(password)
    pem = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, pem, form))


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ({"key_file": "a"}, "settings: subgraphs.tls: a key needs certificate_file, which says whose it is"),
        (
            {"certificate_file": "a", "key_password": 1234},
            "settings: subgraphs.tls.key_password: this is a text: put it in quotes",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tls: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        config_of(tls)
    assert caught.value.message == message


def test_settings_for_a_subgraph_without_tls_or_without_existence_are_refused(
    tmp_path: Path, authority: trustme.CA
) -> None:
    files = write_files(tmp_path, authority)
    expected = {
        "stock": "subgraphs.tls.subgraphs.stock: the URL of the subgraph is not https, but http://stock.test/graphql.",
        "stok": "subgraphs.tls.subgraphs.stok: there is no subgraph of that name; did you mean 'stock'?",
    }
    for name, message in expected.items():
        with pytest.raises(InputError) as caught:
            open_graph(read_supergraph(SUPERGRAPH), config_of({"subgraphs": {name: files.settings()}}))
        assert caught.value.message == message


def test_files_are_relative_to_the_settings_and_an_empty_name_is_none(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_text("subgraphs: {tls: {ca_file: '${CA:-}', subgraphs: {stock: {ca_file: tls/ca.pem}}}}")
    tls = load_config(path, {}).subgraphs.tls
    assert (tls.ca_file, tls.subgraphs["stock"].ca_file) == (None, tmp_path / "tls" / "ca.pem")


def test_without_settings_there_is_nothing_of_it() -> None:
    graph = open_graph(read_supergraph(stock_at("https://stock.test/graphql")), RouterConfig())
    assert graph.traffic is not None
    assert graph.traffic.made_from.tls.digests == ()
    assert open_tls(RouterConfig().subgraphs.tls, {"stock": "https://stock.test/graphql"}) == {}
