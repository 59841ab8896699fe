"""Answers compressed as the client accepts it (RFC 9110, sections 8.4 and 12.5.3).

Whole JSON answers alone: events and answers in parts must leave as soon as they are there, and are left as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache

from starlette.types import Message

from router.content_coding import Coding, encode_content
from router.server.config.compression import CompressionSettings
from router.server.http.exchange import Exchange, Header, Step

_VARY = (b"vary", b"accept-encoding")
_JSON = (b"application/json", b"application/graphql-response+json")
# What browsers send has less than 50 bytes; what is longer is not worth reading.
_MAX_ACCEPT_BYTES = 200
# More than this takes longer than others should wait.
_IN_A_THREAD_FROM_BYTES = 64 * 1024


class CompressedAnswers(Step):
    """Compresses answers, and tells caches that large ones depend on what the client accepts."""

    def __init__(self, settings: CompressionSettings) -> None:
        self._settings = settings
        self.large_from = settings.min_bytes

        @lru_cache(maxsize=256)
        def choose(accepted: bytes) -> Coding | None:
            return choose_coding(accepted, settings.encodings)

        self._choose = choose

    def begin(self, exchange: Exchange) -> None:
        """Stand in the answer's way, where the client accepts one of our codings."""
        accepted = exchange.fields.get(b"accept-encoding")
        if not accepted or len(accepted) > _MAX_ACCEPT_BYTES:
            return
        if b"cookie" in exchange.fields and not self._settings.with_cookies:
            return
        coding = self._choose(accepted)
        if coding is not None:
            exchange.as_messages_from = self._settings.min_bytes
            exchange.send_on = _Compressing(exchange, coding, self._settings)

    def head(self, exchange: Exchange, headers: list[Header]) -> None:
        """Tell caches."""
        if _json_length(exchange.told) >= self._settings.min_bytes:
            headers.append(_VARY)


class _Compressing:
    """Where an answer goes whose head waits for its body."""

    __slots__ = ("_coding", "_exchange", "_head", "_send", "_settings")

    def __init__(self, exchange: Exchange, coding: Coding, settings: CompressionSettings) -> None:
        self._exchange = exchange
        self._send = exchange.send_on
        self._coding = coding
        self._settings = settings
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        """As ASGI says."""
        if message["type"] == "http.response.start" and _json_length(self._exchange.told) >= self._settings.min_bytes:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            head, message = await self._compressed(head, message)
            await self._send(head)
        await self._send(message)

    async def _compressed(self, head: Message, message: Message) -> tuple[Message, Message]:
        plain: bytes = message.get("body", b"")
        if message.get("more_body") or len(plain) < self._settings.min_bytes:
            return head, message
        body = await self._encode(plain)
        self._exchange.sent_bytes += len(body) - len(plain)
        headers = [(name, value) for name, value in head["headers"] if name != b"content-length"]
        headers += [(b"content-encoding", self._coding.encode()), (b"content-length", b"%d" % len(body))]
        return {**head, "headers": headers}, {**message, "body": body}

    async def _encode(self, body: bytes) -> bytes:
        level = self._settings.level
        if len(body) < _IN_A_THREAD_FROM_BYTES:
            return encode_content(self._coding, body, level)
        return await asyncio.to_thread(encode_content, self._coding, body, level)


def choose_coding(accepted: bytes, offered: tuple[Coding, ...]) -> Coding | None:
    """The one of ``offered`` that the header ``Accept-Encoding`` likes best, the first of equals; None: as it is.

    ``b"gzip, br;q=0.8"`` gives gzip. ``identity`` counts where it is named; what is not named has the quality of ``*``.
    """
    qualities: dict[str, float] = {}
    for part in accepted.decode("latin-1").lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name:
            qualities[name.removeprefix("x-")] = _quality(parameters)
    others = qualities.get("*", 0.0)
    best = max(offered, key=lambda coding: qualities.get(coding, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get("identity", 0.0) else None


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0


def _json_length(told: Mapping[bytes, bytes]) -> int:
    """The length of an answer in JSON with these headers; -1 where it is none, or its length is not said."""
    return int(told.get(b"content-length", -1)) if told.get(b"content-type", b"").startswith(_JSON) else -1
