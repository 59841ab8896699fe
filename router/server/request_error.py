"""A request that is refused before it is an operation: the HTTP edge's own errors.

============================ ====== ===============================================================
``INVALID_JSON``              400    the body, or a parameter in the URL, is not JSON
``INVALID_REQUEST``           400    JSON, but not a GraphQL request: no query, or a parameter of the wrong kind
``BATCHING_DISABLED``         400    an array of operations, where the settings do not allow it
``BATCH_SIZE``                400    an array of none, or of more operations than the settings allow
``UPLOADS_DISABLED``          400    a multipart request with files, where the settings do not allow it
``PREFLIGHT_REQUIRED``        400    a request that any web page could make a browser send
``UNAUTHENTICATED``           401    the token is not accepted, or there is none where one is required
``FORBIDDEN``                 403    a plan, for who may not inspect
``METHOD_NOT_ALLOWED``        405    another method than GET and POST, or a mutation by GET
``NOT_ACCEPTABLE``            406    the client accepts neither form in which GraphQL is answered
``REQUEST_TOO_LARGE``         413    the body is larger than the limit
``UNSUPPORTED_MEDIA_TYPE``    415    the body is not sent as application/json in UTF-8
``RATE_LIMITED``              429    a rule of the settings is used up for this client
``KEYS_UNAVAILABLE``          503    the keys that verify tokens cannot be had
``NOT_READY``                 503    no supergraph is loaded yet
``SHUTTING_DOWN``             503    the router ended before the request was answered
``RESPONSE_TOO_DEEP``         500    the answer is nested beyond what can be written
``IDENTITY_FAILED``           500    the application that the router is mounted in cannot tell who asks
``PLUGIN_FAILED``             500    a plugin of the router raised something else than a refusal
``INTERNAL_SERVER_ERROR``     500    our own fault; the log has the same id
============================ ====== ===============================================================
"""

from __future__ import annotations

from collections.abc import Mapping


class RequestError(Exception):
    """Refuse a request with HTTP ``status``; ``headers`` are added to the answer, ``extensions`` to the error's."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.extensions = extensions or {}
