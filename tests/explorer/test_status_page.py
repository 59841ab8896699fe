"""The status page in a real browser, in front of a real router."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.explorer.conftest import PageLog

pytestmark = pytest.mark.xdist_group("explorer")


def test_the_status_page_shows_what_has_happened(context: BrowserContext, router_url: str) -> None:
    log = PageLog(context)
    page = context.new_page()
    query = "query OrdersAndProducts { orders { number product { name } } }"
    assert page.request.post(f"{router_url}/graphql", data={"query": query}).ok
    page.goto(f"{router_url}/status")
    expect(page).to_have_title("Router status")
    expect(page.get_by_role("heading", name="Router status ready")).to_be_visible()
    orders = page.get_by_role("row").filter(has_text="orders").first
    expect(orders).to_contain_text("circuit closed")
    expect(orders).to_contain_text(re.compile(r"\d+\.\d ms"))
    operation = page.get_by_role("row").filter(has_text="OrdersAndProducts")
    expect(operation.get_by_text("2 fetches")).to_be_visible()
    plan = operation.locator("pre")
    expect(plan).to_be_hidden()
    operation.get_by_text("2 fetches").click()
    expect(plan).to_contain_text("#1 inventory, after #0")
    # The style is there: the policy lets it through, and nothing else was asked for.
    assert page.locator("table").first.evaluate("table => getComputedStyle(table).borderCollapse") == "collapse"
    assert log.entries == []
