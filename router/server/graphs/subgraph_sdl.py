"""Asking running subgraphs for their schema as they are asked for all else: over the same TLS, and signed."""

from __future__ import annotations

from urllib.parse import urlsplit

from router.composition.subgraphs_file import Asking, FetchSdl, Headers, fetch_sdl
from router.execution.traffic.signature import RequestSigner
from router.server.config import RouterConfig
from router.server.to_subgraphs.request_signing import signing_of
from router.server.to_subgraphs.subgraph_tls import open_tls


def sdl_fetcher(config: RouterConfig) -> FetchSdl:
    """What asks a subgraph by name and address, with headers. It raises InputError as fetch_sdl and open_tls."""
    signing = signing_of(config)

    def fetch(name: str, address: str, headers: Headers) -> str:
        parts = urlsplit(address)
        tls = open_tls(config.subgraphs.tls, {name: address} if parts.scheme == "https" else {}).get(name)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        signer = RequestSigner(signing, name, target) if signing is not None else None

        def signature(body: bytes) -> list[tuple[bytes, bytes]]:
            return list(signer.signed("POST", (), body)) if signer is not None else []

        if tls is None:
            return fetch_sdl(name, address, headers, Asking(headers=signature))
        return fetch_sdl(name, address, headers, Asking(tls.context, tls.server_name, signature))

    return fetch
