"""The Publisher: order, failures, leases, and whose turn it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    Answer,
    CredentialRefused,
    NeedsConsent,
    OperatorMustAct,
    PersonMustAct,
    RateLimited,
    RemoteError,
    Temporary,
)
from bridge.store import grants, publications
from bridge.store.tables import (
    Entry,
    EntryState,
    Follow,
    FollowState,
    GrantState,
    PublicationState,
    Write,
)
from bridge.sync.keys import write_key

from support.sync import BEN, NOW, far_file
from support.sync_clients import Crash, gone
from support.sync_desk import Desk, text
from support.sync_rows import add_entry, add_follow, hire
from support.sync_scene import scene

SIX_HOURS = timedelta(hours=6)


@pytest.mark.scenario("A2")
def test_a_page_is_drafted_published_labelled_and_read_back_then_its_replies_follow(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        assert desk.publish() is None
        assert made.confluence.writes() == ["create_draft", "publish", "add_labels", "set_property", "comment_on"]
        [page] = made.confluence.pages.values()
        key = write_key("inst", "uid1", "publish", "content")
        assert (page.title, page.version.message) == ("Plan", f"From ada's mail, 19 Apr 2026 [{key}]")
        assert "Text of mail 1." in page.storage
        assert "mailbridge=keym1" in page.storage
        [comment] = made.confluence.all_comments
        assert "Text of mail 2." in comment.storage
        assert "mailbridge=keym2" in comment.storage
        assert (desk.row.state, desk.row.title, desk.row.version, desk.row.lease) == (
            PublicationState.PUBLISHED,
            "Plan",
            1,
            "",
        )
        assert {one.state for one in made.rows(Entry)} == {EntryState.DONE}
        assert desk.events() == [
            ("draft", "done"),
            ("rendered", ""),
            ("publish", "done"),
            ("page label", "done"),
            ("read back", "as written"),
            ("origin property", "done"),
            ("rendered", ""),
            ("comment", "done"),
        ]
        assert made.confluence.properties[page.id] == {"publication": "uid1", "entry": "keym1"}


def test_a_second_look_asks_confluence_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        desk.publish()
        made.confluence.calls.clear()
        assert desk.publish() is None
        assert made.confluence.calls == []


@pytest.mark.parametrize("crash_at", range(5))
@pytest.mark.parametrize("step", [Crash(), "crash after"])
def test_a_process_that_ends_anywhere_leaves_work_that_the_next_one_finishes(
    tmp_path: Path, crash_at: int, step: Any
) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = ["ok"] * crash_at + [step]
        with pytest.raises(Crash):
            desk.publish()
        for _ in range(4):
            again = desk.publish()
            if again is None:
                break
            made.clock.advance((again - made.clock.now()).total_seconds())
        assert again is None
        server = made.confluence
        assert len(server.pages) == len(server.all_comments) == 1
        [page] = server.pages
        assert server.page_labels == {page: ["mail"]}
        assert list(server.properties) == [page]
        assert {one.state for one in made.rows(Entry)} == {EntryState.DONE}
        assert len(server.drafts) == (1 if crash_at == 0 and step == "crash after" else 0)


def test_held_and_given_up_entries_are_passed_over(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1), text(2), text(3), text(4))
        with made.store.write() as session:
            for entry in publications.entries(session, 1)[1:3]:
                entry.state = EntryState.HELD if entry.ordinal == 1 else EntryState.GIVEN_UP
        assert desk.publish() is None
        assert ["Text of mail 4." in one.storage for one in made.confluence.all_comments] == [True]


def test_the_first_that_fails_stops_those_behind_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1), text(2), text(3))
        made.confluence.script = ["ok"] * 4 + [Temporary("down", provider="atlassian")]
        again = desk.publish()
        assert NOW < again <= NOW + timedelta(seconds=2.5)
        assert made.confluence.all_comments == []
        assert (desk.row.tries, desk.row.reason) == (1, "atlassian no answer")
        assert desk.state == (FollowState.FOLLOWING, "")
        assert desk.publish() is None
        assert [f"Text of mail {n}." in one.storage for n, one in enumerate(made.confluence.all_comments, 2)] == [
            True,
            True,
        ]
        assert (desk.row.tries, desk.row.reason, desk.row.next_try_at) == (0, "", None)


def test_failures_in_a_row_wait_longer(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [Temporary("down", provider="atlassian") for _ in range(6)]
        waits = [(desk.publish() - NOW).total_seconds() for _ in range(6)]
        assert all(0.75 * 2**n <= wait <= 1.25 * 2**n for n, wait in enumerate(waits, 1))


def test_a_pause_that_confluence_asks_for_is_kept(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [RateLimited("slow", provider="atlassian", retry_after=40)]
        assert timedelta(seconds=40) <= desk.publish() - NOW <= timedelta(seconds=41)
        assert desk.state == (FollowState.FOLLOWING, "")


def test_a_lost_answer_is_waited_for_as_long_as_it_may_take_effect(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = ["ok", "lost"]
        desk.publish()
        assert desk.publish() == NOW + timedelta(seconds=30)
        made.clock.advance(30)
        assert desk.publish() is None
        assert made.confluence.calls.count("publish") == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (gone(), "You may not add pages in space ENG"),
        (PersonMustAct("x", provider="atlassian", answer=Answer(403)), "You may not add pages in space ENG"),
    ],
)
def test_what_only_the_person_can_mend_names_the_place(tmp_path: Path, error: RemoteError, said: str) -> None:
    with scene(tmp_path) as made:
        error.answer = Answer(error.answer.status or 404)
        desk = Desk(made)
        made.confluence.script = [error]
        assert desk.publish() == NOW + SIX_HOURS
        [follow] = made.rows(Follow)
        assert (follow.state, follow.reason, follow.next_try_at) == (
            FollowState.NEEDS_SOMEBODY,
            "person",
            NOW + SIX_HOURS,
        )
        assert follow.detail.startswith(said)
        assert desk.publish() is None
        assert desk.state == (FollowState.FOLLOWING, "")
        assert made.rows(Follow)[0].detail == ""


def test_a_page_that_went_is_told_and_never_made_anew(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1))
        desk.publish()
        add_entry(made.store, desk.publication, made.box, text(2), ordinal=1, kind="comment")
        made.confluence.refuse["comment_on"] = made.confluence.refuse["content"] = gone()
        assert desk.publish(text(1), text(2)) == NOW + SIX_HOURS
        assert made.rows(Follow)[0].detail.startswith("You no longer have access to the page, or it was removed.")
        assert made.confluence.writes().count("create_draft") == 1


def test_a_refused_credential_is_probed_before_anything_is_concluded(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [CredentialRefused("bare 404", provider="atlassian")]
        assert desk.publish() == NOW + SIX_HOURS
        assert made.confluence.calls == ["create_draft", "current_user"]
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "person")


def test_a_probe_that_is_refused_too_ends_the_pass_and_says_connect_again(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [CredentialRefused("bare 404", provider="atlassian")]
        made.confluence.refuse["current_user"] = CredentialRefused("401", provider="atlassian")
        with pytest.raises(NeedsConsent, match="Connect Confluence again"):
            desk.publish()
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "consent")
        assert desk.row.lease == ""


def test_a_probe_that_finds_confluence_down_concludes_nothing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [CredentialRefused("bare 404", provider="atlassian")]
        made.confluence.refuse["current_user"] = Temporary("down", provider="atlassian")
        assert desk.publish() - NOW <= timedelta(seconds=2.5)
        assert desk.state == (FollowState.FOLLOWING, "")


@pytest.mark.parametrize("error", [NeedsConsent, OperatorMustAct])
def test_what_holds_for_all_publications_goes_up(
    tmp_path: Path, error: type[NeedsConsent] | type[OperatorMustAct]
) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = [error("x", provider="atlassian")]
        with pytest.raises(error):
            desk.publish()
        assert desk.row.lease == ""
        assert made.grant().state is GrantState.LIVE


def test_a_failure_of_gmail_says_nothing_of_the_publication(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1, files=(far_file("1", "A"),)))
        made.gmail.fail["attachment"] = RateLimited("slow", provider="google", retry_after=5, scope="mailbox")
        with pytest.raises(RateLimited):
            desk.publish()
        assert (desk.row.tries, desk.state) == (0, (FollowState.FOLLOWING, ""))


def test_a_publication_that_another_worker_has_is_tried_in_seconds(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        with made.store.write() as session:
            assert publications.lease(session, 1, owner="other", now=NOW)
        assert desk.publish() == NOW + timedelta(seconds=5)
        assert made.confluence.calls == []
        assert desk.row.lease == "other"
        made.clock.advance(301)
        assert desk.publish() is None


def test_a_mail_that_went_before_it_was_published_is_given_up(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1), text(2), text(3))
        binned = text(2, label_ids=frozenset({"TRASH"}))
        assert desk.publish(text(1), binned, text(3)) is None
        assert [one.state for one in made.rows(Entry)] == [EntryState.DONE, EntryState.GIVEN_UP, EntryState.DONE]
        assert made.rows(Entry)[1].reason == "gone"
        assert desk.publish(text(1), text(2), text(3)) is None, "back from the trash it comes last"
        assert ["Text of mail 2." in one.storage for one in made.confluence.all_comments].count(True) == 1
        assert [one.state for one in made.rows(Entry)] == [EntryState.DONE] * 3
        assert [one.ordinal for one in made.rows(Entry)] == [0, 3, 2]


def test_where_the_first_mail_went_the_next_one_is_the_page(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        assert desk.publish(text(2)) is None
        assert ["Text of mail 2." in one.storage for one in made.confluence.pages.values()] == [True]


@pytest.mark.scenario("A22")
def test_nobody_writes_a_page_in_the_stead_of_its_living_writer(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        ben = hire(made.store, BEN)
        add_follow(made.store, ben, publication_id=desk.publication.id)
        assert desk.publish(box=ben) == NOW + timedelta(seconds=120)
        assert made.confluence.calls == []
        assert desk.publish() is None
        assert {one.account_id for one in made.rows(Write)} == {made.box.account_id}


@pytest.mark.scenario("A24")
def test_a_page_that_its_writer_cannot_begin_any_more_becomes_the_next_one_s(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        ben = hire(made.store, BEN)
        add_follow(made.store, ben, publication_id=desk.publication.id)
        with made.store.write() as session:
            grants.of_account(session, made.box.account_id)["atlassian"].state = GrantState.NEEDS_CONSENT
        assert desk.publish(box=ben) is None
        assert desk.row.account_id == ben.account_id
        assert len(made.confluence.pages) == 1
