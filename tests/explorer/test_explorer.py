"""What a person does on the explorer page, in a real browser against a real router."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.xdist_group("explorer")
EDITOR = ".graphiql-query-editor .view-lines"
RESULT = ".result-window .view-lines"
DEFERRED = '{ product(id: "MUG-001") { name ... @defer(label: "stock") { available } } }'


def in_new_tab(page: Page, operation: str) -> None:
    """Paste ``operation`` into a tab of its own."""
    page.get_by_role("button", name="New tab").click()
    page.locator(EDITOR).click()
    page.keyboard.insert_text(operation)


def instead(page: Page, operation: str) -> None:
    """Paste ``operation`` over what the current tab holds."""
    page.locator(EDITOR).click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")  # pasted over a selection, a brace would be put around it
    page.keyboard.insert_text(operation)


def fetch_boxes(page: Page) -> Locator:
    return page.get_by_role("group", name="Fetches of the plan").get_by_role("button")


def test_ready_made_operations_stand_in_tabs(page: Page) -> None:
    expect(page).to_have_title("Galleria")
    tabs = page.get_by_role("tablist", name="Select active operation").get_by_role("tab")
    expect(tabs.get_by_role("button", name="OrdersWithProducts")).to_be_visible()
    expect(tabs.get_by_role("button", name="OneProduct")).to_be_visible()
    expect(page.locator(EDITOR)).to_contain_text("OrdersWithProducts")
    tabs.nth(1).click()
    expect(page.locator(EDITOR)).to_contain_text("OneProduct")


def test_a_typed_operation_is_answered(page: Page) -> None:
    page.get_by_role("button", name="New tab").click()
    page.locator(EDITOR).click()
    page.keyboard.type("{ orders { number product { name } } }")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(RESULT)).to_contain_text("Blue mug")
    expect(page.locator(RESULT)).to_contain_text("G-2")


def test_what_was_just_pasted_is_run_by_its_own_name(page: Page) -> None:
    page.locator(EDITOR).click()
    page.keyboard.press("Control+A")
    # Both in one go: GraphiQL looks for the operation's name a tenth of a second after the last change.
    pasted_and_run = """text => {
        document.execCommand("insertText", false, text);
        document.querySelector(".graphiql-execute-button").click();
    }"""
    page.evaluate(pasted_and_run, "query Other { orders { number product { name } } }")
    expect(page.locator(RESULT)).to_contain_text("G-2")


def test_a_subscription_shows_each_event_until_it_is_stopped(page: Page) -> None:
    in_new_tab(page, "subscription { placed { number product { name } } }")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(RESULT)).to_contain_text("G-2")
    expect(page.locator(RESULT)).to_contain_text("Blue mug")
    page.get_by_role("button", name="Stop query").click()
    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


def test_a_deferred_answer_arrives_in_parts(page: Page, router_url: str) -> None:
    in_new_tab(page, DEFERRED)
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(RESULT)).to_contain_text("Blue mug")
    expect(page.get_by_role("button", name="Stop query")).to_be_visible()
    expect(page.locator(RESULT)).not_to_contain_text("available")
    assert page.request.post(f"{router_url}/graphql", data={"query": "mutation { deliver }"}).ok
    expect(page.locator(RESULT)).to_contain_text('"available": 7')
    expect(page.locator(RESULT)).to_contain_text("Blue mug")
    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


def test_the_plan_tells_what_is_deferred(page: Page) -> None:
    in_new_tab(page, DEFERRED)
    expect(page.get_by_text("2 fetches from 1 subgraph, 2 deep, 1 deferred")).to_be_visible()
    name = "Fetch #1 from inventory: Product by key. Waits for #0. Deferred: 'stock' at product."
    expect(fetch_boxes(page).nth(1)).to_have_accessible_name(name)
    expect(page.get_by_label("Plan as text")).to_contain_text("Deferred 1: 'stock' at product")


def test_the_keyboard_alone_runs_an_operation(page: Page) -> None:
    in_new_tab(page, '{ product(id: "MUG-001") { name } }')
    # GraphiQL reads the operation's name some time after it was typed, and would send the earlier tab's until then.
    expect(page.get_by_text("1 fetch from 1 subgraph, 1 deep")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(RESULT)).to_contain_text("Blue mug")


def test_the_plan_of_the_current_operation_is_drawn_and_told(page: Page) -> None:
    in_new_tab(page, "{ orders { product { name } } }")
    expect(page.get_by_text("2 fetches from 2 subgraphs, 2 deep")).to_be_visible()
    names = [
        "Fetch #0 from orders: orders. Starts at once.",
        "Fetch #1 from inventory: Product by key. Waits for #0.",
    ]
    for index, name in enumerate(names):
        expect(fetch_boxes(page).nth(index)).to_have_accessible_name(name)
    text = page.get_by_label("Plan as text")
    expect(text).to_contain_text("orders")
    expect(text).to_contain_text("inventory")


def test_the_plan_follows_the_operation(page: Page) -> None:
    in_new_tab(page, "{ orders { product { name } } }")
    expect(fetch_boxes(page)).to_have_count(2)
    instead(page, "{ orders { number } }")
    expect(page.get_by_text("1 fetch from 1 subgraph, 1 deep")).to_be_visible()
    expect(fetch_boxes(page)).to_have_count(1)


def test_a_fetch_shows_what_is_sent_to_its_subgraph(page: Page) -> None:
    in_new_tab(page, "{ orders { product { name } } }")
    fetch_boxes(page).nth(1).click()
    expect(page.get_by_label("Document of fetch #1")).to_contain_text("... on Product")
    expect(fetch_boxes(page).nth(1)).to_have_attribute("aria-pressed", "true")
    fetch_boxes(page).nth(1).press("Enter")
    expect(page.get_by_label("Document of fetch #1")).to_be_hidden()


def test_a_run_is_drawn_as_a_waterfall_until_the_operation_changes(page: Page) -> None:
    in_new_tab(page, "{ orders { product { name } } }")
    expect(fetch_boxes(page)).to_have_count(2)
    page.get_by_role("button", name="Execute query").click()
    rows = page.get_by_role("region", name="Fetches of the last run").get_by_role("listitem")
    expect(rows).to_have_count(2)
    words = r"sent after [\d.]+ ms, took [\d.]+ ms, status 200, \d+ bytes"
    expect(rows.nth(0)).to_have_accessible_name(re.compile(rf"Fetch #0 from orders: {words}\."))
    expect(rows.nth(1)).to_have_accessible_name(re.compile(rf"Fetch #1 from inventory: {words}, 1 entity\."))
    first, second = (rows.nth(index).locator(".waterfall-bar").bounding_box() for index in (0, 1))
    assert first
    assert second
    assert first["x"] + first["width"] <= second["x"] + 2
    # The answer is shown as any client would get it.
    expect(page.locator(RESULT)).to_contain_text("Blue mug")
    expect(page.locator(RESULT)).not_to_contain_text("extensions")
    instead(page, "{ orders { number } }")
    expect(rows).to_have_count(0)


def test_introspection_needs_no_fetch(page: Page) -> None:
    in_new_tab(page, "{ __typename }")
    expect(page.get_by_text("No fetch: the router answers this by itself.")).to_be_visible()


def test_the_docs_describe_the_graph(page: Page) -> None:
    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_role("link", name="Query").click()
    docs = page.get_by_role("region", name="Documentation Explorer")
    docs.get_by_role("link", name="Order", exact=True).click()
    expect(docs).to_contain_text("What a customer bought.")


def test_what_was_run_is_in_the_history(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(RESULT)).to_contain_text("Blue mug")
    page.get_by_role("button", name="Show History").click()
    expect(page.get_by_role("region", name="History")).to_contain_text("OrdersWithProducts")


def test_the_configured_headers_are_there_and_stay_out_of_the_browsers_storage(page: Page) -> None:
    page.get_by_role("button", name="Headers").click()
    headers = page.get_by_role("region", name="Headers").locator(".view-lines:visible")
    expect(headers).to_contain_text("Bearer of-the-explorer")
    page.reload()
    page.get_by_role("button", name="Headers").click()
    expect(headers).to_contain_text("Bearer of-the-explorer")
    assert "of-the-explorer" not in page.evaluate("JSON.stringify(localStorage)")


def test_an_operation_survives_a_reload(page: Page) -> None:
    in_new_tab(page, "query Mine { orders { number } }")
    expect(page.get_by_role("tab", name="Mine")).to_be_visible()
    # In the page's storage, asked from outside: its policy lets no test evaluate text inside it.
    while "query Mine { orders { number } }" not in page.evaluate("localStorage.getItem('graphiql:tabState')"):
        page.wait_for_timeout(20)
    page.reload()
    expect(page.locator(EDITOR)).to_contain_text("query Mine")
