"""Cache-Control, read and written (RFC 9111, section 5.2), and put together of the parts of an answer.

``max-age=60`` with an ``age`` of 20, beside ``private, max-age=30``, comes to ``private, max-age=30``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from router.execution.subgraph_client import Headers

# As RFC 9111, section 1.2.2 bounds a delta-seconds.
MOST_SECONDS = 2**31
_DIRECTIVE = re.compile(r'([!#$%&\'*+.^_`|~0-9a-zA-Z-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^",\s]*))?')


# A subgraph says the same few things again and again; what is longer is read anew each time.
_LONGEST_REMEMBERED = 200


class CachePolicy(NamedTuple):
    """For how many seconds more an answer may be used: by its client (``max_age_s``), and by caches that clients share.

    ``is_private``: by nobody but who asked. ``is_public``: it was said to be for all, whoever asked. ``stale_s`` is how
    long it may be served after that while a newer one is fetched; never where one ``must_ask`` then. ``is_stored`` is
    false where nobody may keep it.
    """

    max_age_s: float
    shared_max_age_s: float
    is_private: bool = False
    is_public: bool = False
    stale_s: float = 0.0
    must_ask: bool = False
    is_stored: bool = True


NO_STORE = CachePolicy(0, 0, is_private=True, is_stored=False)


def lasting(seconds: float) -> CachePolicy:
    """What an answer for ``seconds``, of which no more is known, may be used for."""
    return CachePolicy(seconds, seconds)


def read_policy(headers: Headers) -> CachePolicy | None:
    """What the headers of an answer say; None where they say nothing.

    What ``no-cache`` allows to keep needs asking again each time, which is as good as none. A number that is none is 0
    (RFC 9111, section 4.2.1).
    """
    lines = [value for name, value in headers if name == b"cache-control"]
    if not lines:
        return None
    text = b",".join(lines)
    said = _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _read(text)
    ages = [value for name, value in headers if name == b"age"]
    if not ages or not said.is_stored:
        return said
    age_s = max(_seconds(value.decode("latin-1")) for value in ages)
    return said._replace(
        max_age_s=max(said.max_age_s - age_s, 0), shared_max_age_s=max(said.shared_max_age_s - age_s, 0)
    )


def _read(text: bytes) -> CachePolicy:
    said = _directives(text.decode("latin-1"))
    if "no-store" in said or "no-cache" in said:
        return NO_STORE
    shared = said.get("s-maxage", said.get("max-age"))
    if shared is None:
        return NO_STORE
    own = said.get("max-age", shared)
    must_ask = not said.keys().isdisjoint({"must-revalidate", "proxy-revalidate"})
    return CachePolicy(
        _seconds(own),
        _seconds(shared),
        is_private="private" in said,
        is_public="private" not in said and ("public" in said or "s-maxage" in said),
        stale_s=0 if must_ask else _seconds(said.get("stale-while-revalidate", "0")),
        must_ask=must_ask,
    )


_remembered = lru_cache(maxsize=256)(_read)


def smallest(first: CachePolicy, second: CachePolicy) -> CachePolicy:
    """What holds for an answer of which these are parts."""
    if first == second:
        return first
    if not (first.is_stored and second.is_stored):
        return NO_STORE
    return CachePolicy(
        min(first.max_age_s, second.max_age_s),
        min(first.shared_max_age_s, second.shared_max_age_s),
        is_private=first.is_private or second.is_private,
        is_public=first.is_public and second.is_public,
        stale_s=min(first.stale_s, second.stale_s),
        must_ask=first.must_ask or second.must_ask,
    )


def write_policy(policy: CachePolicy) -> bytes:
    """``policy`` as the value of Cache-Control."""
    max_age_s, shared_s = int(policy.max_age_s), int(policy.shared_max_age_s)
    if not policy.is_stored or not (max_age_s or shared_s):
        return b"no-store"
    if policy.is_private:
        return b"private, max-age=%d" % max_age_s if max_age_s else b"no-store"
    words = [b"public"] if policy.is_public else []
    words.append(b"max-age=%d" % max_age_s)
    # By itself it allows what 'public' allows (RFC 9111, section 3.5), which was not said.
    if shared_s != max_age_s and policy.is_public:
        words.append(b"s-maxage=%d" % shared_s)
    return b", ".join(words)


def _directives(text: str) -> dict[str, str]:
    """Names in lower case and their values, the smallest where one is repeated."""
    found: dict[str, str] = {}
    for name, value in _pairs(text):
        before = found.get(name)
        found[name] = value if before is None else min(before, value, key=_seconds)
    return found


def _pairs(text: str) -> Iterable[tuple[str, str]]:
    for match in _DIRECTIVE.finditer(text):
        yield match[1].lower(), (match[2] or "").strip('"')


def _seconds(text: str) -> float:
    text = text.strip()
    return min(int(text[:20]), MOST_SECONDS) if text.isascii() and text.isdigit() else 0
