"""What is attacked: a router process over subgraphs of another process, and everyone else, who asks all the while."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from router import Subgraph, compose
from stack.daemon import free_port, running
from tests.awake_clock import awake_clock
from tests.security.attacks.subgraphs import PEOPLE, SHOP
from tests.server.access.issuer import AUDIENCE, NAME, IssuerNow
from tests.server.running_router import GALLERIA

MAX_RESIDENT_BYTES = 200 * 1024 * 1024
ANSWER_WITHIN_S = 60.0
"""However busy the machine is; how long others may wait is less, see conftest.py."""

FRIENDLY_ORIGIN = "https://shop.test"
ORDINARY = {"query": "query Ordinary { products(first: 2) { id name } }"}
ANSWER = {"data": {"products": [{"id": "0", "name": "Product 0"}, {"id": "1", "name": "Product 1"}]}}


def public_settings(jwks: Path) -> dict[str, Any]:
    """A router that knows who asks, by header or cookie, and has every way in open; all limits are the defaults.

    But for those by which it refuses requests when its event loop is late: on a machine that is busy with other tests
    it is late without any attack. So it has to answer others in the middle of what it would refuse.
    """
    issuer = {"issuer": NAME, "audiences": [AUDIENCE], "jwks_file": str(jwks)}
    return {
        "authentication": {"issuers": [issuer], "cookie": "session", "claims_to_headers": {"sub": "x-user-id"}},
        "cors": {"origins": [FRIENDLY_ORIGIN], "credentials": True},
        "persisted_documents": {"apq": True},
        "batching": {"enabled": True},
        "uploads": {"enabled": True},
        "subscriptions": {"connection_init_timeout_s": 1.0},
        "telemetry": {"trace_context": True, "access_log": True},
        "traffic": {"shedding": {"initial": 2000, "max_lag_s": 60}},
    }


@dataclass(slots=True)
class Target:
    """A router process, and the subgraphs' process behind it."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    shop_port: int
    issuer: IssuerNow
    client: httpx.Client
    everyone: Everyone | None = None

    @property
    def others_asked(self) -> int:
        """How many more requests everyone else may have had sent to the subgraphs by now."""
        return len(self.everyone.waits_s) + 1 if self.everyone is not None else 0

    def assert_answers(self) -> None:
        """Fail unless an ordinary query is answered now."""
        response = self.post(ORDINARY)
        assert response.json() == ANSWER, f"{response.status_code} {response.text}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    def post(self, body: object = None, **request: Any) -> httpx.Response:
        """The answer to ``body`` as JSON, or to whatever else httpx is told to send."""
        sent: dict[str, Any] = {"json": body} if body is not None else {}
        return self.client.post(self.url, **sent, **request)

    def codes(self, body: object = None, **request: Any) -> list[str]:
        """``extensions.code`` of each error in the answer."""
        return [error["extensions"]["code"] for error in self.post(body, **request).json().get("errors", [])]

    def asked(self) -> int:
        """How many requests the subgraphs have had."""
        count: int = self.client.get(f"http://127.0.0.1:{self.shop_port}/asked").json()
        return count

    def resident_bytes(self) -> int:
        """The most memory that the router's process ever had resident."""
        return self._memory("VmHWM")

    def resident_bytes_now(self) -> int:
        """How much memory the router's process has resident."""
        return self._memory("VmRSS")

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024

    def raw(self, *pieces: bytes, wait_s: float = 5.0) -> bytes:
        """What the router says to these bytes on a connection of their own, until it closes or is quiet for so long.

        Its first word may take as long as a busy machine does.
        """
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_WITHIN_S) as connection:
            said = b""
            try:
                for piece in pieces:
                    connection.sendall(piece)
                while chunk := connection.recv(65_536):
                    said += chunk
                    connection.settimeout(wait_s)
            except (TimeoutError, ConnectionResetError, BrokenPipeError):
                pass
            return said

    def token(self, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that the router believes, unless what is said here makes it another."""
        self.issuer.now = time.time()
        return self.issuer.token(headers, **claims)


@contextmanager
def running_target(
    folder: Path, settings: Mapping[str, Any], issuer: IssuerNow, credentials: str = ""
) -> Iterator[Target]:
    """A target with these settings, until the block ends; ``credentials`` are in the addresses of the subgraphs."""
    shop_port, port = free_port(), free_port()
    shop = [sys.executable, "-m", "tests.security.attacks.subgraphs", str(shop_port)]
    supergraph, config = folder / "supergraph.graphql", folder / "router.yaml"
    supergraph.write_text(_composed(shop_port, credentials))
    config.write_text(json.dumps(settings))
    router = [GALLERIA, "serve", "--supergraph", str(supergraph), "--config", str(config), "--port", str(port)]
    with ExitStack() as resources:
        resources.enter_context(running(shop, shop_port, folder / "subgraphs.log"))
        process = resources.enter_context(running(router, port, folder / "router.log"))
        client = resources.enter_context(httpx.Client(trust_env=False, timeout=ANSWER_WITHIN_S))
        yield Target(process, port, folder / "router.log", shop_port, issuer, client)


def _composed(port: int, credentials: str) -> str:
    subgraphs = {"shop": SHOP, "people": PEOPLE}
    address = f"http://{credentials}127.0.0.1:{port}"
    composition = compose(
        [Subgraph(name, f"{address}/{name}/", one.as_str()) for name, one in subgraphs.items()],
    )
    assert composition.supergraph_sdl is not None, composition.errors
    return composition.supergraph_sdl


@dataclass(slots=True)
class Everyone:
    """Others, who ask an ordinary query again and again on a connection of their own.

    ``waits_s`` is how long each waited for router and subgraphs, without the time in which the machine let nobody run.
    """

    target: Target
    waits_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask until the block ends."""
        end = threading.Event()
        thread = threading.Thread(target=self._ask, args=(end,))
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def _ask(self, end: threading.Event) -> None:
        with awake_clock() as now, httpx.Client(trust_env=False, timeout=ANSWER_WITHIN_S) as client:
            while not end.wait(0.02):
                began = now()
                try:
                    response = client.post(self.target.url, json=ORDINARY)
                    if response.json() != ANSWER:
                        self.wrong.append(f"{response.status_code} {response.text[:200]}")
                except httpx.HTTPError as error:
                    self.wrong.append(repr(error))
                self.waits_s.append(now() - began)
