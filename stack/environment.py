"""Where everything is: data directory, ports and URLs, and the environment that the Procfile's commands read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack import mongodb, nats
from stack.errors import StackError
from stack.supervisor import Pauses

SERVICES = ("orders", "payments", "inventory", "shipping", "recommendations")
DEFAULT_PORTS = {
    "mongodb": 27117,
    "nats": 4322,
    "orders": 4001,
    "payments": 4002,
    "inventory": 4003,
    "shipping": 4004,
    "recommendations": 4005,
    "router": 4000,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The data directory and the port of each process, by its name in the Procfile."""

    data: Path
    ports: Mapping[str, int]

    def http_url(self, name: str, path: str) -> str:
        """The address of ``path`` at the service or router ``name``."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"


def read_layout(environ: Mapping[str, str]) -> Layout:
    """The layout that ``GALLERIA_DATA`` and ``<NAME>_PORT`` ask for; raises StackError for a port that is none."""
    ports = {name: _port(environ, name, default) for name, default in DEFAULT_PORTS.items()}
    return Layout(data=Path(environ.get("GALLERIA_DATA") or ".galleria").absolute(), ports=ports)


def read_pauses(environ: Mapping[str, str]) -> Pauses:
    """The pauses that ``GALLERIA_FIRST_PAUSE_S`` and ``GALLERIA_LONGEST_PAUSE_S`` ask for; raises StackError."""
    usual = Pauses()
    first_s = _seconds(environ, "GALLERIA_FIRST_PAUSE_S", usual.first_s)
    return Pauses(first_s, _seconds(environ, "GALLERIA_LONGEST_PAUSE_S", usual.longest_s))


def process_environment(
    layout: Layout, environ: Mapping[str, str], passwords: Mapping[str, str], own_mongodb: str | None
) -> dict[str, str]:
    """The environment of every process of the Procfile: ``environ`` and what the layout decides.

    ``passwords`` has one for ``nats``, ``router`` and each service; ``own_mongodb`` is the URL of a server that takes
    the embedded one's place.
    """
    result = dict(environ)
    result["GALLERIA_DATA"] = str(layout.data)
    result["NATS_URL"] = nats.server_url(layout.ports["nats"], passwords["nats"])
    result["ROUTER_KEYS"] = f"galleria:{passwords['router']}"
    result.setdefault("SEED_DEMO", "1")
    for name, port in layout.ports.items():
        result[f"{name.upper()}_PORT"] = str(port)
    server = own_mongodb or f"mongodb://127.0.0.1:{layout.ports['mongodb']}/"
    for service in SERVICES:
        result[f"{service.upper()}_MONGODB_URL"] = mongodb.service_url(server, service, passwords[service])
        result[f"{service.upper()}_URL"] = layout.http_url(service, "/graphql")
    return result


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    variable = f"{name.upper()}_PORT"
    text = environ.get(variable, "") or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise StackError(f"{variable}={text!r} is not a port: set a number from 1 to 65535, or unset it for {default}")
    return int(text)


def _seconds(environ: Mapping[str, str], variable: str, default: float) -> float:
    text = environ.get(variable, "") or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        wanted = f"set seconds, more than 0 and at most 3600, or unset it for {default:g}"
        raise StackError(f"{variable}={text!r} is not a pause: {wanted}")
    return seconds
