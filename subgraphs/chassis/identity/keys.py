"""Keys that verify tokens: of a JWKS file, read again when it changes, or of a URL, asked again for an unknown key.

Rotation: publish the new key beside the old one, sign with the new one, take the old one away when its last token has
expired. A key taken away sooner is distrusted once the change is noticed (see :attr:`KeySource.generation`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt
import orjson

from subgraphs.chassis.errors import Unavailable

ALGORITHM = "ES256"
DEVELOPMENT_MARK = "galleria_development"
"""A member that the development key has in its JWKS, so that production can tell it from others."""
ASK_AGAIN_AFTER_S = 10.0
REFRESH_AFTER_S = 300.0
MAXIMUM_BYTES = 1_000_000

# Up to the last @: a password may have what ends a URL's authority.
_CREDENTIALS = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)?.*@", re.DOTALL)
_REST = re.compile(r"[?#].*", re.DOTALL)

Keys = Mapping[str, jwt.PyJWK]


class KeySource(Protocol):
    """Where a verifier finds keys."""

    @property
    def generation(self) -> int:
        """A number that changes when the keys do: what older keys vouched for must be verified anew."""

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of that id; None where there is none. Raises Unavailable where no keys can be had at all."""

    async def check(self) -> None:
        """Notice keys that were changed or taken away. Raises Unavailable where no keys can be had."""


class JwksFile:
    """Keys of a file; a rotated file is noticed at the next unknown token or :meth:`check`."""

    def __init__(self, path: Path, *, development: bool = True) -> None:
        self.generation = 0
        self._path = path
        self._development = development
        self._read_at: tuple[int, int] | None = None
        self._keys: Keys = {}

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """See :class:`KeySource`."""
        await self.check()
        return self._keys.get(key_id or "")

    async def check(self) -> None:
        """See :class:`KeySource`."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._read_at:
                self._keys = read_keys(self._path.read_bytes(), development=self._development)
                self._read_at = stamp
                self.generation += 1
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise Unavailable(f"no keys in {self._path}: {error}") from None


class JwksUrl:
    """Keys of a URL. However many tokens name an unknown key, it is asked once, and not again for ten seconds.

    Known keys are refreshed by :meth:`check` every five minutes; no request waits for that, and an outage of the URL
    leaves the keys as they are.
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        *,
        development: bool = True,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.generation = 0
        self._url = url
        self._client = client
        self._development = development
        self._seconds = seconds
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._keys: Keys = {}
        self._taken = b""
        self._failure = "not asked yet"

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """See :class:`KeySource`."""
        if (key_id or "") not in self._keys:
            await self._ask_unless_within(ASK_AGAIN_AFTER_S)
        self._require_keys()
        return self._keys.get(key_id or "")

    async def check(self) -> None:
        """See :class:`KeySource`."""
        await self._ask_unless_within(REFRESH_AFTER_S if self._keys else 0)
        self._require_keys()

    def _require_keys(self) -> None:
        if not self._keys:
            raise Unavailable(f"no keys at {told_url(self._url)}: {self._failure}")

    async def _ask_unless_within(self, pause_s: float) -> None:
        before = self._asked_at
        async with self._asking:
            # Those who waited for the lock find the answer of the one who held it.
            if self._asked_at == before and self._seconds() - before >= pause_s:
                await self._ask()

    async def _ask(self) -> None:
        try:
            self._take(await self._fetch())
        except httpx.HTTPStatusError as error:
            # Its own message has the whole address.
            self._failure = f"HTTPStatusError: {error.response.status_code}"
        except httpx.InvalidURL:
            # It would tell the part that is wrong, which may be half of a password.
            self._failure = "this is no URL"
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            self._failure = f"{type(error).__name__}: {error}"
        self._asked_at = self._seconds()

    async def _fetch(self) -> bytes:
        """The answer, in no encoding, because httpx would undo one without a bound."""
        async with self._client.stream("GET", self._url, headers={"accept-encoding": "identity"}) as answer:
            answer.raise_for_status()
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("the answer is in an encoding that was not asked for")
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > MAXIMUM_BYTES:
                    raise ValueError("the answer is too long")
            return body

    def _take(self, jwks: bytes) -> None:
        self._keys = read_keys(jwks, development=self._development)
        self._failure = "it has no ES256 key with an id"
        if jwks != self._taken:
            self._taken = jwks
            self.generation += 1


def told_url(url: str) -> str:
    """``url`` as logs and errors tell it: without the credentials and the query that it may hold."""
    return _REST.sub("", _CREDENTIALS.sub(r"\1", url))


def read_keys(jwks: bytes, *, development: bool = True) -> Keys:
    """The ES256 keys of a JWKS document by id; the development key is among them only where ``development`` says so.

    Raises PyJWTError or ValueError where it is no JWKS.
    """
    keys = [jwt.PyJWK(each) for each in _listed(jwks) if _verifies_tokens(each, development=development)]
    return {key.key_id: key for key in keys if key.key_id}


def has_development_key(jwks: bytes) -> bool:
    """Whether the development key is in a JWKS document; False for what is none."""
    try:
        return any(isinstance(key, dict) and DEVELOPMENT_MARK in key for key in _listed(jwks))
    except ValueError:
        return False


def _listed(jwks: bytes) -> list[Any]:
    raw = orjson.loads(jwks)
    listed = raw.get("keys") if isinstance(raw, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS: an object with a list `keys`")
    return listed


def _verifies_tokens(key: object, *, development: bool) -> bool:
    return (
        isinstance(key, dict)
        and (key.get("kty"), key.get("crv")) == ("EC", "P-256")
        and key.get("alg", ALGORITHM) == ALGORITHM
        and key.get("use", "sig") == "sig"
        and (development or DEVELOPMENT_MARK not in key)
    )
