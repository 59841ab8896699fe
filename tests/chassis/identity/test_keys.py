"""Keys from a file and from a URL: rotation, outages, and what is no key of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from subgraphs.chassis.errors import Unavailable
from subgraphs.chassis.identity.dev_keys import JWKS_FILE, ensure_key
from subgraphs.chassis.identity.keys import (
    ASK_AGAIN_AFTER_S,
    REFRESH_AFTER_S,
    JwksFile,
    JwksUrl,
    has_development_key,
    read_keys,
)


def jwk(key_id: str, **members: str) -> dict[str, str]:
    """A public key as a JWKS lists it."""
    public = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    return {**public, "kid": key_id, **members}


class Issuer:
    """A JWKS URL with ``keys``; :attr:`asked` counts requests, and ``away`` makes it answer 503."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.away = False
        self.now = 0.0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)  # lets the other requests come in between
        return (
            httpx.Response(503) if self.away else httpx.Response(200, json={"keys": [jwk(each) for each in self.keys]})
        )

    def source(self, client: httpx.AsyncClient) -> JwksUrl:
        return JwksUrl("http://keys/jwks.json", client, seconds=lambda: self.now)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))


@pytest.mark.asyncio
async def test_keys_in_an_encoding_that_was_not_asked_for_are_not_read() -> None:
    def bomb(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        return httpx.Response(200, headers={"content-encoding": "br"}, stream=httpx.ByteStream(b"x"))

    async with httpx.AsyncClient(transport=httpx.MockTransport(bomb)) as client:
        source = JwksUrl("http://keys/jwks.json", client)
        with pytest.raises(Unavailable, match="the answer is in an encoding that was not asked for"):
            await source.check()


@pytest.mark.asyncio
async def test_a_thousand_requests_with_an_unknown_key_ask_once() -> None:
    issuer = Issuer("one")
    async with issuer.client() as client:
        source = issuer.source(client)
        found = await asyncio.gather(*(source.find("one" if number % 2 else "two") for number in range(1000)))
    assert issuer.asked == 1
    assert [key.key_id if key else None for key in found] == [None, "one"] * 500


@pytest.mark.asyncio
async def test_a_new_key_is_found_and_an_unknown_one_asked_for_every_ten_seconds_at_most() -> None:
    issuer = Issuer("one")
    async with issuer.client() as client:
        source = issuer.source(client)
        assert await source.find("two") is None
        issuer.keys.append("two")
        assert await source.find("two") is None
        issuer.now = ASK_AGAIN_AFTER_S
        assert await source.find("two") is not None
    assert (issuer.asked, source.generation) == (2, 2)


@pytest.mark.asyncio
async def test_a_key_that_is_taken_away_is_forgotten_at_the_next_check() -> None:
    issuer = Issuer("one", "two")
    async with issuer.client() as client:
        source = issuer.source(client)
        await source.check()
        issuer.keys = ["two"]
        issuer.now = REFRESH_AFTER_S - 1
        await source.check()
        assert (await source.find("one"), issuer.asked) != (None, 2)
        issuer.now = REFRESH_AFTER_S
        await source.check()
        assert await source.find("one") is None
        assert await source.find("two") is not None


@pytest.mark.asyncio
async def test_known_keys_outlive_an_outage_of_the_url() -> None:
    issuer = Issuer("one")
    async with issuer.client() as client:
        source = issuer.source(client)
        await source.check()
        issuer.away, issuer.now = True, REFRESH_AFTER_S
        await source.check()
        assert await source.find("one") is not None
        assert issuer.asked == 2


@pytest.mark.asyncio
async def test_a_url_that_never_answered_is_unavailable_and_not_asked_by_every_request() -> None:
    issuer = Issuer()
    issuer.away = True
    async with issuer.client() as client:
        source = issuer.source(client)
        for _ in range(3):
            with pytest.raises(Unavailable, match=r"no keys at http://keys/jwks\.json: HTTPStatusError"):
                await source.find("one")
    assert issuer.asked == 1


@pytest.mark.asyncio
async def test_without_a_readable_file_nobody_can_be_verified(tmp_path: Path) -> None:
    (tmp_path / JWKS_FILE).write_text("no JSON")
    for path in (tmp_path / "missing.json", tmp_path / JWKS_FILE):
        with pytest.raises(Unavailable, match=f"no keys in {path}"):
            await JwksFile(path).find("x")


def test_only_keys_of_the_pinned_algorithm_count() -> None:
    private = rsa.generate_private_key(65537, 2048)
    others = [
        {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "rsa"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"},
        jwk("encrypts", use="enc"),
        jwk("nameless") | {"kid": ""},
        "no key at all",
    ]
    assert list(read_keys(orjson.dumps({"keys": [*others, jwk("good", alg="ES256", use="sig")]}))) == ["good"]


@pytest.mark.parametrize("document", [b"[]", b"{}", b'{"keys": {}}', b'{"keys": [{"kty": "EC", "crv": "P-256"}]}'])
def test_what_is_no_jwks_is_told(document: bytes) -> None:
    with pytest.raises((ValueError, jwt.PyJWTError)):
        read_keys(document)


def test_production_does_not_know_the_development_key(tmp_path: Path) -> None:
    key_id = ensure_key(tmp_path).key_id
    document = (tmp_path / JWKS_FILE).read_bytes()
    assert (list(read_keys(document)), list(read_keys(document, development=False))) == ([key_id], [])
    assert has_development_key(document)
    assert not has_development_key(orjson.dumps({"keys": [jwk("ours")]}))
    assert not has_development_key(b"no JSON")
