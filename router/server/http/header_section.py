"""The headers of a request as its client sends them with each of its requests, and what was worked out of them.

A client says the same of itself again and again: its token, its name, its origin, what it accepts. What the settings
make of that is worked out once, and found by the headers themselves, all of them, byte for byte. What differs in each
request is no part of it: how long its body is, and the ids of its trace.

What is remembered belongs to one set of settings, and is bounded: few enough sections, each small enough. One that was
not sent for a while makes room for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from starlette.types import Scope

from router.execution.traffic.trace import TRACE_NAMES
from router.generations import Generations
from router.server.connections.known_heads import BYTES_OF_A_HEADER, KnownHead, known_head_in

Header = tuple[bytes, bytes]

MOST_REMEMBERED = 512
MOST_BYTES = 4096
# In all, with what a header weighs in memory beside its text.
MOST_BYTES_IN_ALL = 1024 * 1024
_LENGTH = b"content-length"
OWN_HEADERS = TRACE_NAMES | {_LENGTH}
_NONE: Mapping[bytes, bytes] = MappingProxyType({})
_KEY = "galleria.header_section"


class HeaderSection:
    """``fields`` are the headers by name, as ``fields_of`` says; ``made`` is what was made of them, by who made it."""

    __slots__ = ("fields", "made")

    def __init__(self, headers: Iterable[Header]) -> None:
        self.fields = fields_of(headers)
        self.made: dict[object, Any] = {}


# The section of a request, and what it says of its trace, by name.
Read = tuple[HeaderSection, Mapping[bytes, bytes]]


class HeaderSections:
    """The sections that were sent of late.

    Those of known heads are found by these, which outlive all settings, and so hold nothing of what was made by any.
    """

    def __init__(self) -> None:
        self._sections: Generations[tuple[Header, ...], HeaderSection] = Generations(MOST_REMEMBERED, MOST_BYTES_IN_ALL)
        self._of_heads: Generations[KnownHead, Read] = Generations(MOST_REMEMBERED, MOST_BYTES_IN_ALL)

    def __len__(self) -> int:
        return len(self._sections)

    def of(self, scope: Scope) -> Read:
        """As ``read``, of the request of ``scope``."""
        return self.of_known(scope) or self.read(scope["headers"])

    def of_known(self, scope: Scope) -> Read | None:
        """As ``read``, where the head of the request was parsed before; None where it was not."""
        head = known_head_in(scope)
        if head is None:
            return None
        found = self._of_heads.get(head)
        if found is None:
            found = self.read(head.headers)
            self._of_heads.put(head, found, head.weight)
        return found

    def read(self, headers: Iterable[Header]) -> Read:
        """The section of a request, and what it says of its trace, by name."""
        sent = headers if isinstance(headers, list) else list(headers)
        key = tuple([header for header in sent if header[0] not in OWN_HEADERS])
        section = self._sections.get(key) or self._new(key)
        beside = len(sent) - len(key)
        if not beside or (beside == 1 and sent[-1][0] == _LENGTH):
            return section, _NONE
        return section, fields_of([header for header in sent if header[0] in TRACE_NAMES])

    def _new(self, key: tuple[Header, ...]) -> HeaderSection:
        section = HeaderSection(key)
        text_bytes = sum(len(name) + len(value) for name, value in key)
        if text_bytes <= MOST_BYTES:
            self._sections.put(key, section, text_bytes + BYTES_OF_A_HEADER * len(key))
        return section


def tell_section(scope: Scope, section: HeaderSection) -> None:
    """Let who answers the request of ``scope`` find its section."""
    scope[_KEY] = section


def section_in(scope: Scope) -> HeaderSection | None:
    """The section of a request; None where nobody has read it, or the headers are others by now."""
    return scope.get(_KEY)


def with_other_headers(scope: Scope, headers: Iterable[Header]) -> Scope:
    """``scope`` of the same request with other headers."""
    return {**scope, "headers": list(headers), _KEY: None}


def fields_of(headers: Iterable[Header]) -> Mapping[bytes, bytes]:
    """Headers by name; what was sent several times is one list (RFC 9110, section 5.3; RFC 6265, section 5.4).

    Where only one is allowed, as of ``traceparent``, such a list is no value, which is what the specifications ask for.
    """
    sent = headers if isinstance(headers, list) else list(headers)
    fields = dict(sent)
    if len(fields) == len(sent):
        return fields
    gathered: dict[bytes, list[bytes]] = {}
    for name, value in sent:
        gathered.setdefault(name, []).append(value)
    return {name: (b"; " if name == b"cookie" else b", ").join(values) for name, values in gathered.items()}
