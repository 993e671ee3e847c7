"""What waits for a person: each question, each of its answers, and what must never begin a loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.values import Brake
from bridge.store.tables import FollowState

from support.stories import ADA, BEN, CY, Story, story

PETRA = "petra@acme.example"


@pytest.mark.parametrize(("choice", "pages"), [("publish", 3), ("new", 1), ("ignore", 0)])
def test_mail_that_was_labelled_before_its_person_connected(tmp_path: Path, choice: str, pages: int) -> None:
    with story(tmp_path) as company:
        threads = [company.send(BEN, ADA, f"Old {number}") for number in range(3)]
        for sent in threads:
            company.label(ADA, sent[ADA][1])
        company.connect(ADA)
        mark = company.mark()
        company.passes(5)
        assert company.calls(mark)["gmail.users.threads.get"] == 0, "nothing is opened before the answer"
        assert company.wiki.pages == []
        (item,) = company.held()
        assert (item.reason, item.address, len(item.threads)) == ("backlog", ADA, 3)
        assert item.choices == ("publish", "new", "ignore")
        company.answer(item, choice)
        company.passes()
        assert company.held() == []
        assert len(company.wiki.pages) == (3 if choice == "publish" else 0)
        company.reply(BEN, ADA, threads[0], "Something new.\n")
        company.passes()
        assert len(company.wiki.pages) == pages
        assert len(company.wiki.comments) == min(pages, 1)
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("cause", ["backlog", "brake"])
def test_a_stale_answer_after_the_question_is_not_taken_for_a_label_taken_off(tmp_path: Path, cause: str) -> None:
    with story(tmp_path, **({"brake": Brake(2, 600.0)} if cause == "brake" else {})) as company:
        company.gmail.settings.stale_reads = 1  # the first answer about a thread is from before its label
        threads = [company.send(BEN, ADA, f"Old {number}") for number in range(3)]
        if cause == "brake":
            company.connect(ADA)
        for sent in threads:
            company.label(ADA, sent[ADA][1])
        if cause == "backlog":
            company.connect(ADA)
        company.passes()
        (item,) = company.held()
        assert (item.reason, len(item.threads)) == (cause, 3)
        company.answer(item, "publish")
        company.passes(4)
        assert len(company.wiki.pages) == 3
        assert company.again_from_scratch() == []


@pytest.mark.parametrize(("setting", "pages"), [("publish", 2), ("ignore", 0)])
def test_a_configured_answer_to_the_backlog_asks_nobody(tmp_path: Path, setting: str, pages: int) -> None:
    with story(tmp_path, backlog=setting) as company:
        for number in range(2):
            company.label(ADA, company.send(CY, ADA, f"Old {number}")[ADA][1])
        company.connect(ADA)
        company.passes()
        assert company.held() == []
        assert len(company.wiki.pages) == pages
        assert company.again_from_scratch() == []


@pytest.mark.parametrize(("choice", "pages"), [("publish", 25), ("new", 1), ("ignore", 0)])
def test_more_new_threads_in_one_go_than_the_brake_allows(tmp_path: Path, choice: str, pages: int) -> None:
    with story(tmp_path, brake=Brake(20, 600.0)) as company:
        company.connect(ADA)
        threads = [company.send(BEN, ADA, f"Topic {number}") for number in range(25)]
        mark = company.mark()
        for sent in threads:
            company.label(ADA, sent[ADA][1])
        company.passes(4)
        assert company.wiki.pages == []
        assert company.calls(mark)["gmail.users.threads.get"] == 0, "braked before anything is fetched"
        (item,) = company.held()
        assert (item.reason, len(item.threads)) == ("brake", 25)
        company.answer(item, choice)
        company.passes(3)
        company.reply(BEN, ADA, threads[0], "Something new.\n")
        company.passes()
        assert len(company.wiki.pages) == pages
        assert company.held() == []
        assert company.again_from_scratch() == []


def test_threads_that_come_one_after_another_are_not_braked(tmp_path: Path) -> None:
    with story(tmp_path, brake=Brake(3, 60.0)) as company:
        company.connect(ADA)
        for number in range(6):
            company.label(ADA, company.send(CY, ADA, f"Topic {number}")[ADA][1])
            company.passes(1)
        company.passes()
        assert len(company.wiki.pages) == 6
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("choice", ["publish", "leave-out"])
def test_a_reply_to_one_person_alone_is_held_and_later_ones_pass(tmp_path: Path, choice: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = _conversation(company)
        quiet = company.reply(BEN, ADA, sent, "Between us: she is wrong.\n")
        company.reply(PETRA, f"{ADA}, {BEN}", sent, "Later and for all.\n")
        company.passes(4)
        assert [("she is wrong" in one.body, "for all" in one.body) for one in company.wiki.comments] == [(False, True)]
        (item,) = company.held()
        assert (item.reason, item.threads) == ("narrow reply", (sent[ADA][1],))
        assert PETRA in item.detail
        assert item.choices == ("publish", "leave-out")
        company.answer(item, choice)
        company.passes()
        texts = [comment.body for comment in company.wiki.comments]
        assert len(texts) == (2 if choice == "publish" else 1)
        assert ("she is wrong" in texts[-1]) is (choice == "publish")
        assert quiet
        assert company.held() == []
        assert company.again_from_scratch() == []


@pytest.mark.parametrize(("setting", "comments"), [("publish", 1), ("skip", 0)])
def test_a_configured_answer_to_narrow_replies_asks_nobody(tmp_path: Path, setting: str, comments: int) -> None:
    with story(tmp_path, narrow_replies=setting) as company:
        company.connect(ADA, BEN)
        company.reply(BEN, ADA, _conversation(company), "Between us.\n")
        company.passes()
        assert len(company.wiki.comments) == comments
        assert company.held() == []
        assert company.again_from_scratch() == []


@pytest.mark.parametrize("choice", ["publish", "leave-out"])
def test_a_mail_that_came_by_blind_copy_is_held(tmp_path: Path, choice: str) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        eml = (
            f"From: {PETRA}\r\nTo: others@acme.example\r\nMessage-ID: <b@acme.example>\r\nSubject: Quiet\r\n\r\nPst\r\n"
        )
        _, thread = company.gmail.deliver(ADA, eml.encode())
        company.label(ADA, thread)
        company.passes()
        assert company.wiki.pages == []
        (item,) = company.held()
        assert item.reason == "blind copy"
        assert "shows that you had it" in item.detail
        company.answer(item, choice)
        company.passes()
        assert len(company.wiki.pages) == (1 if choice == "publish" else 0)
        assert company.held() == []
        assert company.again_from_scratch() == []


def test_mail_through_a_list_is_no_blind_copy(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        eml = (
            f"From: {PETRA}\r\nTo: dev@lists.acme.example\r\nList-Id: <dev.lists.acme.example>\r\n"
            "Message-ID: <l@acme.example>\r\nSubject: List\r\n\r\nHello, list.\r\n"
        )
        company.label(ADA, company.gmail.deliver(ADA, eml.encode())[1])
        company.passes()
        assert company.held() == []
        assert len(company.wiki.pages) == 1
        assert company.again_from_scratch() == []


def test_confluences_own_notifications_make_no_loop(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA)
        company.gmail.create_label(ADA, "Confluence/ENG")
        company.gmail.add_filter(ADA, "plan", "Confluence/ENG")
        company.send(CY, ADA, "The plan", "Here it is.\n")
        for turn in range(4):
            company.passes()
            stands = len(company.wiki.pages) + len(company.wiki.comments)
            _notify(company, f"[Confluence] The plan: something new ({turn})")
        assert stands == 1
        company.passes(3)
        assert [page.title for page in company.wiki.pages] == ["The plan"]
        assert company.wiki.comments == []
        assert {follow.reason for follow in company.follows()} == {"", "nothing to publish"}
        assert company.again_from_scratch() == []


def test_an_out_of_office_answer_in_a_thread_is_left_out(tmp_path: Path) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = _conversation(company)
        company.reply(
            BEN, f"{ADA}, {PETRA}", sent, "I am away until Monday.\n", headers={"Auto-Submitted": "auto-replied"}
        )
        company.reply(BEN, f"{ADA}, {PETRA}", sent, "Back again, and fine.\n")
        company.passes()
        assert ["Back again" in comment.body for comment in company.wiki.comments] == [True]
        (follow,) = company.follows()
        assert follow.state is FollowState.FOLLOWING
        assert company.again_from_scratch() == []


def _conversation(company: Story) -> dict[str, tuple[str, str]]:
    """Publish a mail of Petra's to Ada and Ben, in Ada's mailbox; return it."""
    sent = company.send(PETRA, f"{ADA}, {BEN}", "For three", "Dear both.\n")
    company.label(ADA, sent[ADA][1])
    company.passes()
    assert len(company.wiki.pages) == 1
    return sent


def _notify(company: Story, subject: str) -> None:
    eml = (
        f'From: "Cy Moreno (Confluence)" <confluence@acme.atlassian.net>\r\nTo: {ADA}\r\nSubject: {subject}\r\n'
        f"Message-ID: <n{company.mark()}@acme.atlassian.net>\r\nAuto-Submitted: auto-generated\r\n\r\nA new page.\r\n"
    )
    company.gmail.deliver(ADA, eml.encode())
