"""What can go wrong while a plan runs, and how the client is told.

Codes in ``extensions.code`` of an error that execution makes (a subgraph's own GraphQL errors keep theirs):

============================ ========================================================================================
``SUBGRAPH_REQUEST_FAILED``   the subgraph could not be reached, broke the connection, or answered with another status
                              than 2xx
``SUBGRAPH_TIMEOUT``          the subgraph did not answer within its own time limit
``SUBGRAPH_INVALID_RESPONSE`` the answer is not JSON, not GraphQL, too large, or of another shape than was asked
``SUBGRAPH_UNAVAILABLE``      not asked, because every address of the subgraph keeps failing
``SUBGRAPH_OVERLOADED``       not asked, because too many requests to the subgraph wait already
``SUBGRAPH_INPUT_FAILED``     not fetched, because what it is computed from (a key, a required field) failed before
``SUBGRAPH_ERROR``            a GraphQL error of a subgraph that carries no code of its own
``TIMEOUT``                   the time limit of the whole request was over first
============================ ========================================================================================
"""

from __future__ import annotations

REQUEST_FAILED = "SUBGRAPH_REQUEST_FAILED"
SUBGRAPH_TIMEOUT = "SUBGRAPH_TIMEOUT"
INVALID_RESPONSE = "SUBGRAPH_INVALID_RESPONSE"
UNAVAILABLE = "SUBGRAPH_UNAVAILABLE"
OVERLOADED = "SUBGRAPH_OVERLOADED"
INPUT_FAILED = "SUBGRAPH_INPUT_FAILED"
SUBGRAPH_ERROR = "SUBGRAPH_ERROR"
TIMEOUT = "TIMEOUT"


class SubgraphFailure(Exception):  # noqa: N818 - a failure of the other side, told to the client as data
    """A subgraph gave no usable answer: ``code`` is one of those above, ``message`` one sentence without secrets."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotSent(SubgraphFailure):
    """No connection could be made: the subgraph knows nothing of the request, which may be sent elsewhere."""

    def __init__(self, message: str) -> None:
        super().__init__(REQUEST_FAILED, message)
