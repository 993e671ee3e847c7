"""What the kinds of fault do to what stands, to time and to what is read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge import errors
from bridge.gmail.values import History
from bridge.sandbox.faults import CATALOGUE, Rule, parse

from support.faulty import ADA, Faulty, in_process, operations_of


@pytest.fixture
def office() -> Faulty:
    return in_process()


def strike(office: Faulty, text: str) -> Rule:
    rule = parse(text)
    office.world.core.faults.append(rule)
    return rule


def failed(office: Faulty, operation: str) -> errors.RemoteError:
    error = office.error_of(operation)
    assert error is not None
    return error


@pytest.mark.parametrize("name", [one for one in CATALOGUE if "createFooterComment" in operations_of(one)])
def test_a_kind_keeps_its_word_about_the_effect(name: str) -> None:
    office = in_process()
    strike(office, f"{name} createFooterComment")
    office.error_of("createFooterComment")
    standing = len(office.world.atlassian.comments)
    office.world.core.settle()
    effect = CATALOGUE[name].effect
    # With a new access token the client asks again, once.
    again = 1 if name in ("401", "401-expired") else 0
    assert standing - again == (1 if effect == "took effect" else 0)
    assert len(office.world.atlassian.comments) - again == (1 if effect in ("took effect", "later") else 0)


def test_a_late_request_takes_effect_before_anything_else_is_served(office: Faulty) -> None:
    strike(office, "late=45 createFooterComment")
    mark = office.world.core.journal.mark()
    assert failed(office, "createFooterComment").maybe_applied
    office.clock.advance(44)
    assert list(office.confluence.comments("page", office.page)) == []
    office.clock.advance(1)
    assert len(list(office.confluence.comments("page", office.page))) == 1
    rows = [(one.operation, one.status, one.write, one.late) for one in office.world.core.journal.since(mark)]
    assert rows == [
        ("createFooterComment", 0, False, False),
        ("getPageFooterComments", 200, False, False),
        ("createFooterComment", 0, True, True),
        ("getPageFooterComments", 200, False, False),
    ]


def test_late_requests_in_the_order_of_their_instants(office: Faulty) -> None:
    strike(office, "late=50 addLabelsToContent")
    strike(office, "late=20 createAttachment")
    failed(office, "addLabelsToContent")
    failed(office, "createAttachment")
    office.clock.advance(20)
    office.world.core.catch_up()
    wiki = office.world.atlassian
    assert ([file.name for file in wiki.attachments], len(office.world.core.late)) == (["plan0.txt"], 1)
    office.world.core.settle()
    assert list(wiki.wiki.content[office.page].labels) != []
    assert office.world.core.late == []


@pytest.mark.parametrize(("operation", "seconds"), [("createFooterComment", 60), ("gmail.users.history.list", 30)])
@pytest.mark.parametrize("name", ["timeout-before", "timeout-after"])
def test_a_client_that_waits_in_vain_lets_virtual_time_pass(
    office: Faulty, name: str, operation: str, seconds: float
) -> None:
    strike(office, f"{name} {operation}")
    before = office.clock.now()
    assert isinstance(failed(office, operation), errors.Temporary)
    assert office.clock.now() - before == timedelta(seconds=seconds)


@pytest.mark.parametrize(("argument", "seconds", "error"), [("20", 20, ""), ("45", 30, "Temporary")])
def test_a_slow_answer(office: Faulty, argument: str, seconds: float, error: str) -> None:
    strike(office, f"slow={argument} gmail.users.history.list")
    before = office.clock.now()
    found = office.error_of("gmail.users.history.list")
    assert (type(found).__name__ if found else "") == error
    assert office.clock.now() - before == timedelta(seconds=seconds)


def test_a_label_that_was_not_put_on(office: Faulty) -> None:
    strike(office, "no-effect-200 addLabelsToContent")
    assert office.error_of("addLabelsToContent") is None
    assert office.confluence.labels("page", office.page) == []
    assert office.error_of("addLabelsToContent") is None
    assert office.confluence.labels("page", office.page) == ["plan"]


def test_a_page_that_was_to_be_private(office: Faulty) -> None:
    strike(office, "no-private-200")
    for readable_by_all in (True, False):
        assert office.error_of("createPage") is None
        assert bool(office.world.atlassian.drafts()[-1].read) is not readable_by_all


def test_half_an_upload(office: Faulty) -> None:
    rule = strike(office, "503-half")
    assert failed(office, "createAttachment").maybe_applied
    held = next(iter(office.world.atlassian.wiki.attachments.values()))
    assert (rule.struck, held.name, held.version.data) == (1, "plan0.txt", b"")


def test_a_stale_list_and_a_stale_page(office: Faulty) -> None:
    rule = strike(office, "stale times=always")
    assert office.error_of("createFooterComment") is None
    assert [len(list(office.confluence.comments("page", office.page))) for _ in range(3)] == [0, 1, 1]
    assert office.error_of("createFooterComment") is None
    assert [len(list(office.confluence.comments("page", office.page))) for _ in range(2)] == [1, 2]
    assert rule.struck == 2


def test_a_rule_for_some_stale_answers_gives_them_one_after_another(office: Faulty) -> None:
    strike(office, "stale getPageFooterComments times=2")
    assert office.error_of("createFooterComment") is None
    assert [len(list(office.confluence.comments("page", office.page))) for _ in range(3)] == [0, 0, 1]


def test_stale_mail(office: Faulty) -> None:
    gmail = office.world.google.gmail
    label = gmail.create_label(ADA, "Confluence/ENG").id
    mail = b"From: ben@example.com\r\nTo: ada@example.com\r\nSubject: Plan\r\n\r\nHello.\r\n"
    _, thread = gmail.deliver(ADA, mail)
    start = gmail.mailbox(ADA).history_id
    gmail.label_thread(ADA, thread, "Confluence/ENG")
    strike(office, "stale gmail.users.threads.get times=always")
    strike(office, "stale gmail.users.history.list times=always")
    threads = [office.gmail.label_ids(thread) for _ in range(2)]
    assert [label in labels for labels in threads] == [False, True]
    found: list[History] = [office.gmail.history(start) for _ in range(2)]
    assert [(thread in one.touched, one.cursor > start) for one in found] == [(False, False), (True, True)]


def test_history_that_is_forgotten(office: Faulty) -> None:
    strike(office, "expired-cursor")
    assert isinstance(failed(office, "gmail.users.history.list"), errors.NotFound)
    assert office.error_of("gmail.users.history.list") is None


def test_a_refresh_whose_answer_is_lost(office: Faulty) -> None:
    oauth = office.world.atlassian.oauth
    held = len(oauth.refreshes)
    strike(office, "lost-refresh")
    assert failed(office, "atlassian.oauth.token").maybe_applied
    assert len(oauth.refreshes) == held + 1


@pytest.mark.parametrize("operation", ["gmail.users.history.list", "createFooterComment"])
def test_tokens_that_end_are_refreshed(office: Faulty, operation: str) -> None:
    mark = office.world.core.journal.mark()
    strike(office, f"401-expired {operation}")
    assert office.error_of(operation) is None
    assert office.world.core.journal.since(mark)[0].status == 401


def test_access_that_is_taken_away_stays_away(office: Faulty) -> None:
    strike(office, "401-revoked createFooterComment")
    strike(office, "401-revoked gmail.users.history.list")
    assert isinstance(failed(office, "createFooterComment"), errors.CredentialRefused)
    office.error_of("gmail.users.history.list")
    office.world.core.faults.clear()
    assert isinstance(failed(office, "atlassian.oauth.token"), errors.NeedsConsent)
    assert isinstance(failed(office, "google.oauth.token"), errors.NeedsConsent)


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_that_differs_is_one_services_own(office: Faulty, seconds: int) -> None:
    strike(office, f"skew={seconds} atlassian times=always")
    mark = office.world.core.journal.mark()
    office.confluence.comment_on("page", office.page, "<p>Hello.</p>")
    office.gmail.profile()
    comment = office.world.atlassian.comments[0]
    shifted = office.clock.now() + timedelta(seconds=seconds)
    assert comment.created_at == shifted
    dates: list[Any] = [one.response_headers.get("Date") for one in office.world.core.journal.since(mark)]
    assert dates == [shifted.strftime("%a, %d %b %Y %H:%M:%S GMT"), None]
    assert office.world.core.clock is office.clock


@pytest.mark.parametrize(
    ("text", "seconds", "scope"),
    [
        ("429=120", 120.0, "site"),
        ("429=date", 30.0, "site"),
        ("429=nonsense", None, "site"),
        ("429=none", None, "site"),
        ("429-burst", 3.0, "person"),
        ("429-tenant=600", 600.0, "site"),
    ],
)
def test_pauses_that_confluence_asks_for(office: Faulty, text: str, seconds: float | None, scope: str) -> None:
    strike(office, f"{text} createFooterComment")
    error = failed(office, "createFooterComment")
    assert isinstance(error, errors.RateLimited)
    assert (error.retry_after, error.scope) == (seconds, scope)


@pytest.mark.parametrize(
    ("text", "seconds", "scope"),
    [
        ("429=120", 120.0, "mailbox"),
        ("429=date", 30.0, "mailbox"),
        ("429=nonsense", None, "mailbox"),
        ("429=none", None, "mailbox"),
        ("429-exhausted", 60.0, "mailbox"),
        ("403-rate", 60.0, "mailbox"),
        ("403-user-rate", None, "mailbox"),
        ("403-daily", 3600.0, "app"),
    ],
)
def test_pauses_that_gmail_asks_for(office: Faulty, text: str, seconds: float | None, scope: str) -> None:
    strike(office, f"{text} gmail.users.history.list")
    error = failed(office, "gmail.users.history.list")
    assert isinstance(error, errors.RateLimited)
    assert (error.retry_after, error.scope) == (seconds, scope)


@pytest.mark.parametrize(
    ("text", "operation", "error"),
    [
        ("401-scope", "createFooterComment", errors.NeedsConsent),
        ("401-scope", "gmail.users.history.list", errors.NeedsConsent),
        ("403-admin-block", "gmail.users.history.list", errors.PersonMustAct),
        ("403-admin-block", "addLabelsToContent", errors.CredentialRefused),
        ("403-permission", "createFooterComment", errors.PersonMustAct),
        ("404-object", "createFooterComment", errors.NotFound),
        ("404-bare", "createFooterComment", errors.CredentialRefused),
        ("404-v1-cannot-access", "createAttachment", errors.CredentialRefused),
        ("400", "createFooterComment", errors.Refused),
        ("409", "createFooterComment", errors.Conflict),
        ("413", "createAttachment", errors.TooLarge),
        ("invalid_grant", "google.oauth.token", errors.NeedsConsent),
        ("invalid_grant", "atlassian.oauth.token", errors.NeedsConsent),
        ("unauthorized_client", "atlassian.oauth.token", errors.NeedsConsent),
        ("invalid_client", "google.oauth.token", errors.OperatorMustAct),
        ("access_denied", "atlassian.oauth.token", errors.OperatorMustAct),
    ],
)
def test_refusals_are_told_apart(office: Faulty, text: str, operation: str, error: type[errors.RemoteError]) -> None:
    strike(office, f"{text} {operation} times=2")
    assert type(failed(office, operation)) is error
