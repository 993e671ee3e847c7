"""One conversation in two mailboxes: one page, whoever labels it, and somebody who goes on when its writer is gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.store.tables import FollowState

from support.stories import ADA, BEN, CY, ENG, story
from support.thread_t3 import assert_expected_t3, send_t3


def test_both_label_it_and_it_is_one_page_that_both_follow(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.label(BEN, sent[0][BEN][1])
        company.passes()
        assert_expected_t3(company)
        follows = company.follows()
        assert len(follows) == 2
        assert len({follow.publication_id for follow in follows}) == 1
        assert {follow.state for follow in follows} == {FollowState.FOLLOWING}
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "From the third.\n")
        company.passes(5)
        assert_expected_t3(company, comments=3)
        assert company.again_from_scratch() == []


def test_who_labels_later_joins_and_adds_nothing(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        mark = company.mark()
        company.label(BEN, sent[0][BEN][1])
        company.passes()
        assert company.world.core.journal.writes(mark) == []
        assert len({follow.publication_id for follow in company.follows()}) == 1
        assert company.again_from_scratch() == []


def test_the_other_goes_on_when_the_writer_takes_the_label_off(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.label(BEN, sent[0][BEN][1])
        company.passes()
        company.unlabel(ADA, sent[0][ADA][1])
        company.passes()
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "Who posts this?\n")
        company.passes(3)
        assert_expected_t3(company, comments=3)
        assert company.wiki.comments[2].author == company.wiki.person(BEN).account_id
        company.unlabel(BEN, sent[0][BEN][1])
        company.passes()
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "Nobody posts this.\n")
        company.passes(5)
        assert_expected_t3(company, comments=3)
        assert company.again_from_scratch() == []


def test_the_other_goes_on_when_the_writers_connection_ends(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.label(BEN, sent[0][BEN][1])
        company.passes()
        company.wiki.revoke(ADA)
        company.reply(CY, f"{ADA}, {BEN}", sent[2], "Ada is gone.\n")
        company.passes(6)
        assert_expected_t3(company, comments=3)
        assert company.wiki.comments[2].author == company.wiki.person(BEN).account_id
        company.connect(ADA)
        company.passes(3)
        assert_expected_t3(company, comments=3)
        assert company.again_from_scratch() == []


def test_a_second_page_where_the_second_person_may_not_see_the_first(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company, "Quiet matter")
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        (first,) = company.wiki.pages
        company.wiki.restrict_page(first.id, read=[ADA], update=[ADA])
        company.label(BEN, sent[0][BEN][1])
        company.passes()
        second = next(page for page in company.wiki.pages if page.id != first.id)
        assert second.author == company.wiki.person(BEN).account_id
        assert first.id not in second.body
        assert len(company.wiki.wiki.comments_on(first.id)) == len(company.wiki.wiki.comments_on(second.id)) == 2
        fourth = company.reply(CY, f"{ADA}, {BEN}", sent[2], "For both.\n")
        company.passes(4)
        assert fourth
        assert len(company.wiki.wiki.comments_on(first.id)) == len(company.wiki.wiki.comments_on(second.id)) == 3
        assert company.again_from_scratch() == []


def test_two_routes_to_two_spaces_keep_the_pages_apart(tmp_path: Path) -> None:
    hr = replace(ENG, name="hr", label="Confluence/HR", space="HR")
    with story(tmp_path, ENG, hr) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1], "Confluence/HR")
        company.label(BEN, sent[0][BEN][1])
        company.passes()
        spaces = {company.wiki.wiki.spaces[page.space].key: page.author for page in company.wiki.pages}
        assert spaces == {"HR": company.wiki.person(ADA).account_id, "ENG": company.wiki.person(BEN).account_id}
        assert company.again_from_scratch() == []


def test_access_that_comes_before_anything_was_written_joins_the_page_that_stands(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.wiki.forbid("ENG", BEN)
        company.label(BEN, sent[0][BEN][1])
        company.passes(3)
        assert [follow.state for follow in company.follows()] == [FollowState.FOLLOWING, FollowState.NEEDS_SOMEBODY]
        company.wiki.allow("ENG", BEN)
        company.wait(7 * 3600)
        company.passes(3)
        assert_expected_t3(company, comments=2)
        assert [follow.state for follow in company.follows()] == [FollowState.FOLLOWING] * 2
        assert company.again_from_scratch() == []
