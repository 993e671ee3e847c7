"""Entries that are comments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import (
    Refused,
)
from bridge.model import Body
from bridge.store.tables import (
    Entry,
    Follow,
    FollowState,
    PublicationState,
    TouchedThread,
)
from bridge.sync.takeover import OWNER_AGAIN

from support.sync import ADA, BEN, ENG, NOW, file, mail
from support.sync_clients import lost
from support.sync_desk import Desk, text
from support.sync_rows import add_entry, add_follow, hire
from support.sync_scene import scene


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
        follow = add_follow(made.store, ben, publication_id=desk.publication.id)
        assert desk.publish(text(1), text(3)) == NOW + OWNER_AGAIN
        assert made.confluence.all_comments == []
        assert [(one.mailbox_id, one.due_at) for one in made.rows(TouchedThread)] == [(ben.id, NOW)], "it is called"
        with made.store.write() as session:
            session.get_one(Follow, follow.id).state = FollowState.STOPPED
        assert desk.publish(text(1), text(3)) is None
        assert len(made.confluence.all_comments) == 1, "what nobody is to publish stops nobody"


def test_a_reply_does_not_repeat_what_stands_before_it(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        quoting = "Agreed.\n\nOn Sun, 19 Apr 2026, ada@example.com wrote:\n> Text of mail 1.\n"
        reply = mail(2, bodies=(Body("text", quoting, ""),), in_reply_to="1@example.com", sender=BEN, to=(ADA,))
        desk = Desk(made, text(1), reply)
        assert desk.publish() is None
        [comment] = made.confluence.all_comments
        assert "Agreed." in comment.storage
        assert "Text of mail 1." not in comment.storage


def test_a_reply_that_is_refused_as_it_is_stands_plainly_and_is_not_rendered_again(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made)
        made.confluence.script = ["ok"] * 4 + [Refused("no", provider="atlassian"), lost(sent=False)]
        assert desk.publish() is not None
        assert made.rows(Entry)[1].fallback
        assert desk.publish() is None
        assert made.confluence.calls.count("comment_on") == 3
        assert len(made.confluence.all_comments) == 1


def test_the_files_of_a_reply_stand_on_the_page_before_it_is_posted(tmp_path: Path) -> None:
    with scene(tmp_path) as made:
        desk = Desk(made, text(1), text(2, files=(file("1", b"one"),)))
        assert desk.publish() is None
        assert made.confluence.writes()[-2:] == ["upload", "comment_on"]
        assert "report.pdf" in made.confluence.all_comments[0].storage
