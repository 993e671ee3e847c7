"""A visitor lets something go wrong and watches the recovery; without scripts the page works as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bridge.demo.show import set_up
from bridge.sandbox.serve import RunningServer, serve
from bridge.sandbox.world import World

pytestmark = pytest.mark.browser


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def server(world: World) -> Iterator[RunningServer]:
    with serve(world.app) as running:
        world.served_at(running.url)
        yield running


def press(page: Page) -> None:
    expect(page.get_by_text("Nothing. All is well.")).to_be_visible()
    page.get_by_label("Which requests").select_option("createPage")
    page.get_by_label("How often").select_option("3")
    page.get_by_role("button", name="reset-after", exact=True).click()
    expect(page.locator(".now code")).to_have_text("reset-after createPage times=3")
    expect(page.get_by_text("has not struck yet")).to_be_visible()
    page.get_by_role("button", name="expired-cursor", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The fault expired-cursor cannot befall createPage.")
    page.get_by_role("button", name="Make it well again").click()
    expect(page.get_by_text("Nothing. All is well.")).to_be_visible()


def test_a_visitor_lets_something_go_wrong(server: RunningServer, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{server.url}/sandbox")
    press(page)
    assert complaints == []


def test_without_scripts(server: RunningServer, page: Page) -> None:
    browser = page.context.browser
    assert isinstance(browser, Browser)
    bare = browser.new_context(java_script_enabled=False).new_page()
    bare.set_default_timeout(30_000)
    bare.goto(f"{server.url}/sandbox")
    press(bare)


def test_a_narrow_window_has_no_second_scroll_bar(server: RunningServer, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{server.url}/sandbox")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_label_is_put_on_without_scripts(page: Page) -> None:
    browser = page.context.browser
    assert isinstance(browser, Browser)
    with set_up(port=0) as show:
        bare = browser.new_context(java_script_enabled=False).new_page()
        bare.goto(f"{show.url}/mail")
        bare.get_by_role("button", name="Label Confluence/ENG").first.click()
        expect(bare.get_by_text("Labelled; the bridge has not published it yet.")).to_be_visible()
        bare.get_by_role("link", name="Let something go wrong").click()
        expect(bare.get_by_role("heading", name="Let something go wrong")).to_be_visible()
