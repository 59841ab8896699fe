"""A real router over two subgraphs, and a headless Chromium that must stay on this machine and find nothing wrong."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from stack.daemon import free_port, running
from tests.explorer.subgraphs import SCHEMAS

ROOT = Path(__file__).parent.parent.parent
EXPLORER = ROOT / "router" / "server" / "explorer"
PATIENCE_MS = 20_000  # for a machine that is busy with other tests
BINARIES = Path(sys.executable).parent
TABS = {
    "orders": "query OrdersWithProducts {\n  orders(first: 1) {\n    number\n    product { name }\n  }\n}\n",
    "product": 'query OneProduct {\n  product(id: "MUG-001") { name }\n}\n',
}


class PageLog:
    """What went wrong on a page: errors and warnings in its console, requests that failed or left this machine."""

    def __init__(self, context: BrowserContext) -> None:
        self.entries: list[str] = []
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.entries.append(f"uncaught: {error.error}"))
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failure)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Half an operation has no plan, and the browser notes every answer that says so.
        half_typed = message.location["url"].endswith("/plan") and "status of 400" in message.text
        if message.type in ("error", "warning") and not half_typed:
            self.entries.append(f"{message.type}: {message.text}")

    def _on_failure(self, request: Request) -> None:
        # What the page gave up itself is no failure: the plan of an operation that has changed since, a reload.
        if request.failure != "net::ERR_ABORTED":
            self.entries.append(f"failed: {request.url}: {request.failure}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")):
            self.entries.append(f"left this machine: {request.url}")


def not_run(what: str, remedy: str) -> NoReturn:
    """Skip with the way to get ``what``; on CI, where everything must run, fail."""
    reason = f"the explorer page was not tested, because there is no {what}: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    return found or not_run("Chromium", "install the package chromium (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A browser for one module: while it is open an event loop runs in this thread, and no async test can."""
    with sync_playwright() as playwright:
        # No sandbox: a container's root may not have one. The pages are our own.
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1440, "height": 860}) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


@pytest.fixture(scope="session")
def router_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``galleria serve`` over the two subgraphs, each of them a process."""
    if not (EXPLORER / "dist" / "index.html").exists():
        not_run("built page", "install Node 20.19 or newer and run `make setup`")
    folder = tmp_path_factory.mktemp("router")
    ports = {name: free_port() for name in SCHEMAS}
    port = free_port()
    with ExitStack() as processes:
        for name in SCHEMAS:
            app = [f"tests.explorer.subgraphs:{name}", "--app-dir", str(ROOT), "--port", str(ports[name])]
            command = [str(BINARIES / "uvicorn"), *app]
            processes.enter_context(running(command, ports[name], folder / f"{name}.log"))
        files = ["--supergraph", write_supergraph(folder, ports), "--config", write_config(folder)]
        command = [str(BINARIES / "galleria"), "serve", *files, "--port", str(port)]
        processes.enter_context(running(command, port, folder / "router.log"))
        yield f"http://127.0.0.1:{port}"


def write_supergraph(folder: Path, ports: dict[str, int]) -> str:
    """A supergraph.yaml (JSON is YAML) of the two subgraphs in ``folder``."""
    subgraphs = {}
    for name, schema in SCHEMAS.items():
        (folder / f"{name}.graphql").write_text(schema.as_str())
        routing_url = f"http://127.0.0.1:{ports[name]}/"
        subgraphs[name] = {"routing_url": routing_url, "schema": {"file": f"{name}.graphql"}}
    path = folder / "supergraph.yaml"
    path.write_text(json.dumps({"federation_version": 2, "subgraphs": subgraphs}))
    return str(path)


def write_config(folder: Path) -> str:
    """A router.yaml with the explorer enabled, a token and a tab for each of TABS."""
    for name, text in TABS.items():
        (folder / f"{name}.tab.graphql").write_text(text)
    tabs = [f"{name}.tab.graphql" for name in TABS]
    headers = {"authorization": "Bearer of-the-explorer"}
    path = folder / "router.yaml"
    explorer = {"enabled": True, "headers": headers, "tabs": tabs}
    telemetry = {"metrics": {"operations": True}}
    path.write_text(json.dumps({"explorer": explorer, "status": {"enabled": True}, "telemetry": telemetry}))
    return str(path)


@pytest.fixture
def page(context: BrowserContext, router_url: str) -> Iterator[Page]:
    """The explorer on a first visit, ready to type; the test fails where the page's log is not empty at its end."""
    log = PageLog(context)
    page = context.new_page()
    page.goto(router_url)
    page.locator(".graphiql-query-editor .view-lines").wait_for()
    yield page
    assert log.entries == []
