"""A router beside a Django application (ASGI), which says who asks by its own signed sessions."""

from __future__ import annotations

from http.cookies import SimpleCookie

import django
import pytest
from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Scope

import router
from tests.server.library.hosted import browser, hosted_router, whoami


async def sign_in(request: HttpRequest) -> HttpResponse:
    request.session["user"] = request.GET["name"]
    return HttpResponse("welcome")


urlpatterns = [path("sign-in", sign_in)]


async def identify(scope: Scope) -> router.Caller:
    cookies = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    user = SessionStore(cookies["sessionid"].value).get("user") if "sessionid" in cookies else None
    return router.Caller(((b"authorization", user.encode()),)) if user else router.Caller()


@pytest.fixture(scope="module", autouse=True)
def _configured() -> None:
    settings.configure(
        SECRET_KEY="of this test alone",
        ALLOWED_HOSTS=["host.test"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    )
    django.setup()


def shop() -> Starlette:
    graph = hosted_router(identify)
    return Starlette(routes=[Mount("/shop", graph), Mount("/", get_asgi_application())], lifespan=graph.lifespan)


@pytest.mark.asyncio
async def test_who_signed_in_with_django_is_known_to_the_subgraphs() -> None:
    app = shop()
    async with app.router.lifespan_context(app), browser(app) as client:
        assert (await client.get("/sign-in", params={"name": "ada"})).text == "welcome"
        assert await whoami(client) == "ada"


@pytest.mark.asyncio
async def test_a_forged_session_is_nobodys() -> None:
    app = shop()
    async with app.router.lifespan_context(app), browser(app) as client:
        client.cookies.set("sessionid", "eyJ1c2VyIjoiYWRhIn0:forged:signature")
        assert await whoami(client) is None


@pytest.mark.asyncio
async def test_no_page_makes_a_browser_ask_with_its_cookie() -> None:
    app = shop()
    async with app.router.lifespan_context(app), browser(app) as client:
        response = await client.get("/shop/graphql", params={"query": "{ whoami }"})
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "PREFLIGHT_REQUIRED"
