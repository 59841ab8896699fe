"""``python -m bench.fetches [BASE]``: the CPU time of what each feature adds to a fetch, without sockets.

In one process the way to the subgraphs is the router's own, down to the bytes of the connection; below it is a function
that answers at once. So nothing else on the machine is measured. That of BASE is timed in turns with ours.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from statistics import median
from typing import Any

import click
import uvloop

from bench.check import ROOT, checkout
from bench.errors import BenchError
from router.execution.subgraph_client import Headers, SubgraphRequest
from router.execution.traffic.trace import TRACE_HEADERS
from router.server.config import RouterConfig, check_config
from router.server.graphs.graph import open_graph
from router.supergraph.model import Supergraph
from router.supergraph.read import read_supergraph

FETCHES = 3000
TIMES = 15
SUPERGRAPH = ROOT / "bench" / "federation" / "schema" / "supergraph.graphql"
ONCE = "entity cache, three entities that nobody asks for again"
OFF: Mapping[str, Any] = {
    "traffic": {
        "share": False,
        "retries": {"enabled": False},
        "breaker": {"enabled": False},
        "concurrency": {"enabled": False},
    },
    "headers": {"propagate": []},
}
KEY = "bench:0123456789abcdef0123456789abcdef"
# What each adds to OFF.
EACH: Mapping[str, Mapping[str, Any]] = {
    "off": {},
    "headers": {
        "headers": {
            "propagate": ["authorization", "accept-language"],
            "rename": {"x-client-tenant": "x-tenant"},
            "set": {"x-sent-by": "galleria"},
            "remove": ["x-debug"],
        }
    },
    "signing": {"signing": {"keys": KEY}},
    "trace_context": {"telemetry": {"trace_context": True}},
    "timeout_header": {"traffic": {**OFF["traffic"], "timeout_header": "x-request-timeout-ms"}},
    "three addresses": {
        "traffic": {**OFF["traffic"], "addresses": {"inventory": [f"http://inventory-{n}/" for n in (1, 2, 3)]}}
    },
    "retries": {"traffic": {**OFF["traffic"], "retries": {"enabled": True}}},
    "breaker": {"traffic": {**OFF["traffic"], "breaker": {"enabled": True}}},
    "concurrency": {"traffic": {**OFF["traffic"], "concurrency": {"enabled": True}}},
    "share": {"traffic": {**OFF["traffic"], "share": True}},
    "cache_control": {"cache_control": {"enabled": True, "default_max_age_s": 60}},
}
STANDS: Mapping[str, Mapping[str, Any]] = {
    **EACH,
    "all but share": {
        **EACH["headers"],
        **EACH["signing"],
        **EACH["trace_context"],
        **EACH["cache_control"],
        "traffic": {"share": False, "timeout_header": "x-request-timeout-ms"},
    },
    "entity cache, three entities found": {"entity_cache": {"enabled": True, "default_ttl_s": 600}},
    "entity cache, three entities missed": {"entity_cache": {"enabled": True, "default_ttl_s": 1e-9}},
    "entity cache, three entities that may not be kept": {"entity_cache": {"enabled": True}},
    ONCE: {"entity_cache": {"enabled": True, "default_ttl_s": 600}},
}
ASKED: Headers = (
    (b"authorization", b"Bearer " + b"abcdefgh" * 40),
    (b"accept-language", b"en"),
    (b"x-client-tenant", b"one"),
)
TRACE: Headers = (
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
    (b"x-request-id", b"4bf92f3577b34da6"),
)
DOCUMENT = (
    "query TwoHop__inventory__1($representations: [_Any!]!) { _entities(representations: $representations) "
    "{ ... on Product { inStock shippingEstimate } } }"
)
ANSWERED = json.dumps({"data": {"_entities": [{"inStock": True, "shippingEstimate": 50}] * 3}}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWERED), ANSWERED)


@click.command()
@click.argument("base", required=False)
@click.option("--rounds", default=3, help="How often each version is timed.")
@click.option("--once", is_flag=True, hidden=True)
def main(base: str | None, rounds: int, once: bool) -> None:
    """Print microseconds of CPU time for a fetch, by feature: of BASE, and of this version."""
    if once:
        click.echo(json.dumps(time_all()))
        return
    try:
        with ExitStack() as stack:
            roots = [ROOT] if base is None else [stack.enter_context(checkout(base)), ROOT]
            samples = [[_timed_in(str(root)) for root in roots] for _ in range(rounds)]
    except BenchError as error:
        click.echo(f"cannot measure: {error}", err=True)
        sys.exit(2)
    for name in STANDS:
        found = [median(of_round[index][name] for of_round in samples) for index in range(len(roots))]
        click.echo(f"{name}: {' -> '.join(f'{one:.1f}' for one in found)} us")


def _timed_in(root: str) -> dict[str, float]:
    """The times of the version of the router in the folder ``root``, in a process of its own."""
    code = f"import sys; sys.path[:0] = [{root!r}]; import router; sys.path[:1] = [{str(ROOT)!r}]; "
    code += "from bench.fetches import main; main()"
    done = subprocess.run([sys.executable, "-P", "-c", code, "--once"], capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise BenchError(done.stderr.decode().strip()[-500:])
    times: dict[str, float] = json.loads(done.stdout)
    return times


def time_all() -> dict[str, float]:
    """Microseconds of CPU time for a fetch, by the name of what is on: the least of some, all in turns."""
    supergraph = read_supergraph(SUPERGRAPH.read_text())
    with asyncio.Runner(loop_factory=SocketlessLoop) as runner:
        return runner.run(_time_in_turns(supergraph))


async def _time_in_turns(supergraph: Supergraph) -> dict[str, float]:
    TRACE_HEADERS.set(TRACE)
    clients = {name: open_graph(supergraph, _config(settings)).client for name, settings in STANDS.items()}
    least = dict.fromkeys(clients, float("inf"))
    again = [_request(1)] * FETCHES
    for turn in range(TIMES):
        for name, client in clients.items():
            requests = [_request(turn * FETCHES + each) for each in range(FETCHES)] if name == ONCE else again
            began = time.process_time()
            for request in requests:
                await client.send(request)
            least[name] = min(least[name], (time.process_time() - began) / FETCHES * 1e6)
    for client in clients.values():
        await client.close()
    return least


def _request(number: int) -> SubgraphRequest:
    """A fetch of three products that no other ``number`` has."""
    upcs = range(3 * number, 3 * number + 3)
    products = [{"__typename": "Product", "upc": str(n), "price": 100, "weight": 10} for n in upcs]
    body = json.dumps({"query": DOCUMENT, "variables": {"representations": products}})
    return SubgraphRequest("inventory", body.encode(), ASKED)


def _config(settings: Mapping[str, Any]) -> RouterConfig:
    return check_config({**OFF, **settings}, "settings")


class SocketlessLoop(uvloop.Loop):
    """An event loop whose connections are answered as soon as they are written to."""

    async def create_connection(self, protocol_factory: Callable[[], Any], *_: Any, **__: Any) -> Any:
        """As asyncio says, but for the network."""
        protocol = protocol_factory()
        transport = AnsweringTransport(protocol)
        protocol.connection_made(transport)
        return transport, protocol


class AnsweringTransport(asyncio.Transport):
    """Gives whatever is written the same answer, at once."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._protocol = protocol

    def write(self, data: Any) -> None:
        """As asyncio says."""
        self._protocol.data_received(ANSWER)

    def is_closing(self) -> bool:
        """As asyncio says."""
        return False

    def abort(self) -> None:
        """As asyncio says."""


if __name__ == "__main__":
    main()
