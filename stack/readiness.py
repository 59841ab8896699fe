"""When is the mall open? Asks every process's ``/health/ready``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import httpx

POLL_INTERVAL_S = 0.3


def await_ready(urls: Sequence[str], stop: threading.Event, announce: Callable[[], None]) -> None:
    """Call ``announce`` once when every one of ``urls`` has answered 200; return early when ``stop`` is set."""
    waiting = set(urls)
    with httpx.Client(timeout=2, trust_env=False) as client:
        while waiting and not stop.wait(POLL_INTERVAL_S):
            waiting -= {url for url in waiting if _is_ready(client, url)}
    if not waiting:
        announce()


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
