"""A service answers the router, which signs, and who bears a user's token; nobody else, nothing that was changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from subgraphs.chassis.app import create_app
from subgraphs.chassis.errors import SettingsError
from subgraphs.chassis.identity.router_keys import read_keys
from subgraphs.chassis.settings import ServiceSettings, read_settings
from tests.chassis.example import Notes, notes_service
from tests.server.subscriptions.live import serve
from tests.services import ServiceClient

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW = "old-secret-of-at-least-32-characters", "new-secret-of-at-least-32-characters"
ENVIRONMENT = {
    "MONGODB_URL": "mongodb://127.0.0.1:1/notes",
    "NATS_URL": "nats://127.0.0.1:1",
    "ROUTER_KEYS": f"old:{OLD},new:{NEW}",
}
QUERY = b'{"query":"{ __typename }"}'
ANSWERED = {"data": {"__typename": "Query"}}


@dataclass(frozen=True)
class Signed:
    """A signed request, of which a test changes what it likes before it signs, or after."""

    body: bytes = QUERY
    method: str = "POST"
    path: str = "/graphql"
    query: str | None = None
    token: str | None = None
    key_id: str = "new"
    secret: str = NEW
    tag: str = "notes"
    created: int = int(NOW.timestamp())
    leave_out: str = ""

    def headers(self) -> dict[str, str]:
        """The headers that sign it, written here from docs/signatures.md alone."""
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(self.body).digest()).decode()}:"
        parts: list[tuple[str, str | None]] = [
            ("@method", self.method),
            ("@path", self.path),
            ("@query", f"?{self.query}" if self.query is not None else None),
            ("content-digest", digest if self.method == "POST" else None),
            ("authorization", self.token),
        ]
        lines = [(name, value) for name, value in parts if value is not None and name != self.leave_out]
        names = " ".join(f'"{name}"' for name, _ in lines)
        parameters = f'({names});created={self.created};keyid="{self.key_id}";alg="hmac-sha256";tag="{self.tag}"'
        text = "\n".join([*(f'"{name}": {value}' for name, value in lines), f'"@signature-params": {parameters}'])
        signature = base64.b64encode(hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
        made = {"signature-input": f"galleria={parameters}", "signature": f"galleria=:{signature}:"}
        made |= {"content-digest": digest} if self.method == "POST" else {}
        return made | ({"authorization": self.token} if self.token else {})


@asynccontextmanager
async def service(folder: Path, **environment: str) -> AsyncIterator[ServiceClient]:
    """A service without database and bus, whose clock stands still."""
    values = {**ENVIRONMENT, "GALLERIA_DATA": str(folder), **environment}
    settings = read_settings(ServiceSettings, "notes", values)
    app = create_app(notes_service(Notes()), settings, lambda: NOW)
    client = ServiceClient(app, folder / "keys")
    async with app.router.lifespan_context(app), client.http:
        yield client


async def answer(client: ServiceClient, body: bytes, headers: Mapping[str, str], path: str = "/graphql") -> Any:
    """Status, and the code of the error or the whole answer."""
    sent = {"content-type": "application/json", **headers}
    response = await client.http.post(path, content=body, headers=sent)
    found = response.json()
    errors = found.get("errors")
    return response.status_code, errors[0]["extensions"]["code"] if errors else found


@pytest.mark.asyncio
async def test_the_router_is_answered_with_either_key_whoever_asked_it(tmp_path: Path) -> None:
    async with service(tmp_path) as client:
        token = f"Bearer {client.token('cus_ada')}"
        for request in (Signed(), Signed(key_id="old", secret=OLD), Signed(token=token), Signed(query="a=1")):
            path = f"/graphql?{request.query}" if request.query else "/graphql"
            assert await answer(client, QUERY, request.headers(), path) == (200, ANSWERED)


@pytest.mark.asyncio
async def test_others_need_a_users_token(tmp_path: Path) -> None:
    async with service(tmp_path) as client:
        assert await answer(client, QUERY, {}) == (200, "UNAUTHENTICATED")
        assert await answer(client, QUERY, {"authorization": "Bearer x"}) == (200, "UNAUTHENTICATED")
        token = f"Bearer {client.token('cus_ada', expires=datetime(2026, 3, 2, tzinfo=UTC))}"
        assert await answer(client, QUERY, {"authorization": token}) == (200, ANSWERED)
        assert (await client.http.get("/health/live")).status_code == 200


@pytest.mark.asyncio
async def test_with_router_only_a_token_is_not_enough(tmp_path: Path) -> None:
    async with service(tmp_path, ROUTER_ONLY="1") as client:
        token = {"authorization": f"Bearer {client.token('cus_ada')}"}
        assert await answer(client, QUERY, token) == (401, "ROUTER_SIGNATURE_REQUIRED")
        assert await answer(client, QUERY, Signed().headers()) == (200, ANSWERED)
        assert (await client.http.get("/health/live")).status_code == 200


@pytest.mark.asyncio
async def test_without_keys_nothing_is_asked_for(tmp_path: Path) -> None:
    async with service(tmp_path, ROUTER_KEYS="") as client:
        assert await answer(client, QUERY, {}) == (200, ANSWERED)


GOOD = Signed(token="Bearer t")
HEADERS = GOOD.headers()
REFUSED: dict[str, tuple[bytes, dict[str, str], str]] = {
    "another body": (QUERY + b" ", HEADERS, "the body is not the one that was signed"),
    "another digest": (
        b"{}",
        HEADERS | {"content-digest": Signed(body=b"{}").headers()["content-digest"]},
        "the secret, or what is signed, is another one",
    ),
    "another token": (QUERY, HEADERS | {"authorization": "Bearer u"}, "the secret, or what is signed, is another one"),
    "a token added": (
        QUERY,
        Signed().headers() | {"authorization": "Bearer u"},
        "it does not sign all of @method, @path, authorization, content-digest",
    ),
    "the token taken away": (
        QUERY,
        {name: value for name, value in HEADERS.items() if name != "authorization"},
        "it signs what was not sent",
    ),
    "another path": (QUERY, replace(GOOD, path="/other").headers(), "the secret, or what is signed, is another one"),
    "another method": (
        QUERY,
        replace(GOOD, method="PUT").headers() | {"content-digest": "x"},
        "it does not sign all of",
    ),
    "another secret": (QUERY, replace(GOOD, secret=OLD).headers(), "the secret, or what is signed, is another one"),
    "an unknown key": (QUERY, replace(GOOD, key_id="newer").headers(), "its key is not known"),
    "another service": (QUERY, replace(GOOD, tag="orders").headers(), "it is meant for another service"),
    "too old": (
        QUERY,
        replace(GOOD, created=GOOD.created - 31).headers(),
        "it was made more than 30 s before or after now; look at the clocks",
    ),
    "too new": (
        QUERY,
        replace(GOOD, created=GOOD.created + 31).headers(),
        "it was made more than 30 s before or after now; look at the clocks",
    ),
    "no digest signed": (QUERY, replace(GOOD, leave_out="content-digest").headers(), "it does not sign all of"),
    "no path signed": (QUERY, replace(GOOD, leave_out="@path").headers(), "it does not sign all of"),
    "no signature": (
        QUERY,
        {name: value for name, value in HEADERS.items() if name != "signature"},
        "it is not of the form that the router writes",
    ),
    "another label": (
        QUERY,
        HEADERS | {"signature-input": HEADERS["signature-input"].replace("galleria", "proxy")},
        "it is not of the form that the router writes",
    ),
    "another algorithm": (
        QUERY,
        HEADERS | {"signature-input": HEADERS["signature-input"].replace("sha256", "sha1")},
        "it is not of the form that the router writes",
    ),
    "a later time": (
        QUERY,
        HEADERS | {"signature-input": HEADERS["signature-input"].replace("created=177", "created=178")},
        "the secret, or what is signed, is another one",
    ),
}


@pytest.mark.asyncio
@pytest.mark.parametrize(("body", "headers", "reason"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_signed_wrongly_is_refused_and_the_log_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes, headers: dict[str, str], reason: str
) -> None:
    async with service(tmp_path) as client:
        assert await answer(client, body, headers) == (401, "ROUTER_SIGNATURE_INVALID")
    logged = capsys.readouterr().out
    assert reason in logged
    assert NEW not in logged


@pytest.mark.asyncio
async def test_a_query_that_was_added_is_refused(tmp_path: Path) -> None:
    async with service(tmp_path) as client:
        refused = (401, "ROUTER_SIGNATURE_INVALID")
        assert await answer(client, QUERY, Signed().headers(), "/graphql?a=1") == refused


@pytest.mark.asyncio
async def test_a_signature_of_somebody_else_may_stand_beside_it(tmp_path: Path) -> None:
    headers = Signed().headers()
    headers["signature-input"] = f'proxy=("@method");created=1, {headers["signature-input"]}'
    headers["signature"] = f"proxy=:AAAA:, {headers['signature']}"
    async with service(tmp_path) as client:
        assert await answer(client, QUERY, headers) == (200, ANSWERED)


@pytest.mark.asyncio
async def test_a_token_beside_a_wrong_signature_does_not_help(tmp_path: Path) -> None:
    async with service(tmp_path) as client:
        token = f"Bearer {client.token('cus_ada', expires=datetime(2026, 3, 2, tzinfo=UTC))}"
        wrong = replace(GOOD, token=token, secret=OLD).headers()
        assert await answer(client, QUERY, wrong) == (401, "ROUTER_SIGNATURE_INVALID")


async def greeted(address: str, headers: Mapping[str, str]) -> str:
    """The type of the answer to ``connection_init``."""
    protocol = Subprotocol("graphql-transport-ws")
    url = f"ws://{address}/graphql"
    async with connect(url, subprotocols=[protocol], additional_headers=headers, proxy=None) as socket:
        await socket.send('{"type":"connection_init"}')
        kind: str = json.loads(await socket.recv())["type"]
        return kind


@pytest.mark.asyncio
async def test_a_handshake_is_signed_without_a_body(tmp_path: Path) -> None:
    settings = read_settings(ServiceSettings, "notes", {**ENVIRONMENT, "GALLERIA_DATA": str(tmp_path)})
    app = create_app(notes_service(Notes()), settings, lambda: NOW)
    handshake = Signed(method="GET")
    async with app.router.lifespan_context(app):
        served = await serve(app)
        try:
            assert await greeted(served.address, handshake.headers()) == "connection_ack"
            with pytest.raises(ConnectionClosed, match="4403"):
                await greeted(served.address, {})
            with pytest.raises(InvalidStatus, match="403"):
                await greeted(served.address, replace(handshake, secret=OLD).headers())
        finally:
            await served.stop()


@pytest.mark.parametrize("keys", ["new", "new:short", ":" + NEW, f"new:{NEW},old:"])
def test_keys_that_are_none_end_the_start_and_are_not_told(keys: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(ServiceSettings, "notes", {**ENVIRONMENT, "ROUTER_KEYS": keys})
    wanted = "must be ID:SECRET, several apart by commas, a secret of at least 32 characters"
    assert str(caught.value) == f"ROUTER_KEYS: {wanted}"


def test_router_only_without_keys_ends_the_start() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(ServiceSettings, "notes", {**ENVIRONMENT, "ROUTER_KEYS": "", "ROUTER_ONLY": "1"})
    assert str(caught.value) == "ROUTER_ONLY: needs ROUTER_KEYS, or nobody would be answered"


def test_keys_are_read_by_id() -> None:
    assert read_keys(SecretStr(f" a:{OLD},b:{NEW} ")) == {"a": OLD.encode(), "b": NEW.encode()}
