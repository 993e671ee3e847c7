from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import VirtualClock
from bridge.daemon.once import Failure, Once, Pass, Work, chosen, text
from bridge.errors import BridgeError, StoreError
from bridge.store import mailboxes, threads
from bridge.store.figures import Standing
from bridge.store.mailboxes import Settled
from bridge.store.tables import FollowState, Mailbox

from support.installation import NOON, Installation


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation.make(tmp_path, now=NOON)


def once(here: Installation, work: Work, boxes: list[Mailbox]) -> Pass:
    return Once(here.store, VirtualClock(here.now), work, owner="me", places=2).run(boxes)


def well(here: Installation) -> Work:
    return lambda box: Settled(box.id or 0, here.now + timedelta(seconds=15))


def test_chosen(here: Installation) -> None:
    with pytest.raises(BridgeError, match=r"^Nobody is connected yet\. Connect the first person: mailbridge connect"):
        chosen(here.store, [])
    here.person("Ada")
    here.person("Ben")
    assert [box.address for box in chosen(here.store, [])] == ["ada@example.com", "ben@example.com"]
    assert [box.address for box in chosen(here.store, ["BEN@example.com", "ben@example.com"])] == ["ben@example.com"]
    with pytest.raises(BridgeError, match=r"^cy@example\.com is not connected here\."):
        chosen(here.store, ["cy@example.com"])


def test_a_pass_claims_looks_and_settles(here: Installation) -> None:
    ada = here.person("Ada")
    page = here.publication(ada)
    here.wrote(page, "publish", "content")
    told: list[str] = []

    def work(box: Mailbox) -> Settled:
        assert box.lease == "me"
        here.wrote(page, "comment", "1")
        here.wrote(page, "comment", "2")
        here.wrote(page, "upload", "1")
        return Settled(box.id or 0, here.now + timedelta(seconds=15))

    found = Once(here.store, VirtualClock(here.now), work, owner="me", places=2).run([ada], told.append)
    assert (found.looked_at, found.pages, found.comments, found.attachments) == (("ada@example.com",), 0, 2, 1)
    assert told == ["ada@example.com"]
    assert found.complete
    with here.store.read() as session:
        (box,) = mailboxes.everyone(session)
    assert (box.lease, box.due_at, box.looked_at) == ("", here.now + timedelta(seconds=15), here.now)


def test_a_mailbox_under_work_is_left_alone_and_a_paused_one_is_looked_at(here: Installation) -> None:
    busy = here.person("Ada", lease="daemon", lease_until=here.now + timedelta(minutes=5))
    lost = here.person("Ben", lease="dead", lease_until=here.now - timedelta(minutes=5))
    resting = here.person("Cy", paused=True)
    found = once(here, well(here), [busy, lost, resting])
    assert (found.busy, found.looked_at, found.paused) == (
        ("ada@example.com",),
        ("ben@example.com", "cy@example.com"),
        ("cy@example.com",),
    )


def test_a_queue_is_worked_on_until_nothing_is_due_or_nothing_moves(here: Installation) -> None:
    ada = here.person("Ada")
    for number in range(5):
        here.touched(ada, f"t{number}", due_at=here.now)
    here.touched(ada, "later", due_at=here.now + timedelta(seconds=15))
    passes: list[int] = []

    def two_at_once(box: Mailbox) -> Settled:
        with here.store.write() as session:
            rows = threads.due(session, box.id or 0, here.now, 2 if len(passes) < 2 else 0)
            for row in rows:
                threads.finish(session, row.id or 0, row.generation)
        passes.append(len(rows))
        return Settled(box.id or 0, here.now)

    once(here, two_at_once, [ada])
    assert passes == [2, 2, 0]


