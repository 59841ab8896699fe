"""Telling a subgraph that is not there from one that answers badly."""

from __future__ import annotations

from router.execution.errors import REQUEST_FAILED, SUBGRAPH_TIMEOUT, SubgraphFailure

# What a proxy answers in place of a server, and a server that is about to go. A 500 is not among them: it is an answer
# to one operation, and whoever finds an operation that fails must not be able to shut the subgraph for everyone.
UNAVAILABLE_STATUSES = frozenset((502, 503, 504))
_UNAVAILABLE_CODES = frozenset((REQUEST_FAILED, SUBGRAPH_TIMEOUT))


def tells_of_absence(failure: SubgraphFailure) -> bool:
    """Whether the subgraph could not be reached, or did not answer in time."""
    return failure.code in _UNAVAILABLE_CODES
