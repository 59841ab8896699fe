"""Section ``signing``: by what subgraphs know that a request is the router's."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from router.server.config.headers import UNSAFE_VALUE, HeaderName
from router.server.config.section import Section

SHORTEST_SECRET = 32
_MESSAGE = "a key is ID:SECRET, in printable ASCII without quotes, with a secret of at least 32 characters"


def _keys(text: object) -> object:
    """``ID:SECRET``, or several; an empty text is none, so that an environment variable can leave them out."""
    if text is None or isinstance(text, SecretStr):
        return text
    if not isinstance(text, str):
        raise PydanticCustomError(UNSAFE_VALUE, _MESSAGE)
    parts = text.replace(",", " ").split()
    if not all(_is_key(part) for part in parts):
        raise PydanticCustomError(UNSAFE_VALUE, _MESSAGE)
    return " ".join(parts) or None


def _is_key(part: str) -> bool:
    key_id, _, secret = part.partition(":")
    return bool(key_id) and len(secret) >= SHORTEST_SECRET and part.isascii() and not set(part) & set('"\\')


SigningKeys = Annotated[SecretStr | None, BeforeValidator(_keys)]


class SigningSettings(Section):
    """Requests to subgraphs are signed with the first of ``keys`` (``ID:SECRET``), where there is one.

    ``headers`` are signed too where they are sent, and so are those of claims.
    """

    keys: SigningKeys = None
    headers: tuple[HeaderName, ...] = ("authorization",)
