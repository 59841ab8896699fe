"""Secrets are planted wherever a request, a subgraph or the settings can hold one, and looked for in what is written.

The one place that may have one is an error of a subgraph in the log, under the id that the client got in its place.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from stack.daemon import free_port
from tests.chassis.collector import Collector, running_collector
from tests.mall import await_condition
from tests.security.attacks.subgraphs import INNER
from tests.security.attacks.target import Target, public_settings, running_target
from tests.server.access.issuer import IssuerNow

pytestmark = pytest.mark.xdist_group("secrets")

SETTING = "setting-7f3a91-of-the-environment"
SECRETS = {
    "a setting": SETTING,
    "a variable": "password-1c2b3a-of-ada",
    "a literal": "literal-9d8e7f-of-ada",
    "a header": "header-5a4b3c-of-ada",
    "a cookie": "cookie-2f1e0d-of-ada",
    "a claim": "claim-8b7c6d-of-ada",
    "a broken token": "token-4e5f6a-of-ada",
    "a form": "form-3c4d5e-of-ada",
    "a file": "file-0a9b8c-of-ada",
    "a URL": "url-6d7e8f-of-ada",
    "a payload of connection_init": "init-7c6b5a-of-ada",
    "a variable over WebSocket": "4111-1111-1111-1111",
    "a key of signatures": "signing-1f2e3d-of-32-characters-or-more",
    "a header of a rule": "rule-6b5a4c-of-the-router",
    "a password of subgraphs": "subgraph-9c8b7a-of-the-router",
    "a password of events": "events-5f4e3d-of-the-router",
    "a password of NATS": "nats-3d2c1b-of-the-router",
    "a password of Valkey": "valkey-8e7d6c-of-the-router",
    "a password of keys": "jwks-2b1a0f-of-the-router",
    "a password of the collector": "collector-4d3c2b-of-the-router",
    "a key of the collector": "otlp-7e6f5d-of-the-router",
    "a password of a certificate": "tls-1a2b3c-of-the-router",
    "a secret of dropping caches": "dropping-9f8e7d-of-the-router",
    "a setting of a plugin": "plugin-5b6c7d-of-the-router",
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Collector) -> Iterator[Target]:
    """A router with everything on that writes, and a secret in every setting that can have one."""
    monkeypatch.setenv("GALLERIA_TEST_SECRET", SETTING)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"no header {SECRETS['a key of the collector']}")
    issuer, jwks = IssuerNow(), tmp_path / "jwks.json"
    jwks.write_bytes(issuer.jwks())
    settings = {**public_settings(jwks), **settings_with_secrets(tmp_path, collector)}
    nowhere = f"https://ada:{SECRETS['a password of keys']}@127.0.0.1:{free_port()}/jwks?key=1"
    settings["authentication"]["issuers"].append({"issuer": "lost", "audiences": ["a"], "jwks_url": nowhere})
    with running_target(tmp_path, settings, issuer, f"shop:{SECRETS['a password of subgraphs']}@") as target:
        yield target


def settings_with_secrets(folder: Path, collector: Collector) -> dict[str, Any]:
    """Most of them are where nobody is, so that what is wrong there is told."""
    nobody = f"127.0.0.1:{free_port()}"
    password = SECRETS["a password of the collector"]
    return {
        "environment": "development",
        "errors": {"mask": True},
        "headers": {
            "set": {"x-router-key": "${GALLERIA_TEST_SECRET}", "x-rule": SECRETS["a header of a rule"]},
            "subgraphs": {"shop": {"propagate": ["authorization", "x-secret"]}},
        },
        "telemetry": {
            "trace_context": True,
            "access_log": True,
            "metrics": {"operations": True},
            "tracing": {"endpoint": collector.endpoint.replace("://", f"://ada:{password}@")},
        },
        "signing": {"keys": f"router:{SECRETS['a key of signatures']}"},
        "nats": {"url": f"nats://ada:{SECRETS['a password of NATS']}@{nobody}"},
        "persisted_documents": {"apq": True, "apq_shared": True},
        "entity_cache": {
            "enabled": True,
            "default_ttl_s": 1,
            "valkey": {"url": f"valkey://ada:{SECRETS['a password of Valkey']}@{nobody}"},
            "invalidation": {"secret": SECRETS["a secret of dropping caches"]},
        },
        "subgraphs": {
            "tls": certificate(folder),
            "subscriptions": {"shop": {"url": f"ws://ada:{SECRETS['a password of events']}@{nobody}/ws"}},
        },
        "plugins": [
            {
                "use": "examples.plugins.subgraph_header:SubgraphHeader",
                "settings": {"subgraphs": ["shop"], "name": "x-shop", "value": SECRETS["a setting of a plugin"]},
            }
        ],
    }


def certificate(folder: Path) -> dict[str, str]:
    """A certificate of the router's, whose key has a password."""
    issued = trustme.CA().issue_cert("router.test")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    password = SECRETS["a password of a certificate"]
    (folder / "router.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    )
    issued.cert_chain_pems[0].write_to_path(str(folder / "router.pem"))
    return {"certificate_file": "router.pem", "key_file": "router.key", "key_password": password}


def ask_with_secrets(target: Target) -> list[str]:
    """Everything that was answered, but for what the client itself asked to be told."""
    login = 'mutation Login($p: String!) { login(name: "ada", password: $p) }'
    literal = f'mutation {{ login(name: "ada", password: "{SECRETS["a literal"]}") }}'
    token = target.token(sub="ada", email=SECRETS["a claim"])
    headers = {
        "authorization": f"Bearer {token}",
        "x-secret": SECRETS["a header"],
        "cookie": f"other={SECRETS['a cookie']}",
        "x-galleria-fetches": "1",
    }
    preflight = {"apollo-require-preflight": "1"}
    upload = {"query": "mutation ($f: Upload!) { store(file: $f) }", "variables": {"f": None}}
    form = {"operations": json.dumps(upload), "map": '{"0": ["variables.f"]}'}
    lost = target.token(iss="lost", sub="ada")
    answers = [
        target.post({"query": login, "variables": {"p": SECRETS["a variable"]}}, headers=headers),
        target.post({"query": literal}, headers={**headers, "x-galleria-fetches": "0"}),
        target.post({"query": "{ broken }"}, headers=headers),
        target.post({"query": "{ me { name } }"}, headers={"authorization": f"Bearer {SECRETS['a broken token']}"}),
        target.post({"query": "{ me { name } }"}, headers={"authorization": f"Bearer {lost}"}),
        target.post({"query": "{ me { name } }"}, headers={"cookie": f"session={SECRETS['a cookie']}"}),
        target.post(data={"operations": SECRETS["a form"], "map": "{}"}, files={"0": b"x"}, headers=preflight),
        target.post(data=form, files={"0": SECRETS["a file"].encode()}, headers={**headers, **preflight}),
        target.post({"query": login, "variables": {"p": 7}}, headers=headers),
        target.post({"query": "subscription { ticks }"}, headers={**headers, "accept": "text/event-stream"}),
        target.client.get(f"{target.url}?query={{__typename}}&x={SECRETS['a URL']}", headers=preflight),
        target.client.get(f"{target.url}/{SECRETS['a header'][:6]}", headers=headers),
    ]
    return [*(answer.text + str(answer.headers) for answer in answers), *asyncio.run(say_secrets(target))]


async def say_secrets(target: Target) -> list[str]:
    """What is answered over a WebSocket to an operation, a subscription, and a message that is none."""
    said = []
    login = "mutation ($p: String!) { login(name: $p, password: $p) }"
    variables = {"p": SECRETS["a variable over WebSocket"]}
    subprotocols = [Subprotocol("graphql-transport-ws")]
    async with connect(target.websocket_url, subprotocols=subprotocols, proxy=None) as socket:
        payload = dict.fromkeys(("x-secret", "password"), SECRETS["a payload of connection_init"])
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        said.append(await socket.recv())
        for id_, query in {"1": login, "2": "subscription { ticks }"}.items():
            subscribe = {"type": "subscribe", "id": id_, "payload": {"query": query, "variables": variables}}
            await socket.send(json.dumps(subscribe))
            said.append(await socket.recv())
        await socket.send(json.dumps({"type": "no", "payload": payload}))
        with suppress(ConnectionClosed):
            while True:
                said.append(await socket.recv())
    return [*map(str, said), str(socket.close_reason)]


def written(target: Target, collector: Collector) -> dict[str, str]:
    """What can be read of the router by those who run it."""
    base = target.url.removesuffix("/graphql")
    pages = {path: target.client.get(base + path).text for path in ("/metrics", "/status", "/status.json", "/")}
    page = target.client.get(base + "/status", headers={"accept": "text/html"}).text
    config = target.client.get(base + "/explorer/config.json").text
    plan = target.client.post(base + "/plan", json={"query": "{ products { id } }"}).text
    await_condition(lambda: any(span.name == "fetch shop" for _, span in collector.spans), 15, "spans")
    written = {"log": target.log.read_text(), "plan": plan, "explorer": config, "status page": page, **pages}
    return {**written, "spans": str(collector.spans)}


def tells(target: Target, *texts: str) -> bool:
    """Whether the log has each of ``texts``."""
    log = target.log.read_text()
    return all(text in log for text in texts)


def test_no_secret_is_written_anywhere(target: Target, collector: Collector) -> None:
    answers = ask_with_secrets(target)
    await_condition(lambda: tells(target, "NATS cannot be reached", "Valkey fails"), 20, "that they are not reached")
    places = {**written(target, collector), **{f"answer {number}": text for number, text in enumerate(answers)}}
    assert '"status":200' in places["log"]
    assert "keys of https://127.0.0.1" in places["log"]
    assert "Header format invalid" in places["log"]
    assert "galleria_requests_total" in places["/metrics"]
    found = [(name, place) for name, secret in SECRETS.items() for place, text in places.items() if secret in text]
    assert found == []
    assert [place for place, text in places.items() if INNER in text] == ["log"]
    key = json.loads(target.issuer.jwks())["keys"][0]["x"]
    token = target.token(sub="ada").split(".")[0]
    assert [place for place, text in places.items() if key in text or token in text] == []


def test_the_secrets_reach_whom_they_are_for(target: Target) -> None:
    headers = {"x-secret": SECRETS["a header"]}
    told = target.post({"query": "{ headers }"}, headers=headers).json()["data"]["headers"]
    assert f"x-router-key: {SETTING}" in told
    assert f"x-rule: {SECRETS['a header of a rule']}" in told
    assert f"x-shop: {SECRETS['a setting of a plugin']}" in told
    assert f"x-secret: {SECRETS['a header']}" in told


def test_a_setting_that_is_wrong_is_told_without_its_value(target: Target, tmp_path: Path) -> None:
    target.assert_answers()  # it serves, and so takes signals
    config = tmp_path / "router.yaml"
    settings = json.loads(config.read_text())
    settings["graphql"] = {"timeout_s": "${GALLERIA_TEST_SECRET}"}
    config.write_text(json.dumps(settings))
    target.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while "INVALID_CONFIG" not in target.log.read_text() and time.monotonic() < deadline:
        target.assert_answers()
    log = target.log.read_text()
    assert "INVALID_CONFIG" in log
    assert [name for name, secret in SECRETS.items() if secret in log] == []
