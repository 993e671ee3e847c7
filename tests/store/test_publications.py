from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bridge.store import publications
from bridge.store.engine import Store
from bridge.store.publications import LEASE
from bridge.store.tables import AttachmentState, EntryState

from support import rows
from support.rows import DESTINATION, NOW, after


def test_a_lease_keeps_others_out(session: Session) -> None:
    page = rows.publication(session, rows.mailbox(session))

    def lease(owner: str, **since: float) -> bool:
        return publications.lease(session, page.id or 0, owner=owner, now=after(**since))

    assert [lease("one"), lease("two")] == [True, False]
    session.refresh(page)
    assert (page.lease, page.lease_until) == ("one", NOW + LEASE)
    assert lease("one", minutes=4)  # lengthened
    assert [lease("two", minutes=9), lease("two", minutes=9, seconds=1)] == [False, True]
    assert not lease("one", minutes=9, seconds=2)


def test_a_lease_from_before_the_clock_was_set_back_is_over(session: Session) -> None:
    page = rows.publication(session, rows.mailbox(session))
    assert publications.lease(session, page.id or 0, owner="one", now=after(days=1))
    assert publications.lease(session, page.id or 0, owner="two", now=NOW)
    assert not publications.lease(session, page.id or 0, owner="one", now=NOW - timedelta(seconds=5))


def test_release_is_the_owners(session: Session) -> None:
    page = rows.publication(session, rows.mailbox(session))
    publications.lease(session, page.id or 0, owner="one", now=NOW)
    publications.release(session, page.id or 0, owner="two")
    assert not publications.lease(session, page.id or 0, owner="two", now=NOW)
    publications.release(session, page.id or 0, owner="one")
    session.refresh(page)
    assert (page.lease, page.lease_until) == ("", None)
    assert publications.lease(session, page.id or 0, owner="two", now=NOW)


def test_a_publication_that_is_not_there_has_no_lease(session: Session) -> None:
    assert not publications.lease(session, 10**9, owner="one", now=NOW)


def test_owners_by_message_key(session: Session) -> None:
    box = rows.mailbox(session)
    page = rows.publication(session, box)
    private = rows.publication(session, box, "p2", audience="7")
    elsewhere = rows.publication(session, box, "p3", destination="cloud-1/space-2/page/-")
    for key in ("m1", "m1199"):
        publications.claim(session, page, key)
    publications.claim(session, private, "m1")
    publications.claim(session, elsewhere, "m2")
    keys = [f"m{number}" for number in range(1200)]
    assert publications.owners(session, DESTINATION, "", keys) == {"m1": page.id, "m1199": page.id}
    assert publications.owners(session, DESTINATION, "7", keys) == {"m1": private.id}
    assert publications.owners(session, elsewhere.destination, "", keys) == {"m2": elsewhere.id}
    assert publications.owners(session, DESTINATION, "", []) == {}


def test_two_mailboxes_cannot_own_a_message_at_one_destination(store: Store) -> None:
    with store.write() as session:
        ours = rows.publication(session, rows.mailbox(session))
        theirs = rows.publication(session, rows.mailbox(session, "bob@acme.example"), "p2")
        publications.claim(session, ours, "m1")
    with store.write() as session:
        publications.claim(session, theirs, "m2")
    with pytest.raises(IntegrityError), store.write() as session:
        publications.claim(session, theirs, "m1")
    with store.read() as session:
        assert publications.owners(session, DESTINATION, "", ["m1", "m2"]) == {"m1": ours.id, "m2": theirs.id}


def test_a_page_has_one_publication(session: Session) -> None:
    box = rows.mailbox(session)
    rows.publication(session, box, "p1", content_id="99")
    rows.publication(session, box, "p2", content_id="99", cloud_id="cloud-2")
    with pytest.raises(IntegrityError):
        rows.publication(session, box, "p3", content_id="99")


