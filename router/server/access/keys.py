"""Keys that verify tokens: a JWKS in a file, read again when it changes, or at a URL, asked again for an unknown key.

However many requests wait, a URL is asked once, and for unknown keys not again for a while. Keys that are known are
refreshed beside the requests, and an outage of the URL leaves them as they are.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import jwt

logger = logging.getLogger("galleria.router")

MAX_JWKS_BYTES = 1_000_000
MAX_KEYS = 100

Keys = Mapping[str, jwt.PyJWK]
Fetch = Callable[[], Awaitable[bytes]]


class KeysUnavailable(Exception):  # noqa: N818 - what is wrong, told as such
    """There are no keys at all; ``str(error)`` says why, for the log."""


class KeySource(Protocol):
    """Where a verifier finds keys; ``generation`` changes when they do."""

    generation: int

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id, or the only key for an empty id; None where there is none. Raises KeysUnavailable."""

    def look(self) -> None:
        """Take up what has changed, or begin to, where it is time for that; waits for nothing and raises nothing."""


class JwksFile:
    """The keys in a file. What is wrong with it is told once in the log, as soon as somebody looks."""

    def __init__(self, path: Path) -> None:
        self.generation = 0
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._keys: Keys = {}
        self._told = ""

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """As the protocol says."""
        failure = self._read()
        if failure is not None and not self._keys:
            raise KeysUnavailable(f"{self._path}: {failure}") from None
        return find_key(self._keys, key_id)

    def look(self) -> None:
        """As the protocol says."""
        self._read()

    def _read(self) -> Exception | None:
        """Why the file cannot be read; the keys stay then."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp != self._read_at:
                self._keys = read_keys(self._path.read_bytes())
                self._read_at = stamp
                self.generation += 1
        except (OSError, ValueError, jwt.PyJWTError) as error:
            self._tell(str(error))
            return error
        self._told = ""
        return None

    def _tell(self, failure: str) -> None:
        if failure != self._told:
            self._told = failure
            kept = "those that are known stay" if self._keys else "no token can be verified"
            logger.warning("keys of %s cannot be had, %s: %s", self._path, kept, failure)


class JwksUrl:
    """The keys that ``fetch`` brings; ``clock`` is in seconds."""

    def __init__(
        self, name: str, fetch: Fetch, clock: Callable[[], float], refresh_s: float = 300.0, retry_s: float = 10.0
    ) -> None:
        self.generation = 0
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._refresh_s = refresh_s
        self._retry_s = retry_s
        self._keys: Keys = {}
        self._taken = b""
        self._failure = "not asked yet"
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """As the protocol says."""
        key = find_key(self._keys, key_id)
        if key is None and (self._waited_s() >= self._retry_s or self._asking is not None):
            # Shielded: one client that goes away does not take the keys from the others.
            await asyncio.shield(self._ask())
            key = find_key(self._keys, key_id)
        else:
            self.look()
        if not self._keys:
            raise KeysUnavailable(f"{self._name}: {self._failure}")
        return key

    def look(self) -> None:
        """As the protocol says."""
        if self._waited_s() >= self._refresh_s:
            self._ask()

    def _waited_s(self) -> float:
        return self._clock() - self._asked_at

    def _ask(self) -> asyncio.Task[None]:
        if self._asking is None:
            self._asked_at = self._clock()
            self._asking = asyncio.create_task(self._take())
            self._asking.add_done_callback(self._answered)
        return self._asking

    def _answered(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _take(self) -> None:
        try:
            jwks = await self._fetch()
            keys = read_keys(jwks)
        except Exception as error:  # noqa: BLE001 - whatever is wrong there, the keys that are known serve on
            self._failure = f"{type(error).__name__}: {error}"
            logger.warning("keys of %s cannot be had: %s", self._name, self._failure)
            return
        self._keys = keys
        self._failure = "it has no key for signatures"
        if jwks != self._taken:
            self._taken = jwks
            self.generation += 1


_ASKED_FOR = {"accept": "application/json", "accept-encoding": "identity"}


def http_fetch(url: str, timeout_s: float) -> Fetch:
    """Ask ``url`` by GET, without following redirects, for at most MAX_JWKS_BYTES."""

    async def fetch() -> bytes:
        # Here, because it takes a tenth of a second that other routers need not wait.
        import httpx

        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            # It would tell the part that is wrong, which may be half of a password.
            raise ValueError("its address is not a URL") from None
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(timeout=timeout_s) as client,
            client.stream("GET", address, headers=_ASKED_FOR) as response,
        ):
            if not response.is_success:
                raise ValueError(f"it answers with the status {response.status_code}")
            body = b""
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("the answer is in an encoding that was not asked for")
            # As it came: httpx would undo an encoding without a bound.
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_JWKS_BYTES:
                    raise ValueError("the answer is too long")
            return body

    return fetch


def read_keys(jwks: bytes) -> Keys:
    """The keys for signatures in a JWKS by id; of an unknown kind, or symmetric, none. ValueError for no JWKS."""
    if len(jwks) > MAX_JWKS_BYTES:
        raise ValueError("it is too long")
    raw = json.loads(jwks)
    listed = raw.get("keys") if isinstance(raw, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS: an object with a list `keys`")
    keys: dict[str, jwt.PyJWK] = {}
    for each in listed[:MAX_KEYS]:
        if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") != "oct":
            key = _read_key(each)
            if key is not None:
                keys[key.key_id or ""] = key
    return keys


def _read_key(jwk: dict[str, Any]) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(jwk)
    except jwt.PyJWTError:
        return None  # One key that is not understood does not cost the others.


def find_key(keys: Keys, key_id: str) -> jwt.PyJWK | None:
    """The key of that id; for a token that names none, the only one."""
    if not key_id and len(keys) == 1:
        return next(iter(keys.values()))
    return keys.get(key_id)
