from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.daemon.report import People, Report, Trouble, is_running, report, text
from bridge.store import events, meta, pauses
from bridge.store.figures import Standing
from bridge.store.tables import EntryState, FollowState, PublicationState

from support.installation import NOON, Installation


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation.make(tmp_path, now=NOON)


def read(here: Installation, *, subjects: bool = False, mode: str = "publish") -> Report:
    with here.store.read() as session:
        return report(session, here.now, subjects=subjects, mode=mode)


def test_nobody_connected_and_never_run(here: Installation) -> None:
    assert text(read(here)) == (
        "Not running. It has not looked at any mailbox yet.\n"
        "People      0 connected, 0 paused, 0 must reconnect\n"
        "Threads     0 published, 0 publishing now, 0 wait\n"
        "Start it: systemctl start mailbridge   (in the foreground: mailbridge run)"
    )


@pytest.mark.scenario("A43e")
def test_a_service_that_cannot_write_to_its_database_is_not_taken_for_dead(here: Installation) -> None:
    here.daemon(started=here.ago(hours=5), looked=here.ago(hours=1))
    with here.store.read() as session:
        found = report(session, here.now, subjects=False, serving=True)
    lines = text(found).splitlines()
    assert lines[0] == "Running, but it could not write to its database for 1 hour. Its log says why."
    assert lines[-1] == (
        "Make room on the disk, or let go of the database; the service goes on by itself: journalctl -u mailbridge"
    )


def test_running_without_people_asks_for_the_first(here: Installation) -> None:
    here.daemon(started=here.ago(minutes=5), looked=here.ago(seconds=20))
    lines = text(read(here)).splitlines()
    assert lines[0] == (
        "Running for 5 minutes, version 1.2.0. All services answer. Last look at the mailboxes: 20 seconds ago."
    )
    assert lines[-1] == "Connect the first person: mailbridge connect ADDRESS"


def test_the_whole_page(here: Installation) -> None:
    here.daemon(started=here.ago(days=7), looked=here.ago(seconds=25))
    ada = here.person("Ada Lovelace", looked_at=here.ago(seconds=6))
    ben = here.person("Ben Hart")
    here.person("Cy Gray", grants={"google": "needs consent", "atlassian": "live"}, reason="Connect Gmail again.")
    here.person("Dee Fox", paused=True, reason="must not show")
    page = here.publication(ada)
    here.follow(ada, "18c0ffee00000001", publication_id=page.id)
    here.entry(page, ada, "18c0ffee00000001", key="qR7", state=EntryState.HELD, reason="narrow reply")
    here.follow(ada, "18c0ffee00000002", publication_id=page.id)
    here.follow(
        ben,
        "18c0ffee0000002a",
        state=FollowState.NEEDS_SOMEBODY,
        reason="person",
        detail="You may not add pages in space HR. Ask an admin of the space.",
    )
    assert text(read(here)) == (
        "Running since 3 March, version 1.2.0. All services answer. Last look at the mailboxes: 6 seconds ago.\n"
        "People      2 connected, 1 paused, 1 must reconnect\n"
        "Threads     1 published, 0 publishing now, 2 wait\n"
        "Needs somebody                          since        whose move\n"
        "  qR7               ada@example.com     10 minutes   "
        "Ada: publish or leave out a reply that did not go to everybody\n"
        "  18c0ffee0000002a  ben@example.com     2 hours      "
        "Ben: may not add pages in space HR. Ask an admin of the space\n"
        "  (all of cy's)     cy@example.com      yesterday    "
        "Cy: reconnect Gmail: mailbridge connect cy@example.com\n"
        "Nothing for you to do. What may be answered, and how: mailbridge held"
    )


def test_subjects_are_shown_only_where_they_may_be(here: Installation) -> None:
    ada = here.person("Ada Lovelace")
    here.follow(ada, "t1", state=FollowState.HELD, reason="blind copy", subject="Re: \x1b[2Jsecret")
    assert "secret" not in text(read(here))
    assert [row.subject for row in read(here).rows] == [""]
    assert 'a blind copy ("Re: [2Jsecret")' in text(read(here, subjects=True))


