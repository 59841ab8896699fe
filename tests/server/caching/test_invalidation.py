"""Entries are dropped over HTTP by whoever knows the secret or has the scope, and by nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from router.errors import InputError
from router.server.caching.selectors import tags_selected
from router.server.config import check_config
from router.server.config.entity_cache import EntityCacheSettings
from router.server.request_error import RequestError
from tests.server.access.issuer import IssuerNow
from tests.server.caching.larder import facts_of
from tests.server.caching.stand import Open, Stand, believing, opened

SECRET = "planted-secret-of-the-cache"
ON = {"entity_cache": {"enabled": True, "admit": "always", "invalidation": {"secret": SECRET}}}
BOTH = "{ products { name available } }"
PATH = "/cache/invalidate"
PRODUCT_1 = {"type": "Product", "key": {"id": "1"}}


def saying() -> Stand:
    stand = Stand()
    stand.says = {name: {"cache-control": "public, max-age=60"} for name in stand.says}
    return stand


async def drop(router: Open, what: Any, token: str | None = SECRET) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    return await router.client.post(PATH, json=what, headers=headers)


@pytest.mark.asyncio
async def test_a_dropped_product_is_asked_for_anew_wherever_it_was() -> None:
    async with opened(ON, saying()) as router:
        await router.data(BOTH)
        router.stand.names["1"] = "Pot"
        assert (await router.data(BOTH))["products"][0]["name"] == "Mug"
        response = await drop(router, PRODUCT_1)
        assert (response.status_code, response.json()) == (200, {"dropped": True})
        assert (await router.data(BOTH))["products"][0]["name"] == "Pot"
        assert router.stand.sent_keys("stock") == [["1", "2"], ["1"]]


@pytest.mark.asyncio
@pytest.mark.parametrize("token", [None, "", "wrong", SECRET[:-1], SECRET + "x", "é"])
async def test_who_does_not_know_the_secret_drops_nothing(token: str | None) -> None:
    async with opened(ON, saying()) as router:
        await router.data(BOTH)
        headers = {"authorization": f"Bearer {token}".encode()} if token is not None else {}
        response = await router.client.post(PATH, json={"all": True}, headers=headers)  # type: ignore[arg-type]
        assert response.status_code == 401
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await router.data(BOTH)
        assert router.stand.asked == {"catalog": 1, "stock": 1}
        assert SECRET not in response.text + (await router.client.get("/metrics")).text


@pytest.mark.asyncio
async def test_a_token_with_the_scope_drops_and_one_without_does_not(tmp_path: Path) -> None:
    issuer = IssuerNow()
    invalidation = {"invalidation": {"scope": "cache:drop"}}
    settings = {
        "entity_cache": {"enabled": True, "admit": "always", **invalidation},
        "authentication": believing(issuer, tmp_path),
    }
    async with opened(settings, saying()) as router:
        assert (await drop(router, {"all": True}, issuer.token(scope="cache:drop"))).status_code == 200
        assert (await drop(router, {"all": True}, issuer.token(scope="cache:read"))).status_code == 403
        assert (await drop(router, {"all": True}, "forged")).status_code == 401
        assert (await drop(router, {"all": True}, None)).status_code == 401


@pytest.mark.asyncio
@pytest.mark.parametrize("settings", [{}, {"entity_cache": {"enabled": True, "admit": "always"}}])
async def test_there_is_no_such_endpoint_unless_somebody_may_use_it(settings: dict[str, Any]) -> None:
    async with opened(settings, saying()) as router:
        assert (await drop(router, {"all": True})).status_code == 404


@pytest.mark.asyncio
async def test_what_is_no_json_or_too_large_is_refused() -> None:
    async with opened({**ON, "graphql": {"max_body_bytes": 100}}, saying()) as router:
        headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
        assert (await router.client.post(PATH, content=b"{", headers=headers)).status_code == 400
        assert (await router.client.post(PATH, content=b"[" * 200, headers=headers)).status_code == 413
        form = {**headers, "content-type": "text/plain"}
        assert (await router.client.post(PATH, content=b'{"all": true}', headers=form)).status_code == 415
        assert (await router.client.get(PATH, headers=headers)).status_code == 405


@pytest.mark.parametrize(
    ("selector", "tags"),
    [
        (PRODUCT_1, {"Product.id=1", "Product.id=*"}),
        ([PRODUCT_1, {"type": "Product", "key": {"id": 2}}], {"Product.id=1", "Product.id=2", "Product.id=*"}),
        ({"type": "Product"}, {"Product"}),
        ({"field": "Query.products"}, {"Query.products"}),
        ({"subgraph": "stock"}, {"subgraph:stock"}),
        ({"tag": "Spring sale"}, {"tag:Spring sale"}),
        ({"all": True}, {"*"}),
        ([], set()),
    ],
)
def test_what_is_dropped_is_said_by_type_key_field_subgraph_or_tag(selector: Any, tags: set[str]) -> None:
    assert tags_selected(selector, facts_of(EntityCacheSettings())) == tags


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ({"type": "Prodct"}, "There is no type 'Prodct'; did you mean 'Product'?"),
        ({"type": "Product", "key": {"upc": "1"}}, "There is no key field of 'Product' 'upc'."),
        ({"type": "Product", "key": {"id": None}}, "The value of the key field 'id' is no text and no number."),
        ({"type": "Product", "key": {"id": True}}, "The value of the key field 'id' is no text and no number."),
        ({"field": "Query.product"}, "There is no field of Query 'product'; did you mean 'products'?"),
        ({"field": "Product.name"}, "'Product.name' is no field of Query, by which root fetches are known."),
        ({"subgraph": "shop"}, "There is no subgraph 'shop'."),
        ([PRODUCT_1] * 1001, "Send no more than 1000 at once."),
        ("all", "What to drop is said by {type, key?}, {field}, {subgraph}, {tag} or {all: true}."),
    ],
)
def test_what_there_is_not_is_refused_by_its_name(selector: Any, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        tags_selected(selector, facts_of(EntityCacheSettings()))
    assert (caught.value.status, caught.value.message) == (400, message)


@pytest.mark.parametrize(
    "selector",
    [{}, {"all": False}, {"type": "Product", "id": "1"}, {"type": "Product", "key": {}}, {"type": 1}, {"tag": ["a"]}],
)
def test_a_selector_of_another_form_is_refused(selector: Any) -> None:
    with pytest.raises(RequestError) as caught:
        tags_selected([PRODUCT_1, selector], facts_of(EntityCacheSettings()))
    assert caught.value.code == "INVALID_REQUEST"


def test_a_secret_that_can_be_guessed_is_refused_and_not_told() -> None:
    with pytest.raises(InputError) as caught:
        check_config({"entity_cache": {"invalidation": {"secret": "short"}}}, "router.yaml")
    assert caught.value.message == "router.yaml: entity_cache.invalidation.secret: a secret has at least 16 characters"
