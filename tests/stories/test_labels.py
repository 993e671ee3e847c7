"""Labels that come and go: on one mail, for a moment, renamed, deleted; and a thread that is thrown away at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.sandbox.faults import parse
from bridge.store.tables import FollowState

from support.stories import ADA, BEN, CY, story
from support.thread_t3 import assert_expected_t3, send_t3


@pytest.mark.scenario("A16")
def test_a_label_that_stands_on_another_mail_of_the_thread_keeps_it_in(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.gmail.create_label(ADA, "Confluence/ENG")
        for mail in sent[:2]:
            company.gmail.label_message(ADA, mail[ADA][0], "Confluence/ENG")
        company.passes()
        assert_expected_t3(company)
        mark = company.mark()
        company.gmail.unlabel_message(ADA, sent[0][ADA][0], "Confluence/ENG")
        company.passes()
        assert company.world.core.journal.writes(mark) == []
        assert company.follows()[0].state is FollowState.FOLLOWING
        company.reply(BEN, ADA, sent[2], "Still in.\n")
        company.passes()
        assert_expected_t3(company, comments=3)
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A20")
@pytest.mark.parametrize("wait", [0.0, 15.0])
def test_a_label_that_is_taken_off_within_a_cycle_publishes_nothing(tmp_path: Path, wait: float) -> None:
    with story(tmp_path, wait=wait) as company:
        company.connect(ADA)
        thread = company.send(CY, ADA)[ADA][1]
        company.label(ADA, thread)
        company.wait(5)
        company.unlabel(ADA, thread)
        company.passes(4)
        assert company.wiki.pages == company.wiki.drafts() == []
        assert company.follows() == []
        assert company.calls(service="atlassian")["createPage"] == 0
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A20")
def test_a_label_that_is_taken_off_in_the_wait_publishes_nothing_and_one_that_stays_does(tmp_path: Path) -> None:
    with story(tmp_path, wait=15.0) as company:
        company.connect(ADA)
        thread = company.send(CY, ADA)[ADA][1]
        company.label(ADA, thread)
        company.passes(1, 60)
        company.passes(1, 5)
        assert company.wiki.pages == company.wiki.drafts() == []
        company.unlabel(ADA, thread)
        company.passes(4, 15)
        assert company.wiki.pages == company.wiki.drafts() == []
        assert company.follows() == []
        company.label(ADA, thread)
        company.passes(1, 15)
        assert company.wiki.pages == []
        company.passes(1, 15)
        assert len(company.wiki.pages) == 1
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A29")
def test_a_thread_whose_mails_are_all_in_the_trash_has_nothing_to_publish(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        message, thread = company.send(CY, ADA)[ADA]
        company.label(ADA, thread)
        company.gmail.trash(ADA, message)
        company.passes()
        assert company.wiki.pages == company.wiki.drafts() == []
        (follow,) = company.follows()
        assert follow.reason == "nothing to publish"
        assert "Nothing to publish" in follow.detail
        company.gmail.untrash(ADA, message)
        company.passes()
        assert len(company.wiki.pages) == 1
        assert company.again_from_scratch() == []


def test_a_page_stays_when_its_label_is_taken_off_and_its_replies_come_when_it_is_back(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        company.unlabel(ADA, sent[0][ADA][1])
        company.passes()
        (follow,) = company.follows()
        assert (follow.state, follow.reason) == (FollowState.STOPPED, "label removed")
        fourth = company.reply(BEN, ADA, sent[2], "While it was off.\n")
        company.reply(ADA, BEN, fourth, "And another.\n")
        company.passes()
        assert_expected_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        assert_expected_t3(company, comments=4)
        assert "While it was off." in company.wiki.comments[2].body
        assert "And another." in company.wiki.comments[3].body
        assert company.again_from_scratch() == []


def test_a_label_that_is_renamed_touches_no_page(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        mark = company.mark()
        company.gmail.rename_label(ADA, "Confluence/ENG", "Confluence/Engineering")
        company.wait(7 * 3600)
        company.passes()
        assert company.world.core.journal.writes(mark) == []
        assert_expected_t3(company)


def test_a_label_that_is_deleted_stops_nothing_in_confluence(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        mark = company.mark()
        company.gmail.delete_label(ADA, "Confluence/ENG")
        company.passes(3)
        company.wait(7 * 3600)
        company.passes()
        assert company.world.core.journal.writes(mark) == []
        assert_expected_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes(3)
        assert_expected_t3(company)
        assert company.again_from_scratch() == []


def test_a_mail_that_comes_back_from_the_trash_before_it_was_published_is_not_left_out(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        first = company.send(BEN, ADA, "Plan")
        company.label(ADA, first[ADA][1])
        company.passes()
        rule = parse("503 createFooterComment times=always")
        company.world.core.faults.append(rule)
        second = company.reply(BEN, ADA, first, "Away and back.\n")
        company.passes()
        company.gmail.trash(ADA, second[ADA][0])
        company.passes(3, seconds=600)
        third = company.reply(BEN, ADA, first, "Stays.\n")
        company.passes(2)
        company.gmail.untrash(ADA, second[ADA][0])
        company.passes(2)
        company.world.core.faults.remove(rule)
        company.passes(4, seconds=3600)
        assert third
        bodies = [comment.body for comment in company.wiki.comments]
        assert [next(word for word in ("Away and back.", "Stays.") if word in body) for body in bodies] == [
            "Stays.",
            "Away and back.",
        ]
        assert company.again_from_scratch() == []
