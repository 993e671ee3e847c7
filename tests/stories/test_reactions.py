"""What an answer means: each row of the table of reactions, as its person or the operator sees it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import select

from bridge.daemon.report import Report, report
from bridge.sandbox.faults import parse
from bridge.store import accounts, grants, kept
from bridge.store.tables import Entry, Grant, GrantState, KeptInput, Pause
from bridge.sync.fallback import opened
from bridge.sync.outages import BEGAN, ENDED

from faults.matrix_scenes import Edited, Unlabelled
from support.stories import ADA, BEN, CY, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

HOUR = 3600.0


def _t3(company: Story) -> None:
    company.label(ADA, send_t3(company)[0][ADA][1])


def _status(company: Story) -> Report:
    with company.company.oauth.store.read() as session:
        return report(session, company.clock.now(), subjects=False)


def _whose(company: Story) -> set[str]:
    return {row.whose for row in _status(company).waits}


def _lasts(company: Story, *rules: str) -> None:
    company.world.core.faults += [parse(f"{rule} times=always") for rule in rules]


def _mend(company: Story) -> None:
    company.world.core.faults.clear()


def _grant(company: Story, person: str, provider: str) -> Grant:
    with company.company.oauth.store.read() as session:
        account = accounts.by_address(session, person)
        assert account is not None
        return grants.of_account(session, account.id or 0)[provider]


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
        _t3(company)
        for number in range(3):
            other = company.send(BEN, ADA, f"Thread {number}")
            company.label(BEN, other[BEN][1])
        _lasts(company, rule)
        company.passes(30)
        mark = company.mark()
        company.passes(int(hours * 60 - 30))
        asked = sorted({seen.at for seen in company.world.core.journal.since(mark) if seen.service == service})
        assert _shortest_gap(asked) >= timedelta(minutes=4), "one probe at a time"
        assert len(asked) <= (hours * 60 - 30) // 5 + 3
        assert len(company.events(BEGAN)) == 1
        waits = _status(company).waits
        assert any(row.reason == "service paused" and "does not answer" in row.what for row in waits)
        _mend(company)
        company.passes(12)
        assert len(company.events(ENDED)) == 1
        assert len(company.wiki.pages) == 4
        assert all(row.reason != "service paused" for row in _status(company).waits)
        assert company.again_from_scratch() == []


def _shortest_gap(asked: list[datetime]) -> timedelta:
    return min((later - earlier for earlier, later in pairwise(asked)), default=timedelta.max)


def test_a_thread_that_fails_alone_stops_nobody_and_waits_an_hour_at_most(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _t3(company)
        _lasts(company, f"500 updatePage person={ADA}")
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
        assert _whose(company) == {"time"}
        _mend(company)
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
        _t3(company)
        company.passes(1)
        other = company.send(BEN, CY, "Ben's own")
        company.label(BEN, other[BEN][1])
        company.passes(3)
        assert [page.title for page in company.wiki.pages] == (["Ben's own"] if others else [])
        assert _whose(company) == {"time"}
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
        _t3(company)
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


@pytest.mark.scenario("A41")
@pytest.mark.parametrize(("provider", "rule"), GRANTS)
def test_a_connection_that_ended_is_said_once_asked_for_never_and_goes_on_with_a_new_one(
    tmp_path: Path, provider: str, rule: str
) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.wait(5 * 24 * HOUR)
        _lasts(company, f"{rule} person={ADA}")
        _t3(company)
        company.passes(4)
        mark = company.mark()
        company.passes(10)
        assert company.calls(mark, service=provider, person=ADA) == {}, "a lost grant is not tried again"
        assert _grant(company, ADA, provider).state is GrantState.NEEDS_CONSENT
        assert len(company.events("connection ended")) == 1
        (row,) = [one for one in _status(company).waits if one.address == ADA]
        assert (row.whose, row.reason) == ("person", "needs consent")
        assert f"mailbridge connect {ADA}" in row.what
        _mend(company)
        company.connect(ADA)
        company.passes(6)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_missing_scope_is_never_answered_by_a_refresh(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _lasts(company, "401-scope createPage")
        _t3(company)
        mark = company.mark()
        company.passes(6)
        assert company.calls(mark)["atlassian.oauth.token"] == 0
        assert "write:page:confluence" in _grant(company, ADA, "atlassian").reason


@pytest.mark.parametrize(
    ("rule", "provider"),
    [("invalid_client google.oauth.token", "google"), ("access_denied atlassian.oauth.token", "atlassian")],
)
def test_a_wrong_secret_is_the_operators_and_every_grant_is_kept(tmp_path: Path, rule: str, provider: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.wait(5 * 24 * HOUR)
        _lasts(company, rule)
        _t3(company)
        company.passes(12)
        assert {_grant(company, person, provider).state for person in (ADA, BEN)} == {GrantState.LIVE}
        assert company.wiki.pages == []
        assert any("secret" in row.what for row in _status(company).waits)
        _mend(company)
        company.passes(12)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_bare_404_is_probed_and_keeps_everything(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _t3(company)
        _lasts(company, "404-bare createFooterComment")
        mark = company.mark()
        company.passes(4)
        assert company.calls(mark)["getCurrentUser"] >= 1
        assert _grant(company, ADA, "atlassian").state is GrantState.LIVE
        assert len(company.wiki.pages) == 1
        _mend(company)
        company.passes(3, 3 * HOUR)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("rule", ["403-permission createPage", "404-object createPage"])
def test_a_missing_permission_is_the_persons_and_looked_at_every_six_hours(tmp_path: Path, rule: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _t3(company)
        _lasts(company, rule)
        company.passes(3)
        mark = company.mark()
        company.passes(24, HOUR)
        assert 3 <= company.calls(mark)["createPage"] <= 4
        (row,) = [one for one in _status(company).waits if one.address == ADA]
        assert row.whose == "person"
        assert "ENG" in row.what
        _mend(company)
        company.passes(8, HOUR)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_refused_body_is_kept_sealed_for_fourteen_days(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        company.world.core.faults.append(parse("400 updatePage"))
        sent = company.send(CY, ADA, "Odd", "The words.\n", html="<p>The <b>words</b>.</p>")
        company.label(ADA, sent[ADA][1])
        company.passes()
        (page,) = company.wiki.pages
        assert "The words." in page.body
        with company.company.oauth.store.read() as session:
            (entry,) = session.exec(select(Entry)).all()
            row = kept.of_entry(session, entry.id or 0, company.clock.now())
        assert row is not None
        assert "words" not in row.sealed, "it is sealed"
        found = opened(company.company.oauth.seal, row, ADA)
        assert {"kind": "html", "text": "<p>The <b>words</b>.</p>\n"} in found["parts"]
        assert "<strong>words</strong>" in found["sent"]
        assert "Error parsing xhtml" in found["answer"]
        company.wait(14 * 24 * HOUR)
        with company.company.oauth.store.write() as session:
            assert kept.purge(session, company.clock.now()) == 1
            assert session.exec(select(KeptInput)).all() == []
        assert company.again_from_scratch() == []


def test_a_file_that_the_site_does_not_take_is_named_on_the_page(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _lasts(company, "413 createAttachment")
        _t3(company)
        company.passes(3)
        (page,) = company.wiki.pages
        assert "larger than this site allows" in page.body
        assert "plan.pdf" in page.body
        assert len(company.wiki.comments) == 2
        assert company.again_from_scratch() == []


def test_labels_that_confluence_took_and_did_not_put_on_are_put_on_again(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(parse("no-effect-200 addLabelsToContent"))
        _t3(company)
        company.passes(4)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_label_that_somebody_takes_off_stays_off(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _t3(company)
        company.passes()
        company.wiki.pages[0].labels.clear()
        company.reply(BEN, ADA, {BEN: _newest(company)}, "More.\n")
        company.passes(3)
        assert len(company.wiki.comments) == 3
        assert company.wiki.pages[0].labels == {}
        assert company.again_from_scratch() == []


def _newest(company: Story) -> tuple[str, str]:
    box = company.gmail.mailbox(BEN).messages
    last = max(box.values(), key=lambda message: (message.internal_date, message.id))
    return last.id, last.thread_id


@pytest.mark.parametrize("operation", ["createPage", "updatePage", "createAttachment", "createFooterComment"])
def test_a_conflict_that_does_not_end_is_not_asked_every_second(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        _lasts(company, f"409 {operation}")
        _t3(company)
        mark = company.mark()
        company.passes(120)
        assert company.calls(mark)[operation] <= 24
        assert _whose(company) == {"time"}
        _mend(company)
        company.passes(4, HOUR)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_label_that_history_did_not_name_and_nobody_knew_is_seen_all_the_same(tmp_path: Path) -> None:
    """An unsure thread's label may be as new as the thread: the list of labels is asked before it is passed over."""
    with story(tmp_path) as company:
        company.connect(ADA)
        company.gmail.create_label(ADA, "Confluence/ENG")
        company.gmail.add_filter(ADA, "minutes", "Confluence/ENG")
        company.world.core.faults.append(Unlabelled())
        company.send(BEN, ADA, "The minutes")
        company.passes(2)
        assert [page.title for page in company.wiki.pages] == ["The minutes"]
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("rule", ["stale getPageById", "404-object getPageById", "json-fields getPageVersions"])
def test_a_page_that_a_look_did_not_show_is_recognised_when_it_is_sent_again(tmp_path: Path, rule: str) -> None:
    """Found by the matrix: the second request was a conflict for ever, since the first one had taken effect."""
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        edited = Edited(company, "updatePage")
        company.world.core.faults += [parse(rule), edited if "Versions" in rule else parse("reset-after updatePage")]
        _t3(company)
        company.passes(12)
        assert company.events("connection ended") == []
        (page,) = company.wiki.pages
        assert page.version.number == (2 if "Versions" in rule else 1)
        assert len(company.wiki.comments) == 2
        assert _status(company).waits == ()
        assert company.again_from_scratch() == []


def test_the_bytes_of_a_half_file_are_sent_once_even_where_they_come_late(tmp_path: Path) -> None:
    """Found by the matrix: each request makes a version, and the late one was not waited for."""
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults += [parse("503-half createAttachment"), parse("late=60 updateAttachmentData")]
        _t3(company)
        company.passes(12)
        assert len(company.wiki.comments) == 2
        (half,) = [file for file in company.wiki.attachments if len(file.versions) > 1]
        assert (len(half.versions), half.half) == (2, False)
        assert company.again_from_scratch() == []
