"""Tokens that are forged or confused, and headers by which one would be somebody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.security.attacks.subgraphs import SALARY
from tests.security.attacks.target import Target

pytestmark = pytest.mark.xdist_group("attacks")

TWO_ALGORITHMS = b'{"alg":"none","alg":"ES256","kid":"one"}'
ME = {"query": "{ me { name } }"}


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hs256(target: Target, secret: bytes, **header: Any) -> str:
    """A token signed with what everybody may know."""
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'one', **header})}.{encoded(target.issuer.claims())}"
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def forged(target: Target) -> dict[str, str]:
    """Tokens that nobody should believe, by what is wrong with them."""
    good = target.token(sub="ada")
    head, claims, signature = good.split(".")
    public = target.issuer.keys["one"].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own = ec.generate_private_key(ec.SECP256R1())
    own_jwk = jwt.algorithms.ECAlgorithm.to_jwk(own.public_key(), as_dict=True)
    usual = target.issuer.claims()

    def signed(header: dict[str, Any], **changes: Any) -> str:
        return jwt.encode({**usual, **changes}, own, "ES256", headers={"kid": "one", **header})

    return {
        "none": f"{encoded({'alg': 'none', 'kid': 'one'})}.{claims}.",
        "None": f"{encoded({'alg': 'None', 'kid': 'one'})}.{claims}.{signature}",
        "no signature": f"{head}.{claims}.",
        "other claims": f"{head}.{encoded({**usual, 'sub': 'bob'})}.{signature}",
        "signed with the public key": hs256(target, pem),
        "signed with the key set": hs256(target, target.issuer.jwks()),
        "signed with nothing": hs256(target, b""),
        "a key of one's own": signed({}),
        "a key of one's own in the header": signed({"jwk": own_jwk}),
        "a key set of one's own": signed({"jku": "http://127.0.0.1:1/jwks.json"}),
        "a certificate of one's own": signed({"x5u": "http://127.0.0.1:1/cert", "x5c": ["MIIB"]}),
        "a path as key": signed({"kid": "../../../../dev/null"}),
        "a query as key": signed({"kid": "one' UNION SELECT 'x"}),
        "an extension that nobody knows": signed({"kid": "one", "crit": ["x"], "x": 1}),
        "expired": target.token(exp=1_000),
        "not yet": target.token(nbf=9_999_999_999),
        "for ever": target.token(exp=None),
        "an expiry that is no number": target.token(exp="never"),
        "an expiry as text": target.token(exp="9999999999"),
        "an expiry that is true": target.token(exp=True),
        "not a number": target.token(exp=math.nan),
        "an endless expiry": target.token(exp=math.inf),
        "an expiry beyond all": target.token(exp=10**400),
        "a beginning beyond all": target.token(nbf=10**400),
        "nested claims": f"{head}.{encoded(b'[' * 5800)}.{signature}",
        "a nested header": f"{encoded(b'[' * 5800)}.{claims}.{signature}",
        "two algorithms": (
            f"{encoded(TWO_ALGORITHMS)}.{encoded({**usual, 'sub': 'bob'})}.{signature}"
        ),
        "algorithms in a list": f"{encoded({'alg': ['ES256', 'none'], 'kid': 'one'})}.{claims}.{signature}",
        "another issuer": target.token(iss="https://evil.test"),
        "another audience": target.token(aud="elsewhere"),
        "two tokens": f"{good},{good}",
        "five parts": f"{good}.a.b",
        "too long": good + "x" * 9000,
        "no token": "forged-4711",
    }  # fmt: skip


NAMES = (
    "none", "None", "no signature", "other claims", "signed with the public key", "signed with the key set",
    "signed with nothing", "a key of one's own", "a key of one's own in the header", "a key set of one's own",
    "a certificate of one's own", "a path as key", "a query as key", "an extension that nobody knows", "expired",
    "not yet", "for ever", "an expiry that is no number", "another issuer", "another audience", "two tokens",
    "five parts", "too long", "no token", "an expiry as text", "an expiry that is true", "not a number",
    "an endless expiry", "an expiry beyond all", "a beginning beyond all", "nested claims", "a nested header",
    "two algorithms", "algorithms in a list",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_forged_token_is_refused(target: Target, name: str) -> None:
    token = forged(target)[name]
    asked = target.asked()
    response = target.post(ME, headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert token not in response.text
    assert target.asked() <= asked + target.others_asked


def test_every_forgery_is_tried_and_a_good_token_is_believed(target: Target) -> None:
    assert set(NAMES) == set(forged(target))
    response = target.post(ME, headers={"authorization": f"Bearer {target.token(sub='bob')}"})
    assert response.json() == {"data": {"me": {"name": "Bob Byte"}}}


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("other", ["bob", "forged.a.b", ""])
@pytest.mark.parametrize("is_known", [False, True])
def test_of_two_tokens_none_is_believed_nor_passed_on(target: Target, name: str, other: str, is_known: bool) -> None:
    """A subgraph that reads the last one would take somebody else for who the router has verified, now or before."""
    ada, second = target.token(sub="ada"), target.token(sub="bob") if other == "bob" else other
    for token in (ada, second) if is_known else ():
        target.post(ME, headers={"authorization": f"Bearer {token}".strip()})
    asked, others_asked = target.asked(), target.others_asked
    for lines in ((ada, second), (second, ada)):
        sent = [(each, f"Bearer {token}".strip()) for each, token in zip(("authorization", name), lines, strict=True)]
        response = target.post({"query": "{ me { name } headers }"}, headers=sent)
        assert response.status_code == 401
        assert "Ada" not in response.text
    assert target.asked() <= asked + target.others_asked - others_asked + 1


@pytest.mark.parametrize("name", ["x-user-id", "X-User-Id", "x_user_id", "x-user-id ", "x-forwarded-user"])
def test_nobody_says_in_a_header_who_they_are(target: Target, name: str) -> None:
    query = {"query": "{ me { name } headers }"}
    anonymous = target.post(query, headers={name.strip(): "bob"})
    assert anonymous.json()["data"]["me"] is None
    assert "bob" not in anonymous.text
    ada = target.post(query, headers={name.strip(): "bob", "authorization": f"Bearer {target.token(sub='ada')}"})
    assert ada.json()["data"]["me"] == {"name": "Ada Lovelace"}
    assert "x-user-id: ada" in ada.json()["data"]["headers"]


@pytest.mark.parametrize("claim", ["ada\r\nx-admin: yes", "ada\0", "ädä", {"id": "ada"}, ["ada,bob"]])
def test_a_claim_that_no_header_can_hold_refuses_the_token(target: Target, claim: object) -> None:
    claims, key = {**target.issuer.claims(), "sub": claim}, target.issuer.keys["one"]
    token = jwt.encode(claims, key, "ES256", headers={"kid": "one"})
    assert target.post(ME, headers={"authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "{ people { salary } }",
        "{ people { x: salary } }",
        "{ people { ... { salary } } }",
        "{ people { ...F } } fragment F on Person { ...G } fragment G on Person { salary }",
        "query ($yes: Boolean = true) { people { salary @include(if: $yes) } }",
        "{ people { id salary @skip(if: false) } }",
    ],
)
def test_what_needs_a_scope_comes_by_no_way_round(target: Target, query: str) -> None:
    token = target.token(sub="ada", scope="customer staffx x:staff")
    response = target.post({"query": query}, headers={"authorization": f"Bearer {token}"})
    assert str(SALARY) not in response.text
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"UNAUTHORIZED_FIELD_OR_TYPE"}
    staff = target.token(sub="ada", scope="staff")
    assert str(SALARY) in target.post({"query": query}, headers={"authorization": f"Bearer {staff}"}).text


def test_a_flood_of_tokens_that_are_none_is_not_remembered(target: Target) -> None:
    head, claims, _ = target.token().split(".")
    for number in range(300):
        token = f"{head}.{claims}.{encoded(f'{number}'.zfill(64).encode())}"
        assert target.post(ME, headers={"authorization": f"Bearer {token}"}).status_code == 401
