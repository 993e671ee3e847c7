"""What people can ask and order: explain, log, retry, forget. Each thing that waits says so; each write left a row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import update
from werkzeug.wrappers import Response

from bridge.config import Route
from bridge.daemon.explaining import Explained, explain
from bridge.daemon.explaining_text import text
from bridge.daemon.telling import WRITES, as_object
from bridge.daemon.waiting import Waiting, waiting
from bridge.sandbox.faults import Rule
from bridge.store import events
from bridge.store.tables import Follow, FollowState, Mailbox
from bridge.sync import orders
from bridge.sync.named import named

from support.stories import ADA, BEN, CY, ENG, Story, story
from support.thread_t3 import assert_expected_t3, send_t3

OPS = Route(name="ops", label="Confluence/OPS", space="ENG")
SECOND = Route(name="second", label="confluence/eng", space="HR")
OFFICIAL = {
    "createPage": "draft",
    "updatePage": "publish",
    "createFooterComment": "comment",
    "createAttachment": "upload",
    "addLabelsToContent": "page label",
    "createPageProperty": "origin property",
}


def explained(s: Story, name: str, *, subjects: bool = False) -> list[Explained]:
    with s.company.oauth.store.read() as session:
        return explain(session, named(session, name), s.settings, s.clock.now(), lines={"eng": 12}, subjects=subjects)


def told(s: Story, name: str, *, subjects: bool = False) -> str:
    return text(explained(s, name, subjects=subjects), s.clock.now())


def rows(s: Story) -> list[Waiting]:
    with s.company.oauth.store.read() as session:
        return waiting(session, s.clock.now())


def retry(s: Story) -> orders.Retried:
    with s.company.oauth.store.write() as session:
        return orders.retry(session, orders.failing(session), s.clock.now(), who="root")


def of(s: Story, name: str) -> list[Follow]:
    with s.company.oauth.store.read() as session:
        return named(session, name)


@pytest.mark.scenario("P14")
def test_three_faults_and_then_an_answer_are_one_page(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        rule = Rule("createPage", "answer", times=3, make=lambda: Response("{}", 503, mimetype="application/json"))
        s.world.core.faults.append(rule)
        sent = send_t3(s)
        s.label(ADA, sent[0][ADA][1])
        s.passes(1)
        (row,) = rows(s)
        assert (row.thread_id, row.whose, row.reason) == (sent[0][ADA][1], "time", "put off")
        assert row.what == "Confluence has a fault of its own (503); it is tried again later."
        assert row.until is not None
        s.passes(16)
        assert rule.struck == 3
        assert rows(s) == []
        assert_expected_t3(s)
        assert s.again_from_scratch() == []


@pytest.mark.scenario("P14")
@pytest.mark.parametrize("operation", ["createPage", "updatePage", "createFooterComment", "createAttachment"])
def test_a_thread_that_was_refused_for_good_is_whole_after_a_retry(tmp_path: Path, operation: str) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        refused = '{"errors": [{"status": 400, "title": "INVALID_REQUEST_PARAMETER", "detail": "No."}]}'
        rule = Rule(operation, "answer", times=None, make=lambda: Response(refused, 400, mimetype="application/json"))
        s.world.core.faults.append(rule)
        sent = send_t3(s)
        s.label(ADA, sent[0][ADA][1])
        s.passes(4)
        (row,) = rows(s)
        assert (row.thread_id, row.whose) == (sent[0][ADA][1], "operator")
        s.world.core.faults.clear()
        mark = s.mark()
        s.passes(4)
        assert s.world.core.journal.writes(mark) == [], "nothing is sent again by itself for hours"
        assert retry(s).threads == (sent[0][ADA][1],)
        s.passes(4)
        assert_expected_t3(s)
        assert rows(s) == []
        assert retry(s) == orders.Retried()
        assert s.again_from_scratch() == []


@pytest.mark.scenario("P17")
def test_every_remote_write_is_one_row_that_says_who_what_when_and_why(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        s.world.core.faults.append(Rule("createFooterComment", "drop-after"))
        sent = send_t3(s)
        s.label(ADA, sent[0][ADA][1])
        s.passes(8)
        assert_expected_t3(s)
        written = s.world.core.journal.writes()
        with s.company.oauth.store.read() as session:
            found = [event for event in events.chosen(session, limit=10_000) if event.what in WRITES]
        kinds = Counter(OFFICIAL[write.operation] for write in written)
        assert Counter(event.what for event in found) == kinds
        mails = {message for part in sent for message, _ in [part[ADA]]}
        for event in found:
            row = as_object(event, ADA)
            assert (row["who"], row["as"], row["thread"]) == (ADA, ADA, sent[0][ADA][1])
            assert row["remote_id"] or event.what in ("page label", "origin property")
            assert event.cause.startswith(("mail ", "/p/"))
            assert event.cause.startswith("/p/") or event.cause.removeprefix("mail ") in mails
            json.dumps(row, default=str)
        assert [event.version for event in found if event.what == "publish"] == [1]
        assert [event.outcome for event in found if event.what == "comment"] == ["found again", "done"]
        for event in s.events("mail read"):
            assert event.account_id is not None
        assert "April" not in json.dumps([as_object(event, ADA) for event in found], default=str), "no subject, no text"
        with s.company.oauth.store.write() as session:
            assert events.purge(session, s.clock.now() - events.KEPT) == 0
            assert events.purge(session, s.clock.now() + timedelta(days=1)) > 20


@pytest.mark.scenario("P11")
def test_explain_names_the_route_and_why_the_others_did_not_match(tmp_path: Path) -> None:
    with story(tmp_path, ENG, SECOND, OPS) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        (one,) = explained(s, sent[ADA][1])
        assert [(route.name, route.line, route.chosen, route.why) for route in one.routes] == [
            ("eng", 12, True, "its label Confluence/ENG was seen on the thread"),
            ("second", 0, False, 'the label belongs to "eng", which stands first'),
            ("ops", 0, False, "its label Confluence/OPS was not seen on the thread"),
        ]
        said = told(s, sent[ADA][1])
        assert '  Route     "eng" (line 12) chosen: its label Confluence/ENG was seen on the thread\n' in said
        assert '            "second" not: the label belongs to "eng", which stands first\n' in said
        assert "            1 other route not: its label was not seen on the thread\n" in said
        assert s.again_from_scratch() == []


@pytest.mark.scenario("X16")
def test_explain_tells_every_decision_with_its_evidence_and_asks_nobody(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(
            BEN, ADA, "Budget talk", "First words.\nAnd more.\n", cc=CY, files=[("a.txt", "text/plain", b"a")]
        )
        s.label(ADA, sent[ADA][1])
        s.passes()
        s.reply(ADA, f"{BEN}, {CY}", sent, "Mine.\n\nOn Mon, Ben Hart wrote:\n> First words.\n> And more.\n")
        s.passes(3)
        s.reply(BEN, ADA, sent, "To you alone.")
        s.passes(3)
        mark = s.mark()
        (one,) = explained(s, sent[ADA][1])
        page = s.wiki.pages[0]
        after_it = {"page label", "origin property", "read back"}
        assert after_it < {step.what for step in one.steps}
        steps = [step for step in one.steps if step.what not in after_it]
        assert [step.what for step in steps] == [
            "label seen", "mail read", "planned", "follow following", "draft", "upload", "rendered", "publish",
            "mail read", "planned", "rendered", "comment", "mail read", "planned", "entry held",
        ]  # fmt: skip
        read, planned, rendered = (steps[number].evidence for number in (1, 2, 10))
        assert (read["mails"], read["files"]) == ([sent[ADA][0]], 1)
        assert planned["label_id"] == s.gmail.mailbox(ADA).labels.find("Confluence/ENG").id
        assert planned["labelled"] == [sent[ADA][0]]
        assert rendered["parts"] == [{"part": "own", "lines": 2}, {"part": "cut", "lines": 2}]
        assert one.page is not None
        assert {row.kind: row.remote_id for row in one.page.writes if row.kind in ("draft", "publish")} == {
            "draft": page.id,
            "publish": page.id,
        }
        assert [(entry.state, entry.question) for entry in one.page.entries] == [
            ("done", ""),
            ("done", ""),
            ("held", "Publish it, or leave it out?"),
        ]
        said = told(s, sent[ADA][1])
        assert said.splitlines()[0].endswith("Subject hidden (admin_sees_subjects = false).")
        assert "quoted text (2 lines, cut: it stands in an earlier mail)" in said
        assert said.endswith("Then: mailbridge held   shows what may be answered, and how       All fields: --json")
        assert "Budget" not in said + json.dumps(asdict(one), default=str)
        assert "Subject: Budget talk" in told(s, sent[ADA][1], subjects=True)
        assert told(s, page.id) == told(s, f"https://mailbridge.example.com/p/{one.page.uid}") == said
        assert told(s, one.page.url) == said
        assert s.mark() == mark, "it asks neither Google nor Atlassian"
        assert s.again_from_scratch() == []


def test_a_forgotten_thread_gets_nothing_until_it_is_labelled_anew(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan", cc=CY)
        s.label(ADA, sent[ADA][1])
        s.passes()
        s.reply(BEN, ADA, sent, "To Ada alone.")
        s.passes()
        assert len(s.held()) == 1
        with s.company.oauth.store.write() as session:
            (gone,) = orders.forget(session, named(session, sent[ADA][1]), s.clock.now(), who="root")
            assert orders.forget(session, named(session, sent[ADA][1]), s.clock.now(), who="root") == []
        assert gone.state is FollowState.IGNORED
        assert s.held() == []
        mark = s.mark()
        s.reply(BEN, f"{ADA}, {CY}", sent, "Not for the wiki.")
        s.passes(4)
        assert s.again_from_scratch() == []
        assert s.world.core.journal.writes(mark) == []
        assert told(s, sent[ADA][1]).splitlines()[2].endswith("What was published stays.")
        s.unlabel(ADA, sent[ADA][1])
        s.passes()
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        assert [write.operation for write in s.world.core.journal.writes(mark)] == ["createFooterComment"]
        assert len(s.held()) == 1
        assert s.again_from_scratch() == []


def test_forgetting_is_taken_back(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        with s.company.oauth.store.write() as session:
            orders.forget(session, named(session, sent[ADA][1]), s.clock.now(), who="root")
        s.reply(ADA, BEN, sent, "Meanwhile.")
        s.passes()
        with s.company.oauth.store.write() as session:
            (back,) = orders.follow_again(session, named(session, sent[ADA][1]), s.clock.now(), who="root")
        assert back.state is FollowState.FOLLOWING
        s.passes(3)
        assert ["Meanwhile." in comment.body for comment in s.wiki.comments] == [True]
        assert s.again_from_scratch() == []


def test_what_was_forgotten_before_it_was_published_is_not_published(tmp_path: Path) -> None:
    with story(tmp_path, wait=300.0) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        with s.company.oauth.store.write() as session:
            orders.forget(session, named(session, sent[ADA][1]), s.clock.now(), who="root")
        s.passes(10)
        assert s.wiki.pages == []
        assert rows(s) == []
        assert s.again_from_scratch() == []


def test_nothing_waits_without_a_row(tmp_path: Path) -> None:
    with story(tmp_path, ENG, Route(name="hr", label="Confluence/HR", space="HR"), wait=120.0) as s:
        s.connect(ADA, BEN)
        sent = s.send(ADA, BEN, "No access")
        s.label(BEN, sent[BEN][1], "Confluence/HR")
        fresh = s.send(BEN, ADA, "Fresh")
        s.label(ADA, fresh[ADA][1])
        s.passes(1)
        assert {row.thread_id: row.what for row in rows(s)} == {
            sent[BEN][1]: "its label was seen a moment ago; taken off now, nothing would be published",
            fresh[ADA][1]: "its label was seen a moment ago; taken off now, nothing would be published",
        }
        s.passes(4)
        assert [(row.thread_id, row.whose, row.reason) for row in rows(s)] == [(sent[BEN][1], "person", "no place")]
        s.wiki.revoke(BEN)
        again = s.send(ADA, BEN, "After the end of the connection")
        s.label(BEN, again[BEN][1])
        s.passes(4)
        assert [(row.id, row.thread_id, row.what) for row in rows(s)] == [
            ("(all of ben's)", "", "Ben: reconnect Confluence: mailbridge connect ben@example.com")
        ]
        assert s.again_from_scratch() == []


def test_a_forgotten_thread_that_lost_its_label_in_a_gap_of_history_begins_anew(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        with s.company.oauth.store.write() as session:
            orders.forget(session, named(session, sent[ADA][1]), s.clock.now(), who="root")
        s.unlabel(ADA, sent[ADA][1])
        with s.company.oauth.store.write() as session:
            session.exec(update(Mailbox).values(cursor=None))
        s.passes()
        (follow,) = s.follows()
        assert (follow.state, follow.reason) == (FollowState.STOPPED, "label removed")
        s.label(ADA, sent[ADA][1])
        s.reply(ADA, BEN, sent, "On again.")
        s.passes(3)
        assert len(s.wiki.comments) == 1
        assert s.again_from_scratch() == []
