"""The explorer: its page and assets, and its configuration. Served where it is enabled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from router.errors import InputError
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.observation.requests import FETCHES_HEADER
from router.server.pages.plan_page import PLAN_PATH

FOLDER = Path(__file__).parent.parent / "explorer"
_PAGE_HEADERS = {
    "cache-control": "no-cache",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
# The editor writes style elements, and runs its workers from blobs; scripts come from here alone.
_BUILT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' ws: wss:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
# The page without a build of its own runs what the CDN gives it.
_CDN_POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def explorer_routes(config: RouterConfig, folder: Path = FOLDER) -> Sequence[BaseRoute]:
    """The routes of the explorer. Raises InputError (INVALID_CONFIG) for a tab that cannot be read."""
    settings = explorer_config(config)

    async def page(_: Request) -> Response:
        built = folder / "dist" / "index.html"
        if built.exists():
            return FileResponse(built, headers={**_PAGE_HEADERS, "content-security-policy": _BUILT_POLICY})
        headers = {**_PAGE_HEADERS, "content-security-policy": _CDN_POLICY}
        return FileResponse(folder / "index.cdn.html", headers=headers)

    async def configuration(_: Request) -> Response:
        return JSONResponse(settings, headers={"cache-control": "no-store"})

    return (
        Route("/", page),
        Route("/explorer/config.json", configuration),
        Mount("/explorer/assets", StaticFiles(directory=folder / "dist" / "assets", check_dir=False)),
        # The page that loads its packages from a CDN runs the sources as they are.
        Mount("/explorer/src", StaticFiles(directory=folder / "src", check_dir=False)),
    )


def explorer_config(config: RouterConfig) -> dict[str, Any]:
    """What the page reads at its start. A header without a value is left out: its variable was not set."""
    return {
        "title": config.explorer.title,
        "endpoint": config.graphql.path,
        "planEndpoint": PLAN_PATH,
        "fetchesHeader": FETCHES_HEADER.decode() if config.explains else None,
        "headers": {name: value for name, value in config.explorer.headers.items() if value},
        "tabs": [_read_tab(path) for path in config.explorer.tabs],
    }


def _read_tab(path: Path) -> dict[str, Any]:
    """Name, query and variables (None where there are none) of a tab."""
    variables_path = path.with_suffix(".json")
    try:
        query = path.read_text(encoding="utf-8")
        variables = json.loads(variables_path.read_text(encoding="utf-8")) if variables_path.exists() else None
    except OSError as error:
        raise InputError(INVALID_CONFIG, f"explorer.tabs: {path}: {error.strerror}.") from None
    except ValueError:
        raise InputError(INVALID_CONFIG, f"explorer.tabs: {path} or its variables beside it cannot be read.") from None
    return {"name": path.stem, "query": query, "variables": variables}
