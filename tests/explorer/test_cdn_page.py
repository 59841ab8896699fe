"""The page for where nothing was built: it must not drift from the built one, and says where its code comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Route, expect

pytestmark = pytest.mark.xdist_group("explorer")
EXPLORER = Path(__file__).parent.parent.parent / "router" / "server" / "explorer"
PAGE = (EXPLORER / "index.cdn.html").read_text()
PACKAGES = json.loads((EXPLORER / "package.json").read_text())
SOURCES = sorted((EXPLORER / "src").rglob("*.js"))
BUILT_ONLY = {"main.js", "workers.js"}  # what they bring, the page brings by itself
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def import_map() -> dict[str, str]:
    found = re.search(r'<script type="importmap">(.*?)</script>', PAGE, re.DOTALL)
    assert found
    imports: dict[str, str] = json.loads(found.group(1))["imports"]
    return imports


def imported_packages() -> set[str]:
    """Every module that the page's own sources import by a bare name."""
    pattern = re.compile(r'(?:from|import)[ (]"([^."][^"]*)"')
    return {name for path in SOURCES if path.name not in BUILT_ONLY for name in pattern.findall(path.read_text())}


def test_the_versions_are_those_of_the_built_page() -> None:
    versions = re.findall(r"https://esm\.sh/((?:@[a-z]+/)?[a-z-]+)@([\d.]+)", PAGE)
    assert {name for name, _ in versions} == {"@graphiql/react", "graphiql", "graphql", "react", "react-dom"}
    assert {name: PACKAGES["dependencies"][name] for name, _ in versions} == dict(versions)
    assert len(set(versions)) == 5


def test_every_import_of_the_pages_own_code_is_in_the_import_map() -> None:
    mapped = import_map()
    prefixes = tuple(name for name in mapped if name.endswith("/"))
    assert imported_packages() >= {"graphiql", "react", "react-dom/client"}
    assert {name for name in imported_packages() if name not in mapped and not name.startswith(prefixes)} == set()


def test_it_says_where_its_code_comes_from_and_what_to_do_when_that_is_out_of_reach(context: BrowserContext) -> None:
    def serve(route: Route) -> None:
        url = urlsplit(route.request.url)
        path = EXPLORER / ("index.cdn.html" if url.path == "/" else url.path.removeprefix("/explorer/"))
        if url.hostname != "explorer.test" or not path.is_file():
            route.abort()
        else:
            route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])

    context.route("**/*", serve)
    page = context.new_page()
    page.goto("http://explorer.test/")
    expect(page.get_by_role("note")).to_contain_text("loads GraphiQL from a public CDN (esm.sh)")
    expect(page.get_by_role("alert")).to_contain_text("The CDN is out of reach, so the explorer cannot be shown here.")
