"""The NATS client, which for a ``tls://`` URL speaks to nobody without TLS.

nats-py (2.16) encrypts where the server asks for it, and looks at the scheme for nothing: where the server does not
ask, or whoever is in between took that out of its greeting, user and password travelled in the clear.
"""

from __future__ import annotations

from typing import Any

from nats.aio.client import Client
from nats.errors import SecureConnWantedError


class TlsAwareClient(Client):
    """Raises SecureConnWantedError where a ``tls://`` URL meets a server without TLS; also when it connects again."""

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        # The server's greeting, which the client reads before it sends anything.
        server = self._current_server
        if initial_connection and server and server.uri.scheme == "tls" and not info.get("tls_required"):
            raise SecureConnWantedError
        await super()._process_info(info, initial_connection)
