"""What web pages can make a browser do: by GET, by forms, over WebSockets, and which answers they may read."""

from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from router.server.config import AuthenticationSettings, CorsSettings, CsrfSettings, HeaderSettings, RouterConfig
from tests.server.shop import Shop, client_of, codes, router_over
from tests.server.subscriptions.live import live_stack

QUERY = "{ warehouses }"
PAGE = "https://shop.test"
CLIENT_HEADERS = "authorization, content-type, apollographql-client-name, apollographql-client-version"


@pytest.mark.asyncio
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_form_is_no_request(shop: Shop, production: httpx.AsyncClient, content_type: str) -> None:
    response = await production.post(
        "/graphql", content='{"query": "{ warehouses }"}', headers={"content-type": content_type}
    )
    assert response.status_code in (400, 415)
    assert shop.asked == {"catalog": 0, "stock": 0}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "config",
    [
        RouterConfig(csrf=CsrfSettings(guard_get=True)),
        RouterConfig(headers=HeaderSettings(propagate=("Cookie",))),
        RouterConfig(authentication=AuthenticationSettings(cookie="session")),
    ],
)
async def test_a_get_that_a_page_could_send_is_refused_where_a_cookie_may_say_who_asks(
    shop: Shop, config: RouterConfig
) -> None:
    async with client_of(router_over(shop, config)) as client:
        simple = await client.get("/graphql", params={"query": QUERY}, headers={"content-type": "text/plain; a=b"})
        assert (simple.status_code, codes(simple), shop.asked["stock"]) == (400, ["PREFLIGHT_REQUIRED"], 0)
        for headers in ({"graphql-preflight": "1"}, {"content-type": "application/json"}):
            assert (await client.get("/graphql", params={"query": QUERY}, headers=headers)).status_code == 200


@pytest.mark.asyncio
async def test_a_get_is_free_where_nothing_comes_by_itself(production: httpx.AsyncClient) -> None:
    assert (await production.get("/graphql", params={"query": QUERY})).status_code == 200


@pytest.mark.asyncio
async def test_other_origins_read_nothing_unless_they_are_named(production: httpx.AsyncClient) -> None:
    response = await production.post("/graphql", json={"query": QUERY}, headers={"origin": PAGE})
    assert "access-control-allow-origin" not in response.headers
    preflight = await production.options("/graphql", headers={"origin": PAGE, "access-control-request-method": "POST"})
    assert (preflight.status_code, preflight.json()["errors"][0]["message"]) == (
        405,
        "Send queries by GET or POST. Pages of another origin may where cors.origins names it.",
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.test", True),
        ("https://a.preview.test", True),
        ("https://shop.test.evil.test", False),
        ("https://evil.test", False),
        ("https://a.preview.test.evil.test", False),
        ("null", False),
    ],
)
async def test_named_origins_and_patterns_of_whole_origins_may(shop: Shop, origin: str, allowed: bool) -> None:
    cors = CorsSettings(origins=(PAGE,), patterns=(r"https://[a-z]+\.preview\.test",), credentials=True)
    async with client_of(router_over(shop, RouterConfig(cors=cors))) as client:
        asked = {"origin": origin, "access-control-request-method": "POST"}
        preflight = await client.options("/graphql", headers=asked)
        response = await client.post("/graphql", json={"query": QUERY}, headers={"origin": origin})
    expected = origin if allowed else None
    assert response.headers.get("access-control-allow-origin") == expected
    assert response.headers.get("access-control-allow-credentials") == ("true" if allowed else None)
    assert response.headers["vary"] == "origin"
    assert (preflight.status_code, preflight.headers.get("access-control-allow-origin")) == (
        200 if allowed else 400,
        expected,
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(("asks_for", "status"), [(CLIENT_HEADERS, 200), (f"{CLIENT_HEADERS}, x-other", 400)])
async def test_a_page_may_send_what_clients_send_unasked(shop: Shop, asks_for: str, status: int) -> None:
    """Apollo Client says its name and version; telemetry.client_name_header reads them."""
    async with client_of(router_over(shop, RouterConfig(cors=CorsSettings(origins=(PAGE,))))) as client:
        asked = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": asks_for}
        assert (await client.options("/graphql", headers=asked)).status_code == status


@pytest.mark.parametrize(
    "anybody",
    [
        {"origins": ("*",)},
        {"origins": ("null",)},
        {"patterns": (".*",)},
        {"patterns": ("http://.*",)},
        {"patterns": (r"https://.*\.com",)},
        {"patterns": (PAGE, r"https?://[^/]+\.[a-z]+")},
    ],
)
def test_credentials_are_for_named_origins_alone(anybody: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError, match="credentials need origins that are named, not any"):
        CorsSettings.model_validate({"credentials": True, **anybody})


@pytest.mark.parametrize("origin", ["https://shop.test/", "shop.test", "https://Shop.test", "https://*.shop.test", "a"])
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="no browser says this"):
        CorsSettings(origins=(origin,))


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not a regular expression"):
        CorsSettings(patterns=("(",))


@pytest.mark.asyncio
async def test_a_websocket_of_a_foreign_page_is_refused() -> None:
    async with live_stack(RouterConfig(cors=CorsSettings(origins=(PAGE,)))) as stack:
        url = stack.url.replace("http", "ws")
        own = f"http://{stack.router.address}"
        foreign = ("https://evil.test", "null", "http://[", f"{own}@evil.test", f"{PAGE}.evil.test", "")
        for origin, is_taken in ((PAGE, True), (own, True), *((each, False) for each in foreign)):
            opening = connect(
                url, origin=Origin(origin), subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None
            )
            if is_taken:
                async with opening:
                    pass
            else:
                with pytest.raises(InvalidStatus) as caught:
                    await opening
                assert caught.value.response.status_code == 403


@pytest.mark.asyncio
async def test_answers_are_what_they_say_and_the_page_runs_its_own_scripts_alone(
    development: httpx.AsyncClient,
) -> None:
    response = await development.post("/graphql", json={"query": QUERY})
    assert response.headers["x-content-type-options"] == "nosniff"
    page = await development.get("/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert (policy["script-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'self'", "'none'", "'none'")
    assert page.headers["x-frame-options"] == "DENY"
