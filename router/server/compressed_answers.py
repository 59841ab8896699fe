"""Answers compressed as the client accepts it (RFC 9110, sections 8.4 and 12.5.3).

Whole JSON answers alone: events and answers in parts must leave as soon as they are there, and are left as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from router.content_coding import Coding, encode_content
from router.server.config.compression import CompressionSettings

Header = tuple[bytes, bytes]

_VARY = (b"vary", b"accept-encoding")
_JSON = (b"application/json", b"application/graphql-response+json")
# What browsers send has less than 50 bytes; what is longer is not worth reading.
_MAX_ACCEPT_BYTES = 200
# More than this takes longer than others should wait.
_IN_A_THREAD_FROM_BYTES = 64 * 1024


class CompressedAnswers:
    """An ASGI app that compresses the answers of ``app``."""

    def __init__(self, app: ASGIApp, settings: CompressionSettings) -> None:
        self._app = app
        self._settings = settings

        @lru_cache(maxsize=256)
        def choose(accepted: bytes) -> Coding | None:
            return choose_coding(accepted, settings.encodings)

        self._choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says."""
        await self._app(scope, receive, _Answering(send, self._settings, self._coding(scope["headers"])))

    def _coding(self, headers: Iterable[Header]) -> Coding | None:
        accepted = b""
        for name, value in headers:
            if name == b"accept-encoding":
                accepted = accepted + b"," + value if accepted else value
            elif name == b"cookie" and not self._settings.with_cookies:
                return None
        return self._choose(accepted) if 0 < len(accepted) <= _MAX_ACCEPT_BYTES else None


class _Answering:
    """``send`` of one answer, whose head waits for its body; ``coding`` is None where it is sent as it is."""

    __slots__ = ("_coding", "_head", "_send", "_settings")

    def __init__(self, send: Send, settings: CompressionSettings, coding: Coding | None) -> None:
        self._send = send
        self._settings = settings
        self._coding = coding
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_json(message["headers"]):
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            head, message = await self._compressed(head, message)
            await self._send(head)
        await self._send(message)

    async def _compressed(self, head: Message, message: Message) -> tuple[Message, Message]:
        body: bytes = message.get("body", b"")
        if message.get("more_body") or len(body) < self._settings.min_bytes:
            return head, message
        headers = [*head["headers"], _VARY]
        coding = self._coding
        if coding is not None:
            body = await self._encode(coding, body)
            headers = [(name, value) for name, value in headers if name != b"content-length"]
            headers += [(b"content-encoding", coding.encode()), (b"content-length", b"%d" % len(body))]
        return {**head, "headers": headers}, {**message, "body": body}

    async def _encode(self, coding: Coding, body: bytes) -> bytes:
        level = self._settings.level
        if len(body) < _IN_A_THREAD_FROM_BYTES:
            return encode_content(coding, body, level)
        return await asyncio.to_thread(encode_content, coding, body, level)


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


def _is_json(headers: Iterable[Header]) -> bool:
    return any(name == b"content-type" and value.startswith(_JSON) for name, value in headers)
