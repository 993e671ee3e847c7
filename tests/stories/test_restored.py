"""The database put back from a copy of an earlier moment: nothing stands twice, nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, update

from bridge.config import Route
from bridge.render import find_key
from bridge.sandbox.confluence_state import Page
from bridge.sandbox.faults import Rule
from bridge.store import publications
from bridge.store.tables import Mailbox
from bridge.sync.republish import look_at, republish

from support.stories import ADA, BEN, ENG, Story, _empty_database, story


def copied(s: Story) -> bytes:
    """Return a copy of the database as it is, as a nightly backup makes one."""
    with closing(sqlite3.connect(s.folder / "mailbridge.db")) as here, closing(sqlite3.connect(":memory:")) as saved:
        here.backup(saved)
        return saved.serialize()


def empty() -> bytes:
    """Return a database of this program's version in which nothing ever happened."""
    return _empty_database()


def put_back(s: Story, copy: bytes) -> None:
    """Stop the product, put a copy in its database's place, start it, and let everybody connect again."""
    s.close()
    database = s.folder / "mailbridge.db"
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(copy)
    s.install()


def settled(s: Story) -> None:
    """Let the product work until all that it looks for in vain was looked for often enough."""
    s.passes(12)
    s.company.connect_again()
    s.passes(12)


def ours(s: Story) -> list[Page]:
    """Return what stands that people have not thrown away and that carries a marker of ours."""
    return [
        page
        for page in s.wiki.wiki.content.values()
        if page.status in ("current", "archived", "trashed") and find_key(page.version.body)
    ]


def twice(s: Story) -> list[str]:
    """Return the markers that stand on more than one page or comment, and the files that a page has twice."""
    found = Counter(find_key(page.version.body)[0] for page in ours(s))
    found.update(key for comment in s.wiki.wiki.comments.values() for key in find_key(comment.version.body)[:1])
    return [name for name, count in found.items() if count > 1]


LATER = timedelta(minutes=20)
FILES = [("plan.pdf", "application/pdf", b"%PDF-1.4 plan"), ("notes.txt", "text/plain", b"notes " * 50)]
MORE = [("plan.pdf", "application/pdf", b"%PDF-1.4 another plan")]


def days(s: Story) -> None:
    """Let Ada and Ben work together: a thread with files and replies that both label, and one that comes later."""
    s.connect(ADA, BEN)
    sent = s.send(ADA, BEN, "Plan", "Here it is.\n", files=FILES)
    s.label(ADA, sent[ADA][1])
    s.passes(3)
    s.label(BEN, sent[BEN][1])
    answered = s.reply(BEN, ADA, sent, "Thanks, mine is different.\n", files=MORE)
    s.passes(3)
    s.reply(ADA, BEN, answered, "Agreed.\n")
    later = s.send(BEN, ADA, "Later", "One more thing.\n", files=FILES[1:])
    s.label(BEN, later[BEN][1])
    s.passes(3)


def commits(s: Story, seen: Callable[[int], None]) -> None:
    """Have ``seen`` called with the count of each commit of the product, right after it."""
    store, count = s.company.oauth.store, [0]
    write = store.write

    @contextmanager
    def counted() -> Iterator[Session]:
        with write() as session:
            yield session
        count[0] += 1
        seen(count[0])

    store.write = counted  # type: ignore[method-assign]


@cache
def undisturbed() -> tuple[str, int]:
    """Return what stands where nothing is ever put back, and how many commits that takes."""
    last = [0]
    with TemporaryDirectory() as folder, story(Path(folder)) as s:
        commits(s, lambda number: last.__setitem__(0, number))
        days(s)
        return standing(s), last[0]


def standing(s: Story) -> str:
    return json.dumps(s.wiki.snapshot(), sort_keys=True)


def put_back_after(folder: Path, moment: int) -> None:
    wanted, _ = undisturbed()
    copies: list[bytes] = []
    with story(folder) as s:
        commits(s, lambda number: copies.append(copied(s)) if number == moment else None)
        days(s)
        assert standing(s) == wanted
        put_back(s, copies[0])
        settled(s)
        assert twice(s) == []
        assert standing(s) == wanted
        assert s.again_from_scratch() == []


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(share=st.floats(0, 1))
def test_whatever_moment_the_copy_is_from_nothing_stands_twice(share: float) -> None:
    _, last = undisturbed()
    with TemporaryDirectory() as folder:
        put_back_after(Path(folder), max(1, round(share * last)))


def gap(s: Story, *, people: tuple[str, ...] = (ADA,)) -> bytes:
    """Let Ada's thread become what it becomes after the copy was taken; return the copy."""
    s.connect(*people)
    copy = copied(s)
    sent = s.send(ADA, BEN, "Plan", "Here it is.\n", files=FILES)
    for person in people:
        s.label(person, sent[person][1])
    s.passes(3)
    s.reply(BEN, ADA, sent, "Thanks.\n", files=MORE)
    s.passes(3)
    return copy


