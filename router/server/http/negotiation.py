"""Choosing the media type of an answer from the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
_ANY_ORDER = (JSON, GRAPHQL_RESPONSE)


def choose_media_type(accept: bytes) -> str | None:
    """The best of the two forms of GraphQL answers; application/json where both are as good and neither is first.

    None where the client accepts neither.
    """
    if not accept or accept == b"*/*" or accept == b"application/json":
        return JSON
    ranges = [one for one in media_ranges(accept) if one.parameters.get("charset", "utf-8") in ("utf-8", "utf8")]
    rated = [
        (quality, -position, media_type)
        for media_type in _ANY_ORDER
        for quality, position in [_rate(media_type, ranges)]
        if quality > 0
    ]
    return max(rated, key=lambda one: one[:2])[2] if rated else None


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One of the forms that a client accepts, in lower case."""

    name: str
    quality: float
    parameters: Mapping[str, str]


def media_ranges(accept: bytes) -> list[MediaRange]:
    """What the header says, in its order; what is no media range is left out."""
    return [_read_range(part) for part in accept.decode("latin-1").lower().split(",") if "/" in part.partition(";")[0]]


def _read_range(part: str) -> MediaRange:
    name, *pieces = (piece.strip() for piece in part.split(";"))
    pairs = (piece.partition("=") for piece in pieces)
    parameters = {key.strip(): value.strip(' "') for key, _, value in pairs}
    return MediaRange(name, _read_quality(parameters.get("q", "1")), parameters)


def _read_quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _rate(media_type: str, ranges: list[MediaRange]) -> tuple[float, int]:
    """Quality that the most specific matching range gives, and its position; quality 0 where none matches."""
    for wanted in (media_type, "application/*", "*/*"):
        for position, one in enumerate(ranges):
            if one.name == wanted:
                return one.quality, position
    return 0.0, 0