def test_a_daemon_that_is_silent_for_more_than_two_minutes_does_not_run(here: Installation) -> None:
    here.daemon(started=here.ago(days=1), looked=here.ago(minutes=2))
    assert read(here).running
    here.daemon(started=here.ago(days=1), looked=here.ago(minutes=2, seconds=1))
    assert text(read(here)).splitlines()[0] == "Not running. Last look at the mailboxes: 2 minutes ago."


def test_a_crowd_is_one_row(here: Installation) -> None:
    ada = here.person("Ada Lovelace")
    for number in range(30):
        here.follow(ada, f"t{number}", state=FollowState.HELD, reason="brake", question="?")
    (row,) = read(here).rows
    assert (row.id, row.move) == (
        "brake:ada@example.com:eng",
        "Ada: publish 30 threads labelled in one go, only what is new, or none",
    )
    assert read(here).threads == Standing(somebody=30)


def test_a_person_who_must_reconnect_has_one_row_for_all(here: Installation) -> None:
    box = here.person("Cy Gray", grants={"google": "needs consent", "atlassian": "needs consent"})
    here.follow(box, "t1", state=FollowState.NEEDS_SOMEBODY, reason="consent", detail="Connect again.")
    here.follow(box, "t2", state=FollowState.HELD, reason="blind copy")
    (row,) = read(here).rows
    assert (row.id, row.move) == (
        "(all of cy's)",
        "Cy: reconnect Gmail and Confluence: mailbridge connect cy@example.com",
    )


def test_a_person_with_only_one_side_is_half_connected(here: Installation) -> None:
    here.person("Eve Stone", grants={"google": "live"})
    found = read(here)
    assert found.people == People(halfway=1)
    assert "0 must reconnect, 1 half connected" in text(found)
    assert found.rows[0].move == "Eve: connect Confluence too: mailbridge connect eve@example.com"


def test_troubles_are_counted_by_sentence(here: Installation) -> None:
    here.daemon(started=here.ago(days=7), looked=here.ago(seconds=5))
    for name in ("Ada", "Ben"):
        here.person(name, reason="Gmail did not answer.")
    here.person("Cy", reason="The client secret is wrong.")
    found = read(here)
    assert found.troubles == (Trouble("Gmail did not answer.", 2), Trouble("The client secret is wrong.", 1))
    assert text(found).splitlines()[:3] == [
        "Running since 3 March, version 1.2.0. Not all services answer. Last look at the mailboxes: 5 seconds ago.",
        "Services    Gmail did not answer. (2 mailboxes)",
        "Services    The client secret is wrong. (1 mailbox)",
    ]


def test_each_thread_counts_once(here: Installation) -> None:
    ada = here.person("Ada Lovelace")
    page = here.publication(ada)
    draft = here.publication(ada, number=2, state=PublicationState.DRAFTED)
    failing = here.publication(ada, number=3, state=PublicationState.DRAFTED, tries=2)
    here.follow(ada, "published", publication_id=page.id)
    here.follow(ada, "stopped", publication_id=page.id, state=FollowState.STOPPED)
    here.follow(ada, "taken down", publication_id=page.id, state=FollowState.TAKEN_DOWN)
    here.follow(ada, "not yet", reason="wait", not_before=here.now + timedelta(seconds=5))
    here.follow(ada, "drafted", publication_id=draft.id)
    here.follow(ada, "nothing", reason="nothing to publish")
    here.follow(ada, "put off", publication_id=failing.id)
    here.follow(ada, "ignored", state=FollowState.IGNORED)
    here.follow(ada, "reply under way", publication_id=page.id)
    here.entry(page, ada, "reply under way", state=EntryState.PLANNED)
    found = read(here)
    assert found.threads == Standing(somebody=0, put_off=1, publishing=3, published=2)
    assert "Threads     2 published, 3 publishing now, 1 waits" in text(found)


