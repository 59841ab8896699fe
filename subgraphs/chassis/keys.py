"""Keys that verify tokens: a JWKS file, read again when it changes, or a URL, asked again for an unknown key."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import httpx
import jwt
import orjson

from subgraphs.chassis.errors import Unavailable

ASK_AGAIN_AFTER_S = 10.0
REFRESH_AFTER_S = 300.0


class KeySource(Protocol):
    """Where a verifier finds keys."""

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of that id; None where there is none. Raises Unavailable where no keys can be had at all."""

    async def check(self) -> None:
        """Raise Unavailable where no keys can be had."""


class JwksFile:
    """Keys of a file; a rotated file is noticed at the next request."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._keys: Mapping[str, jwt.PyJWK] = {}

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
                self._keys = read_keys(self._path.read_bytes())
                self._read_at = stamp
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise Unavailable(f"no keys in {self._path}: {error}") from None


class JwksUrl:
    """Keys of a URL, fetched at first use, every five minutes, and for an unknown key id (every ten at most)."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client
        self._asked_at = float("-inf")
        self._keys: Mapping[str, jwt.PyJWK] = {}

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """See :class:`KeySource`."""
        age_s = time.monotonic() - self._asked_at
        stale = age_s > REFRESH_AFTER_S or ((key_id or "") not in self._keys and age_s > ASK_AGAIN_AFTER_S)
        if stale or not self._keys:
            await self._refresh()
        return self._keys.get(key_id or "")

    async def check(self) -> None:
        """See :class:`KeySource`."""
        if not self._keys:
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            answer = await self._client.get(self._url)
            answer.raise_for_status()
            self._keys = read_keys(answer.content)
            self._asked_at = time.monotonic()
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            if not self._keys:
                raise Unavailable(f"no keys at {self._url}: {type(error).__name__}: {error}") from None
            self._asked_at = time.monotonic()


def read_keys(jwks: bytes) -> Mapping[str, jwt.PyJWK]:
    """The keys of a JWKS document by id. Raises PyJWTError or ValueError where it is none."""
    key_set = jwt.PyJWKSet.from_dict(orjson.loads(jwks))
    return {key.key_id: key for key in key_set.keys if key.key_id}
