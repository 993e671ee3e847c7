"""A visitor of the demo: labels a thread with a click and sees its page; a reply arrives and its comment stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bridge.demo.show import Show, set_up

pytestmark = pytest.mark.browser


@pytest.fixture
def show() -> Iterator[Show]:
    """The demo with its real service."""
    with set_up(port=0) as made:
        service, ready = made.service(), threading.Event()
        thread = threading.Thread(target=service.run, kwargs={"signals": False, "ready": ready.set})
        thread.start()
        try:
            assert ready.wait(60)
            yield made
        finally:
            service.stop()
            thread.join()


@pytest.mark.scenario("X18")
@pytest.mark.scenario("A1")
def test_a_visitor_labels_a_thread_and_sees_its_page_and_the_comment(show: Show, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{show.url}/mail")
    row = page.locator("article, li, tr, .thread", has_text="Release plan").first
    row.get_by_role("button", name="Label Confluence/ENG").click()
    published = page.locator("a.what", has_text="Release plan")
    expect(published).to_be_visible()
    expect(page.get_by_text("2 comments, 2 files")).to_be_visible()

    published.click()
    expect(page.get_by_role("heading", name="Release plan", exact=True)).to_be_visible()
    expect(page.get_by_text("Published from mail by Ada Lovelace.")).to_be_visible()
    expect(page.locator("img[alt]").first).to_be_visible()
    expect(page.get_by_role("link", name="plan.pdf").first).to_be_visible()
    expect(page.locator(".comment")).to_have_count(2)
    expect(page.locator(".comment table")).to_have_count(0)

    address = page.url
    page.goto(f"{show.url}/mail")
    row = page.locator("article, li, tr, .thread", has_text="Release plan").first
    row.get_by_role("button", name="A reply arrives").click()
    expect(page.get_by_text("3 comments, 2 files")).to_be_visible()
    page.goto(address)
    expect(page.locator(".comment")).to_have_count(3)
    assert complaints == []


def test_the_page_of_a_page_says_what_it_is(show: Show, page: Page) -> None:
    show.stage.label_all()
    page.goto(f"{show.url}/mail")
    page.locator("a.what", has_text="Release plan").click()
    page.get_by_role("link", name="What is this page?").click()
    expect(page.get_by_text("Ada Lovelace").first).to_be_visible()
    assert "Release plan" not in page.content()
