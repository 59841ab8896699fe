"""Introspection, the page and plans: in development, or for a scope."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from router.server.config import AuthorizationSettings
from tests.server.access.guarded import Guarded
from tests.server.access.issuer import IssuerNow
from tests.server.access.test_authentication import bearer, settings
from tests.server.shop import client_of, codes

SCHEMA = {"query": "{ __schema { queryType { name } } }"}
QUERY = {"query": "{ me { ssn name } }"}


@pytest.fixture
def issuer() -> IssuerNow:
    return IssuerNow()


@pytest_asyncio.fixture
async def client(issuer: IssuerNow, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    authorization = AuthorizationSettings(inspection_scope="inspect")
    config = settings(issuer, tmp_path).model_copy(update={"authorization": authorization})
    async with client_of(Guarded().router(config)) as client:
        yield client


@pytest.mark.asyncio
async def test_in_production_nobody_introspects_or_sees_plans_but_who_has_the_scope(
    client: httpx.AsyncClient, issuer: IssuerNow
) -> None:
    for headers in ({}, bearer(issuer.token(scope="other"))):
        assert codes(await client.post("/graphql", json=SCHEMA, headers=headers)) == ["INTROSPECTION_DISABLED"]
        assert codes(await client.post("/plan", json=QUERY, headers=headers)) == ["FORBIDDEN"]
    inspector = bearer(issuer.token(scope="inspect"))
    assert (await client.post("/graphql", json=SCHEMA, headers=inspector)).json()["data"]
    assert (await client.get("/", headers=inspector)).status_code == 404


@pytest.mark.asyncio
async def test_a_plan_is_that_of_who_asks(client: httpx.AsyncClient, issuer: IssuerNow) -> None:
    for scope, is_asked in (("inspect", False), ("inspect admin", True)):
        plan = await client.post("/plan", json=QUERY, headers=bearer(issuer.token(scope=scope)))
        assert ("ssn" in plan.json()["text"]) is is_asked


@pytest.mark.asyncio
async def test_the_fetches_of_an_answer_are_told_to_who_has_the_scope_alone(
    client: httpx.AsyncClient, issuer: IssuerNow
) -> None:
    for scope, is_told in (("other", False), ("inspect", True)):
        headers = {**bearer(issuer.token(scope=scope)), "x-galleria-fetches": "1"}
        body = (await client.post("/graphql", json={"query": "{ me { name } }"}, headers=headers)).json()
        assert ("extensions" in body) is is_told
