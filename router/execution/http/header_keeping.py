"""A connection that hands on what an answer's headers say to caches. Others are spared the looking."""

from __future__ import annotations

from router.execution.http.connection import END_OF_HEAD, Connection
from router.execution.subgraph_client import Headers

CACHE_HEADERS = frozenset({b"age", b"cache-control", b"cache-tag", b"surrogate-key", b"vary"})


class HeaderKeepingConnection(Connection):
    """A Connection whose answers bear their CACHE_HEADERS."""

    __slots__ = ("kept_headers",)

    def _listen(self) -> None:
        self.kept_headers: Headers = ()
        self.on_message_begin = self._begin_message
        self.on_header = self._note_header

    def _begin_message(self) -> None:
        """The headers of an informational response, or of the answer before, are not this one's."""
        self._begun.append(None)
        if not self._complete:
            self.kept_headers = ()

    def _note_header(self, name: bytes, value: bytes) -> None:
        """Keep it, if it is one of those; trailers are not kept."""
        self._headers.setdefault(name, value)
        key = name.lower()
        if key in CACHE_HEADERS and END_OF_HEAD not in self._headers:
            self.kept_headers += ((key, value),)
