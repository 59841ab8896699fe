"""The secrets by which the router is known: ``ROUTER_KEYS`` is ``ID:SECRET``, or two while one follows the other."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

SHORTEST_SECRET = 32


def read_keys(text: SecretStr) -> Mapping[str, bytes]:
    """The secrets by id. ValueError, which tells none of them."""
    keys = {}
    for part in text.get_secret_value().replace(",", " ").split():
        key_id, _, secret = part.partition(":")
        if not key_id or len(secret) < SHORTEST_SECRET:
            raise ValueError(
                f"must be ID:SECRET, several apart by commas, a secret of at least {SHORTEST_SECRET} characters"
            )
        keys[key_id] = secret.encode()
    return keys
