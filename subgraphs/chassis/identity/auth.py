"""Who asks: a bearer JWT, verified here and by nobody else, becomes an :class:`AuthContext`.

The algorithm is pinned to ES256 whatever the token says; issuer, audience and expiry are required. Verified tokens are
remembered until they expire or the keys change, because checking a signature costs more than answering most requests.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from jwt.types import Options

from subgraphs.chassis.clock import Clock, utc_now
from subgraphs.chassis.errors import CodedError
from subgraphs.chassis.identity.keys import ALGORITHM, KeySource

ISSUER = "galleria"
AUDIENCE = "galleria"
REMEMBERED_TOKENS = 10_000
NEEDS_USER = "galleria.needs_user"
"""The key of an ASGI scope by which it says that nothing but a user's token opens the service to the request."""
ROLES = ("customer", "staff")
# Not PyJWT's own checks of times: they read the system's clock, and ours is injected.
CHECKS: Options = {
    "require": ["exp", "sub", "iss", "aud"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


@dataclass(frozen=True, slots=True)
class AuthContext:
    """Who asks; ``subject`` and ``role`` are None for an anonymous request.

    ``expires`` is when the token does, leeway included, in seconds since 1970: what goes on beyond it must end.
    """

    subject: str | None = None
    role: str | None = None
    name: str | None = None
    email: str | None = None
    scopes: frozenset[str] = frozenset()
    expires: float | None = field(default=None, compare=False)

    @property
    def is_staff(self) -> bool:
        """Whether a member of staff asks."""
        return self.role == "staff"

    def has_scope(self, scope: str) -> bool:
        """Whether staff with ``scope`` asks; a customer has none, whatever the token says."""
        return self.is_staff and scope in self.scopes

    def may_see(self, owner: str | None, staff_scope: str) -> bool:
        """Whether what belongs to ``owner`` (a customer's id) may be shown: to its owner, and to ``staff_scope``."""
        return self.has_scope(staff_scope) or (self.subject is not None and self.subject == owner)


ANONYMOUS = AuthContext()
# The first second of the year 10000, which no datetime has.
_END_OF_TIME = 253_402_300_800


def require_user(auth: AuthContext) -> AuthContext:
    """``auth`` itself; raises CodedError(UNAUTHENTICATED) for an anonymous request."""
    if auth.subject is None:
        raise CodedError("UNAUTHENTICATED", "This needs a bearer token: send `authorization: Bearer <token>`.")
    return auth


def require_staff(auth: AuthContext) -> AuthContext:
    """``auth`` itself; raises CodedError UNAUTHENTICATED for an anonymous request, FORBIDDEN for anyone but staff."""
    if not require_user(auth).is_staff:
        raise CodedError("FORBIDDEN", "This is for staff only.")
    return auth


def require_scope(auth: AuthContext, scope: str) -> AuthContext:
    """``auth`` itself; raises CodedError like :func:`require_staff`, and FORBIDDEN for staff without ``scope``."""
    if not require_staff(auth).has_scope(scope):
        raise CodedError("FORBIDDEN", f"This needs the scope {scope}, which the token does not have.")
    return auth


class TokenVerifier:
    """Turns an ``authorization`` header into an :class:`AuthContext`.

    ``leeway_s`` is by how much the issuer's clock and ours may differ.
    """

    def __init__(self, keys: KeySource, clock: Clock = utc_now, leeway_s: float = 0.0) -> None:
        self._keys = keys
        self._clock = clock
        self._leeway_s = leeway_s
        self._remembered: OrderedDict[str, tuple[float, AuthContext]] = OrderedDict()
        self._generation = keys.generation

    async def verify(self, authorization: str | None) -> AuthContext:
        """Who sent ``authorization``; anonymous without a header.

        Raises CodedError(UNAUTHENTICATED) for a token that is malformed, expired, or signed by no key of ours, and
        Unavailable where the keys cannot be had.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _refused("the authorization header must be `Bearer <token>`")
        return self._recall(token) or await self._learn(token)

    def _recall(self, token: str) -> AuthContext | None:
        self._forget_older_keys()
        expires, auth = self._remembered.get(token, (0.0, ANONYMOUS))
        return auth if expires > self._clock().timestamp() else None

    async def _learn(self, token: str) -> AuthContext:
        claims = await self._claims(token.strip())
        expires = float(claims["exp"]) + self._leeway_s
        auth = _auth_context(claims, expires)
        self._forget_older_keys()
        self._remembered[token] = (expires, auth)
        while len(self._remembered) > REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)
        return auth

    def _forget_older_keys(self) -> None:
        if self._generation != self._keys.generation:
            self._remembered.clear()
            self._generation = self._keys.generation

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != ALGORITHM:
                raise _refused(f"tokens must be signed with {ALGORITHM}")
            key = await self._keys.find(header.get("kid"))
            if key is None:
                raise _refused("it is signed by an unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options=CHECKS,
            )
        except jwt.PyJWTError as error:
            raise _refused(str(error).rstrip(".").lower()) from None
        self._check_times(claims)
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now, expires, begins = self._clock().timestamp(), claims["exp"], claims.get("nbf", 0)
        if not _is_time(expires) or expires + self._leeway_s <= now:
            raise _refused("it has expired")
        if not _is_time(begins) or begins - self._leeway_s > now:
            raise _refused("it is not valid yet")


def issue_token(key: jwt.PyJWK, claims: dict[str, Any], expires: datetime) -> str:
    """A signed token for ``claims`` (``sub``, ``role``, ...), valid until ``expires``."""
    complete = {**claims, "iss": ISSUER, "aud": AUDIENCE, "exp": int(expires.astimezone(UTC).timestamp())}
    return jwt.encode(complete, key, algorithm=ALGORITHM, headers={"kid": key.key_id})


def _auth_context(claims: dict[str, Any], expires: float) -> AuthContext:
    role = claims.get("role")
    if role not in ROLES:
        raise _refused("its role is neither customer nor staff")
    scope = claims.get("scope", "")
    scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset()
    return AuthContext(str(claims["sub"]), role, claims.get("name"), claims.get("email"), scopes, expires)


def _is_time(value: object) -> bool:
    """Whether it is a moment that a clock can reach: Infinity and NaN, which Python's JSON knows, never expire."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _END_OF_TIME


def _refused(reason: str) -> CodedError:
    return CodedError("UNAUTHENTICATED", f"The bearer token is not accepted: {reason}.")
