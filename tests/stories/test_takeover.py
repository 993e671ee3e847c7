"""Followers who take over: with their own tokens, only what they have and may see, each mail once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select

from bridge.sandbox.faults import Rule
from bridge.store.tables import Entry, EntryState, FollowState, Publication, PublicationState
from bridge.sync import orders
from bridge.sync.republish import republish

from support.stories import ADA, BEN, CY, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

DAY = 24 * 3600.0
Loss = Callable[[Story], None]


def _confluence_revoked(company: Story) -> None:
    company.wiki.revoke(ADA)


def _google_revoked(company: Story) -> None:
    company.world.google.oauth.grants.revoke_grant(ADA)


def _paused(company: Story) -> None:
    with company.company.oauth.store.write() as session:
        scope = orders.scope_of(session, company.settings, everything=False, route="", address=ADA)
        orders.pause(session, scope, company.clock.now(), who="ops")


def _unlabelled(company: Story) -> None:
    for follow in company.follows():
        if follow.mailbox_id == 1:
            company.unlabel(ADA, follow.thread_id)


def _hidden(company: Story) -> None:
    for page in company.wiki.pages:
        company.wiki.restrict_page(page.id, read=[BEN, CY], update=[BEN, CY])


def _may_not_comment(company: Story) -> None:
    company.wiki.forbid("ENG", ADA, "comment")


LOSSES: dict[str, Loss] = {
    "confluence revoked": _confluence_revoked,
    "google revoked": _google_revoked,
    "paused": _paused,
    "unlabelled": _unlabelled,
    "hidden": _hidden,
    "may not comment": _may_not_comment,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_reply_to_both_is_posted_by_the_other_when_the_writer_cannot_go_on(tmp_path: Path, loss: str) -> None:
    with story(tmp_path) as company:
        sent = _both(company)
        LOSSES[loss](company)
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "Who posts this?\n")
        company.passes(8)
        assert_expected_t3(company, comments=3)
        assert company.wiki.comments[2].author == company.wiki.person(BEN).account_id
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_planned_before_the_loss_is_taken_over(tmp_path: Path, loss: str) -> None:
    with story(tmp_path) as company:
        sent = _both(company)
        company.world.core.faults.append(Rule("createFooterComment", "refuse", person=ADA, times=None))
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "Planned by Ada.\n")
        company.passes(1, 30)
        LOSSES[loss](company)
        company.passes(12)
        assert_expected_t3(company, comments=3)
        assert company.wiki.comments[2].author == company.wiki.person(BEN).account_id
        company.world.core.faults.clear()
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("loss", ["confluence revoked", "google revoked", "paused", "unlabelled"])
def test_a_page_that_was_only_planned_is_made_by_the_other(tmp_path: Path, loss: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(Rule("createPage", "refuse", person=ADA, times=None))
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(1)
        company.label(BEN, sent[0][BEN][1])
        company.passes(1)
        assert (company.wiki.pages, _publication(company).state) == ([], PublicationState.PLANNED)
        LOSSES[loss](company)
        company.world.core.faults.clear()
        company.passes(10)
        assert_expected_t3(company, author=BEN)
        assert company.wiki.pages[0].author == company.wiki.person(BEN).account_id
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("loss", ["confluence revoked", "google revoked", "paused", "unlabelled"])
def test_a_draft_is_left_behind_and_told_and_the_other_makes_their_own(tmp_path: Path, loss: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        company.world.core.faults.append(Rule("updatePage", "refuse", person=ADA, times=None))
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(1)
        company.label(BEN, sent[0][BEN][1])
        company.passes(1)
        (draft,) = company.wiki.drafts()
        assert (draft.body, _publication(company).state) == ("", PublicationState.DRAFTED)
        LOSSES[loss](company)
        company.world.core.faults.clear()
        company.passes(12)
        assert [page.id for page in company.wiki.drafts()] == [draft.id]
        company.wiki.purge_page(draft.id)
        assert_expected_t3(company, author=BEN)
        (told,) = company.events("draft left behind")
        assert (told.remote_id, told.account_id) == (draft.id, 1)
        names = [file.name for file in company.wiki.attachments if file.page == company.wiki.pages[0].id]
        assert len(names) == len(set(names))
        company.connect(ADA)
        company.passes(4)
        assert_expected_t3(company, author=BEN)
        assert company.again_from_scratch() == []


def test_a_publishing_request_without_an_answer_is_found_by_who_takes_over(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _begun(company, "drop-after")
        assert len(company.wiki.pages) == 1, "it took effect"
        company.wiki.revoke(ADA)
        company.passes(8)
        assert_expected_t3(company)
        assert company.wiki.drafts() == []
        assert {one.author for one in company.wiki.comments} == {company.wiki.person(BEN).account_id}
        assert sent
        assert company.again_from_scratch() == []


def test_a_publishing_request_that_nobody_else_can_see_is_waited_for(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        _begun(company, "drop-before")
        company.wiki.revoke(ADA)
        company.passes(8)
        assert (company.wiki.pages, len(company.wiki.drafts())) == ([], 1), "a second page might come of going on"
        bens = company.follows()[1]
        assert bens.state is FollowState.NEEDS_SOMEBODY
        assert bens.detail == (
            "Ada Lovelace began this page and cannot go on, and nobody else can see whether it stands. It waits for "
            f"their connection. To publish it as you: mailbridge republish {bens.thread_id}"
        )
        company.connect(ADA)
        company.passes(4)
        assert_expected_t3(company)
        company.wait(6 * 3600)
        company.passes(3)
        assert {follow.state for follow in company.follows()} == {FollowState.FOLLOWING}
        assert company.again_from_scratch() == []


def test_who_waits_for_another_persons_page_may_publish_it_themselves(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        _begun(company, "drop-before")
        company.wiki.revoke(ADA)
        company.passes(8)
        republish(company.company.oauth.store, company.follows()[1].id or 0, company.clock.now())
        company.passes(4)
        company.wiki.purge_page(company.wiki.drafts()[0].id)
        assert_expected_t3(company, author=BEN)
        assert company.wiki.pages[0].author == company.wiki.person(BEN).account_id
        assert company.again_from_scratch() == []


def test_a_mail_that_nobody_else_has_stops_the_others_for_a_day_and_comes_when_its_person_is_back(
    tmp_path: Path,
) -> None:
    with story(tmp_path) as company:
        sent = _both(company)
        company.world.core.faults.append(Rule("createFooterComment", "refuse", person=ADA, times=None))
        company.reply(CY, ADA, sent[2], "For Ada alone.\n", cc="cy@example.com")
        company.passes(1)
        (held,) = company.held()
        company.answer(held, "publish")
        company.passes(1)
        company.wiki.revoke(ADA)
        company.passes(2)
        fifth = company.reply(CY, f"{ADA}, {BEN}", sent[2], "For both, later.\n")
        company.passes(3)
        assert_expected_t3(company, comments=2)
        company.passes(8, DAY / 4)
        assert "For both, later." in company.wiki.comments[2].body
        assert [event.cause for event in company.events("entry passed over")] == ["unable"]
        company.world.core.faults.clear()
        company.connect(ADA)
        company.passes(3)
        assert "For Ada alone." in company.wiki.comments[3].body
        assert fifth
        assert company.again_from_scratch() == []


def test_a_mail_whose_only_person_takes_the_label_off_is_not_published_and_stops_nobody(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _both(company)
        company.world.core.faults.append(Rule("createFooterComment", "refuse", person=ADA, times=None))
        company.reply(CY, ADA, sent[2], "For Ada alone.\n")
        company.passes(1)
        (held,) = company.held()
        company.answer(held, "publish")
        company.passes(1)
        company.unlabel(ADA, sent[0][ADA][1])
        company.passes(1)
        company.world.core.faults.clear()
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "For both, later.\n")
        company.passes(4)
        assert ["For both" in one.body for one in company.wiki.comments] == [False, False, True]
        assert not any("For Ada alone" in one.body for one in company.wiki.comments)
        assert company.again_from_scratch() == []


def test_a_sole_writer_who_takes_the_label_off_leaves_nothing_that_waits(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.world.core.faults.append(Rule("createFooterComment", "refuse", times=None))
        company.reply(BEN, ADA, sent[2], "On its way.\n")
        company.passes(1)
        company.unlabel(ADA, sent[0][ADA][1])
        company.world.core.faults.clear()
        company.passes(5)
        assert_expected_t3(company)
        (follow,) = company.follows()
        assert (follow.state, _entries(company)[-1].state) == (FollowState.STOPPED, EntryState.PLANNED)
        assert company.again_from_scratch() == []
        company.label(ADA, sent[0][ADA][1])
        company.passes(3)
        assert "On its way." in company.wiki.comments[2].body, "labelled again, it goes on where it stopped"
        assert company.again_from_scratch() == []


def test_two_who_may_not_see_the_page_do_not_call_each_other_for_ever(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _both(company)
        (page,) = company.wiki.pages
        company.wiki.restrict_page(page.id, read=[CY], update=[CY])
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "For nobody yet.\n")
        mark = company.mark()
        company.passes(60)
        assert company.calls(mark)["getPageById"] <= 6
        assert {follow.reason for follow in company.follows()} == {"hidden"}
        company.wiki.restrict_page(page.id, read=[BEN, CY], update=[BEN, CY])
        company.wait(6 * 3600)
        company.passes(6)
        assert_expected_t3(company, comments=3)
        assert company.wiki.comments[2].author == company.wiki.person(BEN).account_id
        assert [follow.reason for follow in company.follows()] == ["hidden", ""]
        assert company.again_from_scratch() == []


def test_nobody_posts_what_reached_them_as_a_blind_copy(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _both(company)
        company.world.core.faults.append(Rule("createFooterComment", "refuse", person=ADA, times=None))
        company.reply(CY, ADA, sent[2], "Ben has it blindly.\n", headers={"Bcc": BEN})
        company.passes(1)
        for item in company.held():
            if item.address == ADA:
                company.answer(item, "publish")
        company.passes(1)
        company.wiki.revoke(ADA)
        company.passes(10, DAY / 4)
        assert not any("blindly" in one.body for one in company.wiki.comments)
        assert company.again_from_scratch() == []


def _begun(company: Story, kind: str) -> tuple[dict[str, tuple[str, str]], ...]:
    """Have both label a thread whose page Ada publishes without getting an answer."""
    company.connect(ADA, BEN)
    company.world.core.faults.append(Rule("updatePage", kind, person=ADA))
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])
    company.label(BEN, sent[0][BEN][1])
    company.passes(1)
    assert _publication(company).state is PublicationState.DRAFTED
    return sent


def _both(company: Story) -> tuple[dict[str, tuple[str, str]], ...]:
    company.connect(ADA, BEN)
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])
    company.passes()
    company.label(BEN, sent[0][BEN][1])
    company.passes()
    assert len(company.follows()) == 2
    return sent


def _publication(company: Story) -> Publication:
    with company.company.oauth.store.read() as session:
        return session.exec(select(Publication)).one()


def _entries(company: Story) -> list[Entry]:
    with company.company.oauth.store.read() as session:
        return list(session.exec(select(Entry).order_by(col(Entry.ordinal))))
