"""Content codings of HTTP (RFC 9110, section 8.4.1): gzip, br (RFC 7932) and zstd (RFC 8878), undone within a bound.

The libraries are imported at first use: a router that meets no coding does without them.
"""

from __future__ import annotations

import sys
import zlib
from types import ModuleType
from typing import Literal

Coding = Literal["gzip", "br", "zstd"]
CODINGS: tuple[Coding, ...] = ("gzip", "br", "zstd")
# What says that nothing is to be undone. "none" is no coding of HTTP's, but streams of GraphQL Yoga have it, so that no
# proxy compresses them.
UNCODED = ("", "identity", "none")

_GZIP = 16 + zlib.MAX_WBITS
_BROTLI_STEP_BYTES = 64 * 1024
# RFC 9659: nobody may send a larger window under the name zstd, and the window is memory of the decoder.
_ZSTD_WINDOW_LOG = 23


class ContentBroken(Exception):  # noqa: N818 - the state of the content
    """It is not what its coding says, ends too early, or has more behind its end."""


class ContentTooLarge(Exception):  # noqa: N818 - the state of the content
    """It is larger than it may be, once its coding is undone."""


def decode_content(coding: str, body: bytes, max_bytes: int) -> bytes:
    """``body`` with its ``coding`` undone, which is one of CODINGS. ContentBroken; ContentTooLarge.

    Never much more than ``max_bytes`` are made, however little they were. One member or frame is taken: thousands of
    empty ones in a row would be work without an end (own decision).
    """
    match coding:
        case "gzip":
            decoded = _decode_gzip(body, max_bytes)
        case "br":
            decoded = _decode_brotli(body, max_bytes)
        case "zstd":
            decoded = _decode_zstd(body, max_bytes)
        case _:
            raise ValueError(coding)
    if len(decoded) > max_bytes:
        raise ContentTooLarge
    return decoded


def encode_content(coding: Coding, body: bytes, level: int) -> bytes:
    """``body`` in ``coding``; ``level`` is from 1, the fastest, to 9."""
    encoded: bytes
    match coding:
        case "gzip":
            encoded = zlib.compress(body, level, _GZIP)
        case "br":
            import brotli

            encoded = brotli.compress(body, mode=brotli.MODE_TEXT, quality=level)
        case "zstd":
            encoded = _zstd().compress(body, level)
    return encoded


def _decode_gzip(body: bytes, max_bytes: int) -> bytes:
    decoder = zlib.decompressobj(_GZIP)
    try:
        decoded = decoder.decompress(body, max_bytes + 1)
    except zlib.error:
        raise ContentBroken from None
    if len(decoded) <= max_bytes and (not decoder.eof or decoder.unused_data):
        raise ContentBroken
    return decoded


def _decode_brotli(body: bytes, max_bytes: int) -> bytes:
    import brotli

    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    try:
        # Little by little, because a limit of the library's is rounded up to its next larger buffer.
        part: bytes = decoder.process(body, output_buffer_limit=_BROTLI_STEP_BYTES)
        while part:
            parts.append(part)
            size += len(part)
            if size > max_bytes or decoder.is_finished():
                break
            part = decoder.process(b"", output_buffer_limit=_BROTLI_STEP_BYTES)
    except brotli.error:
        raise ContentBroken from None
    if size <= max_bytes and not decoder.is_finished():
        raise ContentBroken
    return b"".join(parts)


def _decode_zstd(body: bytes, max_bytes: int) -> bytes:
    zstd = _zstd()
    decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
    try:
        decoded: bytes = decoder.decompress(body, max_bytes + 1)
    except zstd.ZstdError:
        raise ContentBroken from None
    if len(decoded) <= max_bytes and (not decoder.eof or decoder.unused_data):
        raise ContentBroken
    return decoded


if sys.version_info >= (3, 14):

    def _zstd() -> ModuleType:
        from compression import zstd

        return zstd

else:

    def _zstd() -> ModuleType:
        from backports import zstd

        return zstd
