"""What the explorer page says when something is wrong: the browser's console may be full, the person is told."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.explorer.test_explorer import EDITOR, RESULT, fetch_boxes, in_new_tab

pytestmark = pytest.mark.xdist_group("explorer")


def open_page(context: BrowserContext, router_url: str) -> Page:
    page = context.new_page()
    page.goto(router_url)
    page.locator(EDITOR).wait_for()
    return page


def test_a_mistake_is_explained_and_the_last_plan_stays(context: BrowserContext, router_url: str) -> None:
    page = open_page(context, router_url)
    expect(fetch_boxes(page)).to_have_count(2)
    page.locator(EDITOR).click()
    page.keyboard.press("Control+Home")
    page.keyboard.insert_text("{ orders { colour } } ")
    expect(page.get_by_role("status").filter(has_text="No plan yet.")).to_contain_text("'colour'")
    expect(fetch_boxes(page)).to_have_count(2)


def test_an_unfinished_operation_is_explained(context: BrowserContext, router_url: str) -> None:
    page = open_page(context, router_url)
    in_new_tab(page, "query (")
    expect(page.get_by_role("status").filter(has_text="No plan yet.")).to_contain_text("Syntax Error")


def test_a_router_that_is_gone_is_told(context: BrowserContext, router_url: str) -> None:
    page = open_page(context, router_url)
    expect(fetch_boxes(page)).to_have_count(2)
    context.set_offline(True)
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(RESULT)).to_contain_text("The router does not answer at /graphql. Is it running?")


def test_a_page_without_configuration_says_so(context: BrowserContext, router_url: str) -> None:
    context.route("**/explorer/config.json", lambda route: route.fulfill(status=404))
    page = context.new_page()
    page.goto(router_url)
    expect(page.get_by_role("alert")).to_have_text(
        "The router answered 404 for /explorer/config.json. Is the explorer enabled in router.yaml?"
    )
