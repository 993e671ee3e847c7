"""Publishing anew: a new publication takes over claims, follows and decisions; the old one is left as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bridge.clock import SeededChance
from bridge.errors import BridgeError
from bridge.store import meta, publications
from bridge.store.engine import Store
from bridge.store.tables import (
    Claim,
    Entry,
    EntryState,
    Follow,
    FollowState,
    Publication,
    PublicationState,
    TouchedThread,
)
from bridge.sync.republish import PUBLISHED_AGAIN, republish

from support.sync import NOW, mail
from support.sync_rows import add_entry, add_follow, add_publication, hire, new_store, rows


def removed(store: Store, **fields: Any) -> tuple[Publication, Follow]:
    """A page in the trash, with its body, a deleted comment, and a mail that is held, left out and planned each."""
    box = hire(store)
    given = {"state": PublicationState.PUBLISHED, "content_id": "77", "page_id": "77", "remote": "trashed"}
    page = add_publication(store, box, **given | fields)
    states = [EntryState.DONE, EntryState.REMOVED, EntryState.HELD, EntryState.GIVEN_UP, EntryState.PLANNED]
    for ordinal, state in enumerate(states):
        add_entry(store, page, box, mail(ordinal + 1), ordinal=ordinal, state=state, reason="why", question="?")
    with store.write() as session:
        meta.installation(session, SeededChance(1))
        publications.claim(session, page, mail(1).key)
    return page, add_follow(store, box, publication_id=page.id, state=FollowState.NEEDS_SOMEBODY, reason="hidden")


def test_every_mail_keeps_its_decision_and_gets_a_new_marker(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        old, follow = removed(store)
        new = republish(store, follow.id or 0, NOW)
        assert (new.round, new.state, new.content_id, new.page_id) == (1, PublicationState.PLANNED, "", "")
        assert new.uid != old.uid
        entries = rows(store, Entry)
        was, now = entries[:5], entries[5:]
        assert [entry.state for entry in now] == [
            EntryState.PLANNED,
            EntryState.REMOVED,
            EntryState.HELD,
            EntryState.GIVEN_UP,
            EntryState.PLANNED,
        ]
        assert [entry.question for entry in now] == ["", "?", "?", "?", ""]
        assert [entry.kind for entry in now] == ["body", "comment", "comment", "comment", "comment"]
        assert len({entry.key for entry in entries}) == 10
        assert [entry.state for entry in was] == [
            EntryState.DONE,
            EntryState.REMOVED,
            EntryState.GIVEN_UP,
            EntryState.GIVEN_UP,
            EntryState.GIVEN_UP,
        ]


def test_claims_and_follows_move_and_the_old_page_names_its_successor(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        old, follow = removed(store)
        new = republish(store, follow.id or 0, NOW)
        first = rows(store, Publication)[0]
        assert (first.state, first.successor_uid, first.detail) == (PublicationState.REMOVED, new.uid, PUBLISHED_AGAIN)
        assert (first.content_id, first.remote) == (old.content_id, "trashed")
        assert [claim.publication_id for claim in rows(store, Claim)] == [new.id]
        [moved] = rows(store, Follow)
        assert (moved.publication_id, moved.state, moved.reason) == (new.id, FollowState.FOLLOWING, "")
        with store.read() as session:
            assert session.exec(select(TouchedThread)).one().due_at == NOW


def test_a_comment_on_a_page_stays_on_that_page(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        _, follow = removed(store, kind="comment", page_id="900")
        assert republish(store, follow.id or 0, NOW).page_id == "900"


@pytest.mark.parametrize("fields", [{"remote": ""}, {"state": PublicationState.REMOVED}])
def test_a_page_that_stands_or_was_replaced_already_is_not_published_again(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    with new_store(tmp_path) as store:
        _, follow = removed(store, **fields)
        with pytest.raises(BridgeError, match="stands"):
            republish(store, follow.id or 0, NOW)
        assert len(rows(store, Publication)) == 1


def test_a_thread_without_a_page_cannot_be_published_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        follow = add_follow(store, hire(store))
        with pytest.raises(BridgeError, match="Nothing of this thread was published yet"):
            republish(store, follow.id or 0, NOW)
