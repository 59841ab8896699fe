"""Tokens: what is believed, what is not and why, and what a stampede of them costs."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from router.server.access.authentication import create_authenticator
from router.server.access.caller import Requester
from router.server.access.keys import MAX_JWKS_BYTES, JwksFile, JwksUrl, KeysUnavailable, http_fetch, read_keys
from router.server.access.tokens import Issuer as TokenIssuer
from router.server.access.tokens import TokenLimits, TokenRefused, TokenVerifier
from router.server.config import AuthenticationSettings, IssuerSettings, RouterConfig
from tests.execution.raw_server import Exchange, ok, raw_server
from tests.server.access.issuer import AUDIENCE, NAME, Issuer

SETTINGS = IssuerSettings(issuer=NAME, audiences=(AUDIENCE, "other"), jwks_url="https://id.test/jwks")


def keys_of(issuer: Issuer) -> JwksUrl:
    return JwksUrl(NAME, issuer.fetch, issuer.clock)


def verifier_of(issuer: Issuer, limits: TokenLimits | None = None) -> TokenVerifier:
    return TokenVerifier([TokenIssuer(SETTINGS, keys_of(issuer))], limits or TokenLimits(), issuer.clock)


async def refusal(issuer: Issuer, token: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        await verifier_of(issuer).requester(token)
    return str(caught.value)


@pytest.mark.asyncio
@pytest.mark.parametrize("scope", ["read write", ["read", "write", 7]])
async def test_a_good_token_tells_who_asks_and_with_which_scopes(scope: object) -> None:
    issuer = Issuer()
    requester = await verifier_of(issuer).requester(issuer.token(scope=scope))
    assert requester.claims == issuer.claims(scope=scope)
    assert (requester.scopes, requester.expires_at) == (frozenset({"read", "write"}), issuer.now + 60)


@pytest.mark.asyncio
async def test_rsa_keys_verify_too() -> None:
    issuer = Issuer()
    issuer.use_rsa("big")
    assert (await verifier_of(issuer).requester(issuer.token())).is_authenticated


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1_800_000_000}, "it has expired"),
        ({"exp": "soon"}, "it has expired"),
        ({"exp": True}, "it has expired"),
        ({"exp": None}, "it lacks a claim that is required: exp, iss or aud"),
        ({"aud": None}, "it lacks a claim that is required: exp, iss or aud"),
        ({"aud": "bank"}, "it is for another audience"),
        ({"iss": "https://evil.test"}, "its issuer is not known here"),
        ({"iss": None}, "its issuer is not known here"),
        ({"nbf": 1_800_000_001}, "it is not valid yet"),
    ],
)
async def test_what_a_token_says_decides(claims: dict[str, Any], reason: str) -> None:
    issuer = Issuer()
    assert await refusal(issuer, issuer.token(**claims)) == reason


@pytest.mark.asyncio
async def test_the_algorithm_is_the_issuers_choice_not_the_tokens() -> None:
    """Neither unsigned, nor signed with the public key as if that were a shared secret."""
    issuer = Issuer()
    public = issuer.keys["one"].public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for token in (
        jwt.encode(issuer.claims(), "", "none", headers={"kid": "one"}),
        jwt.encode(issuer.claims(), public, "HS256", headers={"kid": "one"}),
    ):
        assert await refusal(issuer, token) == "its algorithm is not one of its issuer's"
    issuer.use_rsa("one")
    token = jwt.encode(issuer.claims(), issuer.keys["one"], "RS512", headers={"kid": "one"})
    assert await refusal(issuer, token) == "its algorithm is not one of its issuer's"


@pytest.mark.asyncio
async def test_a_forged_token_is_refused() -> None:
    issuer, forger = Issuer(), Issuer()
    assert await refusal(issuer, forger.token()) == "its signature is wrong"
    head, _, signature = issuer.token().split(".")
    body = base64.urlsafe_b64encode(json.dumps(issuer.claims(sub="eve")).encode()).rstrip(b"=").decode()
    assert await refusal(issuer, f"{head}.{body}.{signature}") == "its signature is wrong"


@pytest.mark.asyncio
async def test_a_good_token_that_is_longer_than_the_limit_is_refused() -> None:
    issuer = Issuer()
    token = issuer.token()
    assert (await verifier_of(issuer, TokenLimits(max_bytes=len(token))).requester(token)).is_authenticated
    with pytest.raises(TokenRefused, match="it is too long"):
        await verifier_of(issuer, TokenLimits(max_bytes=len(token) - 1)).requester(token)


@pytest.mark.asyncio
@pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", "\x00", "e30.e30.", "x" * 9000])
async def test_what_is_no_token_is_refused(token: str) -> None:
    assert await refusal(Issuer(), token) in ("it is malformed", "it is too long", "its issuer is not known here")


@pytest.mark.asyncio
async def test_clocks_may_differ_by_the_leeway() -> None:
    issuer = Issuer()
    verifier = verifier_of(issuer, TokenLimits(leeway_s=5))
    assert (await verifier.requester(issuer.token(exp=issuer.now - 4, nbf=issuer.now + 4))).is_authenticated
    with pytest.raises(TokenRefused, match="it has expired"):
        await verifier.requester(issuer.token(exp=issuer.now - 5))


@pytest.mark.asyncio
async def test_a_verified_token_is_remembered_until_it_expires() -> None:
    issuer = Issuer()
    verifier, token = verifier_of(issuer), issuer.token()
    first = await verifier.requester(token)
    assert await verifier.requester(token) is first
    assert first.holds()
    issuer.now += 60
    assert not first.holds()
    with pytest.raises(TokenRefused, match="it has expired"):
        await verifier.requester(token)


@pytest.mark.asyncio
async def test_only_so_many_are_remembered() -> None:
    issuer = Issuer()
    verifier = verifier_of(issuer, TokenLimits(max_cached=2))
    tokens = [issuer.token(sub=str(number)) for number in range(3)]
    first = [await verifier.requester(token) for token in tokens]
    again = [await verifier.requester(token) for token in reversed(tokens)]
    assert [one is other for one, other in zip(reversed(first), again, strict=True)] == [True, True, False]
    assert [one.holds() for one in first] == [False, True, False]
    assert [one.holds() for one in again] == [False, True, True]


@pytest.mark.asyncio
async def test_a_key_that_was_taken_away_takes_its_tokens_along() -> None:
    issuer = Issuer()
    verifier, token = verifier_of(issuer), issuer.token()
    before = await verifier.requester(token)
    issuer.rotate("two")
    issuer.now += 10
    assert (await verifier.requester(issuer.token())).is_authenticated
    assert not before.holds()
    with pytest.raises(TokenRefused, match="it is signed by an unknown key"):
        await verifier.requester(token)


@pytest.mark.asyncio
async def test_a_key_that_was_taken_away_is_noticed_although_no_other_token_comes(tmp_path: Path) -> None:
    issuer, path = Issuer(), tmp_path / "jwks.json"
    write(path, issuer.jwks())
    by_url = verifier_of(issuer)
    by_file = TokenVerifier([TokenIssuer(SETTINGS, JwksFile(path))], TokenLimits(), issuer.clock)
    token = issuer.token(exp=issuer.now + 1000)
    assert await by_url.requester(token) is await by_url.requester(token)
    assert await by_file.requester(token) is await by_file.requester(token)
    issuer.rotate("two")
    write(path, issuer.jwks())
    issuer.now += 1
    with pytest.raises(TokenRefused, match="it is signed by an unknown key"):
        await by_file.requester(token)
    assert by_url.known(token.encode()) is not None
    issuer.now += 299
    assert by_url.known(token.encode()) is not None  # The keys are asked for beside the requests.
    for _ in range(4):
        await asyncio.sleep(0)
    with pytest.raises(TokenRefused, match="it is signed by an unknown key"):
        await by_url.requester(token)
    assert issuer.asked == 2


@pytest.mark.asyncio
async def test_a_thousand_tokens_of_an_unknown_key_ask_once_and_again_after_ten_seconds() -> None:
    issuer = Issuer()
    verifier = verifier_of(issuer)
    tokens = [issuer.token({"kid": f"unknown-{number}"}) for number in range(500)] + [issuer.token()] * 500

    async def outcome(token: str) -> bool:
        try:
            return (await verifier.requester(token)).is_authenticated
        except TokenRefused:
            return False

    assert await asyncio.gather(*map(outcome, tokens)) == [False] * 500 + [True] * 500
    assert issuer.asked == 1
    issuer.now += 10
    await asyncio.gather(*map(outcome, tokens))
    assert issuer.asked == 2


@pytest.mark.asyncio
async def test_known_keys_are_refreshed_beside_requests_and_outlive_an_outage() -> None:
    issuer = Issuer()
    keys = keys_of(issuer)
    assert await keys.find("one") is not None
    issuer.away = True
    issuer.now += 300
    assert await keys.find("one") is not None
    for _ in range(4):
        await asyncio.sleep(0)
    assert issuer.asked == 2
    assert await keys.find("one") is not None


@pytest.mark.asyncio
async def test_a_client_that_goes_away_does_not_take_the_keys_from_the_others() -> None:
    issuer = Issuer()
    keys = keys_of(issuer)
    first, second = (asyncio.create_task(keys.find("one")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
    assert issuer.asked == 1


@pytest.mark.asyncio
async def test_without_any_keys_it_is_not_the_tokens_fault() -> None:
    issuer = Issuer()
    issuer.away = True
    with pytest.raises(KeysUnavailable, match="OSError: down"):
        await verifier_of(issuer).requester(issuer.token())


@pytest.mark.asyncio
async def test_a_changed_file_is_read_again_and_a_broken_one_leaves_the_keys(tmp_path: Path) -> None:
    issuer, path = Issuer(), tmp_path / "jwks.json"
    keys = JwksFile(path)
    with pytest.raises(KeysUnavailable):
        await keys.find("one")
    write(path, issuer.jwks())
    assert await keys.find("one") is not None
    issuer.rotate("two")
    write(path, issuer.jwks() + b" ")
    assert (await keys.find("one"), keys.generation) == (None, 2)
    write(path, b"{")
    assert await keys.find("two") is not None


@pytest.mark.asyncio
async def test_what_is_wrong_with_a_file_is_told_once_each_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issuer, path = Issuer(), tmp_path / "jwks.json"
    config = AuthenticationSettings(issuers=(SETTINGS.model_copy(update={"jwks_url": None, "jwks_file": path}),))
    create_authenticator(RouterConfig(authentication=config))
    missing = f"[Errno 2] No such file or directory: '{path}'"
    assert caplog.messages == [f"keys of {path} cannot be had, no token can be verified: {missing}"]
    caplog.clear()
    keys = JwksFile(path)
    for content in (issuer.jwks(), b"[]", issuer.jwks(), b"[]"):
        write(path, content)
        keys.look()
        keys.look()
    broken = "not a JWKS: an object with a list `keys`"
    assert caplog.messages == [f"keys of {path} cannot be had, those that are known stay: {broken}"] * 2


def write(path: Path, content: bytes) -> None:
    """Put a new file in its place, as a rotation does."""
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").rename(path)


def test_symmetric_keys_and_unknown_ones_are_left_out() -> None:
    listed = [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}, {"kty": "odd", "kid": "o"}, "x", {}]
    assert read_keys(json.dumps({"keys": listed}).encode()) == {}
    with pytest.raises(ValueError, match="not a JWKS"):
        read_keys(b"[]")


@pytest.mark.asyncio
async def test_an_endless_answer_is_given_up() -> None:
    async def flood(exchange: Exchange) -> None:
        await exchange.write(ok(b"x" * (MAX_JWKS_BYTES + 1)))

    async with raw_server(flood) as server:
        with pytest.raises(ValueError, match="the answer is too long"):
            await http_fetch(server.url, 5)()
        await server.until_closed()


@pytest.mark.asyncio
async def test_keys_in_an_encoding_that_was_not_asked_for_are_not_read() -> None:
    async def bomb(exchange: Exchange) -> None:
        await exchange.write(ok(gzip.compress(b"x" * 10_000_000), b"content-encoding: gzip"))

    async with raw_server(bomb) as server:
        with pytest.raises(ValueError, match="the answer is in an encoding that was not asked for"):
            await http_fetch(server.url, 5)()
    assert b"accept-encoding: identity" in server.exchanges[0].head.lower()


@pytest.mark.asyncio
async def test_a_url_that_hangs_is_given_up() -> None:
    async def hang(_: Exchange) -> None:
        pass

    async with raw_server(hang) as server:
        with pytest.raises(TimeoutError):
            await http_fetch(server.url, 0.05)()
        await server.until_closed()


def test_one_requester_is_not_another_of_equal_claims() -> None:
    assert Requester({"sub": "a"}) != Requester({"sub": "a"})
