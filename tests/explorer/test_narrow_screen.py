"""On the screen of a phone the columns stand below each other, in a page that scrolls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

pytestmark = pytest.mark.xdist_group("explorer")
WIDTH = 390


@pytest.fixture
def narrow(page: Page) -> Page:
    page.set_viewport_size({"width": WIDTH, "height": 844})
    expect(page.locator(".graphiql-horizontal-drag-bar").first).to_be_hidden()
    return page


def place_of(element: Locator) -> FloatRect:
    box = element.bounding_box()
    assert box is not None
    return box


def test_operation_answer_and_plan_stand_below_each_other_within_the_screen(narrow: Page) -> None:
    parts = [
        narrow.get_by_role("button", name="Show Documentation Explorer"),
        narrow.locator(".graphiql-query-editor"),
        narrow.locator(".graphiql-response"),
        narrow.locator(".plan-panel"),
    ]
    places = [place_of(one) for one in parts]
    for above, below in pairwise(places):
        assert above["y"] + above["height"] <= below["y"]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= WIDTH
    for place in places[1:]:
        assert place["width"] > 0.8 * WIDTH
        assert place["height"] > 100


def test_an_operation_is_run_and_its_answer_and_waterfall_read(narrow: Page) -> None:
    narrow.get_by_role("button", name="Execute query").click()
    answer = narrow.locator(".result-window .view-lines")
    expect(answer).to_contain_text("Blue mug")
    answer.scroll_into_view_if_needed()
    expect(narrow.locator(".waterfall-row")).to_have_count(2)
    narrow.locator(".waterfall").scroll_into_view_if_needed()
    expect(narrow.locator(".waterfall")).to_be_in_viewport()


def test_a_panel_that_is_closed_leaves_nothing_beside_the_page(narrow: Page) -> None:
    narrow.locator(".graphiql-sidebar button.active").click()
    expect(narrow.locator(".plan-panel")).to_have_count(0)
    assert narrow.evaluate("document.documentElement.scrollWidth") == WIDTH
