"""What is written and not sent yet: drafts that Gmail saves every few seconds, and mail that is scheduled."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from support.stories import ADA, BEN, Story, story
from support.thread_t3 import assert_expected_t3, send_t3


def _eml(company: Story, message_id: str, text: str) -> bytes:
    return (
        f"From: Ada Lovelace <{ADA}>\r\nTo: {BEN}\r\nSubject: Re: Release plan\r\n"
        f"In-Reply-To: <{message_id}>\r\nReferences: <{message_id}>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@pytest.mark.scenario("A32")
def test_a_draft_is_no_comment_until_it_is_sent_and_its_earlier_words_never_appear(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        thread = sent[0][ADA][1]
        company.label(ADA, thread)
        company.passes()
        answered = company.message_id(ADA, sent[2][ADA][0])
        draft = company.gmail.save_draft(ADA, _eml(company, answered, "You are all fools."), thread)
        for text in ("You are all fo", "You are", "Perhaps not"):
            company.passes(1, 15)
            draft = company.gmail.autosave_draft(ADA, draft, _eml(company, answered, text))
        company.passes()
        assert_expected_t3(company)
        draft = company.gmail.autosave_draft(ADA, draft, _eml(company, answered, "Agreed, thank you."))
        company.passes(1)
        company.gmail.send_draft(ADA, draft)
        company.passes()
        assert_expected_t3(company, comments=3)
        assert "Agreed, thank you." in company.wiki.comments[2].body
        bodies = b"".join(seen.request_body for seen in company.world.core.journal.seen)
        assert b"fools" not in bodies
        assert b"Perhaps not" not in bodies
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A32")
def test_a_mail_that_is_scheduled_is_no_comment_until_its_time(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        thread = sent[0][ADA][1]
        company.label(ADA, thread)
        company.passes()
        eml = _eml(company, company.message_id(ADA, sent[2][ADA][0]), "Sent tonight.")
        tonight = company.clock.now() + timedelta(hours=12)
        waiting, _ = company.gmail.deliver(ADA, eml, labels=(), thread_id=thread, at=tonight)
        company.passes(3)
        assert_expected_t3(company)
        company.wait(12 * 3600)
        company.gmail.delete_forever(ADA, waiting)
        company.gmail.send(ADA, eml)
        company.passes()
        assert_expected_t3(company, comments=3)
        assert "Sent tonight." in company.wiki.comments[2].body
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A32")
def test_a_mail_that_is_dated_ahead_is_published_when_its_time_has_come(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = send_t3(company)
        company.label(ADA, sent[0][ADA][1])
        company.passes()
        eml = _eml(company, company.message_id(ADA, sent[2][ADA][0]), "Sent in an hour.")
        soon = company.clock.now() + timedelta(hours=1)
        company.gmail.deliver(ADA, eml, labels=("SENT",), thread_id=sent[0][ADA][1], at=soon)
        company.passes(3)
        assert_expected_t3(company)
        company.wait(3600)
        company.passes()
        assert_expected_t3(company, comments=3)
        assert company.again_from_scratch() == []


@pytest.mark.scenario("A32")
def test_a_draft_alone_under_the_label_publishes_nothing(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        eml = f"From: {ADA}\r\nTo: {BEN}\r\nSubject: Idea\r\n\r\nHalf an idea.\r\n".encode()
        draft = company.gmail.save_draft(ADA, eml)
        company.label(ADA, company.gmail.mailbox(ADA).messages[draft].thread_id)
        company.passes(3)
        assert company.wiki.pages == company.wiki.drafts() == []
        assert company.again_from_scratch() == []
