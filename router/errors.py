"""The router's exceptions, and what each tells to whom.

::

    GalleriaError                 a stable code and one sentence
    ├── InputError                a file, setting or argument is wrong: one line on stderr, exit code 2
    └── OperationError            the client's document or variables are wrong: explained in the GraphQL response
        └── PlanningError         a valid operation that cannot be planned over this supergraph

Composition does not raise: it collects :class:`router.composition.errors.CompositionError` values, which are data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql import GraphQLError


class GalleriaError(Exception):
    """An error with a stable ``code``; ``str(error)`` is one sentence that says what is wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InputError(GalleriaError):
    """A wrong file, setting or command line argument; the commands print it on one line and exit with code 2."""


class OperationError(GalleriaError):
    """The client's fault: ``errors`` are the GraphQL errors to answer with, each with ``extensions.code``.

    ``http_status`` is what GraphQL over HTTP asks for with ``application/graphql-response+json``.
    """

    def __init__(self, code: str, message: str, errors: Sequence[GraphQLError] = (), http_status: int = 400) -> None:
        super().__init__(code, message)
        self.errors = tuple(errors) or (GraphQLError(message, extensions={"code": code}),)
        self.http_status = http_status


class PlanningError(OperationError):
    """A valid operation for which no plan exists or the search budget was used up; nothing was fetched."""

    def __init__(self, code: str, message: str, details: Mapping[str, object] | None = None) -> None:
        extensions = {"code": code, **(details or {})}
        super().__init__(code, message, (GraphQLError(message, extensions=extensions),), 500)
