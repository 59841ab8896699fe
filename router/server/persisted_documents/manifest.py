"""A manifest file -> the documents that it lists, by each name that a request may give them.

``{"a1": "{ __typename }"}`` is found as ``a1``, and by the SHA-256 of its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from router.errors import InputError
from router.execution.json_numbers import decode_exact
from router.server.config import INVALID_CONFIG

APOLLO_FORMAT = "apollo-persisted-query-manifest"


@dataclass(frozen=True, slots=True)
class Manifest:
    """``by_id`` has every document under its id, and under the SHA-256 of its text in hexadecimal digits."""

    by_id: Mapping[str, str]
    texts: frozenset[str]


def hash_of(text: str) -> str:
    """The SHA-256 of a document, as clients write it."""
    return sha256(text.encode()).hexdigest()


def read_manifest(path: Path) -> Manifest:
    """The documents in ``path``: Apollo's ``apollo-persisted-query-manifest``, or Relay's object of id -> text.

    InputError (INVALID_CONFIG) where it cannot be read, is neither, or one id stands for two documents.
    """
    try:
        content = decode_exact(path.read_bytes())
    except OSError as error:
        raise _invalid(path, error.strerror or "cannot be read") from None
    except ValueError:
        raise _invalid(path, "not JSON") from None
    if not isinstance(content, dict):
        raise _invalid(path, "not an object of documents, neither in Apollo's form nor in Relay's")
    listed = _apollo_documents(content, path) if "format" in content else content.items()
    return _manifest(listed, path)


def _apollo_documents(content: Mapping[str, Any], path: Path) -> Iterable[tuple[Any, Any]]:
    if content["format"] != APOLLO_FORMAT or content.get("version") != 1:
        raise _invalid(path, f"its format is not {APOLLO_FORMAT} of version 1")
    operations = content.get("operations")
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise _invalid(path, "its 'operations' are no list of objects")
    return [(one.get("id"), one.get("body")) for one in operations]


def _manifest(listed: Iterable[tuple[Any, Any]], path: Path) -> Manifest:
    by_id: dict[str, str] = {}
    for id_, text in listed:
        if not isinstance(id_, str) or not id_ or not isinstance(text, str):
            raise _invalid(path, f"the document {id_!r} has no id or no text")
        for name in (id_, hash_of(text)):
            if by_id.setdefault(name, text) != text:
                raise _invalid(path, f"'{name}' stands for two documents")
    return Manifest(by_id, frozenset(by_id.values()))


def _invalid(path: Path, reason: str) -> InputError:
    return InputError(INVALID_CONFIG, f"persisted_documents.manifest: {path}: {reason}.")
