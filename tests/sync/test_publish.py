"""The Publisher with its writers of bodies and replies, over the model of a space."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Route
from bridge.errors import (
    Answer,
    CredentialRefused,
    NeedsConsent,
    OperatorMustAct,
    PersonMustAct,
    RateLimited,
    Refused,
    RemoteError,
    Temporary,
    TooLarge,
)
from bridge.model import Body, Message
from bridge.store import grants, publications
from bridge.store.tables import (
    Entry,
    EntryState,
    Event,
    Follow,
    FollowState,
    GrantState,
    Publication,
    PublicationState,
    Write,
)
from bridge.sync.keys import write_key
from bridge.sync.publish import Publisher

from support.sync import (
    BEN,
    ENG,
    NOW,
    Crash,
    Scene,
    add_entry,
    add_follow,
    add_publication,
    far_file,
    file,
    gone,
    hire,
    lost,
    mail,
    scene,
    thread,
)

SIX_HOURS = timedelta(hours=6)


def text(number: int = 1, **fields: Any) -> Message:
    return mail(number, bodies=(Body("text", f"Text of mail {number}.", ""),), **fields)


class Desk:
    """One planned publication with an entry for each mail."""

    def __init__(self, made: Scene, *messages: Message, route: Route = ENG, **publication: Any) -> None:
        self.made, self.route, self.messages = made, route, messages or (text(1), text(2))
        self.publication = add_publication(made.store, made.box, kind=route.publish_as, **publication)
        self.follow = add_follow(made.store, made.box, publication_id=self.publication.id)
        for ordinal, message in enumerate(self.messages):
            add_entry(
                made.store, self.publication, made.box, message, ordinal=ordinal,
                kind="body" if ordinal == 0 else "comment",
            )  # fmt: skip

    def publish(self, *messages: Message, box: Any = None) -> Any:
        made = self.made
        acting = box or made.box
        with made.store.read() as session:
            grant = grants.of_account(session, acting.account_id)["atlassian"]
        publisher = Publisher(made.bridge, made.settings, acting, grant, made.api, made.client)
        return publisher.publish(self.publication.id or 0, self.route, thread(*(messages or self.messages)))

    @property
    def row(self) -> Publication:
        return self.made.rows(Publication)[0]

    @property
    def state(self) -> tuple[FollowState, str]:
        follow = self.made.rows(Follow)[0]
        return follow.state, follow.reason

    def events(self) -> list[tuple[str, str]]:
        return [(one.what, one.outcome) for one in self.made.rows(Event)]


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
            ("publish", "done"),
            ("page label", "done"),
            ("origin property", "done"),
            ("read back", "as written"),
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


def test_a_taken_title_gets_the_date_and_then_a_number(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.confluence.taken = {"Plan", "Plan (19 Apr 2026)"}
        desk = Desk(made)
        assert desk.publish() is None
        assert [one.title for one in made.confluence.pages.values()] == ["Plan (19 Apr 2026) (2)"]
        assert desk.row.title == "Plan (19 Apr 2026) (2)"


def test_a_title_that_was_taken_in_between_is_tried_anew_when_publishing(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = ["ok", lost(sent=False)]
        desk.publish()
        made.confluence.taken = {"Plan"}
        assert desk.publish() is None
        assert [one.title for one in made.confluence.pages.values()] == ["Plan (19 Apr 2026)"]


def test_fifty_taken_titles_are_said_and_not_tried_without_end(tmp_path: Path) -> None:
    with scene(tmp_path) as made:

        class All(set[str]):
            def __contains__(self, title: object) -> bool:
                return True

        made.confluence.taken = All()
        desk = Desk(made)
        assert desk.publish() == NOW + SIX_HOURS
        assert made.confluence.calls.count("create_draft") == 50
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "nobody")


@pytest.mark.parametrize("error", [Refused, TooLarge])
def test_a_body_that_confluence_does_not_take_is_published_plainly(
    tmp_path: Path, error: type[Refused] | type[TooLarge]
) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        no = error("no", provider="atlassian", answer=Answer(400, "Error parsing xhtml"))
        made.confluence.script = ["ok", no, "ok", "ok", "ok", no]
        assert desk.publish() is None
        assert len(made.confluence.pages) == len(made.confluence.all_comments) == 1
        assert "mailbridge=keym1" in next(iter(made.confluence.pages.values())).storage
        assert "mailbridge=keym2" in made.confluence.all_comments[0].storage
        refused = [outcome for what, outcome in desk.events() if what == "body refused"]
        assert set(refused) == {"plain text instead"}
        assert [one.fallback for one in made.rows(Entry)] == [error is Refused, True]


def test_what_is_refused_plainly_too_is_not_sent_again_and_again(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.refuse["publish"] = Refused("no", provider="atlassian")
        assert desk.publish() == NOW + SIX_HOURS
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "nobody")


def test_a_private_route_restricts_the_draft_before_a_word_is_in_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, route=replace(ENG, visibility="author"))
        made.confluence.script = ["ok"]
        assert desk.publish() is None
        [page] = made.confluence.pages
        assert made.confluence.allowed[page] == frozenset({"atlassian-ada@example.com"})
        calls = made.confluence.calls
        assert calls.index("readers") < calls.index("publish")


def test_where_the_site_does_not_restrict_nothing_is_published(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        made.confluence.restricts = False
        desk = Desk(made, route=replace(ENG, visibility="author"))
        assert desk.publish() == NOW + SIX_HOURS
        assert made.confluence.pages == {}
        assert desk.state == (FollowState.NEEDS_SOMEBODY, "person")
        assert "does not restrict" in made.rows(Follow)[0].detail


@pytest.mark.parametrize("operation", ["add_labels", "set_property"])
def test_a_refused_label_or_property_does_not_hold_the_replies_up(tmp_path: Path, operation: str) -> None:
    with scene(tmp_path) as made:
        made.confluence.refuse[operation] = Refused("no", provider="atlassian", answer=Answer(400, "bad"))
        desk = Desk(made)
        assert desk.publish() is None
        assert len(made.confluence.all_comments) == 1
        assert desk.publish() is None
        assert made.confluence.calls.count(operation) == 1


@pytest.mark.scenario("A4")
def test_a_thread_as_a_comment_has_its_replies_below_it_and_its_files_on_the_page(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        route = replace(ENG, publish_as="comment", page="900")
        messages = (text(1, files=(file("1", b"one"),)), text(2), text(3))
        desk = Desk(made, *messages, route=route, page_id="900")
        assert desk.publish() is None
        root, *below = made.confluence.all_comments
        assert (root.parent_id, [one.parent_id for one in below]) == ("", [root.id, root.id])
        assert made.confluence.writes() == ["upload", "comment_on", "reply_to", "reply_to"]
        assert list(made.confluence.all_files) == ["900"]
        assert (desk.row.state, desk.row.content_id) == (PublicationState.PUBLISHED, root.id)


@pytest.mark.scenario("A4")
def test_a_blog_post_is_made_as_one(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, route=replace(ENG, publish_as="blogpost"))
        assert desk.publish() is None
        assert [one.kind for one in made.confluence.pages.values()] == ["blogpost"]


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
        made.confluence.refuse["comment_on"] = gone()
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
        assert desk.publish(text(1), text(2), text(3)) is None
        assert len(made.confluence.all_comments) == 1


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


@pytest.mark.scenario("A24")
def test_a_reply_is_posted_by_whoever_can(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1))
        desk.publish()
        ben = hire(made.store, BEN)
        add_follow(made.store, ben, publication_id=desk.publication.id)
        add_entry(made.store, desk.publication, ben, text(2), ordinal=1, kind="comment")
        assert desk.publish(text(1), text(2), box=ben) is None
        assert made.rows(Entry)[1].account_id == ben.account_id
        assert desk.row.account_id == made.box.account_id


def test_a_mail_that_only_another_mailbox_has_is_left_to_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1))
        desk.publish()
        ben = hire(made.store, BEN)
        add_entry(made.store, desk.publication, ben, text(2), ordinal=1, kind="comment")
        add_entry(made.store, desk.publication, made.box, text(3), ordinal=2, kind="comment")
        assert desk.publish(text(1), text(3)) is None
        assert made.confluence.all_comments == []


def test_a_difference_that_is_read_back_is_told(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1))
        made.confluence.refuse["content"] = gone()
        desk.publish()
        assert ("read back", "the page is not there") in desk.events()
