"""A connection that hands on what an answer's headers say to caches. Others are spared the looking."""

from __future__ import annotations

from router.execution.http.connection import Connection

CACHE_HEADERS = frozenset({b"age", b"cache-control", b"cache-tag", b"surrogate-key", b"vary"})


class HeaderKeepingConnection(Connection):
    """A Connection whose answers bear their CACHE_HEADERS."""

    __slots__ = ("kept_headers",)

    def on_message_begin(self) -> None:
        """As Connection; the headers of an informational response, or of the answer before, are not this one's."""
        super().on_message_begin()
        if not self._complete:
            self.kept_headers = ()

    def on_header(self, name: bytes, value: bytes) -> None:
        """As Connection; trailers are not kept."""
        super().on_header(name, value)
        if not self._headers_done:
            key = name.lower()
            if key in CACHE_HEADERS:
                self.kept_headers += ((key, value),)
