"""Webhooks: is this body from whom it says, and was it sent just now?

The sender signs time and body with a secret that both know, and sends ``webhook-signature: t=1767225600,v1=<hex>``,
where the hex is HMAC-SHA256 over ``1767225600.<body>``. Several ``v1`` stand side by side while a secret is rotated. A
request that was recorded and is sent again passes for as long as ``TOLERANCE_S``: handlers are idempotent.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

from pydantic import SecretStr

from subgraphs.chassis.errors import CodedError

HEADER = "webhook-signature"
TOLERANCE_S = 300
SHORTEST_SECRET = 32
MAX_SIGNATURES = 5


def check_secret(secret: SecretStr | None) -> SecretStr | None:
    """``secret`` itself; raises ValueError where it is short enough to be guessed."""
    if secret is not None and len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters")
    return secret


def sign(secret: SecretStr, body: bytes, at: datetime) -> str:
    """The signature header of ``body``, sent ``at`` that time."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


def verify(secret: SecretStr, header: str | None, body: bytes, now: datetime) -> None:
    """Raise CodedError(SIGNATURE_INVALID) unless ``header`` signs ``body`` with ``secret``, within ``TOLERANCE_S``.

    The message does not tell which of the two was wrong.
    """
    seconds, signatures = _parse(header or "")
    expected = _digest(secret, seconds, body)
    signed = any(hmac.compare_digest(expected, signature) for signature in signatures)
    if not signed or abs(now.timestamp() - seconds) > TOLERANCE_S:
        message = f"Sign `<seconds>.<body>` with the shared secret, and send it within {TOLERANCE_S} s in {HEADER}."
        raise CodedError("SIGNATURE_INVALID", message)


def _parse(header: str) -> tuple[int, list[str]]:
    pairs = [part.strip().partition("=") for part in header.split(",", MAX_SIGNATURES)]
    times = [value for name, _, value in pairs if name == "t" and value.isascii() and value.isdigit()]
    seconds = int(times[0]) if times and len(times[0]) <= 12 else 0
    return seconds, [value for name, _, value in pairs if name == "v1" and value.isascii()]


def _digest(secret: SecretStr, seconds: int, body: bytes) -> str:
    return hmac.new(secret.get_secret_value().encode(), b"%d." % seconds + body, sha256).hexdigest()
