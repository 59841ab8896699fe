"""Text -> document: syntax and size, before any schema is looked at."""

from __future__ import annotations

from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, Token, parse

from router.errors import OperationError
from router.operation.limits import DEFAULT_LIMITS, OperationLimits

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"


def parse_document(text: str, limits: OperationLimits = DEFAULT_LIMITS) -> DocumentNode:
    """The document of a client; OperationError(GRAPHQL_PARSE_FAILED) if it is not GraphQL, too long or too deep."""
    try:
        return without_token_chain(parse(text, max_tokens=limits.max_tokens, allow_empty_selection_sets=False))
    except GraphQLSyntaxError as error:
        raise OperationError(PARSE_FAILED, error.message, (with_code(error, PARSE_FAILED),)) from None
    except RecursionError:
        raise OperationError(PARSE_FAILED, "Syntax Error: The document is nested too deeply.") from None


def without_token_chain(document: DocumentNode) -> DocumentNode:
    """``document`` whose tokens no longer know each other: one node that is kept would keep the tokens of all."""
    token: Token | None = document.loc.start_token if document.loc is not None else None
    while token is not None:
        following, token.prev, token.next = token.next, None, None
        token = following
    return document


def with_code(error: GraphQLError, code: str) -> GraphQLError:
    """The same error with ``extensions.code`` beside what it says already."""
    return GraphQLError(
        error.message, error.nodes, error.source, error.positions, extensions={**(error.extensions or {}), "code": code}
    )
