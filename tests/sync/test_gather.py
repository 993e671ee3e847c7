from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import CredentialRefused, NeedsConsent, PersonMustAct, Temporary
from bridge.store import grants, publications
from bridge.store.tables import (
    Account,
    Entry,
    EntryState,
    FollowState,
    GrantState,
    Mailbox,
    Publication,
    PublicationState,
)
from bridge.sync.gather import situation, with_places, writer_able
from bridge.sync.situation import KnownEntry, NoPlace, Situation

from support.sync import BEN, ENG, LABEL, mail, settings, thread
from support.sync_rows import add_entry, add_follow, add_publication, hire
from support.sync_scene import Scene, scene


def told(made: Scene, *, owner: Mailbox | None = None, private: bool = False) -> Situation:
    """Gather all that the planner is told of a thread with one mail."""
    chosen = settings(replace(ENG, visibility="author")) if private else made.settings
    known = situation(made.bridge, owner or made.box, chosen, thread(mail(1)))
    return with_places(made.bridge, known, made.grant(), made.client)


def theirs(made: Scene, **fields: object) -> tuple[Publication, Mailbox]:
    """A page of Ben's that holds the thread's first mail, and is followed by him."""
    ben = hire(made.store, BEN)
    publication = add_publication(
        made.store, ben, **{"state": PublicationState.PUBLISHED, "content_id": "77", **fields}
    )
    add_entry(made.store, publication, ben, mail(1), state=EntryState.DONE)
    add_follow(made.store, ben, publication_id=publication.id)
    with made.store.write() as session:
        publications.claim(session, publication, mail(1).key)
    return publication, ben


def test_what_the_tables_know_of_a_thread(tmp_path: Path) -> None:
    with scene(tmp_path, settings(narrow_replies="skip")) as made:
        publication = add_publication(made.store, made.box)
        add_entry(made.store, publication, made.box, mail(1), state=EntryState.DONE, answer="publish")
        add_follow(made.store, made.box, publication_id=publication.id, answer="publish", reason="brake")
        found = told(made)
        assert (found.owner, found.account_id, found.labels) == (made.box.address, 1, {"eng": LABEL})
        assert (found.narrow_replies, found.look_again) == ("skip", 120.0)
        follow = found.follows["eng"]
        assert (follow.state, follow.answer, follow.reason) == (FollowState.FOLLOWING, "publish", "brake")
        assert follow.publication is not None
        assert (follow.publication.mine, follow.publication.writer_able) == (True, True)
        assert follow.publication.entries == (KnownEntry(mail(1).key, EntryState.DONE, 0, "publish"),)
        assert (found.places, made.confluence.calls) == ({}, [])


def test_the_place_of_something_new_is_looked_up(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        add_follow(made.store, made.box)
        found = told(made)
        place = found.places["eng"]
        assert not isinstance(place, NoPlace)
        assert place.destination == "cloud/100/page/-"
        assert (found.joinable, found.audiences) == ({}, {"eng": ""})
        assert told(made, private=True).audiences == {"eng": "1"}


@pytest.mark.scenario("A22")
@pytest.mark.scenario("X2")
def test_a_page_that_holds_the_mail_is_joined_if_this_person_may_see_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication, _ = theirs(made)
        add_follow(made.store, made.box)
        made.confluence.pages["77"] = made.confluence.create_draft("page", space_id="100", title="x")
        found = told(made)
        assert found.joinable["eng"].id == publication.id
        assert (found.joinable["eng"].mine, found.joinable["eng"].writer) == (False, BEN)
        assert found.audiences == {"eng": ""}


@pytest.mark.scenario("A26")
@pytest.mark.scenario("X6")
def test_a_page_that_this_person_may_not_see_is_not_joined(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        theirs(made)
        add_follow(made.store, made.box)
        found = told(made)
        assert found.joinable == {}
        assert found.audiences == {"eng": str(made.box.account_id)}


def test_a_publication_of_ones_own_for_oneself_is_joined_again(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        theirs(made)
        own = add_publication(made.store, made.box, uid="uid2", audience="1")
        with made.store.write() as session:
            publications.claim(session, own, mail(1).key)
        add_follow(made.store, made.box)
        assert told(made).joinable["eng"].id == own.id


def test_a_page_that_does_not_stand_yet_is_joined_without_a_look(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication, _ = theirs(made, state=PublicationState.PLANNED, content_id="")
        add_follow(made.store, made.box)
        assert told(made).joinable["eng"].id == publication.id


def test_a_page_that_was_removed_is_told_as_such(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        theirs(made, state=PublicationState.REMOVED)
        add_follow(made.store, made.box)
        assert told(made).joinable["eng"].state is PublicationState.REMOVED


def test_a_refused_credential_does_not_decide_who_sees_a_page(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        theirs(made)
        add_follow(made.store, made.box)
        made.confluence.refuse["content"] = CredentialRefused("bare", provider="atlassian")
        assert told(made).audiences == {"eng": "1"}
        made.confluence.refuse["current_user"] = NeedsConsent("over", provider="atlassian")
        with pytest.raises(NeedsConsent):
            told(made)


def test_a_page_that_could_not_be_looked_at_is_no_verdict(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        theirs(made)
        add_follow(made.store, made.box)
        made.confluence.refuse["content"] = Temporary("down", provider="atlassian")
        with pytest.raises(Temporary):
            told(made)


def test_a_comment_is_looked_at_as_one(tmp_path: Path) -> None:
    with scene(tmp_path, settings(replace(ENG, publish_as="comment", page="900"))) as made:
        theirs(made, kind="comment", destination="cloud/100/comment/900", page_id="900")
        made.confluence.pages["900"] = made.confluence.create_draft("page", space_id="100", title="x")
        add_follow(made.store, made.box)
        made.confluence.refuse["comment"] = PersonMustAct("no", provider="atlassian")
        assert told(made).joinable == {}
        assert "comment" in made.confluence.calls


def test_weak_keys_never_meet(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication, _ = theirs(made)
        weak = mail(1, message_id="")
        with made.store.write() as session:
            publications.claim(session, publication, weak.key)
        add_follow(made.store, made.box)
        known = situation(made.bridge, made.box, made.settings, thread(weak))
        assert with_places(made.bridge, known, made.grant(), made.client).joinable == {}


@pytest.mark.scenario("A24")
def test_a_writer_is_able_while_they_follow_and_both_connections_live(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        publication, ben = theirs(made)

        def able() -> bool:
            with made.store.read() as session:
                return writer_able(session, publication)

        assert able()
        for provider in ("google", "atlassian"):
            with made.store.write() as session:
                grants.of_account(session, ben.account_id)[provider].state = GrantState.NEEDS_CONSENT
            assert not able()
            with made.store.write() as session:
                grants.of_account(session, ben.account_id)[provider].state = GrantState.LIVE
        with made.store.write() as session:
            session.get_one(Account, ben.account_id).paused = True
        assert not able()
        with made.store.write() as session:
            session.get_one(Account, ben.account_id).paused = False
        assert able()


@pytest.mark.scenario("A23")
def test_a_writer_who_stopped_is_not_waited_for(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        ben = hire(made.store, BEN)
        publication = add_publication(made.store, ben)
        add_follow(made.store, ben, publication_id=publication.id, state=FollowState.STOPPED)
        with made.store.read() as session:
            assert not writer_able(session, publication)
        assert made.rows(Entry) == []
