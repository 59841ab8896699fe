"""Who sent a request: the token in its headers or its cookie, verified."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import cookie_parser
from starlette.types import Scope

from router.errors import InputError
from router.execution.subgraph_client import Headers
from router.server.access.caller import ANONYMOUS, UNAUTHENTICATED, Caller, Requester
from router.server.access.keys import JwksFile, JwksUrl, KeySource, KeysUnavailable, http_fetch
from router.server.access.tokens import Issuer, TokenLimits, TokenRefused, TokenVerifier
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.config.authentication import AuthenticationSettings, IssuerSettings
from router.server.config.headers import is_header_value
from router.server.request_error import RequestError
from router.told_url import told_url

logger = logging.getLogger("galleria.router")

Header = tuple[bytes, bytes]
_CLAIM_HEADERS = "claim headers"


class Authenticator:
    """Reads and verifies the tokens of requests, as the settings say."""

    def __init__(self, settings: AuthenticationSettings, verifier: TokenVerifier) -> None:
        self._verifier = verifier
        self._required = settings.required
        self._header = settings.header.lower().encode()
        self._scheme = settings.scheme.lower()
        self._prefix = f"{settings.scheme} ".encode() if settings.scheme else b""
        self._cookie = settings.cookie
        self._claim_headers = [(claim, name.encode()) for claim, name in settings.claims_to_headers.items()]

    async def caller(self, _: Scope, propagated: Headers, headers: Iterable[Header]) -> Caller:
        """As Identity says, with the claims that subgraphs get as headers. RequestError as requester.

        RequestError also for a claim that no header can hold: 401 UNAUTHENTICATED.
        """
        requester = self._known(headers) or await self.requester(headers)
        if not self._claim_headers or requester.claims is None:
            return Caller(propagated, requester)
        told: Headers | None = requester.derived.get(_CLAIM_HEADERS)
        if told is None:
            told = requester.derived[_CLAIM_HEADERS] = self._told(requester.claims)
        return Caller(propagated + told, requester)

    def _known(self, headers: Iterable[Header]) -> Requester | None:
        """Who sent a request, where its only such header has a token that was verified before, written as by most."""
        sent: bytes | None = None
        for name, value in headers:
            if name == self._header:
                if sent is not None:
                    return None
                sent = value
        prefix = self._prefix
        return self._verifier.known(sent[len(prefix) :]) if sent is not None and sent.startswith(prefix) else None

    def _told(self, claims: Mapping[str, Any]) -> Headers:
        return tuple(
            (header, _as_header_value(claim, claims[claim]))
            for claim, header in self._claim_headers
            if claims.get(claim) is not None
        )

    async def requester(self, headers: Iterable[Header]) -> Requester:
        """Who sent a request with these headers; ANONYMOUS without a token.

        RequestError: 401 UNAUTHENTICATED for a token that is not accepted, and for none where one is required; 503
        KEYS_UNAVAILABLE.
        """
        token = self._token(headers)
        if token is None:
            if self._required:
                raise _refused("a token is needed", "Bearer")
            return ANONYMOUS
        try:
            return await self._verifier.requester(token)
        except TokenRefused as refused:
            raise _refused(f"the token is not accepted: {refused}", 'Bearer error="invalid_token"') from None
        except KeysUnavailable as error:
            logger.error("no token can be verified: %s", error)
            message = "Tokens cannot be verified at the moment. Try again."
            raise RequestError(503, "KEYS_UNAVAILABLE", message, {"retry-after": "5"}) from None

    def _token(self, headers: Iterable[Header]) -> str | None:
        sent: bytes | None = None
        cookies = set[str]()
        for name, value in headers:
            if name == self._header:
                if sent is not None:
                    raise _several_tokens()
                sent = value
            elif name == b"cookie" and self._cookie is not None:
                cookies.update(_values_of(self._cookie, value.decode("latin-1")))
        if sent is not None:
            return self._token_in_header(sent.decode("latin-1"))
        if len(cookies) > 1:
            raise _several_tokens()
        return cookies.pop() if cookies else None

    def _token_in_header(self, value: str) -> str:
        scheme, _, token = value.partition(" ")
        if not self._scheme:
            return value.strip()
        if scheme.lower() != self._scheme or not token.strip():
            raise _refused(f"the token must be sent as `{self._scheme} <token>`", 'Bearer error="invalid_request"')
        return token.strip()


def create_authenticator(config: RouterConfig) -> Authenticator | None:
    """None where no issuer is configured. InputError (INVALID_CONFIG) for keys over plain HTTP in production."""
    settings = config.authentication
    if not settings.issuers:
        return None
    issuers = [Issuer(one, _keys_of(one, settings, config)) for one in settings.issuers]
    limits = TokenLimits(settings.max_cached_tokens, settings.max_token_bytes, settings.leeway_s)
    return Authenticator(settings, TokenVerifier(issuers, limits))


def _keys_of(issuer: IssuerSettings, settings: AuthenticationSettings, config: RouterConfig) -> KeySource:
    if issuer.jwks_file is not None:
        keys = JwksFile(issuer.jwks_file)
        keys.look()  # So that the log tells of a path that is wrong, and not the first client.
        return keys
    url = issuer.jwks_url or ""
    if config.environment == "production" and url.startswith("http://") and not _is_this_machine(url):
        wrong = f"{told_url(url)} gives keys over plain HTTP, which anybody can change"
        raise InputError(INVALID_CONFIG, f"authentication.issuers: {wrong}. Use https.")
    fetch = http_fetch(url, settings.keys_timeout_s)
    return JwksUrl(told_url(url), fetch, time.monotonic, settings.refresh_keys_s, settings.retry_keys_s)


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _values_of(name: str, cookies: str) -> set[str]:
    """What the cookie of that name says, without those that say nothing."""
    # Not by http.cookies: that gives up at the first cookie, whoever set it, that is not well-formed.
    return {value for one in cookies.split(";") if (value := cookie_parser(one).get(name))}


def _several_tokens() -> RequestError:
    # One would be verified, and subgraphs, to which all are passed on, may believe another.
    return _refused("more than one token is sent", 'Bearer error="invalid_request"')


def _as_header_value(claim: str, value: object) -> bytes:
    """Texts and numbers as they are, truth as in JSON, a list of texts apart by commas. RequestError."""
    members = value if isinstance(value, list) else [value]
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in members]
    is_plain = all(isinstance(one, str | int | float) for one in members) and all(map(is_header_value, texts))
    is_ambiguous = isinstance(value, list) and any("," in text for text in texts)
    if not is_plain or is_ambiguous:
        reason = f"the token is not accepted: its claim '{claim}' is told to services, and no header can hold it"
        raise _refused(reason, 'Bearer error="invalid_token"')
    return ",".join(texts).encode()


def _refused(reason: str, challenge: str) -> RequestError:
    message = f"This is not allowed: {reason}."
    return RequestError(401, UNAUTHENTICATED, message, {"www-authenticate": challenge})
