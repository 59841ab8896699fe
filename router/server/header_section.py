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

Header = tuple[bytes, bytes]

MOST_REMEMBERED = 512
MOST_BYTES = 4096
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


class HeaderSections:
    """The sections that were sent of late: those of two generations, of which the older one is forgotten as a whole."""

    def __init__(self) -> None:
        self._young: dict[tuple[Header, ...], HeaderSection] = {}
        self._old: dict[tuple[Header, ...], HeaderSection] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def read(self, headers: Iterable[Header]) -> tuple[HeaderSection, Mapping[bytes, bytes]]:
        """The section of a request, and what it says of its trace, by name."""
        shared = []
        own = None
        for header in headers:
            if header[0] not in OWN_HEADERS:
                shared.append(header)
            elif header[0] != _LENGTH:
                own = [header] if own is None else [*own, header]
        key = tuple(shared)
        section = self._young.get(key) or self._known(key)
        return section, _NONE if own is None else fields_of(own)

    def _known(self, key: tuple[Header, ...]) -> HeaderSection:
        section = self._old.get(key) or HeaderSection(key)
        if sum(len(name) + len(value) for name, value in key) <= MOST_BYTES:
            if len(self._young) >= MOST_REMEMBERED // 2:
                self._old, self._young = self._young, {}
            self._young[key] = section
            self._old.pop(key, None)
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
