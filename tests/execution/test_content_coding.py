"""Compressed content is undone whole or not at all, and a bomb makes no more than it may."""

from __future__ import annotations

import gzip
import tracemalloc

import brotli
import pytest

from router.content_coding import (
    CODINGS,
    Coding,
    ContentBroken,
    ContentTooLarge,
    decode_content,
    encode_content,
)

TEXT = b'{"data":{"products":[' + b",".join(b'{"id":%d}' % n for n in range(5000)) + b"]}}"
# Of 100 MB of zeros: some 100 kB in gzip, less than 10 kB in the others.
BOMBS = {coding: encode_content(coding, bytes(100_000_000), 9) for coding in CODINGS}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("level", [1, 5, 9])
def test_what_was_encoded_is_decoded(coding: Coding, level: int) -> None:
    encoded = encode_content(coding, TEXT, level)
    assert len(encoded) < len(TEXT) // 2
    assert decode_content(coding, encoded, len(TEXT)) == TEXT
    assert decode_content(coding, encode_content(coding, b"", level), 10) == b""


def test_other_encoders_are_understood() -> None:
    assert decode_content("gzip", gzip.compress(TEXT), len(TEXT)) == TEXT
    assert decode_content("br", brotli.compress(TEXT, quality=11), len(TEXT)) == TEXT


@pytest.mark.parametrize("coding", CODINGS)
def test_one_byte_more_than_the_limit_is_too_large(coding: Coding) -> None:
    with pytest.raises(ContentTooLarge):
        decode_content(coding, encode_content(coding, TEXT, 3), len(TEXT) - 1)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_ends_in_bounded_memory(coding: Coding) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ContentTooLarge):
            decode_content(coding, BOMBS[coding], 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def empty_zstd_frame(window_log: int) -> bytes:
    """RFC 8878, 3.1.1: magic number, a descriptor without a size, the window, and a last block of no bytes."""
    return bytes.fromhex("28b52ffd") + b"\x00" + bytes([(window_log - 10) << 3]) + b"\x01\x00\x00"


def test_a_window_that_no_sender_may_use_is_broken() -> None:
    assert decode_content("zstd", empty_zstd_frame(23), 1000) == b""  # RFC 9659 allows 8 MB, and no more
    with pytest.raises(ContentBroken):
        decode_content("zstd", empty_zstd_frame(24), 1000)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("spoil", ["half", "behind", "other", "nothing"])
def test_what_is_not_one_whole_member_is_broken(coding: Coding, spoil: str) -> None:
    whole = encode_content(coding, TEXT, 3)
    sent = {"half": whole[: len(whole) // 2], "behind": whole + whole, "other": TEXT, "nothing": b""}[spoil]
    with pytest.raises(ContentBroken):
        decode_content(coding, sent, len(TEXT))
