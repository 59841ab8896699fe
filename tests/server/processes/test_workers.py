"""Several workers serve one address, are replaced when they die, and end together."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.mall import await_condition
from tests.server.running_router import RunningRouter, refused, running_router, write_supergraph


def workers_of(router: RunningRouter) -> list[psutil.Process]:
    return psutil.Process(router.process.pid).children()


def ask(router: RunningRouter) -> object:
    """The answer over a connection of its own."""
    return httpx.post(f"{router.url}/graphql", json={"query": "{ __typename }"}, trust_env=False, timeout=60).json()


def metrics(router: RunningRouter) -> str:
    return httpx.get(f"{router.url}/metrics", trust_env=False, timeout=60).text


def until(condition: Callable[[], bool], what: str) -> None:
    await_condition(lambda: True if condition() else None, 20, what)


def await_workers(router: RunningRouter, count: int) -> list[psutil.Process]:
    """The workers, once each of them answers."""
    serving = re.compile(r"galleria_operations_compiled_total.worker")
    until(lambda: len(workers_of(router)) == count == len(serving.findall(metrics(router))), f"{count} workers")
    return workers_of(router)


def test_both_workers_answer_and_metrics_tell_of_both(tmp_path: Path) -> None:
    with running_router(tmp_path, "--workers", "2") as router:
        await_workers(router, 2)
        answers = [ask(router) for _ in range(40)]
        counts = re.findall(r'galleria_requests_total.status="200",worker="([01])". (\d+)', metrics(router))

    assert answers == [{"data": {"__typename": "Query"}}] * 40
    assert sum(int(count) for _, count in counts) == 40


def test_workers_tell_their_metrics_to_who_says_the_secret_alone(tmp_path: Path) -> None:
    config = tmp_path / "router.yaml"
    config.write_text("telemetry: {metrics: {secret: correct horse battery}}")
    said = {"authorization": "Bearer correct horse battery"}
    with running_router(tmp_path, "--workers", "2", "--config", str(config)) as router:
        url = f"{router.url}/metrics"
        both = re.compile(r'worker="0".*worker="1"', re.DOTALL)
        until(
            lambda: both.search(httpx.get(url, headers=said, trust_env=False, timeout=60).text) is not None,
            "both workers",
        )
        refused_at = httpx.get(url, trust_env=False, timeout=60)
        assert (refused_at.status_code, refused_at.text) == (401, "")


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with running_router(tmp_path, "--workers", "2") as router:
        victim, survivor = await_workers(router, 2)
        victim.kill()
        until(lambda: victim not in workers_of(router), "the end of the worker")
        workers = await_workers(router, 2)
        assert survivor in workers
        assert [ask(router) for _ in range(10)] == [{"data": {"__typename": "Query"}}] * 10

    assert "another one takes its place" in router.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_together(tmp_path: Path, number: signal.Signals) -> None:
    with running_router(tmp_path, "--workers", "3") as router:
        workers = await_workers(router, 3)
        os.kill(router.process.pid, number)
        assert router.process.wait(10) == 0

    assert len(workers) == 3
    assert not any(worker.is_running() for worker in workers)


def test_sighup_reaches_every_worker(tmp_path: Path) -> None:
    with running_router(tmp_path, "--workers", "2") as router:
        await_workers(router, 2)
        os.kill(router.process.pid, signal.SIGHUP)
        until(lambda: router.log.read_text().count("the supergraph is up to date") == 2, "the reload of both")


def test_a_port_that_other_workers_serve_is_in_use(tmp_path: Path) -> None:
    with running_router(tmp_path, "--workers", "2") as router:
        port = router.url.rpartition(":")[2]
        code, told = refused(["--supergraph", str(write_supergraph(tmp_path)), "--port", port, "--workers", "2"])

    assert code == 2
    assert told.startswith(f"ADDRESS_UNAVAILABLE: Cannot listen on 127.0.0.1:{port}: Address already in use.")
