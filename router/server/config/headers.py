"""Section ``headers``: what passes from clients to subgraphs, and what the router adds or takes away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from router.server.config.section import Section

# The router and its HTTP client say these themselves; another value would change where a request ends (RFC 9112, 6),
# how it is read, or what becomes of its connection (RFC 9110, 7.6.1).
_RESERVED = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_RESERVED_PREFIXES = ("proxy-", "sec-websocket-")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

# Its value may be a secret, which no message may tell.
UNSAFE_VALUE = "unsafe_header_value"


def _header_name(name: str) -> str:
    lower = name.lower()
    if _TOKEN.fullmatch(name) is None:
        raise ValueError("this is no name of a header")
    if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
        raise ValueError("this header belongs to the connection or to the body, and no rule may name it")
    return lower


def is_header_value(value: str) -> bool:
    """Whether ``value`` arrives as it is: printable ASCII, which can end no header, and no spaces around it."""
    return value.isascii() and value.isprintable() and value == value.strip()


def _header_value(value: str) -> str:
    if not is_header_value(value):
        raise PydanticCustomError(
            UNSAFE_VALUE, "a header's value has printable ASCII characters alone, and no spaces around it"
        )
    return value


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]


class HeaderRuleSettings(Section):
    """Rules in the order in which they hold, each over those before it: ``propagate``, ``rename``, ``remove``, ``set``.

    ``rename`` is from the client's name to the subgraph's; what is renamed is not sent under its own name.
    """

    propagate: tuple[HeaderName, ...] = ()
    rename: Mapping[HeaderName, HeaderName] = Field(default_factory=dict)
    remove: tuple[HeaderName, ...] = ()
    set: Mapping[HeaderName, HeaderValue] = Field(default_factory=dict, repr=False)


class HeaderSettings(HeaderRuleSettings):
    """The rules for all subgraphs; those in ``subgraphs``, by name, hold over them for one."""

    propagate: tuple[HeaderName, ...] = ("authorization",)
    subgraphs: Mapping[str, HeaderRuleSettings] = Field(default_factory=dict)
