"""Choosing the media type of an answer from the Accept header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
_ANY_ORDER = (JSON, GRAPHQL_RESPONSE)


def choose_media_type(accept: bytes) -> str | None:
    """The best of the two forms of GraphQL answers; application/json where both are as good and neither is first.

    None where the client accepts neither.
    """
    if not accept or accept == b"*/*" or accept == b"application/json":
        return JSON
    ranges = [found for part in accept.decode("latin-1").split(",") if (found := _read_range(part)) is not None]
    rated = [
        (quality, -position, media_type)
        for media_type in _ANY_ORDER
        for quality, position in [_rate(media_type, ranges)]
        if quality > 0
    ]
    return max(rated, key=lambda one: one[:2])[2] if rated else None


def _read_range(part: str) -> tuple[str, float] | None:
    """Media range and quality; None for what is not one, or wants another charset than UTF-8."""
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            return None
        if name.strip() == "q":
            quality = _read_quality(value.strip())
    return (media_range, quality) if "/" in media_range else None


def _read_quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _rate(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Quality that the most specific matching range gives, and its position; quality 0 where none matches."""
    for wanted in (media_type, "application/*", "*/*"):
        for position, (media_range, quality) in enumerate(ranges):
            if media_range == wanted:
                return quality, position
    return 0.0, 0
