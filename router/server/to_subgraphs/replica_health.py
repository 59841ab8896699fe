"""Asking the replicas of a subgraph whether they take new requests."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from router.execution.http.tls import Tls

PATIENCE_S = 1.0


class ReplicaHealth:
    """Asks replicas at ``path``; ``urls`` are those of the supergraph, by subgraph.

    An address is a URL of its own, or an IP address in place of the host of the subgraph's URL. ``tls`` is by subgraph.
    """

    def __init__(self, urls: Mapping[str, str], path: str, tls: Mapping[str, Tls] | None = None) -> None:
        self._urls = urls
        self._path = path
        self._tls = tls or {}
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def is_ready(self, subgraph: str, address: str) -> bool:
        """Whether it answers with 2xx, within a second."""
        client, tls = self._client(subgraph), self._tls.get(subgraph)
        url = httpx.URL(address if "://" in address else self._urls[subgraph])
        asked = url.copy_with(raw_path=self._path.encode())
        headers = {"host": url.netloc.decode()}
        extensions = {"sni_hostname": (tls.server_name if tls is not None else None) or url.host}
        if "://" not in address:
            asked = asked.copy_with(host=address)
        request = client.build_request("GET", asked, headers=headers, extensions=extensions)
        try:
            response = await client.send(request, stream=True)
        except httpx.HTTPError:
            return False
        await response.aclose()  # Its body is of no interest, however long it is.
        return response.is_success

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.aclose()

    def _client(self, subgraph: str) -> httpx.AsyncClient:
        """Those without settings of their own share one."""
        tls = self._tls.get(subgraph)
        key = subgraph if tls is not None else ""
        if key not in self._clients:
            verify = tls.context if tls is not None else True
            self._clients[key] = httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S, verify=verify)
        return self._clients[key]
