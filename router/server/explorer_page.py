"""The explorer: its page and assets, its configuration, and the plans that it shows. Served where it is enabled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from router.errors import InputError, OperationError
from router.planning import plan_to_json, render_text
from router.server.access.caller import NOBODY
from router.server.answer import failure_answer
from router.server.body import read_body
from router.server.config import INVALID_CONFIG, RouterConfig
from router.server.graphql_request import read_post
from router.server.negotiation import GRAPHQL_RESPONSE
from router.server.request_error import RequestError
from router.server.service import GraphQLService

FOLDER = Path(__file__).parent / "explorer"
PLAN_PATH = "/plan"
_PAGE_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def explorer_routes(config: RouterConfig, service: GraphQLService, folder: Path = FOLDER) -> Sequence[BaseRoute]:
    """The routes of the explorer. Raises InputError (INVALID_CONFIG) for a tab that cannot be read."""
    settings = explorer_config(config)
    max_body_bytes = config.graphql.max_body_bytes

    async def page(_: Request) -> Response:
        built = folder / "dist" / "index.html"
        return FileResponse(built if built.exists() else folder / "index.cdn.html", headers=_PAGE_HEADERS)

    async def configuration(_: Request) -> Response:
        return JSONResponse(settings, headers={"cache-control": "no-store"})

    async def plan(request: Request) -> Response:
        return await _plan(request, service, max_body_bytes)

    return (
        Route("/", page),
        Route("/explorer/config.json", configuration),
        Route(PLAN_PATH, plan, methods=["POST"]),
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


async def _plan(request: Request, service: GraphQLService, max_body_bytes: int) -> Response:
    try:
        length = request.headers.get("content-length", "").encode()
        body = await read_body(request.receive, length, max_body_bytes)
        sent = read_post(request.headers.get("content-type", "").encode(), body or b"")
        _, compiled = await service.compiled_operation(sent, NOBODY)
    except (RequestError, OperationError) as error:
        answer = failure_answer(error, GRAPHQL_RESPONSE)
    else:
        return JSONResponse({"text": render_text(compiled.plan), "json": plan_to_json(compiled.plan)})
    return Response(answer.body, answer.status, media_type="application/json")
