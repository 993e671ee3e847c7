"""A mail that ends the process each time that it is parsed, and threads that are innocent of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.mail import payload
from bridge.store import threads, writes
from bridge.store.tables import TouchedThread, WriteState
from bridge.sync.writes.perform import Performer

from support.stories import ADA, BEN, Story, story

ABORTED = 86


class Killed(BaseException):
    """The process ends here."""


def aborts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process end, without a word, as soon as the parser meets one mail."""
    real = payload.thread

    def parse(answer: Any, *rest: Any, **more: Any) -> Any:
        if "Poison" in str(answer) and more.get("owner"):
            os._exit(ABORTED)
        return real(answer, *rest, **more)

    monkeypatch.setattr(payload, "thread", parse)


def in_a_process_of_its_own(company: Story, work: Callable[[], None]) -> int:
    """Let the product work in a forked process on the same database; return how that ended."""
    company.company.oauth.store.engine.dispose()
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def tries(company: Story, thread: str) -> int | None:
    with company.company.oauth.store.read() as session:
        row: TouchedThread | None = threads.of_thread(session, 1, thread)
        return None if row is None else row.tries


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and later; the child runs one thread
def test_the_third_attempt_brings_the_fallback_page_and_no_crash_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        poison = company.send(ADA, BEN, "Poison", "Never parsed.\n")[ADA][1]
        company.label(ADA, poison)
        with monkeypatch.context() as patch:
            aborts(patch)
            for attempt in (1, 2):
                assert in_a_process_of_its_own(company, company.passes) == ABORTED
                assert tries(company, poison) == attempt, "counted, and committed, before the mail is parsed"
                company.wait(700)  # no lock of a worker proves here that it is dead: its lease runs out
                company.install()
            assert company.wiki.pages == []
            healthy = company.send(ADA, BEN, "Healthy", "Fine.\n")[ADA][1]
            company.label(ADA, healthy)
            company.passes(3)  # in this process: had it parsed the mail, no test would be left
        pages = {page.title: page.body for page in company.wiki.pages}
        assert sorted(pages) == ["Healthy", "Poison"]
        assert "This mail could not be read. The original is in the mailbox." in pages["Poison"]
        assert "Fine." in pages["Healthy"]
        assert tries(company, poison) is None
        assert company.again_from_scratch() == []


def test_a_long_thread_that_is_interrupted_again_and_again_is_no_poison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt writes a reply before the process ends; none of them may come out as a mail that cannot be read."""
    replies = [f"Reply number {number}.\n\n> Something that is quoted.\n" for number in range(6)]
    with story(tmp_path) as company:
        company.connect(ADA, BEN)
        sent = company.send(ADA, BEN, "Long", "It begins.\n")
        for text in replies:
            company.reply(BEN, ADA, sent, text)
        company.label(ADA, sent[ADA][1])
        for number in range(1, 6):
            with monkeypatch.context() as patch:
                _end_after(patch, comments=number)
                with pytest.raises(Killed):
                    company.passes(4)
            company.install()
            company.wait(700)
        company.passes(6)
        bodies = [comment.body for comment in company.wiki.comments]
        assert [f"Reply number {number}." in body for number, body in enumerate(bodies)] == [True] * len(replies)
        assert "could not be read" not in str(bodies)
        assert company.again_from_scratch() == []


def _end_after(patch: pytest.MonkeyPatch, *, comments: int) -> None:
    """Have the process end as it is about to send the comment after so many."""
    real = Performer.perform

    def perform(self: Performer, kind: Any, **more: Any) -> None:
        if kind.kind == "comment" and _done(self) >= comments and not self.has_ended(kind):
            raise Killed
        real(self, kind, **more)

    patch.setattr(Performer, "perform", perform)


def _done(performer: Performer) -> int:
    with performer.store.read() as session:
        listed = writes.of_publication(session, performer.publication_id)
    return sum(row.kind == "comment" and row.state is WriteState.DONE for row in listed)
