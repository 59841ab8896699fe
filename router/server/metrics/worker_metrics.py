"""Metrics of all workers, whichever of them is asked: it asks the others over sockets that only they know."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

ANSWER_WITHIN_S = 2.0
ALONE_HEADER = "x-galleria-worker-alone"


@dataclass(frozen=True, slots=True)
class WorkerPeers:
    """This worker's ``number``, and for each worker the path of its socket, by number."""

    number: int
    paths: Sequence[Path]

    async def exposition(self, own: bytes, authorization: str | None = None) -> bytes:
        """The metrics of all workers that answer, with the label ``worker``; ``own`` are this one's.

        The others ask for what this one was asked with too: ``authorization``.
        """
        # Here, because it takes a tenth of a second that a router with one worker need not wait.
        import httpx

        texts = {self.number: own.decode()}
        headers = {ALONE_HEADER: "1", **({"authorization": authorization} if authorization is not None else {})}
        for number, path in enumerate(self.paths):
            if number == self.number:
                continue
            transport = httpx.AsyncHTTPTransport(uds=str(path))
            async with httpx.AsyncClient(transport=transport, timeout=ANSWER_WITHIN_S, trust_env=False) as client:
                try:
                    answer = await client.get("http://worker/metrics", headers=headers)
                except httpx.HTTPError:
                    continue
                if answer.status_code == 200:
                    texts[number] = answer.text
        return merge_expositions(texts)

    async def tell(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Post ``body`` to ``path`` of all others, each for itself alone; whether all of them took it."""
        # Here, for the same reason.
        import httpx

        for number, socket_path in enumerate(self.paths):
            if number == self.number:
                continue
            transport = httpx.AsyncHTTPTransport(uds=str(socket_path))
            async with httpx.AsyncClient(transport=transport, timeout=ANSWER_WITHIN_S, trust_env=False) as client:
                try:
                    url = f"http://worker{path}"
                    answer = await client.post(url, content=body, headers={**headers, ALONE_HEADER: "1"})
                except httpx.HTTPError:
                    return False
            if answer.status_code != 200:
                return False
        return True


def open_peer_sockets(count: int) -> tuple[list[Path], list[socket.socket]]:
    """A listening Unix socket for each worker, in a directory that is this user's alone."""
    folder = Path(tempfile.mkdtemp(prefix="galleria-workers-"))
    paths = [folder / f"{number}.sock" for number in range(count)]
    listeners = []
    for path in paths:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(16)
        listeners.append(listener)
    return paths, listeners


def close_peer_sockets(paths: Sequence[Path], listeners: Sequence[socket.socket]) -> None:
    """Remove what ``open_peer_sockets`` made."""
    for path, listener in zip(paths, listeners, strict=True):
        listener.close()
        path.unlink(missing_ok=True)
    if paths:
        paths[0].parent.rmdir()


def merge_expositions(texts: dict[int, str]) -> bytes:
    """Expositions by worker as one, each sample with the label ``worker``."""
    families: dict[str, Metric] = {}
    for number, text in sorted(texts.items()):
        for read in text_string_to_metric_families(text):
            family = families.setdefault(read.name, Metric(read.name, read.documentation, read.type))
            for sample in read.samples:
                family.add_sample(sample.name, {**sample.labels, "worker": str(number)}, sample.value)
    registry = CollectorRegistry()
    registry.register(_Read(families.values()))
    return generate_latest(registry)


class _Read(Collector):
    """Families that are already there."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families
