"""Outages and endings: servers that fail, pauses, lost cursors, stale answers, tokens that end in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from bridge.config.settings import Pages
from bridge.sandbox.faults import Rule, parse
from bridge.store import accounts, grants
from bridge.store.tables import GrantState

from support.stories import ADA, BEN, ENG, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

READS = ("gmail.users.threads.get", "gmail.users.history.list", "gmail.users.messages.attachments.get", "getSpaces")
WRITES = ("createPage", "updatePage", "createFooterComment", "createAttachment", "addLabelsToContent")


@pytest.mark.parametrize("operation", [*READS, *WRITES])
def test_a_server_that_fails_for_a_while_delays_and_loses_nothing(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        rule = Rule(
            operation, "answer", times=3, make=lambda: Response("<h1>Bad gateway</h1>", 502, mimetype="text/html")
        )
        company.world.core.faults.append(rule)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(16)
        assert rule.struck == 3
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_rate_limit_of_the_site_is_waited_for(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        limited = Response(
            '{"message": "Rate limit exceeded."}', 429, {"Retry-After": "300"}, mimetype="application/json"
        )
        company.world.core.faults.append(Rule("createPage", "answer", make=lambda: limited))
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(1)
        mark = company.mark()
        company.passes(4)
        assert company.calls(mark, service="atlassian") == {}, "nothing is asked of the site in its pause"
        company.passes(3)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A43a")
@pytest.mark.parametrize(("hours", "lost"), [(0.0, 1), (2.0, 1), (240.0, 0)])
def test_a_cursor_that_gmail_has_forgotten_is_healed_by_a_full_pass(tmp_path: Path, hours: float, lost: int) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.wait(hours * 3600)
        company.reply(BEN, ADA, sent[2], "While nobody looked.\n")
        other = company.send(BEN, ADA, "Another thread")
        company.label(ADA, other[ADA][1])
        company.gmail.mailbox(ADA).forget_history()
        company.passes(17 if hours == 0.0 else 3)  # full passes for a young cursor are a quarter of an hour apart
        assert len(company.events("cursor lost")) == lost
        assert len(company.wiki.comments) == 3
        assert [page.title for page in company.wiki.pages] == ["Release plan", "Another thread"]
        assert company.again_from_scratch() == []


def test_a_stale_answer_is_not_believed(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.gmail.settings.stale_reads = 1
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(3)
        company.reply(BEN, ADA, sent[2], "Not there at first.\n")
        company.passes(3)
        assert_expected_t3(company, comments=3)
        company.gmail.settings.stale_reads = 0
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A42")
def test_a_gmail_token_that_ends_in_the_middle_is_refreshed_once(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        mark = company.mark()
        grants = company.world.google.oauth.grants
        company.world.core.faults.append(_Once("gmail.users.threads.get", lambda: grants.expire_access_tokens(ADA)))
        company.passes()
        assert_expected_t3(company)
        assert company.calls(mark, person=ADA)["google.oauth.token"] == 1
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A42")
@pytest.mark.parametrize("operation", ["createAttachment", "updatePage", "createFooterComment"])
def test_an_atlassian_token_that_ends_in_the_middle_is_refreshed_once(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        mark = company.mark()
        company.world.core.faults.append(_Once(operation, lambda: _expire_atlassian(company)))
        company.passes()
        assert_expected_t3(company)
        assert company.calls(mark, person=ADA)["atlassian.oauth.token"] == 1
        assert company.again_from_scratch() == []


def test_tokens_that_are_long_past_their_time_are_refreshed_before_they_are_used(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.wait(5 * 24 * 3600)
        mark = company.mark()
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        assert_expected_t3(company)
        assert 401 not in {seen.status for seen in company.world.core.journal.since(mark)}
        calls = company.calls(mark, person=ADA)
        assert (calls["google.oauth.token"], calls["atlassian.oauth.token"]) == (1, 1)
        assert company.again_from_scratch() == []


def test_a_grant_that_is_taken_back_is_said_once_and_the_queue_waits(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.wiki.revoke(ADA)
        company.label(ADA, sent[0][ADA][1])
        company.passes(3)
        mark = company.mark()
        company.passes(10)
        assert company.calls(mark, service="atlassian", person=ADA) == {}, "a lost grant is not tried again and again"
        assert _grants(company, ADA) == {"google": GrantState.LIVE, "atlassian": GrantState.NEEDS_CONSENT}
        assert company.wiki.pages == []
        company.connect(ADA)
        company.passes(3)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def _grants(company: Story, person: str) -> dict[str, GrantState]:
    with company.company.oauth.store.read() as session:
        account = accounts.by_address(session, person)
        assert account is not None
        return {provider: grant.state for provider, grant in grants.of_account(session, account.id or 0).items()}


def _expire_atlassian(company: Story) -> None:
    for access in company.wiki.oauth.access.values():
        access.expires = min(access.expires, company.clock.now())


class _Once:
    """Does something just before the first request of an operation is answered."""

    def __init__(self, operation: str, act: Callable[[], None]) -> None:
        self.operation = operation
        self._act: Callable[[], None] | None = act

    def before(self, request: Request, operation: str, person: str) -> Response | None:
        """Act once."""
        if operation == self.operation and self._act is not None:
            act, self._act = self._act, None
            act()
        return None

    def after(self, request: Request, operation: str, person: str, response: Response) -> Response:
        """Change nothing."""
        return response


@pytest.mark.scenario("A44")
@pytest.mark.parametrize("hours", [-2.0, -1.0, 1.0, 24.0])
@pytest.mark.parametrize("operation", ["createPage", "createAttachment", "updatePage", "createFooterComment"])
def test_a_clock_that_is_set_while_an_answer_is_out_doubles_nothing(
    tmp_path: Path, operation: str, hours: float
) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.world.core.faults.append(_Once(operation, lambda: company.clock.jump(hours * 3600)))
        company.world.core.faults.append(parse(f"late=20 {operation}"))
        company.passes(40, seconds=10.0)
        company.passes(16, seconds=600.0)  # set back, the mail seems to be from the future until its time comes again
        assert len(company.wiki.drafts()) <= (1 if operation == "createPage" else 0)
        assert [page.title for page in company.wiki.pages] == ["Release plan"]
        assert len(company.wiki.comments) == 2
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A44")
def test_the_times_on_a_page_follow_the_change_of_summer_time(tmp_path: Path) -> None:
    berlin = replace(ENG, pages=Pages(timezone="Europe/Berlin"))
    with story(tmp_path, berlin) as company:
        company.clock.advance((datetime(2026, 10, 25, 0, 25, tzinfo=UTC) - company.clock.now()).total_seconds())
        company.connect(ADA, BEN)
        company.clock.advance((datetime(2026, 10, 25, 0, 30, tzinfo=UTC) - company.clock.now()).total_seconds())
        summer = company.send(BEN, ADA, "In summer time")
        company.label(ADA, summer[ADA][1])
        company.clock.advance(3600)
        winter = company.send(BEN, ADA, "In winter time")
        company.label(ADA, winter[ADA][1])
        company.passes(3)
        bodies = {page.title: page.body for page in company.wiki.pages}
        assert "02:30 (UTC+02:00)" in bodies["In summer time"]
        assert "02:30 (UTC+01:00)" in bodies["In winter time"]
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A44")
def test_a_clock_that_is_set_back_delays_nobody(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(3)
        company.clock.jump(-2 * 3600)
        company.reply(BEN, ADA, sent[2], "Written an hour that comes again.\n")
        company.passes(4)
        assert_expected_t3(company, comments=3)
        assert company.again_from_scratch() == []
