from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.daemon.wiring import Clients, make_bridge
from bridge.errors import NotFound, RateLimited
from bridge.http import HttpLike, Transports

from support.consents import ADA, BEN, Office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path)
    made.connect(ADA)
    made.connect(BEN)
    return made


class Counted:
    """Passes every Http on and remembers it."""

    def __init__(self, office: Office) -> None:
        self.made: list[HttpLike] = []
        self.closed: list[HttpLike] = []
        self._make = office.opened.transports.http
        self.transports = Transports(session=office.session, http=self)

    def __call__(self) -> HttpLike:
        http = self._make()
        close = http.close

        def noted() -> None:
            self.closed.append(http)
            close()

        http.close = noted  # type: ignore[method-assign]
        self.made.append(http)
        return http


def test_both_clients_speak_for_their_person(office: Office, tmp_path: Path) -> None:
    with make_bridge(office.opened.oauth, office.opened.tokens, tmp_path / "spool") as bridge:
        for person in (ADA, BEN):
            gmail = bridge.gmail(office.box(person), office.grant("google", person))
            assert gmail.profile().address == person
            client = bridge.confluence(office.grant("atlassian", person))
            assert client.space("ENG").key == "ENG"
        assert (bridge.settings(), bridge.spool) == (office.chosen, tmp_path / "spool")
        assert bridge.ending() is False
    seen = office.world.core.journal.seen
    assert [one.person for one in seen if one.operation == "gmail.users.getProfile"][-2:] == [ADA, BEN]


def test_the_installation_keeps_its_id(office: Office, tmp_path: Path) -> None:
    with make_bridge(office.opened.oauth, office.opened.tokens, tmp_path) as first:
        pass
    again = office.install(seed=2)
    with make_bridge(again.oauth, again.tokens, tmp_path, ending=lambda: True) as second:
        assert second.ending() is True
    assert first.installation == second.installation != ""


def test_one_http_a_thread_all_closed_at_the_end(office: Office) -> None:
    counted = Counted(office)
    clients = Clients(replace(office.opened.oauth, transports=counted.transports), office.opened.tokens)
    before = len(counted.made)

    def look() -> None:
        for person in (ADA, BEN, ADA):
            clients.gmail(office.box(person), office.grant("google", person)).profile()

    for _ in range(2):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert len(counted.made) - before == 2
    clients.close()
    assert counted.closed == counted.made[before:]


def test_a_pause_of_a_site_holds_for_all_of_its_people(office: Office) -> None:
    clients = Clients(office.opened.oauth, office.opened.tokens)
    clients._budgets.of(office.grant("atlassian", ADA).cloud_id).paused(30.0, "site")
    for person in (ADA, BEN):
        with pytest.raises(RateLimited) as limited:
            clients.confluence(office.grant("atlassian", person)).space("ENG")
        assert limited.value.retry_after == 30.0
    office.clock.advance(30)
    assert clients.confluence(office.grant("atlassian", BEN)).space("ENG").key == "ENG"


def test_the_quota_is_counted_by_mailbox(office: Office) -> None:
    office.chosen = replace(office.chosen, google=replace(office.chosen.google, units_per_minute=20))
    clients = Clients(office.opened.oauth, office.opened.tokens)
    ada = clients.gmail(office.box(ADA), office.grant("google", ADA))
    ben = clients.gmail(office.box(BEN), office.grant("google", BEN))
    for _ in range(20):
        ada.profile()
    with pytest.raises(RateLimited):
        ada.profile()
    with pytest.raises(RateLimited):
        clients.gmail(office.box(ADA), office.grant("google", ADA)).profile()  # a new client, the same mailbox
    assert ben.profile().address == BEN


def test_what_is_missing_is_named(office: Office) -> None:
    clients = Clients(office.opened.oauth, office.opened.tokens)
    with pytest.raises(NotFound):
        clients.gmail(office.box(ADA), office.grant("google", ADA)).thread("1234")
