"""Are the ports free? Told by name, before anything starts."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from stack.daemon import accepts
from stack.errors import StackError


def require_free_ports(ports: Mapping[str, int]) -> None:
    """Raise StackError naming every port of ``ports`` (by process name) that is in use, by whom, and the way out."""
    taken = [f"{port} ({name}) by {_listener(port)}" for name, port in ports.items() if accepts(port)]
    if taken:
        first = next(name for name, port in ports.items() if accepts(port))
        raise StackError(
            f"port in use: {', '.join(taken)}; stop what listens there, or choose others, e.g. {first.upper()}_PORT=..."
        )


def _listener(port: int) -> str:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
        if listens and connection.pid:
            return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another process"
