"""The chassis' exceptions, and what each tells to whom.

::

    ChassisError            one sentence
    ├── SettingsError       a setting is wrong: one line on stderr that names the variable, exit code 2
    ├── Unavailable         something this service needs is not there: SERVICE_UNAVAILABLE, the client may try again
    ├── RetryLater          an event came before its time: it is delivered again after a pause
    └── InvalidEvent        an event that no redelivery can mend: it goes to the dead letters at once

    GraphQLError
    └── CodedError          the client's fault: explained in the GraphQL response with a stable ``extensions.code``
"""

from __future__ import annotations

from graphql import GraphQLError


class ChassisError(Exception):
    """An error whose ``str()`` is one sentence that says what is wrong and what to do."""


class SettingsError(ChassisError):
    """A wrong setting or argument; the command prints it on one line and ends with code 2."""


class Unavailable(ChassisError):  # noqa: N818 - the state of something else, not a mistake
    """Something that this service needs is not there now; the same request may succeed later."""


class RetryLater(ChassisError):  # noqa: N818 - a request to the caller
    """Raised by an event handler that must first see another event; the event comes again after a pause."""


class InvalidEvent(ChassisError):  # noqa: N818 - names the thing that is wrong
    """An event that cannot be read, now or ever."""


class CodedError(GraphQLError):
    """A GraphQL error for the client, with ``extensions.code``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})
        self.code = code
