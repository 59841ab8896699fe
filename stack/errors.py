"""What can be wrong before anything starts."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot start: the message is one line that names the thing and how to change it; exit code 2."""
