"""What people do to a page, and what the bridge does then: nothing of theirs is undone, nothing of the mail is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import col, select

from bridge.store.tables import Entry, EntryState, FollowState, Publication, PublicationState
from bridge.sync.republish import look_at, republish

from support.stories import ADA, BEN, CY, ENG, Story, story
from support.thread_t3 import send_t3

Sent = tuple[dict[str, tuple[str, str]], ...]
SIX_HOURS = 6 * 3600.0


@pytest.mark.scenario("A35")
def test_a_trashed_page_holds_its_replies_and_gets_them_in_order_when_it_is_restored(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.trash_page(page.id)
        first = company.reply(BEN, ADA, sent[2], "Into the trash?\n")
        company.passes(1)
        company.reply(BEN, ADA, first, "And one more.\n")
        mark = company.mark()
        company.passes(20)
        assert company.again_from_scratch() == []
        assert company.calls(mark)["createFooterComment"] == 0, "what is known to be away is looked at, not written to"
        assert ([one.id for one in company.wiki.pages], company.wiki.drafts()) == ([page.id], [])
        (follow,) = company.follows()
        assert (follow.state, follow.reason) == (FollowState.NEEDS_SOMEBODY, "removed in Confluence")
        assert follow.detail == (
            "Removed in Confluence: the page is in the trash. What is to follow waits. Restore it there, or publish "
            f"the thread again: mailbridge republish {follow.thread_id}"
        )
        assert _publication(company).remote == "trashed"
        company.wiki.restore_page(page.id)
        company.wait(SIX_HOURS)
        company.passes()
        assert [one.body.count("Into the trash?") for one in company.wiki.comments] == [0, 0, 1, 0]
        assert "And one more." in company.wiki.comments[3].body
        assert (company.follows()[0].state, _publication(company).remote) == (FollowState.FOLLOWING, "")
        assert page.version.number == 1
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A35")
def test_what_is_emptied_from_the_trash_is_told_as_deleted_and_never_made_again(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.trash_page(page.id)
        company.reply(BEN, ADA, sent[2], "Nowhere to go.\n")
        company.passes(2)
        company.wiki.purge_page(page.id)
        company.wait(SIX_HOURS)
        company.passes(20)
        assert company.again_from_scratch() == []
        assert company.wiki.pages == company.wiki.drafts() == company.wiki.comments == []
        (follow,) = company.follows()
        assert follow.detail.startswith("Removed in Confluence: the page was deleted for good.")


@pytest.mark.scenario("A35")
def test_publish_again_makes_a_new_page_with_new_markers_and_never_touches_the_old_one(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company, label_ben=True)
        (old,) = company.wiki.pages
        was = old.body
        markers = _keys(company)
        company.wiki.trash_page(old.id)
        company.reply(BEN, ADA, sent[2], "Once more, please.\n")
        company.passes(3)
        made = republish(company.company.oauth.store, company.follows()[0].id or 0, company.clock.now())
        company.passes(3)
        assert (old.status, old.body, old.version.number) == ("trashed", was, 1)
        (new,) = [page for page in company.wiki.pages if page.id != old.id]
        comments = [one for one in company.wiki.comments if one.page == new.id]
        assert [("Once more, please." in one.body) for one in comments] == [False, False, True]
        first, second = _publications(company)
        assert (first.state, first.successor_uid) == (PublicationState.REMOVED, made.uid)
        assert (second.uid, second.round, second.content_id) == (made.uid, 1, new.id)
        assert {follow.publication_id for follow in company.follows()} == {second.id}
        assert not set(markers) & set(_keys(company)[len(markers) + 1 :]), "each marker is new"
        company.reply(BEN, ADA, sent[2], "And it goes on.\n")
        company.passes(4)
        assert "And it goes on." in company.wiki.comments[-1].body
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A36")
def test_an_archived_page_holds_its_replies_until_somebody_takes_it_out(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.archive_page(page.id)
        company.reply(BEN, ADA, sent[2], "Into the archive?\n")
        company.passes(20)
        assert company.again_from_scratch() == []
        (follow,) = company.follows()
        assert (follow.state, follow.reason) == (FollowState.NEEDS_SOMEBODY, "page archived")
        assert (
            follow.detail == "Page archived. What is to follow waits until somebody takes the page out of the archive."
        )
        assert not _entries(company)[-1].fallback, "its text is not the reason"
        company.wiki.restore_page(page.id)
        company.wait(SIX_HOURS)
        company.passes()
        assert "Into the archive?" in company.wiki.comments[2].body
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A36")
@pytest.mark.scenario("X13")
def test_a_page_that_people_moved_and_renamed_is_followed_by_its_id(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        above = company.wiki.create_page(CY, "ENG", "Projects")
        company.wiki.move_page(page.id, parent=above.id)
        company.wiki.rename_page(CY, page.id, "Our plan")
        third = company.reply(BEN, ADA, sent[2], "Below another page.\n")
        company.passes()
        company.wiki.allow("HR", CY)
        company.wiki.move_page(page.id, key="HR")
        mark = company.mark()
        company.reply(BEN, ADA, third, "In another space.\n")
        company.passes()
        assert [seen.operation for seen in company.world.core.journal.writes(mark)] == ["createFooterComment"]
        assert [one.page for one in company.wiki.comments] == [page.id] * 4
        assert (page.title, page.version.number) == ("Our plan", 2)
        assert company.again_from_scratch() == []
        assert look_at(company.bridge, company.follows()[0].id or 0).remote == ""


@pytest.mark.scenario("A37")
@pytest.mark.scenario("X13")
def test_what_people_wrote_and_marked_stays_to_the_letter(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        for number in range(2, 6):
            company.wiki.edit_page(
                CY,
                page.id,
                f'<p>Edit {number} <ac:inline-comment-marker ac:ref="r1">here</ac:inline-comment-marker></p>',
            )
        body = page.body
        company.wiki.restrict_page(page.id, update=[CY])
        mark = company.mark()
        company.reply(BEN, ADA, sent[2], "After five versions.\n")
        company.passes(3)
        assert [seen.operation for seen in company.world.core.journal.writes(mark)] == ["createFooterComment"]
        assert (page.version.number, page.body) == (5, body)
        assert "inline-comment-marker" in page.body
        assert company.again_from_scratch() == []


@pytest.mark.scenario("X13")
def test_a_reply_with_a_file_lands_without_it_where_people_let_nobody_add_one(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.restrict_page(page.id, update=[CY])
        company.reply(BEN, ADA, sent[2], "See the file.\n", files=(("new.pdf", "application/pdf", b"%PDF-"),))
        company.passes(3)
        last = company.wiki.comments[2].body
        assert "See the file." in last
        assert "new.pdf" in last
        assert "files may not be added to this page." in last
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A38")
def test_a_page_that_its_writer_may_not_see_is_waited_for_and_never_made_again(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.restrict_page(page.id, read=[CY], update=[CY])
        company.reply(BEN, ADA, sent[2], "Behind the door.\n")
        company.passes(20)
        assert company.again_from_scratch() == []
        (follow,) = company.follows()
        assert (follow.state, follow.reason) == (FollowState.NEEDS_SOMEBODY, "hidden")
        assert follow.detail.startswith("You no longer have access to the page, or it was removed.")
        mark = company.mark()
        company.passes(4 * 24, 900)
        assert company.calls(mark)["getPageById"] <= 4, "four looks a day, no more"
        assert company.calls(mark)["createFooterComment"] == 0
        company.wiki.restrict_page(page.id)
        company.wait(SIX_HOURS)
        company.passes()
        assert "Behind the door." in company.wiki.comments[2].body
        assert [one.id for one in company.wiki.pages] == [page.id]
        assert company.follows()[0].state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A38")
def test_after_thirty_days_it_is_said_that_nobody_looks_any_more_and_nothing_is_lost(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.restrict_page(page.id, read=[CY], update=[CY])
        company.reply(BEN, ADA, sent[2], "Behind the door.\n")
        company.passes(130, SIX_HOURS)
        (follow,) = company.follows()
        assert follow.detail == (
            "You no longer have access to the page, or it was removed. After 30 days the page is not looked at by "
            f"itself any more; nothing is lost. When it can go on: mailbridge retry {follow.thread_id}"
        )
        mark = company.mark()
        company.passes(8, SIX_HOURS)
        assert company.calls(mark)["getPageById"] == 0
        company.wiki.restrict_page(page.id)
        company.reply(BEN, ADA, sent[2], "The door is open.\n")
        company.passes(2)
        assert ["door" in one.body for one in company.wiki.comments] == [False, False, True, True]
        assert company.follows()[0].state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


@pytest.mark.scenario("X14")
def test_a_comment_that_people_deleted_stays_deleted_and_is_told_as_removed(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        company.wiki.delete_comment(company.wiki.comments[0].id)
        company.passes(20)
        assert company.again_from_scratch() == []
        assert look_at(company.bridge, company.follows()[0].id or 0).remote == ""
        assert [entry.state for entry in _entries(company)] == [EntryState.DONE, EntryState.REMOVED, EntryState.DONE]
        assert _entries(company)[1].detail == "Removed in Confluence."
        company.reply(BEN, ADA, sent[2], "One more.\n")
        company.passes(3)
        assert ["One more." in one.body for one in company.wiki.comments] == [False, True]
        assert company.again_from_scratch() == []


@pytest.mark.scenario("X14")
def test_the_comment_that_a_thread_is_may_be_deleted_too_and_its_replies_wait(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        minutes = company.wiki.create_page(CY, "ENG", "Minutes")
        company.change(routes=(replace(ENG, publish_as="comment", page=minutes.id, page_labels=()),))
        sent = _published(company, pages=1, comments=3)
        company.wiki.delete_comment(company.wiki.comments[0].id)
        company.reply(BEN, ADA, sent[2], "Below nothing.\n")
        company.passes(20)
        assert company.again_from_scratch() == []
        assert company.wiki.comments == []
        (follow,) = company.follows()
        assert follow.detail.startswith("Removed in Confluence: the comment was deleted for good.")
        republish(company.company.oauth.store, follow.id or 0, company.clock.now())
        company.passes(3)
        root, *below = company.wiki.comments
        assert (root.parent, [one.parent for one in below]) == ("", [root.id] * 3)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("away", ["trash_page", "archive_page", "purge_page"])
def test_whoever_labels_a_thread_whose_page_is_away_is_told(tmp_path: Path, away: str) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        take_away: Callable[[str], None] = getattr(company.wiki, away)
        take_away(page.id)
        company.label(BEN, sent[0][BEN][1])
        company.passes(4)
        bens = company.follows()[1]
        if away == "purge_page":
            assert bens.state is FollowState.FOLLOWING, "a 404 says nothing: Ben gets a page of his own"
            assert [one.author for one in company.wiki.pages] == [company.wiki.person(BEN).account_id]
        else:
            assert bens.state is FollowState.NEEDS_SOMEBODY
            assert bens.detail.startswith(("Removed in Confluence", "Page archived"))
            assert [one.id for one in company.wiki.pages] == [page.id]
        assert company.again_from_scratch() == []


def test_a_draft_that_its_author_threw_away_is_asked_about(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.wiki.wiki.switches.max_file_bytes = 100 * 1024 * 1024
        company.label(ADA, sent[0][ADA][1])
        company.wiki.forbid("ENG", ADA, "attach")
        company.passes(2)
        (draft,) = company.wiki.drafts()
        company.wiki.purge_page(draft.id)
        company.wiki.allow("ENG", ADA)
        company.wait(SIX_HOURS)
        company.passes(3)
        (follow,) = company.follows()
        assert follow.detail.startswith("The draft of the page is not in Confluence any more. Nothing was published.")
        assert company.wiki.pages == company.wiki.drafts() == []
        republish(company.company.oauth.store, follow.id or 0, company.clock.now())
        company.passes(3)
        assert len(company.wiki.pages) == 1
        assert company.again_from_scratch() == []


def _published(company: Story, *, pages: int = 1, comments: int = 2, label_ben: bool = False) -> Sent:
    company.connect(ADA, BEN)
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])
    company.passes()
    if label_ben:
        company.label(BEN, sent[0][BEN][1])
        company.passes()
    assert (len(company.wiki.pages), len(company.wiki.comments)) == (pages, comments)
    return sent


def _publications(company: Story) -> list[Publication]:
    with company.company.oauth.store.read() as session:
        return list(session.exec(select(Publication).order_by(col(Publication.id))))


def _publication(company: Story) -> Publication:
    (found,) = _publications(company)
    return found


def _entries(company: Story) -> list[Entry]:
    with company.company.oauth.store.read() as session:
        return list(session.exec(select(Entry).order_by(col(Entry.publication_id), col(Entry.ordinal))))


def _keys(company: Story) -> list[str]:
    return [entry.key for entry in _entries(company)]
