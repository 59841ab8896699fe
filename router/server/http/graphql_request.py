"""HTTP -> GraphQL request, by the GraphQL over HTTP specification: what may be sent, and how."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from router.errors import OperationError
from router.execution.json_numbers import decode_exact
from router.server.persisted_documents.documents import ID_PARAMETERS, PersistedDocuments, persisted_query_hash
from router.server.request_error import RequestError

_FORM = b"multipart/form-data"
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_PARAMETERS = ("query", "operationName", "variables", "extensions", *ID_PARAMETERS)


class GraphQLRequest(Struct, frozen=True):
    """The parameters of a request; ``variables`` are not coerced yet, and may hold files where ``has_files``."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = _NOTHING
    extensions: Mapping[str, Any] = _NOTHING
    has_files: bool = False


def read_post(
    content_type: bytes, body: bytes, max_values: int, documents: PersistedDocuments | None = None
) -> GraphQLRequest:
    """The request in a POST. RequestError as read_json and read_parameters."""
    return read_parameters(read_json(content_type, body, max_values), documents)


def read_json(content_type: bytes, body: bytes, max_values: int) -> Any:
    """The JSON in a POST. RequestError: 415 for another type than JSON in UTF-8, 400 INVALID_JSON; as check_values."""
    if content_type != b"application/json" and not _is_json(content_type):
        message = "Send the request as application/json, in UTF-8."
        raise RequestError(415, "UNSUPPORTED_MEDIA_TYPE", message, {"accept-post": "application/json"})
    # Before it is decoded: an empty list takes three bytes on the wire, and twenty times as much in memory.
    check_values(body, max_values)
    try:
        return decode_exact(body)
    except ValueError:
        raise RequestError(400, "INVALID_JSON", "The request body is not JSON.") from None


def check_values(body: bytes, max_values: int) -> None:
    """Refuse a JSON text that could hold more values than that: 413 REQUEST_TOO_LARGE. What is in a string counts."""
    if len(body) > max_values and body.count(b",") + body.count(b"[") + body.count(b"{") > max_values:
        message = f"The request holds more than {max_values} values."
        raise RequestError(413, "REQUEST_TOO_LARGE", message)


def read_get(query_string: bytes, documents: PersistedDocuments | None = None) -> GraphQLRequest:
    """The request in the URL of a GET; variables and extensions are JSON there. RequestError: 400; OperationError."""
    try:
        sent = dict(
            parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
        )
    except ValueError:
        raise RequestError(400, "INVALID_REQUEST", "The URL's query is not well-formed.") from None
    parameters: dict[str, Any] = {name: sent[name] for name in _PARAMETERS if name in sent}
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = _read_json(name, parameters[name])
    if not parameters.get("operationName"):
        parameters.pop("operationName", None)
    return read_parameters(parameters, documents)


def _read_json(name: str, text: str) -> Any:
    try:
        return decode_exact(text.encode()) if text else None
    except ValueError:
        raise RequestError(400, "INVALID_JSON", f"The parameter '{name}' in the URL is not JSON.") from None


def read_parameters(parameters: Any, documents: PersistedDocuments | None = None) -> GraphQLRequest:
    """The request that a JSON object is; ``documents`` are those that it may name instead of sending its own.

    RequestError: 400 INVALID_REQUEST. OperationError: as PersistedDocuments.text_of; PERSISTED_QUERY_NOT_SUPPORTED.
    """
    if type(parameters) is not dict:
        raise RequestError(400, "INVALID_REQUEST", "The request is not a JSON object.")
    query = parameters.get("query") if documents is None else documents.text_of(parameters)
    if type(query) is not str:
        raise _no_query(query, parameters, documents)
    name = parameters.get("operationName")
    if name is not None and type(name) is not str:
        raise RequestError(400, "INVALID_REQUEST", "The parameter 'operationName' is neither a string nor null.")
    return GraphQLRequest(query, name, _object(parameters, "variables"), _object(parameters, "extensions"))


def _no_query(query: object, parameters: dict[str, Any], documents: PersistedDocuments | None) -> Exception:
    if query is not None:
        return RequestError(400, "INVALID_REQUEST", "The parameter 'query' is not a string.")
    if documents is None and persisted_query_hash(parameters) is not None:
        # By this message clients know that they must send their documents from now on; as PERSISTED_QUERY_NOT_FOUND.
        return OperationError("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported", http_status=200)
    return RequestError(400, "INVALID_REQUEST", "The parameter 'query' is missing.")


def _object(parameters: dict[str, Any], name: str) -> Mapping[str, Any]:
    value = parameters.get(name)
    if value is None:
        return _NOTHING
    if type(value) is not dict:
        raise RequestError(400, "INVALID_REQUEST", f"The parameter '{name}' is neither an object nor null.")
    return value


def is_form(content_type: bytes) -> bool:
    """Whether a Content-Type is that of a request with files; its name is in any case (RFC 9110, section 8.3.1)."""
    return content_type[: len(_FORM)].lower() == _FORM


def _is_json(content_type: bytes) -> bool:
    """Whether a Content-Type is application/json, and its charset, if given, UTF-8."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(b";"))
    charsets = [p.partition(b"=")[2].strip(b' "') for p in parameters if p.partition(b"=")[0].strip() == b"charset"]
    return media_type == b"application/json" and all(charset in (b"utf-8", b"utf8") for charset in charsets)
