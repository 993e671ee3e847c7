"""``[safety] mode = "observe"``: the first week of a roll-out. All is planned and told, nothing is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from bridge.config.values import Brake
from bridge.daemon.report import report
from bridge.store import publications
from bridge.store.tables import FollowState

from support.stories import ADA, BEN, CY, Story, story
from support.thread_t3 import assert_expected_t3, send_t3


def turn(s: Story, mode: Literal["publish", "observe"]) -> None:
    s.change(safety=replace(s.settings.safety, mode=mode))


def test_a_day_of_mail_brings_no_write_and_says_what_would_be_written(tmp_path: Path) -> None:
    with story(tmp_path, mode="observe", wait=15.0) as s:
        s.connect(ADA, BEN)
        t3 = send_t3(s)
        s.label(ADA, t3[0][ADA][1])
        aside = s.send(BEN, ADA, "Aside", cc=CY)
        s.label(ADA, aside[ADA][1])
        hidden = s.send(ADA, CY, "Not for the bridge")
        for hour in range(24):
            s.passes(6, 600)
            if hour == 3:
                s.reply(BEN, ADA, aside, "To Ada alone.")
            if hour == 5:
                s.unlabel(ADA, aside[ADA][1])
        assert s.world.core.journal.writes() == []
        (follow,) = s.follows()
        assert (follow.thread_id, follow.state, follow.reason) == (t3[0][ADA][1], FollowState.FOLLOWING, "observed")
        assert follow.detail == "Would publish to ENG as Ada Lovelace: a page and 2 replies."
        with s.company.oauth.store.read() as session:
            assert publications.everyone(session) == []
        assert [event.outcome for event in s.events("observed")] == [
            "Would publish to ENG as Ada Lovelace: a page and 2 replies.",
            "Would publish to ENG as Ada Lovelace: a page.",
            "Would publish to ENG as Ada Lovelace: a page. 1 more would be asked about first.",
        ]
        reads = [seen for seen in s.world.core.journal.since() if seen.operation == "gmail.users.threads.get"]
        assert len(reads) == len(s.events("mail read")) < 10, "full passes read nothing a second time"
        assert hidden[ADA][1] not in {seen.path.rpartition("/")[2] for seen in reads}
        with s.company.oauth.store.read() as session:
            found = report(session, s.clock.now(), subjects=False, mode="observe")
        assert (found.threads.observed, found.threads.publishing, found.waits) == (1, 0, ())
        assert s.again_from_scratch() == []


def test_switched_to_publish_all_that_is_labelled_by_then_is_published(tmp_path: Path) -> None:
    with story(tmp_path, mode="observe") as s:
        s.connect(ADA, BEN)
        t3 = send_t3(s)
        s.label(ADA, t3[0][ADA][1])
        s.passes()
        taken_off = s.send(BEN, ADA, "Taken off")
        s.label(ADA, taken_off[ADA][1])
        s.passes()
        s.unlabel(ADA, taken_off[ADA][1])
        s.passes()
        turn(s, "publish")
        s.passes(4)
        assert_expected_t3(s)
        assert s.again_from_scratch() == []


def test_the_wait_begins_when_it_is_switched(tmp_path: Path) -> None:
    with story(tmp_path, mode="observe", wait=300.0) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes(10)
        turn(s, "publish")
        s.passes(3)
        assert s.wiki.pages == []
        s.unlabel(ADA, sent[ADA][1])
        s.passes(10)
        assert s.wiki.pages == []
        assert s.follows() == []


def test_more_than_the_brake_allows_is_asked_about_when_it_is_switched(tmp_path: Path) -> None:
    with story(tmp_path, mode="observe", brake=Brake(3, 600.0)) as s:
        s.connect(ADA, BEN)
        for number in range(6):
            s.label(ADA, s.send(BEN, ADA, f"Plan {number}")[ADA][1])
            s.passes(12)
        assert s.held() == []
        turn(s, "publish")
        s.passes(3)
        assert s.wiki.pages == []
        (item,) = s.held()
        assert (item.reason, len(item.threads)) == ("brake", 6)
        s.answer(item, "publish")
        s.passes(3)
        assert len(s.wiki.pages) == 6
        assert s.again_from_scratch() == []


def test_an_answer_given_while_observing_stands(tmp_path: Path) -> None:
    with story(tmp_path, mode="observe", brake=Brake(3, 600.0)) as s:
        sent = [s.send(BEN, ADA, f"Old {number}") for number in range(6)]
        for one in sent:
            s.label(ADA, one[ADA][1])
        s.connect(ADA, BEN)
        (item,) = s.held()
        assert item.reason == "backlog"
        s.answer(item, "publish")
        s.passes(3)
        assert s.world.core.journal.writes() == []
        turn(s, "publish")
        s.passes(3)
        assert len(s.wiki.pages) == 6
        assert s.held() == []
        assert s.again_from_scratch() == []


def test_what_stands_already_gets_nothing_while_observing(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        turn(s, "observe")
        mark = s.mark()
        s.reply(ADA, BEN, sent, "A reply.")
        s.passes(10)
        assert s.world.core.journal.writes(mark) == []
        (follow,) = s.follows()
        assert follow.detail == "Would publish to ENG as Ada Lovelace: 1 reply."
        turn(s, "publish")
        s.passes(3)
        assert [seen.operation for seen in s.world.core.journal.writes(mark)] == ["createFooterComment"]
        assert s.again_from_scratch() == []
