"""A bearer token -> its requester: verified by the keys of its issuer, and remembered until it expires.

Remembered, because checking a signature costs more than answering most requests. Tokens that were verified by keys
that have changed since are verified anew; so sources of keys are looked at each second, whoever asks.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jwt

from router.server.access.caller import Requester
from router.server.access.keys import KeySource
from router.server.config.authentication import IssuerSettings

# The year 9999 ends.
_LAST_S = 253_402_300_799
LOOK_EVERY_S = 1.0
_CHECKS: dict[str, Any] = {
    "require": ["exp", "iss", "aud"],
    # Not PyJWT's own checks of times: they read the system's clock, and ours is injected.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class TokenRefused(Exception):  # noqa: N818 - an outcome
    """``str(error)`` says why, without anything of the token."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer and its keys."""

    settings: IssuerSettings
    keys: KeySource


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How many tokens are remembered, how long one may be, and by how much clocks may differ."""

    max_cached: int = 10_000
    max_bytes: int = 8192
    leeway_s: float = 0.0


@dataclass(slots=True)
class _Verified:
    """Until when a token holds, that was verified by this generation of ``keys``."""

    keys: KeySource
    generation: int
    until: float


class TokenVerifier:
    """Verifies tokens of ``issuers``; ``clock`` gives seconds since 1970."""

    def __init__(
        self, issuers: list[Issuer], limits: TokenLimits = TokenLimits(), clock: Callable[[], float] = time.time
    ) -> None:
        self._issuers = {issuer.settings.issuer: issuer for issuer in issuers}
        self._limits = limits
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Requester, _Verified]] = OrderedDict()
        self._looked_at = float("-inf")

    def known(self, token: bytes) -> Requester | None:
        """Who bears a token that was verified before; None where it must be, perhaps again."""
        known = self._known.get(token)
        if known is None:
            return None
        requester, verified = known
        if self._holds(verified):
            self._known.move_to_end(token)
            return requester
        del self._known[token]
        return None

    def _holds(self, verified: _Verified) -> bool:
        now = self._clock()
        if not 0 <= now - self._looked_at < LOOK_EVERY_S:
            self._look(now)
        return verified.until > now and verified.generation == verified.keys.generation

    def _look(self, now: float) -> None:
        """A key that was taken away is noticed although no other token comes."""
        self._looked_at = now
        for issuer in self._issuers.values():
            issuer.keys.look()

    async def requester(self, token: str) -> Requester:
        """Who bears ``token``. Raises TokenRefused, and KeysUnavailable where its issuer's keys cannot be had."""
        return self.known(token.encode()) or await self._learn(token)

    async def _learn(self, token: str) -> Requester:
        if len(token) > self._limits.max_bytes:
            raise TokenRefused("it is too long")
        issuer, claims = await self._verify(token)
        expires_at = self._check_times(claims)
        verified = _Verified(issuer.keys, issuer.keys.generation, expires_at)
        scopes = scopes_in(claims, issuer.settings.scopes_claim)
        requester = Requester(claims, scopes, expires_at, holds=partial(self._holds, verified))
        self._known[token.encode()] = requester, verified
        while len(self._known) > self._limits.max_cached:
            _, (_, forgotten) = self._known.popitem(last=False)
            forgotten.until = 0.0  # Nobody else remembers it either.
        return requester

    async def _verify(self, token: str) -> tuple[Issuer, dict[str, Any]]:
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
            issuer = self._issuer_of(unverified)
            algorithm = unverified["header"].get("alg")
            if algorithm not in issuer.settings.algorithms:
                raise TokenRefused("its algorithm is not one of its issuer's")
            key = await issuer.keys.find(unverified["header"].get("kid") or "")
            if key is None:
                raise TokenRefused("it is signed by an unknown key")
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=issuer.settings.audiences,
                issuer=issuer.settings.issuer,
                options=_CHECKS,  # type: ignore[arg-type]
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused(_reason(error)) from None
        return issuer, claims

    def _issuer_of(self, unverified: Mapping[str, Any]) -> Issuer:
        name = unverified["payload"].get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise TokenRefused("its issuer is not known here")
        return issuer

    def _check_times(self, claims: Mapping[str, Any]) -> float:
        """When the token expires, leeway included."""
        now, leeway_s = self._clock(), self._limits.leeway_s
        expires, begins = claims["exp"], claims.get("nbf", 0)
        if not _is_time(expires) or expires + leeway_s <= now:
            raise TokenRefused("it has expired")
        if not _is_time(begins) or begins - leeway_s > now:
            raise TokenRefused("it is not valid yet")
        return float(expires) + leeway_s


def scopes_in(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The scopes in a claim: words apart by spaces (RFC 8693), or a list."""
    value = claims.get(name, "")
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _reason(error: Exception) -> str:
    reasons = {
        jwt.InvalidAudienceError: "it is for another audience",
        jwt.InvalidSignatureError: "its signature is wrong",
        jwt.MissingRequiredClaimError: "it lacks a claim that is required: exp, iss or aud",
    }
    return reasons.get(type(error), "it is malformed")


def _is_time(value: object) -> bool:
    """Whether it is seconds since 1970 of a year that there is: Python reads NaN and Infinity as numbers too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LAST_S
