"""The main way: a label makes a page, replies become comments, and a second look writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.store.tables import FollowState

from support.stories import ADA, BEN, CY, story
from support.thread_t3 import assert_expected_t3, send_t3

IMAGE = '<ri:attachment ri:filename="timeline.png"'


@pytest.mark.scenario("P2")
def test_a_labelled_thread_becomes_a_page_and_its_reply_a_comment(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = company.send(ADA, BEN, "Release plan", "We ship on Monday.\n")
        message, thread = sent[ADA]
        company.label(ADA, thread)
        company.passes()
        wiki = company.world.atlassian
        assert [page.title for page in wiki.pages] == ["Release plan"]
        company.send(BEN, ADA, "Re: Release plan", "Fine with me.\n", reply_to=company.message_id(ADA, message))
        company.passes()
        assert len(wiki.comments) == 1
        assert "Fine with me." in wiki.comments[0].version.body
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A2")
@pytest.mark.scenario("P2")
@pytest.mark.scenario("P4")
def test_thread_t3_is_published_in_one_cycle_with_three_kinds_of_calls(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.gmail.create_label(ADA, "Confluence/ENG")
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.passes(1)
        company.label(ADA, sent[0][ADA][1])
        mark = company.mark()
        company.passes(1)
        assert company.calls(mark, service="google", person=ADA) == {
            "gmail.users.history.list": 1,
            "gmail.users.threads.get": 1,
            "gmail.users.messages.attachments.get": 2,
        }
        assert_expected_t3(company)
        (page,) = company.wiki.pages
        before, image, after = (page.body.index(text) for text in ("Before the picture", IMAGE, "After the picture"))
        assert before < image < after
        assert "tracker.example.net" not in page.body
        (follow,) = company.follows()
        assert (follow.state, follow.messages) == (FollowState.FOLLOWING, 3)
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A3")
def test_a_fourth_mail_without_the_label_is_one_more_comment(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        mark = company.mark()
        company.reply(BEN, ADA, sent[2], "One more thing.\n")
        company.passes()
        assert_expected_t3(company, comments=3)
        assert "One more thing." in company.wiki.comments[2].body
        assert [seen.operation for seen in company.world.core.journal.writes(mark)] == ["createFooterComment"]
        assert company.again_from_scratch() == []


@pytest.mark.scenario("P3")
def test_each_page_is_written_by_the_person_who_labelled_it(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        mark = company.mark()
        for person, subject in ((ADA, "From Ada's mailbox"), (BEN, "From Ben's mailbox")):
            sent = company.send(CY, person, subject)
            company.label(person, sent[person][1])
        company.passes()
        wiki = company.wiki
        authors = {page.title: page.author for page in wiki.pages}
        assert authors == {
            "From Ada's mailbox": wiki.person(ADA).account_id,
            "From Ben's mailbox": wiki.person(BEN).account_id,
        }
        tokens: dict[str, set[str]] = {}
        for seen in company.world.core.journal.since(mark):
            tokens.setdefault(seen.person, set()).add(seen.request_headers.get("Authorization", ""))
            if "gmail" in seen.operation:
                assert "/users/me/" in seen.path
            if b"From Ben" in seen.request_body:
                assert seen.person == BEN
            if b"From Ada" in seen.request_body:
                assert seen.person == ADA
        assert set(tokens) == {ADA, BEN}
        assert tokens[ADA].isdisjoint(tokens[BEN])
        assert company.again_from_scratch() == []


def test_an_unlabelled_mail_is_never_opened(tmp_path: Path) -> None:
    canary = "quokka-4711"
    with story(tmp_path) as company:
        company.send(CY, ADA, f"Private {canary}", f"Nobody reads {canary}.\n")
        company.connect(ADA)
        mark = company.mark()
        open_thread = company.send(CY, ADA, "Open")[ADA][1]
        shut = company.send(CY, ADA, f"Shut {canary}", f"Nor {canary}.\n", files=[("a.txt", "text/plain", b"x")])[ADA]
        company.label(ADA, open_thread)
        company.label(ADA, shut[1], "Holiday")
        company.passes()
        company.gmail.trash(ADA, shut[0])
        company.gmail.untrash(ADA, shut[0])
        company.unlabel(ADA, shut[1], "Holiday")
        company.passes()
        company.wait(7 * 3600)
        company.passes()
        assert [page.title for page in company.wiki.pages] == ["Open"]
        opened = [
            seen for seen in company.world.core.journal.since(mark) if seen.operation == "gmail.users.threads.get"
        ]
        assert {seen.path.rpartition("/")[2] for seen in opened} == {open_thread}
        answers = b"".join(seen.response_body for seen in company.world.core.journal.since(mark))
        assert canary.encode() not in answers
        assert company.again_from_scratch() == []
