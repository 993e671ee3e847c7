from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from bridge.errors import StoreError
from bridge.store import accounts
from bridge.store.tables import Publication, PublicationState
from bridge.web.app import Web, make_app

from support.consents import ADA, BASE, BEN, START, Office, query


@pytest.fixture
def browser(office: Office) -> Iterator[TestClient]:
    web = Web(office.opened.consents, office.store, lambda: office.chosen)
    with TestClient(make_app(web), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def begun(office: Office, provider: Any, address: str = ADA, person: str = "") -> tuple[str, dict[str, str]]:
    """Begin a consent and press Allow; return the state and what the redirect brings."""
    link = office.opened.consents.begin(provider, address)
    return link.state, office.approve(provider, link, person or address)


def text(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def test_both_redirects_connect(office: Office, browser: TestClient) -> None:
    _, answer = begun(office, "google")
    page = browser.get("/oauth/google", params=answer)
    assert page.status_code == 200
    assert "Gmail of ada@example.com is connected." in text(page.text)
    _, answer = begun(office, "atlassian")
    page = browser.get("/oauth/atlassian", params=answer)
    assert "Connected as Ada Lovelace on 127.0.0.1:1. Now label a thread &#34;Confluence/ENG&#34; in Gmail." in text(
        page.text
    )
    assert office.has_grant("google")
    assert office.has_grant("atlassian")


def test_the_wrong_account_is_told_and_not_kept(office: Office, browser: TestClient) -> None:
    _, answer = begun(office, "google", BEN, person=ADA)
    page = browser.get("/oauth/google", params=answer)
    assert page.status_code == 400
    assert "You signed in as ada@example.com, not as ben@example.com. Nothing was kept." in text(page.text)


def test_cancel(office: Office, browser: TestClient) -> None:
    link = office.opened.consents.begin("google", ADA)
    page = browser.get("/oauth/google", params=query(office.world.google.oauth.deny(link.url)))
    assert page.status_code == 400
    assert "Gmail is not connected: it was not allowed at Google. Nothing was kept." in text(page.text)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "nothing begins here"),
        ({"code": "x"}, "nothing begins here"),
        ({"state": "unknown", "code": "x"}, "This link was not made here, or too long ago."),
    ],
)
def test_a_redirect_that_nobody_waits_for(browser: TestClient, params: dict[str, str], said: str) -> None:
    page = browser.get("/oauth/google", params=params)
    assert page.status_code == 400
    assert said in text(page.text)


def test_a_redirect_counts_once(office: Office, browser: TestClient) -> None:
    _, answer = begun(office, "google")
    browser.get("/oauth/google", params=answer)
    page = browser.get("/oauth/google", params=answer)
    assert page.status_code == 400
    assert "answered already" in text(page.text)
    assert office.grant("google").generation == 1


def test_of_several_sites_one_is_chosen_by_a_form(office: Office, browser: TestClient) -> None:
    second = office.world.atlassian.add_site("<b>second</b>", url="https://second.atlassian.net")
    office.world.atlassian.person(ADA).sites.append(second.cloud_id)
    office.sites(BASE, second.url)
    state, answer = begun(office, "atlassian")
    page = browser.get("/oauth/atlassian", params=answer)
    assert page.status_code == 200
    assert "&lt;b&gt;second&lt;/b&gt;" in page.text
    assert f'name="state" value="{state}"' in page.text
    assert not office.has_grant("atlassian")
    forged = browser.post("/oauth/site", data={"state": "other", "site": second.cloud_id})
    assert forged.status_code == 400
    assert not office.has_grant("atlassian")
    done = browser.post("/oauth/site", data={"state": state, "site": second.cloud_id})
    assert done.status_code == 200
    assert "Connected as Ada Lovelace on second.atlassian.net." in text(done.text)
    assert office.grant("atlassian").cloud_id == second.cloud_id


def test_a_form_that_is_none(browser: TestClient) -> None:
    assert browser.post("/oauth/site").status_code == 400
    assert browser.post("/oauth/site", content=b"x" * 10_000).status_code == 413
    assert browser.get("/oauth/site").status_code == 405


def publish(office: Office, **more: Any) -> None:
    with office.store.write() as session:
        account = accounts.ensure(session, ADA, START, "Ada <Lovelace>")
        values: dict[str, Any] = {
            "uid": "7k2qabcdef",
            "destination": "cloud/1/page/-",
            "state": PublicationState.PUBLISHED,
            "account_id": account.id,
            "cloud_id": "cloud",
            "kind": "page",
            "space_id": "1",
            "content_id": "1001",
            "url": "https://example.atlassian.net/wiki/spaces/ENG/pages/1001?a=1&b=2",
            "title": "Secret budget",
            "created_at": START,
        }
        session.add(Publication(**{**values, **more}))


def test_what_a_published_page_is(office: Office, browser: TestClient) -> None:
    publish(office)
    page = browser.get("/p/7k2qabcdef")
    assert page.status_code == 200
    assert "This page was published from mail by Ada &lt;Lovelace&gt; with mailbridge" in text(page.text)
    assert 'href="https://example.atlassian.net/wiki/spaces/ENG/pages/1001?a=1&amp;b=2"' in page.text
    assert "budget" not in page.text
    assert ADA not in page.text


@pytest.mark.parametrize(
    ("more", "said", "link"),
    [
        ({"kind": "blogpost"}, "This blog post was published", True),
        ({"kind": "comment"}, "This comment was published", True),
        ({"state": PublicationState.REMOVED}, "It has been removed from Confluence.", False),
        ({"url": "javascript:alert(1)"}, "This page was published", False),
        ({"url": ""}, "This page was published", False),
    ],
)
def test_other_things_that_were_published(
    office: Office, browser: TestClient, more: dict[str, Any], said: str, link: bool
) -> None:
    publish(office, **more)
    page = browser.get("/p/7k2qabcdef")
    assert said in text(page.text)
    assert ("href=" in page.text) is link


def test_a_page_that_is_not_known_or_not_there_yet(office: Office, browser: TestClient) -> None:
    publish(office, content_id="")
    for uid in ("7k2qabcdef", "nothing", "%00", "..%2f..%2fetc"):
        page = browser.get(f"/p/{uid}")
        assert page.status_code == 404
        assert "text/html" in page.headers["content-type"]


def test_the_first_page_says_what_this_is(browser: TestClient) -> None:
    assert "publishes labelled Gmail threads to Confluence" in text(browser.get("/").text)


def test_health(browser: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.get("/healthz").json() == {"status": "ok"}

    def broken(*_: object) -> None:
        raise StoreError("The database cannot be used: disk full.")

    monkeypatch.setattr(office.store, "read", broken)
    page = browser.get("/healthz")
    assert page.status_code == 503
    assert "disk full" not in page.text


@pytest.mark.parametrize("path", ["/", "/p/unknown", "/nothing", "/oauth/google", "/docs", "/openapi.json"])
def test_every_page_is_closed_to_scripts_frames_and_caches(browser: TestClient, path: str) -> None:
    page = browser.get(path)
    policy = page.headers["content-security-policy"]
    [css] = re.findall(r"<style>(.*?)</style>", page.text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text


def test_a_link_that_is_too_old(office: Office, browser: TestClient) -> None:
    _, answer = begun(office, "google")
    office.clock.advance(timedelta(minutes=10).total_seconds())
    assert "older than ten minutes" in text(browser.get("/oauth/google", params=answer).text)
