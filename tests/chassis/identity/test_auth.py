"""Bearer tokens: what is accepted, and for how long."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from subgraphs.chassis.errors import CodedError, SettingsError
from subgraphs.chassis.identity.auth import ANONYMOUS, AuthContext, TokenVerifier, issue_token, require_scope
from subgraphs.chassis.identity.dev_keys import JWKS_FILE, PRIVATE_KEY_FILE, ensure_key
from subgraphs.chassis.identity.keys import JwksFile

READERS = frozenset({"notes:read"})
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ADA = {"sub": "cus_ada", "role": "customer", "name": "Ada Lovelace", "email": "ada@example.com", "scope": "a b"}


class HandClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def verifier(tmp_path: Path, clock: HandClock) -> TokenVerifier:
    ensure_key(tmp_path)
    return TokenVerifier(JwksFile(tmp_path / JWKS_FILE), clock)


async def refusal(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(CodedError) as error:
        await verifier.verify(f"Bearer {token}")
    assert error.value.code == "UNAUTHENTICATED"
    return error.value.message.removeprefix("The bearer token is not accepted: ")


@pytest.mark.asyncio
async def test_a_good_token_says_who_asks(verifier: TokenVerifier, tmp_path: Path) -> None:
    token = issue_token(ensure_key(tmp_path), ADA, LATER)
    ada = AuthContext("cus_ada", "customer", "Ada Lovelace", "ada@example.com", frozenset({"a", "b"}))
    assert await verifier.verify(f"Bearer {token}") == ada
    assert await verifier.verify(f"bearer {token}") == ada
    assert await verifier.verify(None) == ANONYMOUS


@pytest.mark.asyncio
async def test_a_remembered_token_expires_all_the_same(
    verifier: TokenVerifier, tmp_path: Path, clock: HandClock
) -> None:
    token = issue_token(ensure_key(tmp_path), ADA, LATER)
    await verifier.verify(f"Bearer {token}")
    clock.now = LATER
    assert await refusal(verifier, token) == "it has expired."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "elsewhere"}, "invalid issuer."),
        ({"aud": "elsewhere"}, "audience doesn't match."),
        ({"exp": NOW}, "it has expired."),
        ({"exp": math.nan}, "it has expired."),
        ({"exp": math.inf}, "it has expired."),
        ({"exp": 10**400}, "it has expired."),
        ({"nbf": math.nan}, "it is not valid yet."),
        ({"exp": None}, 'token is missing the "exp" claim.'),
        ({"sub": None}, 'token is missing the "sub" claim.'),
        ({"role": "owner"}, "its role is neither customer nor staff."),
    ],
)
@pytest.mark.asyncio
async def test_a_token_for_something_else_is_refused(
    verifier: TokenVerifier, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    key = ensure_key(tmp_path)
    claims = {**ADA, "iss": "galleria", "aud": "galleria", "exp": LATER, **change}
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": key.key_id})
    assert await refusal(verifier, token) == reason


@pytest.mark.asyncio
async def test_only_es256_is_accepted(verifier: TokenVerifier, tmp_path: Path) -> None:
    claims = {**ADA, "iss": "galleria", "aud": "galleria", "exp": LATER}
    for token in (jwt.encode(claims, "", algorithm="none"), jwt.encode(claims, "s" * 32, algorithm="HS256")):
        assert await refusal(verifier, token) == "tokens must be signed with ES256."


@pytest.mark.asyncio
async def test_a_key_of_somebody_else_is_unknown(verifier: TokenVerifier, tmp_path: Path) -> None:
    token = issue_token(ensure_key(tmp_path / "elsewhere"), ADA, LATER)
    assert await refusal(verifier, token) == "it is signed by an unknown key."


@pytest.mark.asyncio
async def test_a_borrowed_key_id_does_not_help(verifier: TokenVerifier, tmp_path: Path) -> None:
    key, other = ensure_key(tmp_path), ensure_key(tmp_path / "elsewhere")
    claims = {**ADA, "iss": "galleria", "aud": "galleria", "exp": LATER}
    token = jwt.encode(claims, other, algorithm="ES256", headers={"kid": key.key_id})
    assert await refusal(verifier, token) == "signature verification failed."


@pytest.mark.asyncio
async def test_a_changed_file_brings_its_new_keys(verifier: TokenVerifier, tmp_path: Path) -> None:
    new = ensure_key(tmp_path / "new")
    token = issue_token(new, ADA, LATER)
    assert await refusal(verifier, token) == "it is signed by an unknown key."
    (tmp_path / "new" / JWKS_FILE).replace(tmp_path / JWKS_FILE)
    assert (await verifier.verify(f"Bearer {token}")).subject == "cus_ada"


@pytest.mark.asyncio
async def test_a_token_before_its_time_is_refused(verifier: TokenVerifier, tmp_path: Path, clock: HandClock) -> None:
    token = issue_token(ensure_key(tmp_path), {**ADA, "nbf": LATER.timestamp() - 60}, LATER)
    assert await refusal(verifier, token) == "it is not valid yet."
    clock.now = LATER - timedelta(seconds=60)
    assert (await verifier.verify(f"Bearer {token}")).subject == "cus_ada"


@pytest.mark.asyncio
async def test_clocks_may_differ_by_the_leeway(tmp_path: Path, clock: HandClock) -> None:
    verifier = TokenVerifier(JwksFile(tmp_path / JWKS_FILE), clock, leeway_s=5)
    token = issue_token(ensure_key(tmp_path), {**ADA, "nbf": NOW.timestamp() + 6}, LATER)
    assert await refusal(verifier, token) == "it is not valid yet."
    clock.now = NOW + timedelta(seconds=1)
    assert (await verifier.verify(f"Bearer {token}")).expires == LATER.timestamp() + 5
    clock.now = LATER + timedelta(seconds=4.999)
    assert (await verifier.verify(f"Bearer {token}")).subject == "cus_ada"
    clock.now = LATER + timedelta(seconds=5)
    assert await refusal(verifier, token) == "it has expired."


@pytest.mark.asyncio
async def test_a_key_that_is_taken_away_takes_its_remembered_tokens_along(tmp_path: Path, clock: HandClock) -> None:
    keys = JwksFile(tmp_path / JWKS_FILE)
    token = issue_token(ensure_key(tmp_path), ADA, LATER)
    ensure_key(tmp_path / "new")
    verifier = TokenVerifier(keys, clock)
    await verifier.verify(f"Bearer {token}")
    (tmp_path / "new" / JWKS_FILE).replace(tmp_path / JWKS_FILE)
    await keys.check()
    assert await refusal(verifier, token) == "it is signed by an unknown key."


@pytest.mark.asyncio
async def test_a_verified_token_is_not_verified_again(tmp_path: Path, clock: HandClock) -> None:
    """The file is gone, and the token known."""
    token = issue_token(ensure_key(tmp_path), ADA, LATER)
    verifier = TokenVerifier(JwksFile(tmp_path / JWKS_FILE), clock)
    first = await verifier.verify(f"Bearer {token}")
    (tmp_path / JWKS_FILE).unlink()
    assert await verifier.verify(f"Bearer {token}") is first


def test_the_development_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first, second = ensure_key(tmp_path), ensure_key(tmp_path)
    assert first.key_id == second.key_id
    assert (tmp_path / PRIVATE_KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert '"d"' not in (tmp_path / JWKS_FILE).read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == [JWKS_FILE, PRIVATE_KEY_FILE]


def test_a_key_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="GALLERIA_DATA: the development key under"):
        ensure_key(tmp_path / "file" / "keys")


def test_its_owner_and_staff_with_the_scope_may_see() -> None:
    ada, pretender = AuthContext("cus_ada", "customer"), AuthContext("cus_eve", "customer", scopes=READERS)
    assert ada.may_see("cus_ada", "notes:read")
    assert not ada.may_see("cus_bob", "notes:read")
    assert AuthContext("staff_grace", "staff", scopes=READERS).may_see("cus_bob", "notes:read")
    assert not AuthContext("staff_grace", "staff").may_see("cus_bob", "notes:read")
    assert not pretender.may_see("cus_bob", "notes:read")
    assert not ANONYMOUS.may_see(None, "notes:read")


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (ANONYMOUS, "This needs a bearer token: send `authorization: Bearer <token>`."),
        (AuthContext("cus_eve", "customer", scopes=frozenset({"notes:write"})), "This is for staff only."),
        (
            AuthContext("staff_grace", "staff", scopes=frozenset({"notes:read"})),
            "This needs the scope notes:write, which the token does not have.",
        ),
    ],
)
def test_a_missing_scope_is_named(auth: AuthContext, message: str) -> None:
    with pytest.raises(CodedError) as refusal:
        require_scope(auth, "notes:write")
    assert refusal.value.message == message
