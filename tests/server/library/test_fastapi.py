"""A router in a FastAPI application, which says who asks by its own middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI, Request, Response
from starlette.types import Scope

import router
from tests.server.library.hosted import browser, hosted_router, whoami


async def identify(scope: Scope) -> router.Caller:
    user = scope.get("state", {}).get("user")
    return router.Caller(((b"authorization", user.encode()),)) if user else router.Caller()


def shop() -> FastAPI:
    graph = hosted_router(identify)
    app = FastAPI(lifespan=graph.lifespan)

    @app.middleware("http")
    async def sign_in(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.headers.get("x-api-key") == "key-of-ada":
            request.state.user = "ada"
        return await call_next(request)

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    app.mount("/shop", graph)
    return app


@pytest.mark.asyncio
async def test_its_state_reaches_the_subgraphs_as_a_header() -> None:
    app = shop()
    async with app.router.lifespan_context(app), browser(app) as client:
        assert await whoami(client, headers={"x-api-key": "key-of-ada", "authorization": "grace"}) == "ada"


@pytest.mark.asyncio
async def test_nobody_is_known_whom_it_does_not_know() -> None:
    app = shop()
    async with app.router.lifespan_context(app), browser(app) as client:
        assert await whoami(client, headers={"x-api-key": "another"}) is None


@pytest.mark.asyncio
async def test_its_own_paths_and_those_of_the_router_are_both_there() -> None:
    app = shop()
    async with app.router.lifespan_context(app), browser(app) as client:
        assert (await client.get("/hello")).json() == "hello"
        assert (await client.get("/shop/health/ready")).json()["status"] == "ready"
