"""Finding the subgraphs of this process that the settings name: ``package.module:attribute``."""

from __future__ import annotations

import importlib

import httpx

from router.errors import InputError
from router.execution.http.client import HttpLimits, parse_address
from router.execution.httpx_client import HttpxSubgraphClient
from router.execution.in_process.asgi_client import AsgiSubgraphClient
from router.execution.in_process.schema_client import SchemaSubgraphClient
from router.server.import_failure import import_failure

InProcessClient = AsgiSubgraphClient | SchemaSubgraphClient

_CODE = "INVALID_CONFIG"


def open_in_process(subgraph: str, name: str, url: str, limits: HttpLimits) -> InProcessClient:
    """The client of what ``name`` names: a schema, or an ASGI app that answers at the path of ``url``.

    InputError: INVALID_CONFIG where there is no such module or attribute, or it is neither.
    """
    found = _find(subgraph, name)
    if hasattr(found, "execute") and hasattr(found, "as_str"):
        return SchemaSubgraphClient(found)
    if not callable(found):
        raise InputError(_CODE, f"subgraphs.apps.{subgraph}: {name} is neither an ASGI app nor a schema.")

    def upload() -> HttpxSubgraphClient:
        transport = httpx.ASGITransport(found)
        return HttpxSubgraphClient({subgraph: url}, httpx.AsyncClient(transport=transport), limits)

    return AsgiSubgraphClient(found, parse_address(subgraph, url), limits.max_response_bytes, upload)


def _find(subgraph: str, name: str) -> object:
    module_name, _, attribute = name.partition(":")
    try:
        found: object = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001 - a module may raise anything while it is imported
        reason = import_failure(module_name, error)
        raise InputError(_CODE, f"subgraphs.apps.{subgraph}: {name} cannot be loaded: {reason}") from None
    return found
