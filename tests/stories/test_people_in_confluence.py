"""Pages belong to people: what they edit, rename, move or throw away stays so; what they may not do is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.store.tables import FollowState

from support.stories import ADA, BEN, CY, ENG, Story, story
from support.thread_t3 import send_t3

Sent = tuple[dict[str, tuple[str, str]], ...]


def test_a_page_that_people_edited_renamed_and_moved_gets_its_replies_and_no_other_write(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.edit_page(CY, page.id, "<p>Rewritten.</p>")
        company.wiki.rename_page(CY, page.id, "Our plan")
        company.wiki.allow("HR", CY)
        company.wiki.move_page(page.id, key="HR")
        mark = company.mark()
        company.reply(BEN, ADA, sent[2], "After the edits.\n")
        company.passes()
        assert [seen.operation for seen in company.world.core.journal.writes(mark)] == ["createFooterComment"]
        assert (page.title, page.body, page.version.number) == ("Our plan", "<p>Rewritten.</p>", 3)
        assert [comment.page for comment in company.wiki.comments] == [page.id] * 3
        assert company.again_from_scratch() == []


def test_a_page_that_was_thrown_away_is_not_made_again(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.trash_page(page.id)
        company.reply(BEN, ADA, sent[2], "Into the trash?\n")
        company.passes(20)
        assert company.again_from_scratch() == []
        assert [one.id for one in company.wiki.pages] == [page.id]
        assert page.status == "trashed"
        assert company.wiki.drafts() == []
        (follow,) = company.follows()
        assert follow.state is FollowState.NEEDS_SOMEBODY
        assert follow.detail.startswith("Removed in Confluence: the page is in the trash.")
        company.wiki.restore_page(page.id)
        company.wait(6 * 3600)
        company.passes()
        assert ["Into the trash?" in comment.body for comment in company.wiki.comments] == [False, False, True]
        assert company.follows()[0].state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


def test_a_page_that_was_purged_is_not_made_again(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        company.wiki.purge_page(company.wiki.pages[0].id)
        company.reply(BEN, ADA, sent[2], "Nowhere to go.\n")
        company.passes(20)
        assert company.again_from_scratch() == []
        assert company.wiki.pages == company.wiki.drafts() == []
        assert company.wiki.comments == []
        assert company.follows()[0].state is FollowState.NEEDS_SOMEBODY


def test_a_comment_that_was_deleted_stays_deleted(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        company.wiki.delete_comment(company.wiki.comments[0].id)
        company.reply(BEN, ADA, sent[2], "One more.\n")
        company.passes(3)
        assert company.again_from_scratch() == []
        assert ["One more." in comment.body for comment in company.wiki.comments] == [False, True]


def test_a_permission_that_is_missing_is_said_and_one_that_came_is_used(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.wiki.forbid("ENG", ADA, "page")
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(2)
        (follow,) = company.follows()
        assert follow.state is FollowState.NEEDS_SOMEBODY
        assert "You may not add pages in space ENG" in follow.detail
        assert "Ask an admin of the space" in follow.detail
        mark = company.mark()
        company.passes(30)
        assert company.calls(mark)["createPage"] == 0, "it is not tried every minute"
        company.wiki.allow("ENG", ADA)
        company.wait(6 * 3600)
        company.passes(2)
        assert len(company.wiki.pages) == 1
        assert len(company.wiki.comments) == 2
        assert company.follows()[0].state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


def test_one_person_without_a_permission_holds_up_nobody_else(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.wiki.forbid("ENG", ADA, "page")
        company.connect(ADA, BEN)
        for person in (ADA, BEN):
            company.label(person, company.send(CY, person, f"For {person}")[person][1])
        company.passes()
        assert [page.author for page in company.wiki.pages] == [company.wiki.person(BEN).account_id]
        assert company.again_from_scratch() == []


def test_a_space_that_is_unknown_is_named_and_used_when_it_is_there(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, space="LATER")) as company:
        company.connect(ADA)
        company.label(ADA, company.send(CY, ADA, "Minutes")[ADA][1])
        company.passes(2)
        (follow,) = company.follows()
        assert follow.state is FollowState.NEEDS_SOMEBODY
        assert 'Space "LATER" was not found' in follow.detail
        mark = company.mark()
        company.passes(30)
        assert company.calls(mark)["getSpaces"] == 0, "it is not asked for in each cycle"
        company.wiki.add_space("LATER", "Later")
        company.wait(6 * 3600)
        company.passes(2)
        assert [page.title for page in company.wiki.pages] == ["Minutes"]
        assert company.follows()[0].state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


def test_a_parent_that_is_unknown_is_named(tmp_path: Path) -> None:
    with story(tmp_path, replace(ENG, parent="Archive")) as company:
        company.connect(ADA)
        company.label(ADA, company.send(CY, ADA, "Minutes")[ADA][1])
        company.passes(2)
        (follow,) = company.follows()
        assert follow.state is FollowState.NEEDS_SOMEBODY
        assert 'The page "Archive" in space ENG was not found' in follow.detail
        company.wiki.create_page(CY, "ENG", "Archive")
        company.wait(6 * 3600)
        company.passes(2)
        assert [page.title for page in company.wiki.pages] == ["Archive", "Minutes"]
        assert company.again_from_scratch() == []


def test_a_page_that_its_person_may_see_no_more_gets_its_replies_when_access_is_back(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        sent = _published(company)
        (page,) = company.wiki.pages
        company.wiki.restrict_page(page.id, read=[CY], update=[CY])
        company.reply(BEN, ADA, sent[2], "Behind the door.\n")
        company.passes(3)
        (follow,) = company.follows()
        assert follow.state is FollowState.NEEDS_SOMEBODY
        assert "You no longer have access to the page" in follow.detail
        company.wiki.restrict_page(page.id)
        company.wait(6 * 3600)
        company.passes(2)
        assert len(company.wiki.comments) == 3
        assert len(company.wiki.pages) == 1
        assert company.again_from_scratch() == []


def _published(company: Story) -> Sent:
    company.connect(ADA, BEN)
    sent = send_t3(company)
    company.label(ADA, sent[0][ADA][1])
    company.passes()
    assert (len(company.wiki.pages), len(company.wiki.comments)) == (1, 2)
    return sent
