"""A connection that hands on what an answer's headers say to caches. Others are spared the looking."""

from __future__ import annotations

from router.execution.http.connection import FRAMING_HEADERS, Connection

CACHE_HEADERS = frozenset({b"age", b"cache-control", b"cache-tag", b"surrogate-key", b"vary"})


class HeaderKeepingConnection(Connection):
    """A Connection whose answers bear their CACHE_HEADERS."""

    __slots__ = ("kept_headers",)

    noted_names = FRAMING_HEADERS | CACHE_HEADERS

    def on_message_begin(self) -> None:
        """As Connection; the headers of an informational response, or of the answer before, are not this one's."""
        super().on_message_begin()
        if not self._complete:
            self.kept_headers = ()

    def note_header(self, key: bytes, value: bytes) -> None:
        """As Connection; trailers are not kept."""
        if key in FRAMING_HEADERS:
            super().note_header(key, value)
        elif not self._headers_done:
            self.kept_headers += ((key, value),)
