"""Caches that would give one's data to another, keep what somebody planted, or grow without end; and who may look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.security.attacks.target import ORDINARY, Target, public_settings, running_target
from tests.server.access.issuer import IssuerNow

pytestmark = pytest.mark.xdist_group("attacks")

ROOM = 1_000_000


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A router that keeps what subgraphs answer, and shows what it does to those with the scope ``ops``."""
    folder, issuer = tmp_path_factory.mktemp("caching"), IssuerNow()
    jwks = folder / "jwks.json"
    jwks.write_bytes(issuer.jwks())
    settings = {
        **public_settings(jwks),
        "entity_cache": {"enabled": True, "admit": "always", "default_ttl_s": 600, "max_bytes": ROOM},
        "authorization": {"inspection_scope": "ops"},
    }
    with running_target(folder, settings, issuer) as target:
        yield target


def bearer(target: Target, **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {target.token(**claims)}"}


def test_what_is_ones_own_is_given_to_nobody_else_in_any_order(caching: Target) -> None:
    names = {"ada": "Ada Lovelace", "bob": "Bob Byte"}
    query = {"query": "{ me { id name } }"}
    for who in ("ada", "bob", "ada", "bob"):
        answer = caching.post(query, headers=bearer(caching, sub=who)).json()
        assert answer == {"data": {"me": {"id": who, "name": names[who]}}}
        anonymous = caching.post(query)
        assert anonymous.json()["data"] == {"me": None}
        assert names[who] not in anonymous.text
        by_cookie = caching.post(query, headers={"cookie": f"session={caching.token(sub=who)}"}).json()
        assert by_cookie == {"data": {"me": {"id": who, "name": names[who]}}}


@pytest.mark.parametrize(
    "header",
    [
        "host",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-original-url",
        "x-user-id",
        "cache-control",
        "accept-language",
    ],
)
def test_a_header_plants_nothing_in_what_others_get(caching: Target, header: str) -> None:
    query = {"query": f"query Planted_{header.replace('-', '_')} {{ headers }}"}
    token = bearer(caching, sub="ada")
    planted = caching.post(query, headers={**token, header: "planted.test"})
    assert "planted.test" not in planted.text
    assert "planted.test" not in caching.post(query, headers=token).text
    assert "planted.test" not in caching.post(query).text


def test_an_error_is_asked_for_again(caching: Target) -> None:
    asked = caching.asked()
    for _ in range(3):
        codes = caching.codes({"query": "{ broken }"}, headers=bearer(caching, sub="ada"))
        assert codes == ["SUBGRAPH_ERROR"]
    assert caching.asked() == asked + 3


def test_a_flood_of_keys_is_kept_within_its_room(caching: Target) -> None:
    query = "query ($id: ID!) { product(id: $id) { name } }"
    token = bearer(caching, sub="ada")
    before = caching.resident_bytes()
    for number in range(300):
        key = f"{number}-" + "x" * 20_000
        body = {"query": query, "variables": {"id": key}}
        assert caching.post(body, headers=token).json() == {"data": {"product": {"name": f"Product {key}"}}}
    assert caching.resident_bytes() - before < 20 * ROOM


@pytest.mark.parametrize("path", ["/status", "/status?format=json", "/status/style.css"])
def test_nobody_without_the_scope_sees_what_the_router_is_doing(caching: Target, path: str) -> None:
    url = caching.url.removesuffix("/graphql") + path
    for headers in ({}, bearer(caching, scope="op opsx x:ops OPS"), {"authorization": "Bearer forged.a.b"}):
        response = caching.client.get(url, headers=headers)
        if path.endswith(".css"):
            assert "127.0.0.1" not in response.text
            continue
        assert response.status_code in (401, 403)
        assert "subgraphs" not in response.text
    assert caching.client.get(url, headers=bearer(caching, scope="ops")).status_code == 200


def test_nobody_without_the_scope_sees_the_fetches_of_an_answer(caching: Target) -> None:
    asks = {"x-galleria-fetches": "1"}
    for headers in ({}, bearer(caching, scope="op opsx x:ops OPS")):
        assert caching.post(ORDINARY, headers={**asks, **headers}).json().keys() == {"data"}
    told = caching.post(ORDINARY, headers={**asks, **bearer(caching, scope="ops")}).json()
    assert told["extensions"]["galleria"]["fetches"]


def test_by_default_nobody_sees_either(target: Target) -> None:
    staff = {"authorization": f"Bearer {target.token(scope='staff ops admin')}"}
    assert target.client.get(target.url.removesuffix("/graphql") + "/status", headers=staff).status_code == 404
    assert target.post(ORDINARY, headers={**staff, "x-galleria-fetches": "1"}).json().keys() == {"data"}
