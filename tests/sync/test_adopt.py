"""The database lost, the pages kept: found again by their markers, as ``mailbridge adopt`` orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select, update

from bridge.render import find_key, origin_url
from bridge.sandbox.confluence_state import Page
from bridge.store import publications
from bridge.store.tables import Entry, EntryState, FollowState, Mailbox, Mark
from bridge.sync.adopt_order import Found, Looked, adopt
from bridge.sync.writes.origin_property import PROPERTY

from support.stories import ADA, BEN, ENG, Story, story

MANY = 200
"""Threads of X21 here; it holds for 1,000 as well, which takes five times as long."""


def lost(s: Story) -> None:
    """Lose the database and the file beside it, and start anew: another installation, in which nobody is connected."""
    before = s.bridge.installation
    s.close()
    for file in s.folder.glob("mailbridge.*"):
        file.unlink()
    s.install()
    assert s.bridge.installation != before


def adopted(s: Story) -> Found:
    return adopt(s.bridge, lambda place, person: None, who="root")


def awake(s: Story) -> None:
    with s.company.oauth.store.write() as session:
        session.exec(update(Mailbox).values(due_at=s.clock.now()))


def published_again(s: Story, count: int = 8) -> None:
    """Look at every mailbox from the start, have all that is asked about answered with yes, and go on."""
    awake(s)
    s.passes(3)
    for question in s.held():
        s.answer(question, "publish")
    s.passes(count)


def markers(s: Story) -> Counter[str]:
    found = Counter(key for page in s.wiki.pages for key in find_key(page.body)[:1])
    found.update(key for comment in s.wiki.comments for key in find_key(comment.body)[:1])
    return found


def states(s: Story) -> Counter[EntryState]:
    with s.company.oauth.store.read() as session:
        return Counter(entry.state for entry in session.exec(select(Entry)))


@contextmanager
def published(folder: Path) -> Iterator[Story]:
    """Give a company in which Ada's thread stands with two replies, followed by Ben too, and Ben's own one."""
    with story(folder) as s:
        s.connect(ADA, BEN)
        sent = s.send(ADA, BEN, "Plan", files=[("plan.pdf", "application/pdf", b"%PDF plan")])
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        s.label(BEN, sent[BEN][1])
        answered = s.reply(BEN, ADA, sent, "Thanks.\n")
        s.passes(3)
        s.reply(ADA, BEN, answered, "Agreed.\n")
        own = s.send(BEN, ADA, "Own")
        s.label(BEN, own[BEN][1])
        s.passes(3)
        assert (len(s.wiki.pages), len(s.wiki.comments)) == (2, 2)
        yield s


def test_two_peoples_threads_are_found_again(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        mark = s.mark()
        lost(s)
        s.company.connect(ADA)
        s.company.connect(BEN)
        found = adopted(s)
        assert (found.pages, found.comments, found.threads, found.new, found.unread) == (2, 2, 2, 4, ())
        published_again(s)
        assert s.world.core.journal.writes(mark) == []
        assert states(s) == {EntryState.DONE: 4}
        assert {follow.state for follow in s.follows()} == {FollowState.FOLLOWING}
        with s.company.oauth.store.read() as session:
            rows = publications.everyone(session)
        assert sorted(row.title for row in rows) == ["Own", "Plan"]
        assert all(row.url.endswith(f"/pages/{row.content_id}/{row.title}") for row in rows)
        assert {row.content_id for row in rows} == {page.id for page in s.wiki.pages}
        assert s.again_from_scratch() == []


def test_what_comes_next_follows_on_the_page_that_was_found(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        lost(s)
        s.company.connect(ADA)
        s.company.connect(BEN)
        adopted(s)
        published_again(s)
        thread = next(follow.thread_id for follow in s.follows() if follow.subject == "Plan" and follow.mailbox_id == 1)
        message = next(m for m in s.gmail.mailbox(ADA).messages.values() if m.thread_id == thread)
        s.reply(BEN, ADA, {ADA: (message.id, thread)}, "One more.\n")
        s.passes(4)
        assert (len(s.wiki.pages), len(s.wiki.comments)) == (2, 3)
        assert set(markers(s).values()) == {1}
        assert s.again_from_scratch() == []


def test_a_page_of_somebody_who_has_not_connected_again_is_joined(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        mark = s.mark()
        lost(s)
        s.company.connect(BEN)
        adopted(s)
        published_again(s)
        assert s.world.core.journal.writes(mark) == []
        s.company.connect(ADA)
        published_again(s)
        assert s.world.core.journal.writes(mark) == []
        assert states(s) == {EntryState.DONE: 4}
        assert s.again_from_scratch() == []


def test_a_second_search_finds_nothing_new(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        lost(s)
        s.company.connect(ADA)
        first, mark = adopted(s), s.mark()
        again = adopted(s)
        assert (first.new, again.new) == (4, 0)
        assert replace(again, new=4) == first
        assert s.world.core.journal.writes(mark) == []


def test_an_installation_that_lost_nothing_goes_on_as_before(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        mark = s.mark()
        assert adopted(s).new == 4
        s.passes(3)
        assert s.world.core.journal.writes(mark) == []
        assert s.again_from_scratch() == []


def test_who_could_read_what_is_said(tmp_path: Path) -> None:
    hr = replace(ENG, name="hr", label="Confluence/HR", space="HR")
    nowhere = replace(ENG, name="no", label="Confluence/NO", space="NOWHERE")
    with story(tmp_path, ENG, hr, nowhere) as s:
        s.connect(ADA, BEN)
        found = adopted(s)
        by = {(one.place, one.person): one.problem for one in found.looked}
        assert by["pages in space ENG", ADA] == by["pages in space HR", ADA] == by["pages in space ENG", BEN] == ""
        assert by["pages in space HR", BEN] == 'Space "HR" is not shown to them. Ask its admin for access.'
        assert by["pages in space NOWHERE", ADA].startswith('Space "NOWHERE" was not found on ')
        assert found.unread == ("pages in space NOWHERE",)
        assert found.read == {"pages in space ENG", "pages in space HR"}


def test_a_connection_that_ended_is_said_and_the_others_are_searched(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        s.wiki.revoke(ADA)
        found = adopted(s)
        assert found.unread == ()
        assert (found.pages, found.comments) == (2, 2)
        assert Looked("pages in space ENG", BEN) in found.looked
        (problem,) = [one.problem for one in found.looked if one.person == ADA]
        assert "onnect Confluence again" in problem


def test_nobody_is_connected(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        assert adopted(s) == Found(0, 0, 0, 0, ())


def test_marks_hold_no_word_of_the_mail(tmp_path: Path) -> None:
    with published(tmp_path) as s:
        adopted(s)
        with s.company.oauth.store.read() as session:
            held = [str(row.model_dump() | {"title": "", "url": ""}) for row in session.exec(select(Mark))]
        assert len(held) == 4
        assert not any(word in row for row in held for word in ("Plan", "Thanks", "example.com"))


@pytest.mark.scenario("X21")
def test_the_database_is_rebuilt_from_the_pages(tmp_path: Path) -> None:
    """Most of the pages are made from the product's own one, as many passes of it would have."""
    with story(tmp_path) as s:
        s.connect(ADA)
        first = s.send(ADA, BEN, "Plan")
        s.label(ADA, first[ADA][1])
        s.passes(3)
        (model,) = s.wiki.pages
        (key,) = find_key(model.body)
        for number in range(1, MANY):
            sent = s.send(ADA, BEN, f"Plan {number}")
            s.label(ADA, sent[ADA][1])
            like(s, model, key, s.message_id(ADA, sent[ADA][0]), number, (ADA, first[ADA][0]))
        lost(s)
        s.company.connect(ADA)
        found, mark = adopted(s), s.mark()
        assert (found.pages, found.threads, found.new) == (MANY, MANY, MANY)
        published_again(s)
        assert s.world.core.journal.writes(mark) == []
        assert len(s.wiki.pages) == MANY
        assert states(s) == {EntryState.DONE: MANY}
        assert set(markers(s).values()) == {1}
        assert s.again_from_scratch() == []


def like(s: Story, model: Page, key: str, message_id: str, number: int, of: tuple[str, str]) -> Page:
    """Put a page there as the product would have, for another mail."""
    other = f"k{number:09}"
    body = model.body.replace(origin_url(key, s.message_id(*of)).replace("&", "&amp;"), origin_url(other, message_id))
    assert find_key(body) == [other]
    page = s.wiki.create_page(ADA, "ENG", f"Plan {number}", body, parent="")
    page.versions[0] = replace(page.versions[0], message=f"Plan {number} [{number:08x}]")
    value = {"publication": f"u{number:09}", "entry": other}
    page.properties[PROPERTY] = replace(model.properties[PROPERTY], id=f"p{number}", value=value)
    return page
