"""Why a WebSocket is closed, as a close frame can hold it."""

from __future__ import annotations

# A control frame has 125 bytes at most (RFC 6455, section 5.5), of which the code takes two.
_MAX_BYTES = 123


def close_reason(text: str) -> str:
    """As much of ``text`` as fits; its bytes count, not its characters."""
    return text.encode()[:_MAX_BYTES].decode(errors="ignore")
