"""Plugins know who asks: by the token that was verified, or as the host says; over HTTP and over WebSocket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.types import Scope

import router
from router.server.config import RouterConfig
from tests.server.access.issuer import AUDIENCE, NAME, IssuerNow
from tests.server.access.test_authentication import bearer
from tests.server.library.hosted import SETTINGS, browser
from tests.server.plugins import trying
from tests.server.shop import SUPERGRAPH
from tests.server.subscriptions.live import live_stack

NOTING = {"plugins": [{"use": "tests.server.plugins.trying:NotingWhoAsks"}]}
WAREHOUSES = {"query": "{ warehouses }"}


def issued_by(issuer: IssuerNow, folder: Path) -> dict[str, Any]:
    path = folder / "jwks.json"
    path.write_bytes(issuer.jwks())
    return {"authentication": {"issuers": [{"issuer": NAME, "audiences": [AUDIENCE], "jwks_file": str(path)}]}}


@pytest.mark.asyncio
async def test_a_verified_token_is_known_once_it_is_verified_and_in_its_own_request_alone(tmp_path: Path) -> None:
    issuer = IssuerNow()
    # With a step between client and endpoint, what the same headers say is remembered.
    stepwise = {"cors": {"origins": ["https://shop.test"]}}
    graph = router.Router(SUPERGRAPH, {**SETTINGS, **NOTING, **stepwise, **issued_by(issuer, tmp_path)})
    trying.noted.clear()
    async with graph.lifespan(), browser(graph) as client:
        ada = issuer.token()
        for token in (ada, ada, issuer.token(sub="bob"), None, "none"):
            headers = bearer(token) if token is not None else {}
            await client.post("/graphql", json=WAREHOUSES, headers=headers)
    assert trying.noted == [
        *("request by nobody", "to stock by ada", "response by ada"),
        *("request by nobody", "to stock by ada", "response by ada"),
        *("request by nobody", "to stock by bob", "response by bob"),
        *("request by nobody", "to stock by nobody", "response by nobody"),
        *("request by nobody", "response by nobody"),
    ]


@pytest.mark.asyncio
async def test_whom_the_host_knows_is_known() -> None:
    async def identify(_: Scope) -> router.Caller:
        return router.Caller((), router.Requester({"sub": "host's"}))

    graph = router.Router(SUPERGRAPH, {**SETTINGS, **NOTING}, identify)
    trying.noted.clear()
    async with graph.lifespan(), browser(graph) as client:
        await client.post("/graphql", json=WAREHOUSES)
    assert trying.noted == ["request by nobody", "to stock by host's", "response by host's"]


@pytest.mark.asyncio
async def test_a_token_in_connection_init_is_known_for_all_operations_of_the_connection(tmp_path: Path) -> None:
    issuer = IssuerNow()
    config = RouterConfig.model_validate({**NOTING, **issued_by(issuer, tmp_path)})
    trying.noted.clear()
    async with live_stack(config) as stack, stack.socket(bearer(issuer.token())) as client:
        for id_ in ("1", "2"):
            await client.subscribe("{ product { id } }", id_)
            assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
    assert trying.noted == ["request by nobody", "to catalog by ada", "to catalog by ada"]