def test_pages_to_be_and_comments_share_a_content_id(session: Session) -> None:
    box = rows.mailbox(session)
    made = [rows.publication(session, box, uid) for uid in ("p1", "p2")]
    made += [rows.publication(session, box, uid, kind="comment", content_id="99") for uid in ("p3", "p4")]
    assert publications.everyone(session) == made


def test_entries_in_their_order(session: Session) -> None:
    box = rows.mailbox(session)
    page, other = rows.publication(session, box), rows.publication(session, box, "p2")
    last = rows.entry(session, page, box, "m3", ordinal=2)
    first = rows.entry(session, page, box, "m1", ordinal=0)
    second = rows.entry(session, page, box, "m2", ordinal=2)
    rows.entry(session, other, box, "m1")
    assert publications.entries(session, page.id or 0) == [first, last, second]


def test_a_message_has_one_entry_in_a_publication(session: Session) -> None:
    box = rows.mailbox(session)
    page = rows.publication(session, box)
    rows.entry(session, page, box)
    with pytest.raises(IntegrityError):
        rows.entry(session, page, box, ordinal=1)


def test_held_entries_the_longest_waiting_first(session: Session) -> None:
    box = rows.mailbox(session)
    page, other = rows.publication(session, box), rows.publication(session, box, "p2")
    younger = rows.entry(session, page, box, "m1", state=EntryState.HELD)
    older = rows.entry(session, other, box, "m1", state=EntryState.HELD, since=after(hours=-1))
    for state in set(EntryState) - {EntryState.HELD}:
        rows.entry(session, page, box, state.value, state=state)
    assert publications.held_entries(session) == [older, younger]


def test_attachments_and_the_names_on_a_page(session: Session) -> None:
    box = rows.mailbox(session)
    page, comment = rows.publication(session, box), rows.publication(session, box, "p2", kind="comment")
    entry, other = rows.entry(session, page, box), rows.entry(session, comment, box)
    files = [rows.attachment(session, page, entry, name) for name in ("Plan.PDF", "STRASSE.png")]
    shared = rows.attachment(session, comment, other, "notes.txt")
    rows.attachment(session, comment, other, "plan.pdf", page_id="page-2")
    assert publications.attachments(session, page.id or 0) == files
    assert shared in publications.attachments(session, comment.id or 0)
    assert publications.names_on(session, "page-1") == {"plan.pdf", "strasse.png", "notes.txt"}
    assert publications.names_on(session, "page-3") == set()


def test_a_name_is_reserved_once_on_a_page(session: Session) -> None:
    box = rows.mailbox(session)
    page, comment = rows.publication(session, box), rows.publication(session, box, "p2", kind="comment")
    rows.attachment(session, page, rows.entry(session, page, box), "Plan.pdf")
    with pytest.raises(IntegrityError):
        rows.attachment(session, comment, rows.entry(session, comment, box), "plan.PDF")


def test_the_same_bytes_are_one_file_in_each_role(session: Session) -> None:
    box = rows.mailbox(session)
    page = rows.publication(session, box)
    entry = rows.entry(session, page, box)
    shown = rows.attachment(session, page, entry, "a.png", sha256="abc", inline=True)
    kept = rows.attachment(session, page, entry, "b.png", sha256="abc", size=2**40)
    assert publications.same_bytes(session, page.id or 0, "abc", True) is shown
    assert publications.same_bytes(session, page.id or 0, "abc", False) is kept
    assert publications.same_bytes(session, page.id or 0, "def", False) is None
    with pytest.raises(IntegrityError):
        rows.attachment(session, page, entry, "c.png", sha256="abc")


def test_uploaded_files_of_an_entry_by_source(session: Session) -> None:
    box = rows.mailbox(session)
    page = rows.publication(session, box)
    entry, reply = rows.entry(session, page, box), rows.entry(session, page, box, "m2")
    done = rows.attachment(session, page, entry, "a.pdf", state=AttachmentState.DONE)
    rows.attachment(session, page, entry, "b.pdf")
    rows.attachment(session, page, reply, "c.pdf", state=AttachmentState.DONE)
    assert publications.uploaded(session, entry.id or 0) == {"m1:a.pdf": done}
