"""An address as messages, logs, metrics and pages tell it: without the credentials and the query that it may hold."""

from __future__ import annotations

import re

# Up to the last @, whatever stands before it: a password with a slash of its own makes the address wrong, and is one.
_CREDENTIALS = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)?.*@", re.DOTALL)
_REST = re.compile(r"[?#].*", re.DOTALL)


def told_url(url: str) -> str:
    """``http://user:password@host/graphql?key=1`` is told as ``http://host/graphql``; what is no URL, likewise."""
    return _REST.sub("", _CREDENTIALS.sub(r"\1", url))
