"""What an answer means, first half: outages, limits, connections that end; as the person and the operator see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import select

from bridge.sandbox.faults import parse
from bridge.store.tables import GrantState, Pause
from bridge.sync.outages import BEGAN, ENDED

from support.reactions import grant_of, lasts, mend, status_of, t3_labelled, whose_moves
from support.stories import ADA, BEN, CY, story
from support.thread_t3 import assert_expected_t3

HOUR = 3600.0


@pytest.mark.scenario("A43b", "A43c", "A43d")
@pytest.mark.parametrize(
    ("rule", "hours", "service"),
    [("503 atlassian", 6, "atlassian"), ("500 google", 6, "google"), ("refuse", 1, "google")],
)
def test_an_outage_is_probed_every_five_minutes_at_most_and_told_once(
    tmp_path: Path, rule: str, hours: int, service: str
) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        t3_labelled(company)
        for number in range(3):
            other = company.send(BEN, ADA, f"Thread {number}")
            company.label(BEN, other[BEN][1])
        lasts(company, rule)
        company.passes(30)
        mark = company.mark()
        company.passes(int(hours * 60 - 30))
        asked = sorted({seen.at for seen in company.world.core.journal.since(mark) if seen.service == service})
        assert _shortest_gap(asked) >= timedelta(minutes=4), "one probe at a time"
        assert len(asked) <= (hours * 60 - 30) // 5 + 3
        assert len(company.events(BEGAN)) == 1
        waits = status_of(company).waits
        assert any(row.reason == "service paused" and "does not answer" in row.what for row in waits)
        mend(company)
        company.passes(12)
        assert len(company.events(ENDED)) == 1
        assert len(company.wiki.pages) == 4
        assert all(row.reason != "service paused" for row in status_of(company).waits)
        assert company.again_from_scratch() == []


def _shortest_gap(asked: list[datetime]) -> timedelta:
    return min((later - earlier for earlier, later in pairwise(asked)), default=timedelta.max)


def test_a_thread_that_fails_alone_stops_nobody_and_waits_an_hour_at_most(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        t3_labelled(company)
        lasts(company, f"500 updatePage person={ADA}")
        company.passes(60)
        other = company.send(BEN, ADA, "Another")
        company.label(BEN, other[BEN][1])
        company.passes(3)
        assert [page.title for page in company.wiki.pages] == ["Another"]
        assert company.events(BEGAN) == []
        mark = company.mark()
        company.passes(12, HOUR / 2)
        tried = [seen.at for seen in company.world.core.journal.since(mark) if seen.operation == "updatePage"]
        assert len(tried) >= 3, "it is never silent, and never later than an hour"
        assert whose_moves(company) == {"time"}
        mend(company)
        company.passes(4, HOUR / 2)
        assert len(company.wiki.pages) == 2
        assert company.again_from_scratch() == []


@pytest.mark.parametrize(
    ("rule", "others"),
    [("429-burst=600 createPage", True), ("429-tenant=600 createPage", False), ("429-app=600 createPage", False)],
)
def test_a_limit_at_confluence_rests_exactly_whom_it_names(tmp_path: Path, rule: str, others: bool) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(parse(f"{rule} person={ADA}"))
        t3_labelled(company)
        company.passes(1)
        other = company.send(BEN, CY, "Ben's own")
        company.label(BEN, other[BEN][1])
        company.passes(3)
        assert [page.title for page in company.wiki.pages] == (["Ben's own"] if others else [])
        assert whose_moves(company) == {"time"}
        company.passes(12)
        assert len(company.wiki.pages) == 2
        assert company.again_from_scratch() == []


@pytest.mark.parametrize(("rule", "others"), [("403-user-rate", True), ("429-exhausted", True), ("403-daily", False)])
def test_a_limit_at_gmail_rests_exactly_whom_it_names(tmp_path: Path, rule: str, others: bool) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(parse(f"{rule} gmail.users.history.list person={ADA}"))
        company.passes(1)
        mark = company.mark()
        company.passes(2)
        polled = {seen.person for seen in company.world.core.journal.since(mark) if seen.service == "google"}
        assert (BEN in polled) is others
        if not others:
            with company.company.oauth.store.read() as session:
                assert [row.scope for row in session.exec(select(Pause))] == ["app:google"]
        t3_labelled(company)
        company.passes(70)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


@pytest.mark.scenario("P19")
def test_a_limit_without_a_length_rests_only_that_mailbox(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(parse(f"429=none gmail.users.history.list person={ADA}"))
        company.passes(1)
        mark = company.mark()
        other = company.send(BEN, CY, "Ben's own")
        company.label(BEN, other[BEN][1])
        company.passes(2)
        assert [page.title for page in company.wiki.pages] == ["Ben's own"]
        assert company.calls(mark, person=BEN)["gmail.users.history.list"] >= 1
        assert company.again_from_scratch() == []


GRANTS = [
    ("google", "401-revoked gmail.users.history.list"),
    ("google", "401-scope gmail.users.history.list"),
    ("google", "invalid_grant google.oauth.token"),
    ("atlassian", "401-revoked createPage"),
    ("atlassian", "401-scope createPage"),
    ("atlassian", "invalid_grant atlassian.oauth.token"),
    ("atlassian", "unauthorized_client atlassian.oauth.token"),
]


@pytest.mark.parametrize(("provider", "rule"), GRANTS)
def test_a_connection_that_ended_is_said_once_asked_for_never_and_goes_on_with_a_new_one(
    tmp_path: Path, provider: str, rule: str
) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.wait(5 * 24 * HOUR)
        lasts(company, f"{rule} person={ADA}")
        t3_labelled(company)
        company.passes(4)
        mark = company.mark()
        company.passes(10)
        assert company.calls(mark, service=provider, person=ADA) == {}, "a lost grant is not tried again"
        assert grant_of(company, ADA, provider).state is GrantState.NEEDS_CONSENT
        assert len(company.events("connection ended")) == 1
        (row,) = [one for one in status_of(company).waits if one.address == ADA]
        assert (row.whose, row.reason) == ("person", "needs consent")
        assert f"mailbridge connect {ADA}" in row.what
        mend(company)
        company.connect(ADA)
        company.passes(6)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_missing_scope_is_never_answered_by_a_refresh(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        lasts(company, "401-scope createPage")
        t3_labelled(company)
        mark = company.mark()
        company.passes(6)
        assert company.calls(mark)["atlassian.oauth.token"] == 0
        assert "write:page:confluence" in grant_of(company, ADA, "atlassian").reason


@pytest.mark.parametrize(
    ("rule", "provider"),
    [("invalid_client google.oauth.token", "google"), ("access_denied atlassian.oauth.token", "atlassian")],
)
def test_a_wrong_secret_is_the_operators_and_every_grant_is_kept(tmp_path: Path, rule: str, provider: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.wait(5 * 24 * HOUR)
        lasts(company, rule)
        t3_labelled(company)
        company.passes(12)
        assert {grant_of(company, person, provider).state for person in (ADA, BEN)} == {GrantState.LIVE}
        assert company.wiki.pages == []
        assert any("secret" in row.what for row in status_of(company).waits)
        mend(company)
        company.passes(12)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_bare_404_is_probed_and_keeps_everything(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        t3_labelled(company)
        lasts(company, "404-bare createFooterComment")
        mark = company.mark()
        company.passes(4)
        assert company.calls(mark)["getCurrentUser"] >= 1
        assert grant_of(company, ADA, "atlassian").state is GrantState.LIVE
        assert len(company.wiki.pages) == 1
        mend(company)
        company.passes(3, 3 * HOUR)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("rule", ["403-permission createPage", "404-object createPage"])
def test_a_missing_permission_is_the_persons_and_looked_at_every_six_hours(tmp_path: Path, rule: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        t3_labelled(company)
        lasts(company, rule)
        company.passes(3)
        mark = company.mark()
        company.passes(24, HOUR)
        assert 3 <= company.calls(mark)["createPage"] <= 4
        (row,) = [one for one in status_of(company).waits if one.address == ADA]
        assert row.whose == "person"
        assert "ENG" in row.what
        mend(company)
        company.passes(8, HOUR)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


LOSSES = {
    "may not add pages": ("403-permission createPage", "person", "may not add pages in space ENG"),
    "Gmail taken away": ("401-revoked gmail.users.history.list", "person", "reconnect Gmail"),
    "Confluence taken away": ("401-revoked createPage", "person", "reconnect Confluence"),
    "90 days idle": ("unauthorized_client atlassian.oauth.token", "person", "reconnect Confluence"),
    "blocked by an administrator": ("403-admin-block gmail.users.history.list", "person", "administrators of this"),
    "the seven days of a test are over": ("invalid_grant google.oauth.token", "person", "reconnect Gmail"),
}


@pytest.mark.scenario("A41")
@pytest.mark.parametrize("loss", LOSSES)
def test_whatever_is_lost_with_twenty_threads_on_their_way_is_said_and_all_are_finished_once(
    tmp_path: Path, loss: str
) -> None:
    rule, whose, sentence = LOSSES[loss]
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        for number in range(20):
            sent = company.send(ADA, BEN, f"Thread {number}")
            company.label(ADA, sent[ADA][1])
        if "token" in rule:
            company.wait(2 * HOUR)
        lasts(company, f"{rule} person={ADA}")
        operation = rule.split()[1]
        company.passes(2)
        mark = company.mark()
        company.passes(10)
        assert company.calls(mark, person=ADA)[operation] == 0, "it is not tried again until somebody acts"
        rows = [row for row in status_of(company).waits if row.address == ADA]
        assert {row.whose for row in rows} == {whose}
        assert all(sentence in row.what for row in rows)
        assert company.wiki.pages == []
        mend(company)
        if "reconnect" in sentence:
            company.connect(ADA)
        company.passes(8, HOUR)
        assert sorted(page.title for page in company.wiki.pages) == sorted(f"Thread {n}" for n in range(20))
        assert status_of(company).waits == ()
        assert company.again_from_scratch() == []
