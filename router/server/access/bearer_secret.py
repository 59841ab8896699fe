"""Whether a request says a secret of the settings."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from pydantic import SecretStr

_SCHEME = "Bearer "


def says_secret(headers: Mapping[str, str], secret: SecretStr) -> bool:
    """Whether ``authorization`` has ``secret``, compared in constant time."""
    said = headers.get("authorization", "").removeprefix(_SCHEME)
    return hmac.compare_digest(said.encode(), secret.get_secret_value().encode())
