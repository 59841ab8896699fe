"""Requests that come from web pages: which may be sent unasked, and which answers other origins may read.

A browser sends a simple request (GET, or POST of a form or plain text) for any page, cookies included, and asks the
server before any other. POST is taken as JSON alone, or with a header that makes the browser ask; GET is held to the
same where a cookie may say who asks. A browser sends WebSocket handshakes for any page too, so their origin must be
this server's own, or one that may read answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers as StarletteHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.config import CorsSettings, RouterConfig
from router.server.config.cors import ANY
from router.server.http.exchange import Exchange, Header, Step, refusing
from router.server.request_error import RequestError
from router.server.to_subgraphs.header_rules import forwarded_names

_ALLOW_ORIGIN = b"access-control-allow-origin"
_VARY = (b"vary", b"origin")
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain")


def page_guards(config: RouterConfig, *, may_know_cookies: bool = False) -> list[Step]:
    """The steps that the settings ask for.

    ``may_know_cookies`` where somebody else than the settings says who asks: the host of this router.
    """
    steps: list[Step] = []
    if config.cors.origins or config.cors.patterns:
        steps.append(CrossOrigin(config.cors))
    if guards_get(config, may_know_cookies=may_know_cookies):
        steps.append(PreflightGuard(config.csrf.preflight_headers))
    return steps


def guards_get(config: RouterConfig, *, may_know_cookies: bool = False) -> bool:
    """Whether a GET needs a header that no page can make a browser send unasked."""
    if config.csrf.guard_get is not None:
        return config.csrf.guard_get
    reads_cookies = may_know_cookies or config.authentication.cookie is not None
    return reads_cookies or b"cookie" in forwarded_names(config.headers)


class CrossOrigin(Step):
    """Tells browsers which pages may read answers (Fetch standard, section 3.2); Starlette answers preflights."""

    methods = frozenset({"OPTIONS"})

    def __init__(self, settings: CorsSettings) -> None:
        pattern = _one_of(settings.patterns) if settings.patterns else None
        self._preflights = CORSMiddleware(
            _nobody,
            allow_origins=settings.origins,
            allow_origin_regex=pattern,
            allow_methods=("GET", "POST"),
            allow_headers=settings.allow_headers,
            allow_credentials=settings.credentials,
            expose_headers=settings.expose_headers,
            max_age=settings.max_age_s,
        )
        self._pattern = re.compile(pattern) if pattern is not None else None
        self._for_allowed = _told_allowed(settings)
        self._for_any = (*self._for_allowed, _VARY, (_ALLOW_ORIGIN, ANY.encode())) if ANY in settings.origins else None
        self._by_origin = {origin.encode(): self._for_one(origin.encode()) for origin in settings.origins}

    def begin(self, exchange: Exchange) -> ASGIApp | None:
        """Answer a preflight."""
        if not _is_preflight(exchange):
            return None
        return self._preflights.preflight_response(request_headers=StarletteHeaders(scope=exchange.scope))

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        """Tell the page's browser that it may read the answer; and caches that this depends on the page."""
        origin = exchange.fields.get(b"origin")
        if origin is None:
            headers.append(_VARY)
        elif exchange.scope["method"] != "OPTIONS" or not _is_preflight(exchange):
            headers += self._for_any or self._by_origin.get(origin) or self._by_pattern(origin)

    def _by_pattern(self, origin: bytes) -> tuple[Header, ...]:
        if self._pattern is not None and self._pattern.fullmatch(origin.decode("latin-1")) is not None:
            return self._for_one(origin)
        return (_VARY,)

    def _for_one(self, origin: bytes) -> tuple[Header, ...]:
        return (*self._for_allowed, _VARY, (_ALLOW_ORIGIN, origin))


def _told_allowed(settings: CorsSettings) -> tuple[Header, ...]:
    """What every page is told that may read answers."""
    told: list[Header] = []
    if settings.credentials:
        told.append((b"access-control-allow-credentials", b"true"))
    if settings.expose_headers:
        told.append((b"access-control-expose-headers", ", ".join(settings.expose_headers).encode()))
    return tuple(told)


def _is_preflight(exchange: Exchange) -> bool:
    """Whether a browser asks, by OPTIONS, if it may send a request of a page."""
    return b"origin" in exchange.fields and b"access-control-request-method" in exchange.fields


async def _nobody(_: Scope, __: Receive, ___: Send) -> None:
    """Nothing is behind what answers preflights alone."""


class PreflightGuard(Step):
    """Refuses simple GET requests: 400 PREFLIGHT_REQUIRED."""

    methods = frozenset({"GET"})

    def __init__(self, preflight_headers: Iterable[str]) -> None:
        self._names = frozenset(name.lower().encode() for name in preflight_headers)
        advice = ", ".join(preflight_headers)
        message = f"Send one of these headers, with any value, beside a GET: {advice}."
        self._refusal = refusing(RequestError(400, "PREFLIGHT_REQUIRED", message))

    def begin(self, exchange: Exchange) -> ASGIApp | None:
        """Refuse what a page could make a browser send unasked."""
        return None if self._is_preflighted(exchange.fields) else self._refusal

    def _is_preflighted(self, fields: Mapping[bytes, bytes]) -> bool:
        if any(fields.get(name) for name in self._names):
            return True
        content_type = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        return content_type not in (*_FORMS, b"")


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
        return host is not None and _authority(origin) == host.lower()


def _authority(origin: str) -> str | None:
    """Host and port of an origin, in lower case; None where it is no URL."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _one_of(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)