def test_a_long_list_is_cut_in_the_text_alone(here: Installation) -> None:
    ada = here.person("Ada Lovelace")
    for number in range(25):
        here.follow(ada, f"t{number:02}", state=FollowState.NEEDS_SOMEBODY, reason="person", detail="Ask somebody.")
    found = read(here)
    assert len(found.rows) == 25
    assert "  and 5 more: mailbridge status --json has all\n" in text(found)


def test_a_daemon_that_ended_in_order_does_not_run_from_then_on(here: Installation) -> None:
    here.daemon(started=here.ago(days=1), looked=here.ago(seconds=3))
    with here.store.write() as session:
        assert is_running(session, here.now)
        meta.put(session, "daemon.stopped", here.ago(seconds=1).isoformat())
    assert text(read(here)).startswith("Not running. Last look at the mailboxes: 3 seconds ago.")


def test_what_rests_stands_in_the_first_line_and_how_to_go_on_below_it(here: Installation) -> None:
    here.daemon(started=here.ago(days=7), looked=here.ago(seconds=5))
    ada = here.person("Ada Lovelace")
    with here.store.write() as session:
        pauses.put(session, "all", here.ago(hours=2), why="by root: moving spaces", ordered=True)
        pauses.put(session, f"account:{ada.account_id}", here.ago(minutes=5), why="by root", ordered=True)
        pauses.put(
            session, "site:c1", here.ago(minutes=1), why="Confluence asked for a pause.", until=here.ago(hours=-1)
        )
    assert text(read(here)).splitlines()[:3] == [
        "Running since 3 March, version 1.2.0. Paused: all writing, ada@example.com. Not all services answer. "
        "Last look at the mailboxes: 5 seconds ago.",
        "Paused      all writing, by root: moving spaces, 2 hours ago. Go on: mailbridge resume --all",
        "Paused      ada@example.com, by root, 5 minutes ago. Go on: mailbridge resume --account ada@example.com",
    ]
    observing = text(read(here, mode="observe")).splitlines()[0]
    assert "version 1.2.0. It observes, and writes nothing. Paused: all writing" in observing


def test_what_is_tried_again_by_itself_is_told_with_its_time(here: Installation) -> None:
    here.daemon(started=here.ago(days=7), looked=here.ago(seconds=5))
    ada = here.person("Ada Lovelace")
    page = here.publication(ada, state=PublicationState.DRAFTED, tries=2, detail="Confluence has a fault of its own.")
    here.follow(ada, "t1", publication_id=page.id)
    here.touched(ada, "t1", due_at=here.now + timedelta(minutes=4))
    lines = text(read(here)).splitlines()
    assert "Not all services answer." in lines[0]
    assert lines[3:] == [
        "Tried again by itself     again          why",
        "  t1  ada@example.com     in 4 minutes   Confluence has a fault of its own.",
        "Nothing for you to do.",
    ]


def test_a_trouble_says_since_when(here: Installation) -> None:
    ada = here.person("Ada", reason="Gmail did not answer.")
    with here.store.write() as session:
        events.tell(session, here.ago(hours=2), "mailbox not read", account_id=ada.account_id)
    assert read(here).troubles == (Trouble("Gmail did not answer.", 1, here.ago(hours=2)),)
    assert "Services    Gmail did not answer. (1 mailbox for 2 hours)" in text(read(here))


def test_what_only_the_operator_can_move_is_the_next_step(here: Installation) -> None:
    here.daemon(started=here.ago(days=7), looked=here.ago(seconds=5))
    ada = here.person("Ada Lovelace")
    here.follow(ada, "t1", reason="wait")
    found = read(here)
    assert [(row.id, row.move) for row in found.rows] == [
        ("t1", "nothing would take it up again. Do it: mailbridge retry t1")
    ]
    assert found.next_step == "Your move: mailbridge explain t1"


def test_observed_threads_wait_for_nobody(here: Installation) -> None:
    here.follow(here.person("Ada Lovelace"), "t1", reason="observed", detail="Would publish to ENG as Ada: a page.")
    found = read(here, mode="observe")
    assert (found.waits, found.threads) == ((), Standing(observed=1))
    assert "0 wait, 1 would be published" in text(found)
