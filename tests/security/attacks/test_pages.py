"""Requests that a foreign page makes a browser send, with the cookies of who looks at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.attacks.target import FRIENDLY_ORIGIN, Target

pytestmark = pytest.mark.xdist_group("attacks")

EVIL = "https://evil.test"
QUERY = "{ me { name } }"


def cookie(target: Target) -> dict[str, str]:
    return {"cookie": f"session={target.token(sub='ada')}", "origin": EVIL}


def test_a_page_of_ones_own_may_ask_with_the_cookie(target: Target) -> None:
    response = target.post({"query": QUERY}, headers={**cookie(target), "origin": FRIENDLY_ORIGIN})
    assert response.json() == {"data": {"me": {"name": "Ada Lovelace"}}}
    assert response.headers["access-control-allow-origin"] == FRIENDLY_ORIGIN


@pytest.mark.parametrize(
    "origin", [EVIL, "null", f"{FRIENDLY_ORIGIN}.evil.test", "http://shop.test", "https://shop.test:8443"]
)
def test_no_other_page_may_read_an_answer(target: Target, origin: str) -> None:
    response = target.post({"query": QUERY}, headers={**cookie(target), "origin": origin})
    assert "access-control-allow-origin" not in response.headers
    assert "origin" in response.headers["vary"].lower()


@pytest.mark.parametrize("origin", [EVIL, "null"])
def test_no_other_page_is_allowed_to_send_json(target: Target, origin: str) -> None:
    said = target.raw(
        f"OPTIONS /graphql HTTP/1.1\r\nHost: shop.test\r\nOrigin: {origin}\r\nConnection: close\r\n"
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n".encode()
    )
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"access-control-allow-origin" not in said


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_a_form_runs_nothing(target: Target, kind: str) -> None:
    asked = target.asked()
    content = b'{"query":"mutation { login(name: \\"ada\\", password: \\"x\\") }"}'
    response = target.post(content=content, headers={**cookie(target), "content-type": kind})
    assert response.status_code in (400, 415)
    assert target.asked() <= asked + target.others_asked


def test_a_link_runs_nothing_while_a_cookie_may_say_who_asks(target: Target) -> None:
    said = target.raw(
        b"GET /graphql?query={me{name}} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\nCookie: "
        + cookie(target)["cookie"].encode()
        + b"\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"PREFLIGHT_REQUIRED" in said


def test_two_cookies_of_one_name_are_no_way_around(target: Target) -> None:
    good = target.token(sub="ada")
    response = target.post({"query": QUERY}, headers={"cookie": f"session=forged; session={good}"})
    assert response.status_code in (200, 401)
    assert "Bob" not in response.text


def test_an_answer_to_one_is_not_kept_for_another(target: Target) -> None:
    """Whoever sends headers that a cache does not look at (the unkeyed ones) changes nothing that a cache may keep."""
    forwarded = {"x-forwarded-host": "evil.test", "x-forwarded-scheme": "http", "x-original-url": "/metrics"}
    plain = target.post({"query": "{ products(first: 1) { id } }"})
    poisoned = target.post({"query": "{ products(first: 1) { id } }"}, headers=forwarded)
    assert poisoned.json() == plain.json()
    told = target.post({"query": "{ headers }"}, headers=forwarded)
    assert "evil" not in poisoned.text + str(poisoned.headers) + told.text
    failed = target.post({"query": "{ nothing }"}, headers=forwarded)
    assert failed.headers["cache-control"] == "no-store"


def test_pages_of_the_router_are_in_no_frame_and_not_there_in_production(target: Target) -> None:
    for path in ("/", "/explorer", "/status", "/plan", "/docs", "/.env", "/router.yaml", "/../router.yaml"):
        said = target.raw(f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n".encode())
        assert said.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 403 ", b"HTTP/1.1 401 ")), path
        assert b"jwks" not in said
    assert Path(target.log).exists()