def unchanged(s: Story, copy: bytes) -> None:
    """Put the copy back: nothing is written that was written before, then and for ever."""
    wanted, mark = standing(s), s.mark()
    put_back(s, copy)
    settled(s)
    assert twice(s) == []
    assert standing(s) == wanted
    assert s.world.core.journal.writes(mark) == []
    assert s.again_from_scratch() == []


@pytest.mark.parametrize(
    "route",
    [
        ENG,
        replace(ENG, publish_as="blogpost"),
        replace(ENG, visibility="author"),
        replace(ENG, page_labels=("from-mail",)),
        Route(name="eng", label="Confluence/ENG", space="ENG", replies="none"),
    ],
    ids=["page", "post", "private", "labelled", "without replies"],
)
def test_a_thread_that_the_copy_never_heard_of(tmp_path: Path, route: Route) -> None:
    with story(tmp_path, route) as s:
        unchanged(s, gap(s))


def test_a_thread_that_is_a_comment_with_replies(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        page = s.wiki.create_page(ADA, "ENG", "Mails")
        s.change(routes=(replace(ENG, publish_as="comment", page=page.id),))
        copy = gap(s)
        assert len(s.wiki.comments) == 2
        unchanged(s, copy)
        assert len(s.wiki.comments) == 2


def test_two_people_whose_page_the_copy_never_heard_of(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        unchanged(s, gap(s, people=(ADA, BEN)))
        assert len({follow.publication_id for follow in s.follows()}) == 1


def test_the_one_who_follows_looks_first(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        copy = gap(s, people=(ADA, BEN))
        wanted, mark = standing(s), s.mark()
        put_back(s, copy)
        with s.company.oauth.store.write() as session:
            session.exec(update(Mailbox).where(col(Mailbox.address) == ADA).values(due_at=s.clock.now() + LATER))
        s.passes(6)
        assert [f.mailbox_id for f in s.follows()] == [2]
        settled(s)
        assert (standing(s), s.world.core.journal.writes(mark)) == (wanted, [])
        assert len({follow.publication_id for follow in s.follows()}) == 1
        assert s.again_from_scratch() == []


def test_a_page_that_people_threw_away_since_is_not_made_anew(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        copy = gap(s)
        s.wiki.trash_page(s.wiki.pages[0].id)
        unchanged(s, copy)
        assert s.follows()[0].detail.startswith("Removed in Confluence: the page is in the trash.")


def test_a_page_that_people_renamed_and_emptied_since_is_known_by_its_property(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        copy = gap(s)
        s.wiki.edit_page(BEN, s.wiki.pages[0].id, "<p>Nothing of it is left.</p>", title="Something else")
        wanted, mark = standing(s), s.mark()
        put_back(s, copy)
        settled(s)
        assert (standing(s), s.world.core.journal.writes(mark)) == (wanted, [])
        assert s.again_from_scratch() == []


def test_somebodys_copy_of_our_page_is_not_taken_for_it(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        copy = gap(s)
        ours_is = s.wiki.pages[0]
        s.wiki.create_page(BEN, "ENG", "Copy of Plan", ours_is.body)
        wanted, mark = standing(s), s.mark()
        put_back(s, copy)
        settled(s)
        assert (standing(s), s.world.core.journal.writes(mark)) == (wanted, [])
        with s.company.oauth.store.read() as session:
            assert [row.content_id for row in publications.everyone(session)] == [ours_is.id]


def test_a_list_that_lags_hides_nothing_for_long(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA)
        sent = s.send(ADA, BEN, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        copy = copied(s)
        s.wiki.wiki.switches.comment_lag = 2
        s.reply(BEN, ADA, sent, "Thanks.\n")
        s.passes(3)
        assert len(s.wiki.comments) == 1
        unchanged(s, copy)


def test_what_comes_after_the_copy_was_put_back_is_published_without_a_look(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        copy = gap(s)
        put_back(s, copy)
        settled(s)
        s.wait(3600)
        fresh = s.send(ADA, BEN, "Fresh")
        s.label(ADA, fresh[ADA][1])
        mark = s.mark()
        s.passes(2)
        assert {page.title for page in s.wiki.pages} == {"Plan", "Fresh"}
        calls = s.calls(mark, service="confluence")
        assert (calls["getPages"], calls["getPageFooterComments"]) == (0, 0)
        assert s.again_from_scratch() == []


def test_a_database_that_was_lost_beside_its_file(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        gap(s, people=(ADA, BEN))
        wanted, mark = standing(s), s.mark()
        installation = s.bridge.installation
        put_back(s, empty())
        assert s.bridge.installation == installation
        for person in (ADA, BEN):
            s.company.connect(person, backlog="publish")
        settled(s)
        assert (standing(s), s.world.core.journal.writes(mark)) == (wanted, [])
        assert s.again_from_scratch() == []


def test_what_was_held_in_the_copy_and_released_since_is_known_to_stand(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA)
        sent = s.send(ADA, BEN, "Plan", cc="cy@example.com")
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        s.reply(BEN, ADA, sent, "Between us.\n")
        s.passes(3)
        (question,) = s.held()
        copy = copied(s)
        s.answer(question, "publish")
        s.passes(3)
        assert len(s.wiki.comments) == 1
        unchanged(s, copy)
        assert s.held() == [], "it stands, so there is nothing to ask"


def test_of_a_page_and_the_one_that_was_asked_for_instead_the_latter_is_ours(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        copy = gap(s)
        (follow,) = s.follows()
        s.wiki.trash_page(s.wiki.pages[0].id)
        look_at(s.bridge, follow.id or 0)
        republish(s.company.oauth.store, follow.id or 0, s.clock.now())
        s.passes(3)
        (page,) = [one for one in s.wiki.pages if one.status == "current"]
        unchanged(s, copy)
        with s.company.oauth.store.read() as session:
            assert [row.content_id for row in publications.everyone(session)] == [page.id]


def test_who_cannot_see_a_page_does_not_say_that_it_never_stood(tmp_path: Path) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(ADA, BEN, "Plan")
        for person in (ADA, BEN):
            s.label(person, sent[person][1])
        copies: list[bytes] = []
        store = s.company.oauth.store
        noted = store.noted

        def copying(number: int) -> bool:
            copies.append(copied(s))
            return noted(number)

        store.noted = copying
        s.passes(3)
        (page,) = s.wiki.pages
        s.wiki.restrict_page(page.id, read=[ADA])
        wanted, mark = standing(s), s.mark()
        put_back(s, copies[0])
        with s.company.oauth.store.write() as session:
            session.exec(update(Mailbox).where(col(Mailbox.address) == ADA).values(due_at=s.clock.now() + LATER))
        settled(s)
        assert (standing(s), s.world.core.journal.writes(mark)) == (wanted, [])
        assert s.again_from_scratch() == []


def test_a_draft_that_was_published_since_by_another(tmp_path: Path) -> None:
    """Ada's connection had ended in between, and Ben went on with a page of his own."""
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        s.world.core.faults.append(Rule("updatePage", "drop-before", times=50))
        sent = s.send(ADA, BEN, "Plan", files=FILES)
        for person in (ADA, BEN):
            s.label(person, sent[person][1])
        s.passes(2)
        copy = copied(s)
        s.world.core.faults.clear()
        s.passes(3)
        (page,) = s.wiki.pages
        unchanged(s, copy)
        assert [one.id for one in s.wiki.pages] == [page.id]


def test_a_page_that_people_moved_since_is_found_in_the_other_space(tmp_path: Path) -> None:
    with story(tmp_path, ENG, replace(ENG, name="hr", label="Confluence/HR", space="HR")) as s:
        s.connect(ADA)
        other = s.send(ADA, BEN, "Other")
        s.label(ADA, other[ADA][1], "Confluence/HR")
        s.passes(3)
        copy = copied(s)
        sent = s.send(ADA, BEN, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        s.wiki.move_page(next(page.id for page in s.wiki.pages if page.title == "Plan"), key="HR")
        unchanged(s, copy)


def test_a_page_that_people_moved_to_a_space_that_the_copy_never_heard_of_is_found(tmp_path: Path) -> None:
    with story(tmp_path, ENG, replace(ENG, name="hr", label="Confluence/HR", space="HR")) as s:
        s.connect(ADA)
        copy = copied(s)
        sent = s.send(ADA, BEN, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        s.wiki.move_page(next(page.id for page in s.wiki.pages if page.title == "Plan"), key="HR")
        unchanged(s, copy)


def test_a_file_that_somebody_replaced_since_is_not_uploaded_anew(tmp_path: Path) -> None:
    """Its comment stands, so there is nothing to upload for it; the other's bytes stay under that name."""
    with story(tmp_path) as s:
        s.connect(ADA)
        sent = s.send(ADA, BEN, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes(3)
        copy = copied(s)
        s.reply(BEN, ADA, sent, "Thanks.\n", files=MORE)
        s.passes(3)
        s.wiki.upload_file(BEN, s.wiki.pages[0].id, "plan.pdf", b"by hand")
        unchanged(s, copy)
        assert [file.name for file in s.wiki.attachments] == ["plan.pdf"]


@pytest.mark.parametrize("shared", [False, True])
def test_a_page_of_another_route_in_the_same_space_is_not_taken_for_this_ones(tmp_path: Path, shared: bool) -> None:
    with story(tmp_path, ENG) as s:
        parent = s.wiki.create_page(ADA, "ENG", "Private mail").id
        own = Route(name="own", label="Confluence/Own", space="ENG", parent=parent, visibility="author")
        s.change(routes=(ENG, own))
        s.connect(ADA, BEN)
        copy = copied(s)
        sent = s.send(BEN, ADA, "Plan")
        if shared:
            s.label(BEN, sent[BEN][1])
            s.passes(3)
        s.label(ADA, sent[ADA][1], own.label)
        s.passes(3)
        s.label(ADA, sent[ADA][1])
        put_back(s, copy)
        settled(s)
        found = {(page.parent == parent, bool(page.read)) for page in ours(s)}
        assert found == {(True, True), (False, False)}
        assert len(ours(s)) == 2
        assert twice(s) == []
        assert s.follows() != []
        assert {follow.detail for follow in s.follows()} == {""}
        assert s.again_from_scratch() == []
