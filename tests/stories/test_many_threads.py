"""Many at once: two hundred labels in a second, three people side by side, a filter, fifty idle mailboxes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httplib2
import pytest
import requests
from sqlalchemy import func
from sqlmodel import SQLModel, select

from bridge.sandbox.inprocess import WsgiAdapter, WsgiHttp
from bridge.store.mailboxes import Settled
from bridge.store.tables import Mailbox
from bridge.sync.mailbox import sync_mailbox

from support.stories import ADA, BEN, CY, Story, story

T = TypeVar("T")


@pytest.mark.scenario("P1")
@pytest.mark.scenario("A5")
def test_three_people_who_label_a_hundred_threads_each_in_a_second_get_their_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flights = _Flights(monkeypatch)
    with story(tmp_path) as company:
        threads = {person: _threads(company, person, 100) for person in (ADA, BEN, CY)}
        company.connect(ADA, BEN, CY)
        mark = company.mark()
        for person, listed in threads.items():
            for thread in listed:
                company.label(person, thread)
        with ThreadPoolExecutor(8) as pool:
            _passes(company, pool, 2)
        wiki = company.wiki
        assert {page.title for page in wiki.pages} == {
            f"{name} {n}" for name in ("ada", "ben", "cy") for n in range(100)
        }
        assert Counter(page.author for page in wiki.pages) == {
            wiki.person(person).account_id: 100 for person in (ADA, BEN, CY)
        }
        assert company.calls(mark)["gmail.users.threads.get"] == 300, "nothing is fetched twice"
        assert max(flights.gmail.values()) == 1, "one request at a time in a mailbox"
        assert 1 <= flights.most_confluence <= 5
        assert company.again_from_scratch() == []


def test_a_mailbox_stays_under_its_quota_and_the_others_go_on(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.change(google=replace(company.settings.google, units_per_minute=200))
        company.world.google.api.quota.limit = 200
        threads = _threads(company, ADA, 10)
        company.connect(ADA, BEN)
        company.passes()
        mark = company.mark()
        for thread in threads:
            company.label(ADA, thread)
        company.passes(1)
        assert 1 < len(company.wiki.pages) < 10
        company.label(BEN, company.send(CY, BEN, "Ben's own")[BEN][1])
        company.passes(1)
        assert "Ben's own" in {page.title for page in company.wiki.pages}
        company.passes(4)
        assert len(company.wiki.pages) == 11
        assert company.calls(mark)["gmail.users.threads.get"] == 11
        assert 429 not in {seen.status for seen in company.world.core.journal.since(mark)}
        company.passes(2)
        assert [seen for seen in company.again_from_scratch() if seen.write] == []


@pytest.mark.scenario("A5")
def test_ten_mailboxes_at_work_never_have_more_than_five_requests_at_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flights = _Flights(monkeypatch)
    people = [f"person{number}@example.com" for number in range(10)]
    with story(tmp_path) as company:
        for person in people:
            company.world.hire(person, person.partition("@")[0].title())
        company.connect(*people)
        for person in people:
            for thread in _threads(company, person, 4):
                company.label(person, thread)
        with ThreadPoolExecutor(10) as pool:
            _passes(company, pool, 3)
        assert len(company.wiki.pages) == 40
        assert flights.most_confluence <= 5
        assert max(flights.gmail.values()) == 1
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A19")
def test_mail_that_a_filter_labels_on_arrival_is_published(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.gmail.create_label(ADA, "Confluence/ENG")
        company.gmail.add_filter(ADA, "[weekly]", "Confluence/ENG")
        company.connect(ADA)
        for number in range(20):
            company.send(CY, ADA, f"[weekly] Report {number}", f"Report number {number}.\n")
        company.send(CY, ADA, "Something else")
        company.passes()
        assert sorted(page.title for page in company.wiki.pages) == sorted(f"[weekly] Report {n}" for n in range(20))
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A7")
def test_fifty_idle_mailboxes_cost_one_history_call_a_minute_each_and_nothing_else(tmp_path: Path) -> None:
    people = [f"person{number}@example.com" for number in range(50)]
    with story(tmp_path) as company:
        for person in people:
            company.world.hire(person, person.partition("@")[0].title())
        company.connect(*people)
        rows, mark = _rows(company), company.mark()
        company.passes(60)
        seen = [one for one in company.world.core.journal.since(mark) if one.operation != "google.oauth.token"]
        assert {one.operation for one in seen} == {"gmail.users.history.list"}
        assert Counter(one.person for one in seen) == dict.fromkeys(people, 60)
        assert _rows(company) == rows
        company.wait(5 * 3600)
        mark = company.mark()
        company.passes(1)
        full = company.calls(mark, service="google", person=people[0])
        assert full["gmail.users.getProfile"] == full["gmail.users.labels.list"] == 1
        assert company.calls(mark, service="atlassian") == {}


def _threads(company: Story, person: str, count: int) -> list[str]:
    """Let so many mails arrive in one mailbox; return their threads."""
    name = person.partition("@")[0]
    return [company.send("petra@acme.example", person, f"{name} {n}", f"Mail {n}.\n")[person][1] for n in range(count)]


def _rows(company: Story) -> dict[str, int]:
    with company.company.oauth.store.read() as session:
        tables = SQLModel.metadata.sorted_tables
        return {table.name: session.exec(select(func.count()).select_from(table)).one() for table in tables}


def _passes(company: Story, pool: ThreadPoolExecutor, count: int) -> None:
    """Let the product work as its embedded engine does: each mailbox in a thread of a pool."""

    def work(box: Mailbox) -> Settled:
        return sync_mailbox(company.bridge, box)

    for _ in range(count):
        company.clock.advance(60)
        for settled in pool.map(work, company.dispatch.tick()):
            company.dispatch.done(settled)
    company.dispatch.flush()


class _Flights:
    """Counts how many requests are under way: at the site in all, and by person at Gmail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most_confluence = 0
        self.gmail: dict[str, int] = {}
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()
        flights = self

        class Adapter(WsgiAdapter):
            def send(self, request: requests.PreparedRequest, *args: object, **more: object) -> requests.Response:
                if "/ex/confluence/" not in (request.url or ""):
                    return super().send(request, *args, **more)  # type: ignore[arg-type]
                return flights.under_way("site", lambda: super(Adapter, self).send(request, *args, **more))  # type: ignore[arg-type]

        class Http(WsgiHttp):
            def request(
                self,
                uri: str,
                method: str = "GET",
                body: object = None,
                headers: Mapping[str, str] | None = None,
                *args: object,
                **more: object,
            ) -> tuple[httplib2.Response, bytes]:
                token = str((headers or {}).get("authorization", ""))
                call = super().request
                return flights.under_way(token, lambda: call(uri, method, body, headers, *args, **more))  # type: ignore[arg-type]

        monkeypatch.setattr("support.stories.WsgiAdapter", Adapter)
        monkeypatch.setattr("support.stories.WsgiHttp", Http)

    def under_way(self, who: str, call: Callable[[], T]) -> T:
        """Count a call from its beginning to its end."""
        with self._lock:
            self._now[who] += 1
            if who == "site":
                self.most_confluence = max(self.most_confluence, self._now[who])
            else:
                self.gmail[who] = max(self.gmail.get(who, 0), self._now[who])
        try:
            return call()
        finally:
            with self._lock:
                self._now[who] -= 1
