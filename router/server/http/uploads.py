"""Requests with files, by the GraphQL multipart request specification (jaydenseric/graphql-multipart-request-spec).

A form with the fields ``operations`` (the GraphQL request as JSON, null where a file belongs), ``map`` (which file
belongs where: ``{"0": ["variables.photo"]}``) and the files. Files of more than a megabyte wait on disk, and are passed
on from there; nothing holds them in memory.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from msgspec import structs
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive

from router.execution.json_numbers import decode_exact
from router.execution.uploads import UploadedFile
from router.server.config import UploadSettings
from router.server.http.graphql_request import GraphQLRequest, check_values, read_parameters
from router.server.persisted_documents.documents import PersistedDocuments
from router.server.request_error import RequestError

# Of the form's own lines, and of the names of files.
_FORM_OVERHEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much is taken: ``max_body_bytes`` and ``max_body_values`` for the request itself, beside its files."""

    settings: UploadSettings
    max_body_bytes: int
    max_body_values: int

    @property
    def max_form_bytes(self) -> int:
        """Of the whole form."""
        files = self.settings.max_files * self.settings.max_file_bytes
        return self.max_body_bytes + files + _FORM_OVERHEAD_BYTES


class _FormGivenUp(MultiPartException):
    """Ends the parser, which closes its files then; the ``refusal`` is None where the client went away."""

    def __init__(self, refusal: RequestError | None) -> None:
        super().__init__("given up")
        self.refusal = refusal


@asynccontextmanager
async def received_upload(
    headers: Iterable[tuple[bytes, bytes]],
    receive: Receive,
    limits: UploadLimits,
    documents: PersistedDocuments | None = None,
) -> AsyncIterator[GraphQLRequest | None]:
    """The request, whose files are there until the context ends; None where the client has gone away.

    RequestError: 400 UPLOADS_DISABLED, PREFLIGHT_REQUIRED, INVALID_REQUEST, INVALID_JSON; 413 REQUEST_TOO_LARGE.
    OperationError as read_parameters.
    """
    settings = limits.settings
    sent = Headers(raw=list(headers))
    _refuse_if_need_be(sent, settings)
    parser = MultiPartParser(
        sent,
        _body(receive, limits.max_form_bytes),
        max_files=settings.max_files,
        max_fields=2,
        max_part_size=limits.max_body_bytes,
    )
    try:
        form = await parser.parse()
    except _FormGivenUp as given_up:
        if given_up.refusal is not None:
            raise given_up.refusal from None
        yield None
        return
    except MultiPartException as error:
        raise RequestError(400, "INVALID_REQUEST", f"The form cannot be read: {error.message}") from None
    try:
        yield _read_form(form, limits, documents)
    finally:
        await form.close()


def _refuse_if_need_be(headers: Headers, settings: UploadSettings) -> None:
    if not settings.enabled:
        message = "Files are not taken here. Set uploads.enabled in router.yaml to allow them."
        raise RequestError(400, "UPLOADS_DISABLED", message)
    if not any(headers.get(name) for name in settings.preflight_headers):
        message = f"Send one of these headers, with any value, beside a form: {', '.join(settings.preflight_headers)}."
        raise RequestError(400, "PREFLIGHT_REQUIRED", message)


async def _body(receive: Receive, max_bytes: int) -> AsyncGenerator[bytes, None]:
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _FormGivenUp(None)
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            text = f"The form is larger than {max_bytes} bytes."
            raise _FormGivenUp(RequestError(413, "REQUEST_TOO_LARGE", text, {"connection": "close"}))
        yield chunk
        if not message.get("more_body"):
            yield b""
            return


def _read_form(form: FormData, limits: UploadLimits, documents: PersistedDocuments | None) -> GraphQLRequest:
    settings = limits.settings
    operations, places = (_json_field(form, name, limits.max_body_values) for name in ("operations", "map"))
    request = read_parameters(operations, documents)
    if not isinstance(places, dict):
        raise _invalid("The field 'map' is not a JSON object.")
    variables: dict[str, Any] = dict(request.variables)
    for name, paths in places.items():
        file = _file(form, name, settings)
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise _invalid(f"The field 'map' has no list of paths for the file '{name}'.")
        for path in paths:
            _put(variables, path, file)
    return structs.replace(request, variables=variables, has_files=True)


def _json_field(form: FormData, name: str, max_values: int) -> Any:
    text = form.get(name)
    if not isinstance(text, str):
        raise _invalid(f"The form has no field '{name}'.")
    body = text.encode()
    check_values(body, max_values)
    try:
        return decode_exact(body)
    except ValueError:
        raise RequestError(400, "INVALID_JSON", f"The field '{name}' of the form is not JSON.") from None


def _file(form: FormData, name: str, settings: UploadSettings) -> UploadedFile:
    file = form.get(name)
    if not isinstance(file, UploadFile):
        raise _invalid(f"The form has no file '{name}', which the field 'map' names.")
    size = file.size or 0
    if size > settings.max_file_bytes:
        message = f"The file '{name}' is larger than {settings.max_file_bytes} bytes."
        raise RequestError(413, "REQUEST_TOO_LARGE", message)
    return UploadedFile(file.filename or name, file.content_type or "application/octet-stream", size, file.file)


def _put(variables: dict[str, Any], path: str, file: UploadedFile) -> None:
    """Put ``file`` in the place of the null at ``path``."""
    first, *steps = path.split(".")
    holder: Any = variables
    if first != "variables" or not steps:
        raise _invalid(f"The path '{path}' of the field 'map' does not lead into the variables.")
    for step in steps[:-1]:
        holder = _member(holder, step)
    last = _key(holder, steps[-1])
    if last is None or holder[last] is not None:
        raise _invalid(f"There is no null at the path '{path}' of the field 'map'.")
    holder[last] = file


def _member(holder: Any, step: str) -> Any:
    key = _key(holder, step)
    return holder[key] if key is not None else None


def _key(holder: Any, step: str) -> str | int | None:
    """``step`` as a key of an object or an index of a list; None where there is no such member."""
    if isinstance(holder, Mapping):
        return step if step in holder else None
    if isinstance(holder, list) and step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(holder):
        return int(step)
    return None


def _invalid(message: str) -> RequestError:
    return RequestError(400, "INVALID_REQUEST", message)
