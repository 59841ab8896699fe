"""Who asks, through the running router: header, cookie, connection_init, and what each refusal says."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from router.errors import InputError
from router.server.access.authentication import Authenticator
from router.server.app import RouterApp
from router.server.config import (
    AuthenticationSettings,
    BatchingSettings,
    IssuerSettings,
    RouterConfig,
)
from router.server.config.telemetry import TelemetrySettings
from router.server.request_error import RequestError
from tests.server.access.guarded import Guarded
from tests.server.access.issuer import AUDIENCE, NAME, Issuer, IssuerNow
from tests.server.access.test_tokens import verifier_of
from tests.server.shop import client_of, codes
from tests.server.subscriptions.live import BIDS, live_stack, streaming
from tests.server.subscriptions.test_streams import MULTIPART, SSE, parts, sse_results

DIARY = {"query": "{ diary }"}


@pytest.fixture
def issuer() -> IssuerNow:
    return IssuerNow()


def settings(issuer: IssuerNow, folder: Path, **more: Any) -> RouterConfig:
    path = folder / "jwks.json"
    path.write_bytes(issuer.jwks())
    issuers = (IssuerSettings(issuer=NAME, audiences=(AUDIENCE,), jwks_file=path),)
    return RouterConfig(authentication=AuthenticationSettings(issuers=issuers, **more))


@pytest_asyncio.fixture
async def client(issuer: IssuerNow, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(Guarded().router(settings(issuer, tmp_path, cookie="session"))) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.asyncio
async def test_a_token_opens_what_is_protected(client: httpx.AsyncClient, issuer: IssuerNow) -> None:
    assert codes(await client.post("/graphql", json=DIARY)) == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    response = await client.post("/graphql", json=DIARY, headers=bearer(issuer.token()))
    assert response.json() == {"data": {"diary": "dear diary"}}


@pytest.mark.asyncio
async def test_a_second_token_is_refused_beside_one_that_is_known(client: httpx.AsyncClient, issuer: IssuerNow) -> None:
    token = bearer(issuer.token())
    for _ in range(2):
        assert (await client.post("/graphql", json=DIARY, headers=token)).json() == {"data": {"diary": "dear diary"}}
    both = [*token.items(), ("authorization", "Bearer forged")]
    response = await client.post("/graphql", json=DIARY, headers=both)
    assert (response.status_code, codes(response)) == (401, ["UNAUTHENTICATED"])


@pytest.mark.parametrize("header", ["authorization", "x-request-id"])
@pytest.mark.asyncio
async def test_who_asked_before_with_the_same_other_headers_counts_for_nobody_else(
    issuer: IssuerNow, tmp_path: Path, header: str
) -> None:
    config = settings(issuer, tmp_path, header=header, scheme="")
    config = config.model_copy(update={"telemetry": TelemetrySettings(trace_context=True)})
    async with client_of(Guarded().router(config)) as client:
        for _ in range(2):
            known = await client.post("/graphql", json=DIARY, headers={header: issuer.token()})
            assert known.json() == {"data": {"diary": "dear diary"}}
            assert codes(await client.post("/graphql", json=DIARY)) == ["UNAUTHORIZED_FIELD_OR_TYPE"]
            forged = await client.post("/graphql", json=DIARY, headers={header: issuer.token()[:-4]})
            assert (forged.status_code, codes(forged)) == (401, ["UNAUTHENTICATED"])


@pytest.mark.asyncio
async def test_scopes_in_the_token_count(client: httpx.AsyncClient, issuer: IssuerNow) -> None:
    query = {"query": "{ me { ssn } }"}
    for scope, ssn in (("read:ssn", None), ("read:ssn read:people", "078-05-1120")):
        response = await client.post("/graphql", json=query, headers=bearer(issuer.token(scope=scope)))
        assert response.json()["data"] == {"me": {"ssn": ssn}}


@pytest.mark.asyncio
async def test_a_token_in_the_cookie_counts_where_there_is_no_header(
    client: httpx.AsyncClient, issuer: IssuerNow
) -> None:
    # Scripts of others set what is no cookie by the standard, as browsers send it along.
    cookie = {"cookie": f'seen={{"a": 1}}; a[b]=c; e; session={issuer.token()}'}
    assert (await client.post("/graphql", json=DIARY, headers=cookie)).json()["data"] == {"diary": "dear diary"}
    response = await client.post("/graphql", json=DIARY, headers={**cookie, "authorization": "Bearer x"})
    assert response.status_code == 401


@pytest.mark.asyncio
async def test_of_two_cookies_with_tokens_none_is_believed(client: httpx.AsyncClient, issuer: IssuerNow) -> None:
    """A page of a neighbouring domain can set one too, and a subgraph may read the other."""
    good = f"session={issuer.token()}"
    for other in ("session=x", f"session={issuer.token(sub='bob')}"):
        for cookie in (f"{good}; {other}", f"{other};{good}"):
            response = await client.post("/graphql", json=DIARY, headers={"cookie": cookie})
            assert (response.status_code, codes(response)) == (401, ["UNAUTHENTICATED"])
    response = await client.post("/graphql", json=DIARY, headers={"cookie": f"{good}; {good}; session="})
    assert response.json()["data"] == {"diary": "dear diary"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("header", "challenge"),
    [("Bearer e30.e30.", "invalid_token"), ("Bearer", "invalid_request"), ("Basic YTpi", "invalid_request")],
)
async def test_a_token_that_is_not_accepted_ends_the_request(
    client: httpx.AsyncClient, header: str, challenge: str
) -> None:
    response = await client.post("/graphql", json={"query": "{ me { name } }"}, headers={"authorization": header})
    assert (response.status_code, codes(response)) == (401, ["UNAUTHENTICATED"])
    assert response.headers["www-authenticate"] == f'Bearer error="{challenge}"'


@pytest.mark.asyncio
async def test_a_token_can_be_required(issuer: IssuerNow, tmp_path: Path) -> None:
    guarded = Guarded()
    async with client_of(guarded.router(settings(issuer, tmp_path, required=True))) as client:
        response = await client.post("/graphql", json={"query": "{ me { name } }"})
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert guarded.asked == []
        response = await client.post("/graphql", json=DIARY, headers=bearer(issuer.token()))
        assert response.status_code == 200


@pytest.mark.asyncio
async def test_keys_that_cannot_be_had_are_not_the_clients_fault(issuer: IssuerNow, tmp_path: Path) -> None:
    config = settings(issuer, tmp_path)
    (tmp_path / "jwks.json").unlink()
    async with client_of(Guarded().router(config)) as client:
        response = await client.post("/graphql", json=DIARY, headers=bearer(issuer.token()))
    assert (response.status_code, codes(response)) == (503, ["KEYS_UNAVAILABLE"])


@pytest.mark.asyncio
async def test_without_issuers_nobody_is_known_whatever_they_send(issuer: IssuerNow) -> None:
    async with client_of(Guarded().router()) as client:
        response = await client.post("/graphql", json=DIARY, headers=bearer(issuer.token()))
    assert (response.status_code, codes(response)) == (200, ["UNAUTHORIZED_FIELD_OR_TYPE"])


@pytest.mark.asyncio
async def test_each_request_of_an_array_is_cut_for_its_sender(issuer: IssuerNow, tmp_path: Path) -> None:
    config = settings(issuer, tmp_path).model_copy(update={"batching": BatchingSettings(enabled=True)})
    async with client_of(Guarded().router(config)) as client:
        response = await client.post("/graphql", json=[DIARY, DIARY])
        assert [one["data"] for one in response.json()] == [{"diary": None}] * 2


def test_keys_over_plain_http_are_refused_in_production() -> None:
    issuers = (IssuerSettings(issuer=NAME, audiences=(AUDIENCE,), jwks_url="http://id.test/jwks"),)
    with pytest.raises(InputError) as caught:
        RouterApp(RouterConfig(authentication=AuthenticationSettings(issuers=issuers)))
    assert caught.value.message.startswith("authentication.issuers: http://id.test/jwks gives keys over plain HTTP")
    RouterApp(RouterConfig(environment="development", authentication=AuthenticationSettings(issuers=issuers)))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "[::1]"])
def test_keys_over_plain_http_from_this_machine_are_taken_in_production(host: str) -> None:
    issuers = (IssuerSettings(issuer=NAME, audiences=(AUDIENCE,), jwks_url=f"http://{host}:8080/jwks"),)
    RouterApp(RouterConfig(authentication=AuthenticationSettings(issuers=issuers)))


@pytest.mark.parametrize("host", ["10.0.0.1", "[fe80::1]", "localhost.id.test", "127.0.0.1.id.test"])
def test_keys_over_plain_http_from_another_machine_are_refused_whatever_it_is_called(host: str) -> None:
    issuers = (IssuerSettings(issuer=NAME, audiences=(AUDIENCE,), jwks_url=f"http://{host}/jwks"),)
    with pytest.raises(InputError, match="gives keys over plain HTTP"):
        RouterApp(RouterConfig(authentication=AuthenticationSettings(issuers=issuers)))


@pytest.mark.asyncio
async def test_a_websocket_is_opened_with_a_token_in_its_first_message(issuer: IssuerNow, tmp_path: Path) -> None:
    async with live_stack(settings(issuer, tmp_path, required=True)) as stack:
        async with stack.socket({"authorization": f"Bearer {issuer.token()}"}) as client:
            await client.subscribe(BIDS)
            await stack.auction.followed_by(1)
        async with stack.socket(acknowledged=False) as client:
            await client.send(type="connection_init", payload={"authorization": "Bearer no"})
            assert await client.closed_with() == 4403
        async with stack.socket(acknowledged=False) as client:
            await client.send(type="connection_init")
            assert await client.closed_with() == 4403


@pytest.mark.asyncio
async def test_a_token_in_the_first_message_goes_before_one_in_the_handshake(issuer: IssuerNow, tmp_path: Path) -> None:
    """That of the handshake may have been renewed since, and subgraphs are passed on the other alone."""
    async with live_stack(settings(issuer, tmp_path, required=True)) as stack:
        for first in (issuer.token(sub="bob"), "no"):
            payload = {"authorization": f"Bearer {issuer.token()}"}
            async with stack.socket(payload, headers={"authorization": f"Bearer {first}"}) as client:
                await client.subscribe("{ __typename }")
                assert (await client.receive())["type"] == "next"


def short_token(issuer: IssuerNow) -> str:
    """One that expires in three to four seconds from now: a subscription has begun by then."""
    issuer.now = time.time()
    return issuer.token(exp=int(issuer.now) + 4)


@pytest.mark.asyncio
async def test_a_subscription_over_websocket_ends_with_its_token(issuer: IssuerNow, tmp_path: Path) -> None:
    async with live_stack(settings(issuer, tmp_path)) as stack:
        token = short_token(issuer)
        async with stack.socket({"authorization": f"Bearer {token}"}) as client:
            await client.subscribe(BIDS)
            message = await client.receive()
            assert message["payload"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
            assert stack.service.subscriptions.count == 0
            for id_, operation in (("2", BIDS), ("3", "{ __typename }")):
                await client.subscribe(operation, id_)
                message = await client.receive()
                assert (message["id"], message["type"]) == (id_, "error")
                assert message["payload"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


EXPIRED = [
    {"message": "The token has expired. Subscribe again with a new one.", "extensions": {"code": "UNAUTHENTICATED"}}
]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("accept", "read", "told"),
    [
        pytest.param(SSE, sse_results, [{"errors": EXPIRED}, None], id="server-sent events"),
        pytest.param(MULTIPART, parts, [{"payload": None, "errors": EXPIRED}], id="multipart"),
    ],
)
async def test_a_subscription_over_a_stream_ends_with_its_token(
    issuer: IssuerNow, tmp_path: Path, accept: str, read: Callable[[str], list[object]], told: list[object]
) -> None:
    async with live_stack(settings(issuer, tmp_path)) as stack:
        expired = bearer(short_token(issuer))
        async with streaming(stack, accept, headers=expired) as response:
            await stack.auction.followed_by(1)
            assert read((await response.aread()).decode()) == told
        await stack.auction.followed_by(0)
        assert stack.service.subscriptions.count == 0
        async with streaming(stack, accept, headers=expired) as response:
            assert "it has expired" in (await response.aread()).decode()
        assert stack.auction.begun == 1


@pytest.mark.asyncio
async def test_a_token_has_one_requester_however_the_header_is_written() -> None:
    issuer = Issuer()
    token = issuer.token().encode()
    authenticator = Authenticator(AuthenticationSettings(cookie="session"), verifier_of(issuer))
    sent = [
        (b"authorization", b"bearer   " + token),
        (b"authorization", b"Bearer " + token),
        (b"authorization", b"Bearer  " + token),
        (b"cookie", b"session=" + token),
    ]
    callers = [await authenticator.caller({}, (), [one]) for one in sent]
    assert callers[0].requester.is_authenticated
    assert all(one.requester is callers[0].requester for one in callers)
    # What is written as most clients do is found at once, and is no other token's for being part of it.
    for wrong in (b"Bearer " + token[:-1], b"Bearer", b"Bearer ", b"Basic " + token, token):
        with pytest.raises(RequestError):
            await authenticator.caller({}, (), [(b"authorization", wrong)])
