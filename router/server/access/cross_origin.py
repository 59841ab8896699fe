"""Requests that come from web pages: which may be sent unasked, and which answers other origins may read.

A browser sends a simple request (GET, or POST of a form or plain text) for any page, cookies included, and asks the
server before any other. POST is taken as JSON alone, or with a header that makes the browser ask; GET is held to the
same where a cookie may say who asks. A browser sends WebSocket handshakes for any page too, so their origin must be
this server's own, or one that may read answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.answer import failure_answer, send_answer
from router.server.config import CorsSettings, RouterConfig
from router.server.config.cors import ANY
from router.server.header_rules import forwarded_names
from router.server.negotiation import JSON
from router.server.request_error import RequestError

Header = tuple[bytes, bytes]
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain")


def guarded_http(app: ASGIApp, config: RouterConfig, *, may_know_cookies: bool = False) -> ASGIApp:
    """``app`` behind what the settings ask for; itself where they ask for nothing.

    ``may_know_cookies`` where somebody else than the settings says who asks: the host of this router.
    """
    if guards_get(config, may_know_cookies=may_know_cookies):
        app = PreflightGuard(app, config.csrf.preflight_headers)
    cors = config.cors
    if cors.origins or cors.patterns:
        app = CORSMiddleware(
            app,
            allow_origins=cors.origins,
            allow_origin_regex=_one_of(cors.patterns) if cors.patterns else None,
            allow_methods=("GET", "POST"),
            allow_headers=cors.allow_headers,
            allow_credentials=cors.credentials,
            expose_headers=cors.expose_headers,
            max_age=cors.max_age_s,
        )
    return app


def guards_get(config: RouterConfig, *, may_know_cookies: bool = False) -> bool:
    """Whether a GET needs a header that no page can make a browser send unasked."""
    if config.csrf.guard_get is not None:
        return config.csrf.guard_get
    reads_cookies = may_know_cookies or config.authentication.cookie is not None
    return reads_cookies or b"cookie" in forwarded_names(config.headers)


class PreflightGuard:
    """Refuses simple GET requests: 400 PREFLIGHT_REQUIRED."""

    def __init__(self, app: ASGIApp, preflight_headers: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower().encode() for name in preflight_headers)
        self._advice = ", ".join(preflight_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        if scope["method"] != "GET" or self._is_preflighted(scope["headers"]):
            await self._app(scope, receive, send)
            return
        message = f"Send one of these headers, with any value, beside a GET: {self._advice}."
        await send_answer(send, failure_answer(RequestError(400, "PREFLIGHT_REQUIRED", message), JSON), JSON)

    def _is_preflighted(self, headers: Iterable[Header]) -> bool:
        for name, value in headers:
            if name in self._names and value:
                return True
            if name == b"content-type" and value.partition(b";")[0].strip().lower() not in (*_FORMS, b""):
                return True
        return False


class OriginGuard:
    """Whether the handshake of a WebSocket may be taken."""

    def __init__(self, settings: CorsSettings) -> None:
        self._origins = frozenset(settings.origins)
        self._pattern = re.compile(_one_of(settings.patterns)) if settings.patterns else None

    def allows(self, headers: Iterable[Header]) -> bool:
        """Whether it comes from no web page, from one of this server's own, or from one that may read answers."""
        origin = host = None
        for name, value in headers:
            if name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"host":
                host = value.decode("latin-1")
        if origin is None or ANY in self._origins or origin in self._origins:
            return True
        if self._pattern is not None and self._pattern.fullmatch(origin) is not None:
            return True
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()


def _one_of(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)
