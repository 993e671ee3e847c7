"""Who goes on for whom: how long an entry of another mailbox stops those behind it, and what is left of a draft."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.store.tables import (
    Account,
    Attachment,
    Entry,
    EntryState,
    Follow,
    FollowState,
    Grant,
    GrantState,
    Mailbox,
    Publication,
    PublicationState,
    Write,
    WriteState,
)
from bridge.sync.takeover import DRAFTS_LEFT, OWNER_AGAIN, WAITS, Takeover, body_of
from bridge.sync.writes.perform import NotYet

from support.sync import ADA, BEN, CY, NOW, mail
from support.sync_rows import add_attachment, add_entry, add_follow, add_publication, hire
from support.sync_scene import Scene, performer, scene


class Shared:
    """A publication of Ada's that Ben follows; its last entry is Ada's."""

    def __init__(self, made: Scene, **fields: Any) -> None:
        self.made, self.ada = made, made.box
        self.ben = hire(made.store, BEN)
        self.publication = add_publication(made.store, self.ada, **fields)
        self.follow = add_follow(made.store, self.ada, publication_id=self.publication.id)
        add_follow(made.store, self.ben, "t2", publication_id=self.publication.id)
        self.entry = add_entry(made.store, self.publication, self.ada, mail(1))
        self.bens = Takeover(made.bridge, self.ben, "t2")

    def change(self, table: Any, row_id: int | None, **values: Any) -> None:
        with self.made.store.write() as session:
            row = session.get_one(table, row_id)
            for name, value in values.items():
                setattr(row, name, value)

    def stops(self) -> Any:
        [entry] = self.made.rows(Entry)
        return self.bens.stops(entry)


def test_an_entry_stops_the_others_while_its_mailbox_can_go_on(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        assert Shared(made).stops() == NOW + OWNER_AGAIN


@pytest.mark.parametrize("how", ["paused", "google", "atlassian", "needs somebody"])
def test_it_stops_them_for_a_day_where_its_mailbox_cannot(tmp_path: Path, how: str) -> None:
    with scene(tmp_path) as made:
        shared = Shared(made)
        if how == "paused":
            shared.change(Account, shared.ada.account_id, paused=True)
        elif how == "needs somebody":
            shared.change(Follow, shared.follow.id, state=FollowState.NEEDS_SOMEBODY)
        else:
            grant = next(one for one in made.rows(Grant) if one.provider == how)
            shared.change(Grant, grant.id, state=GrantState.NEEDS_CONSENT)
        assert shared.stops() == NOW + timedelta(hours=6)
        made.clock.advance(WAITS.total_seconds() - 60)
        assert shared.stops() == NOW + WAITS
        made.clock.advance(60)
        assert shared.stops() is None
        [entry] = made.rows(Entry)
        assert (entry.state, entry.reason, entry.ordinal) == (EntryState.PLANNED, "passed over", 1)


def test_a_mailbox_that_is_back_in_time_keeps_its_place(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        shared = Shared(made)
        shared.change(Account, shared.ada.account_id, paused=True)
        shared.stops()
        shared.change(Account, shared.ada.account_id, paused=False)
        assert shared.stops() == NOW + OWNER_AGAIN
        [entry] = made.rows(Entry)
        assert (entry.reason, entry.ordinal) == ("", 0)


def test_what_its_person_let_go_stops_nobody(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        shared = Shared(made)
        shared.change(Follow, shared.follow.id, state=FollowState.STOPPED)
        assert shared.stops() is None


def test_an_entry_is_read_from_the_mailbox_that_writes_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        shared = Shared(made)
        shared.bens.take(shared.entry, mail(1, gmail_id="b1"))
        [entry] = made.rows(Entry)
        assert (entry.mailbox_id, entry.thread_id, entry.message_id) == (shared.ben.id, "t2", "b1")


def test_nobody_takes_over_what_they_do_not_have_or_have_blindly(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        shared = Shared(made)
        assert shared.bens.has(shared.entry, mail(1))
        assert not shared.bens.has(shared.entry, None)
        assert not shared.bens.has(shared.entry, mail(1, label_ids=frozenset({"TRASH"})))
        assert not shared.bens.has(shared.entry, mail(1, sender=ADA, to=(CY,), label_ids=frozenset({"INBOX"})))


def drafted(made: Scene, *, publish: WriteState | None = None, left: int = 0) -> Shared:
    """A draft of Ada's with a file on it."""
    shared = Shared(made, state=PublicationState.DRAFTED, content_id="1000", page_id="1000", title="Plan")
    file = add_attachment(made.store, shared.publication, shared.entry, b"bytes")
    common = {"publication_id": shared.publication.id, "account_id": shared.ada.account_id, "key": "k"}
    with made.store.write() as session:
        session.add(Write(kind="draft", target="content", state=WriteState.DONE, **common))
        session.add(Write(kind="upload", target="1 a", state=WriteState.DONE, attachment_id=file.id, **common))
        for number in range(left):
            session.add(Write(kind="draft", target=f"content (draft {number})", state=WriteState.DONE, **common))
        if publish is not None:
            session.add(Write(kind="publish", target="content", state=publish, sent_at=NOW, **common))
    return shared


def begin(shared: Shared) -> Publication:
    made, ben = shared.made, shared.ben
    worker = performer(made.store, made.clock, made.confluence, shared.publication)
    assert isinstance(ben, Mailbox)
    return shared.bens.draft(worker, shared.publication, body_of(made.rows(Entry)))


@pytest.mark.parametrize("publish", [None, WriteState.PLANNED, WriteState.FAILED])
def test_a_draft_is_begun_anew_and_its_writes_are_put_aside(tmp_path: Path, publish: WriteState | None) -> None:
    with scene(tmp_path) as made:
        shared = drafted(made, publish=publish)
        row = begin(shared)
        assert (row.state, row.content_id, row.page_id) == (PublicationState.PLANNED, "", "")
        assert row.account_id == shared.ben.account_id
        assert made.rows(Attachment) == []
        assert {one.target.partition(" (")[2] for one in made.rows(Write)} == {"draft 1000)"}


def test_a_publishing_request_that_may_have_taken_effect_keeps_the_draft(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        shared = drafted(made, publish=WriteState.SENT)
        with pytest.raises(NotYet) as wait:
            begin(shared)
        assert wait.value.until == NOW + timedelta(hours=6)
        assert made.rows(Publication)[0].content_id == "1000"
        bens = made.rows(Follow)[1]
        assert bens.state is FollowState.NEEDS_SOMEBODY
        assert bens.detail.startswith("ada@example.com began this page and cannot go on")


def test_only_so_many_drafts_are_left_behind(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        shared = drafted(made, left=DRAFTS_LEFT)
        with pytest.raises(NotYet):
            begin(shared)
        assert len(made.rows(Attachment)) == 1
