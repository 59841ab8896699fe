"""Asking the replicas of a subgraph whether they take new requests."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

PATIENCE_S = 1.0


class ReplicaHealth:
    """Asks replicas at ``path``; ``urls`` are those of the supergraph, by subgraph.

    An address is a URL of its own, or an IP address in place of the host of the subgraph's URL.
    """

    def __init__(self, urls: Mapping[str, str], path: str) -> None:
        self._urls = urls
        self._path = path
        self._client: httpx.AsyncClient | None = None

    async def is_ready(self, subgraph: str, address: str) -> bool:
        """Whether it answers with 2xx, within a second."""
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S)
        url = httpx.URL(address if "://" in address else self._urls[subgraph])
        asked = url.copy_with(raw_path=self._path.encode())
        if "://" in address:
            request = self._client.build_request("GET", asked)
        else:
            headers = {"host": url.netloc.decode()}
            extensions = {"sni_hostname": url.host}
            asked = asked.copy_with(host=address)
            request = self._client.build_request("GET", asked, headers=headers, extensions=extensions)
        try:
            response = await self._client.send(request)
        except httpx.HTTPError:
            return False
        return response.is_success

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
