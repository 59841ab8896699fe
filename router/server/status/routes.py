"""``GET /status``: for a browser as a page, for all others as JSON; for who may inspect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.server.access.caller import ANONYMOUS, Identity
from router.server.config import RouterConfig
from router.server.http.answer import failure_answer
from router.server.http.negotiation import GRAPHQL_RESPONSE
from router.server.request_error import RequestError
from router.server.status.page import STYLE_PATH, render_page
from router.server.status.reading import StatusSource, read_status

STATUS_PATH = "/status"
_STYLE = Path(__file__).parent / "style.css"
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "vary": "accept",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def status_routes(
    config: RouterConfig, source: Callable[[], StatusSource], identity: Identity | None
) -> Sequence[BaseRoute]:
    """The page and its style; none where the settings show it to nobody. 403 FORBIDDEN for who may not inspect."""
    enabled, scope = config.status.enabled, config.authorization.inspection_scope
    is_open = config.environment == "development" if enabled is None else enabled
    if enabled is False or not (is_open or scope is not None):
        return ()

    async def answer(request: Request) -> Response:
        requester = ANONYMOUS
        if identity is not None:
            requester = (await identity.caller(request.scope, (), request.headers.raw)).requester
        if not is_open and scope not in requester.scopes:
            raise RequestError(403, "FORBIDDEN", "The status is shown to those who may inspect alone.")
        status = read_status(source())
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(render_page(status), headers=_HEADERS)
        return JSONResponse(status, headers=_HEADERS)

    async def answer_or_refuse(request: Request) -> Response:
        try:
            return await answer(request)
        except RequestError as error:
            failure = failure_answer(error, GRAPHQL_RESPONSE)
            return Response(failure.body, failure.status, _HEADERS, media_type="application/json")

    async def style(_: Request) -> Response:
        return FileResponse(_STYLE, media_type="text/css", headers={"x-content-type-options": "nosniff"})

    return Route(STATUS_PATH, answer_or_refuse), Route(STYLE_PATH, style)