def test_a_failure_and_a_fault_of_ours_do_not_stop_the_others(here: Installation) -> None:
    boxes = [here.person("Ada"), here.person("Ben"), here.person("Cy")]

    def work(box: Mailbox) -> Settled:
        if box.address.startswith("ada"):
            return Settled(box.id or 0, here.now, "Gmail did not answer.", 1)
        if box.address.startswith("ben"):
            raise ZeroDivisionError
        return Settled(box.id or 0, here.now)

    found = once(here, work, boxes)
    assert found.looked_at == ("cy@example.com",)
    assert found.failed == (
        Failure("ada@example.com", "Gmail did not answer."),
        Failure("ben@example.com", "A fault of mailbridge; see its log."),
    )
    assert not found.complete
    with here.store.read() as session:
        assert {box.lease for box in mailboxes.everyone(session)} == {""}


def test_a_broken_database_ends_the_pass(here: Installation) -> None:
    def work(box: Mailbox) -> Settled:
        raise StoreError("The database cannot be used: disk full.")

    with pytest.raises(StoreError, match="disk full"):
        once(here, work, [here.person("Ada")])


def test_what_waits_is_counted(here: Installation) -> None:
    ada = here.person("Ada")
    other = here.person("Ben")
    here.follow(ada, "t1", reason="wait", not_before=here.now + timedelta(seconds=9))
    here.follow(ada, "t2", state=FollowState.HELD, reason="blind copy")
    here.follow(ada, "t3", state=FollowState.NEEDS_SOMEBODY, reason="person")
    here.follow(other, "t4", state=FollowState.NEEDS_SOMEBODY, reason="person")
    found = once(here, well(here), [ada])
    assert (found.waiting, found.held, found.needs_somebody) == (1, 1, 1)
    assert found.threads == Standing(somebody=2, publishing=1)


def test_text_of_a_quiet_pass() -> None:
    assert text(Pass(looked_at=("ada@example.com",)), 15.0) == (
        "Looked at 1 mailbox, wrote 0 pages, 0 comments, 0 attachments.\nNothing for you to do."
    )


def test_text_of_a_full_pass() -> None:
    found = Pass(
        looked_at=("ada@example.com", "ben@example.com"),
        busy=("cy@example.com",),
        paused=("dee@example.com",),
        failed=(Failure("eve@example.com", "Gmail must be connected again."),),
        pages=3,
        comments=1,
        attachments=2,
        held=1,
        needs_somebody=2,
        waiting=2,
        threads=Standing(put_off=1),
    )
    assert text(found, 15.0) == (
        "Looked at 2 mailboxes, wrote 3 pages, 1 comment, 2 attachments.\n"
        "  Not read: eve@example.com. Gmail must be connected again.\n"
        "  Left to the service, which is at work on it: cy@example.com\n"
        "  Paused, so nothing is written as dee@example.com\n"
        "  2 threads wait 15 s, as each does that was just labelled.\n"
        "  1 thread is tried again later: a service failed.\n"
        "  1 thread waits for an answer.\n"
        "  2 threads need somebody.\n"
        "Whose move it is: mailbridge status"
    )


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (Pass(held=1), "What may be answered, and how: mailbridge held"),
        (Pass(waiting=1), "Run this again in a while, or let the service do it: mailbridge run"),
    ],
)
def test_the_next_step(found: Pass, step: str) -> None:
    assert text(found, 15.0).splitlines()[-1] == step


def test_a_person_without_confluence_is_named_though_the_mailbox_was_read(here: Installation) -> None:
    ended = here.person("Ada", grants={"google": "live", "atlassian": "needs consent"})
    never = here.person("Ben", grants={"google": "live"})
    found = once(here, well(here), [ended, never, here.person("Cy")])
    assert found.unconnected == (
        Failure("ada@example.com", "Confluence must be connected again: mailbridge connect ada@example.com"),
        Failure("ben@example.com", "Confluence must be connected: mailbridge connect ben@example.com"),
    )
    assert not found.complete
    assert text(found, 15.0).splitlines() == [
        "Looked at 3 mailboxes, wrote 0 pages, 0 comments, 0 attachments.",
        "  Not published: ada@example.com. Confluence must be connected again: mailbridge connect ada@example.com",
        "  Not published: ben@example.com. Confluence must be connected: mailbridge connect ben@example.com",
        "Whose move it is: mailbridge status",
    ]
