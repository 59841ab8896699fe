"""Is this request the router's? It signs what it sends with a secret that both know (RFC 9421, HMAC-SHA256).

The signature holds for method, path, query, body and the ``authorization`` header, for this service alone, and for as
long as the window: docs/signatures.md has the text that is signed. Whoever has no signature must bear a user's token;
with ``ROUTER_ONLY`` the router alone is answered. What is signed wrongly is refused, whatever token it bears.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from subgraphs.chassis.clock import Clock
from subgraphs.chassis.graphql.endpoint import error_response
from subgraphs.chassis.http.whole_body import read_body, replayed
from subgraphs.chassis.identity.auth import NEEDS_USER

Header = tuple[bytes, bytes]

LOG = structlog.get_logger()

# The components and parameters in the order in which the router writes them; other signatures may stand beside it.
_INPUT = re.compile(
    r'(?:^|, *)galleria=(?P<parameters>\((?P<components>"[a-z0-9@_-]+"(?: "[a-z0-9@_-]+")*)\)'
    r';created=(?P<created>[0-9]{1,12});keyid="(?P<key_id>[^"\\]{1,100})";alg="hmac-sha256"'
    r';tag="(?P<tag>[^"\\]{0,200})")(?:,|$)'
)
_SIGNATURE = re.compile(r"(?:^|, *)galleria=:(?P<signature>[A-Za-z0-9+/]{43}=):(?:,|$)")


@dataclass(frozen=True, slots=True)
class Trust:
    """By which ``keys`` (secrets by id) the router is known to the service ``name``, and for how long a signature
    holds; without ``router_only`` a user's token opens the service too."""

    name: str
    keys: Mapping[str, bytes]
    window_s: float
    router_only: bool


class RouterGate:
    """An ASGI app that lets ``app`` answer the router, and marks what others send with NEEDS_USER."""

    def __init__(self, app: ASGIApp, trust: Trust, clock: Clock) -> None:
        self._app = app
        self._trust = trust
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI says; 401 ROUTER_SIGNATURE_INVALID or ROUTER_SIGNATURE_REQUIRED where a request is refused."""
        if not any(name == b"signature-input" for name, _ in scope["headers"]):
            if self._trust.router_only:
                message = "This service answers the router alone: send the request there."
                await _refuse(scope, receive, send, "ROUTER_SIGNATURE_REQUIRED", message)
                return
            await self._app({**scope, NEEDS_USER: True}, receive, send)
            return
        body = await read_body(receive) if scope["type"] == "http" else None
        wrong = what_is_wrong(scope, body, self._trust, self._clock())
        if wrong is not None:
            LOG.warning("router_signature_refused", reason=wrong)
            message = "The signature of the request is not accepted. The log of the service says why."
            await _refuse(scope, receive, send, "ROUTER_SIGNATURE_INVALID", message)
            return
        await self._app(scope, receive if body is None else replayed(body, receive), send)


def what_is_wrong(scope: Scope, body: bytes | None, trust: Trust, now: datetime) -> str | None:
    """Why the signature of a request is not accepted; None where it is. ``body`` is None for a handshake."""
    headers: Sequence[Header] = scope["headers"]
    found = _INPUT.search(_value(headers, "signature-input") or "")
    signature = _SIGNATURE.search(_value(headers, "signature") or "")
    if found is None or signature is None:
        return "it is not of the form that the router writes"
    secret = trust.keys.get(found["key_id"])
    if secret is None:
        return "its key is not known"
    components = [name.strip('"') for name in found["components"].split(" ")]
    needed = _needed(scope, body)
    if not needed <= set(components) or len(set(components)) < len(components):
        return f"it does not sign all of {', '.join(sorted(needed))}"
    values = [_component(name, scope, headers) for name in components]
    if None in values:
        return "it signs what was not sent"
    lines = [f'"{name}": {value}' for name, value in zip(components, values, strict=True)]
    text = "\n".join([*lines, f'"@signature-params": {found["parameters"]}'])
    expected = base64.b64encode(hmac.digest(secret, text.encode("latin-1"), "sha256")).decode()
    if not hmac.compare_digest(expected, signature["signature"]):
        return "the secret, or what is signed, is another one"
    if body is not None and _value(headers, "content-digest") != digest_of(body):
        return "the body is not the one that was signed"
    if found["tag"] != quote(trust.name):
        return "it is meant for another service"
    if abs(now.timestamp() - int(found["created"])) > trust.window_s:
        return f"it was made more than {trust.window_s:g} s before or after now; look at the clocks"
    return None


def digest_of(body: bytes) -> str:
    """The header ``content-digest`` of ``body`` (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _needed(scope: Scope, body: bytes | None) -> set[str]:
    needed = {"@method", "@path"}
    if scope["query_string"]:
        needed.add("@query")
    if body is not None:
        needed.add("content-digest")
    if _value(scope["headers"], "authorization") is not None:
        needed.add("authorization")
    return needed


def _component(name: str, scope: Scope, headers: Sequence[Header]) -> str | None:
    """The value of a component (RFC 9421, section 2); None where there is none, or it is none that we know."""
    match name:
        case "@method":
            method: str = scope.get("method", "GET")
            return method
        case "@path":
            raw: bytes = scope["raw_path"]
            return raw.decode("latin-1")
        case "@query":
            query: bytes = scope["query_string"]
            return f"?{query.decode('latin-1')}"
    return None if name.startswith("@") else _value(headers, name)


def _value(headers: Sequence[Header], name: str) -> str | None:
    """The value of a header, several apart by commas (RFC 9421, section 2.1); None where it was not sent."""
    values = [value.strip().decode("latin-1") for key, value in headers if key == name.encode()]
    return ", ".join(values) if values else None


async def _refuse(scope: Scope, receive: Receive, send: Send, code: str, message: str) -> None:
    if scope["type"] == "http":
        await error_response(401, code, message)(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close", "code": 4403, "reason": code})
