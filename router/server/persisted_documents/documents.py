"""The parameters of a request -> the text of its document, where the request may name it instead of sending it.

A request names a document by ``documentId`` (GraphQL over HTTP, appendix "Persisted Documents"), by ``doc_id`` or
``id`` (Relay), or by ``extensions.persistedQuery.sha256Hash`` (Apollo's automatic persisted queries, and its clients
with a manifest). Its own text goes before all of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.errors import OperationError
from router.server.config import PersistedDocumentSettings
from router.server.persisted_documents.manifest import Manifest, hash_of, read_manifest
from router.server.persisted_documents.registered import RegisteredDocuments
from router.server.request_error import RequestError

ID_PARAMETERS = ("documentId", "doc_id", "id")
_SHA256 = "sha256:"


class PersistedDocuments:
    """Documents listed in the ``manifest``, and those ``registered`` by clients; None is what the settings leave out.

    Where they are ``required``, nothing runs that the manifest does not list.
    """

    def __init__(
        self, manifest: Manifest | None, registered: RegisteredDocuments | None, *, required: bool = False
    ) -> None:
        self._manifest = manifest
        self.registered = registered
        self._required = required

    def text_of(self, parameters: Mapping[str, Any]) -> Any:
        """The document that is sent or named; what 'query' is where it is neither.

        OperationError: PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_HASH_MISMATCH, PERSISTED_DOCUMENT_NOT_FOUND,
        PERSISTED_DOCUMENT_REQUIRED. RequestError: 400 INVALID_REQUEST.
        """
        query = parameters.get("query")
        hash_ = persisted_query_hash(parameters)
        if query is None:
            return self._named(parameters, hash_)
        if type(query) is not str:
            return query
        if self._required and (self._manifest is None or query not in self._manifest.texts):
            raise _required_error()
        if hash_ is not None and self.registered is not None:
            self._register(hash_, query, self.registered)
        return query

    def _named(self, parameters: Mapping[str, Any], hash_: str | None) -> str | None:
        document_id = _document_id(parameters)
        id_ = document_id or hash_
        if id_ is None:
            return None
        text = self._find(id_)
        if text is not None:
            return text
        if self._required:
            raise _required_error()
        if document_id is None:
            # By this message, which is Apollo's, clients know that they must send the document once. Apollo iOS looks
            # for it under a status of success alone, which is what Apollo Server answers with.
            raise OperationError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", http_status=200)
        message = "There is no document with the id that the request names. Send the document itself as 'query'."
        raise OperationError("PERSISTED_DOCUMENT_NOT_FOUND", message)

    def _find(self, id_: str) -> str | None:
        if self._manifest is not None:
            text = self._manifest.by_id.get(id_) or self._manifest.by_id.get(id_.removeprefix(_SHA256))
            if text is not None:
                return text
        return self.registered.get(id_.removeprefix(_SHA256)) if self.registered is not None else None

    def _register(self, hash_: str, query: str, registered: RegisteredDocuments) -> None:
        if self._manifest is not None and self._manifest.by_id.get(hash_) == query:
            return  # By an id of the manifest's own, which need not be a hash.
        if hash_of(query) != hash_:
            message = "The hash in extensions.persistedQuery is not the SHA-256 of the document that is sent with it."
            raise OperationError("PERSISTED_QUERY_HASH_MISMATCH", message)
        registered.add(hash_, query)


def persisted_documents(
    settings: PersistedDocumentSettings, manifest: Manifest | None, previous: PersistedDocuments | None
) -> PersistedDocuments | None:
    """What the settings ask for; None for nothing. The ``manifest`` is read where it is None and the settings name one.

    What clients registered with the ``previous`` one is kept while its bound is the same. InputError as read_manifest.
    """
    if manifest is None and settings.manifest is not None:
        manifest = read_manifest(settings.manifest)
    if manifest is None and not settings.apq:
        return None
    registered = _registered(settings, previous) if settings.apq else None
    return PersistedDocuments(manifest, registered, required=settings.require)


def _registered(settings: PersistedDocumentSettings, previous: PersistedDocuments | None) -> RegisteredDocuments:
    kept = previous.registered if previous is not None else None
    if kept is not None and kept.max_bytes == settings.apq_max_bytes:
        return kept
    return RegisteredDocuments(settings.apq_max_bytes)


def persisted_query_hash(parameters: Mapping[str, Any]) -> str | None:
    """The hash in ``extensions.persistedQuery``; None without. RequestError: 400 for another form than version 1."""
    extensions = parameters.get("extensions")
    sent = extensions.get("persistedQuery") if type(extensions) is dict else None
    if sent is None:
        return None
    if type(sent) is not dict or sent.get("version") != 1 or type(sent.get("sha256Hash")) is not str:
        message = "The extension 'persistedQuery' is not {version: 1, sha256Hash: \"...\"}."
        raise RequestError(400, "INVALID_REQUEST", message)
    hash_: str = sent["sha256Hash"]
    return hash_


def _document_id(parameters: Mapping[str, Any]) -> str | None:
    for name in ID_PARAMETERS:
        id_ = parameters.get(name)
        if id_ is None:
            continue
        if type(id_) is not str or not id_:
            raise RequestError(400, "INVALID_REQUEST", f"The parameter '{name}' is not the id of a document.")
        return id_
    return None


def _required_error() -> OperationError:
    message = "Only documents of the manifest run here, and this is none of them."
    return OperationError("PERSISTED_DOCUMENT_REQUIRED", message, http_status=403)
