"""The protocol of one write in every state, over a comment; then every kind at random over a model server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.clock import VirtualClock
from bridge.errors import Answer, PersonMustAct, RateLimited, Refused, Temporary
from bridge.store.engine import Store
from bridge.store.tables import Entry, EntryState, Event, Publication, PublicationState, Write, WriteState
from bridge.sync.spool import spooled
from bridge.sync.writes.base import Kind
from bridge.sync.writes.comment import Comment
from bridge.sync.writes.draft import Draft
from bridge.sync.writes.origin_property import OriginProperty
from bridge.sync.writes.page_label import PageLabel
from bridge.sync.writes.perform import NotYet
from bridge.sync.writes.publish import Publish
from bridge.sync.writes.restrict import Restrict
from bridge.sync.writes.upload import Upload

from support.sync import NOW, digest, mail, marked
from support.sync_clients import Crash, FakeConfluence, lost
from support.sync_rows import add_attachment, add_entry, add_publication, hire, new_store, rows
from support.sync_scene import performer

SETTLE = 120.0


class Stage:
    """A published page with one comment that is to be posted."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, VirtualClock(NOW)
        self.server = FakeConfluence(self.clock)
        box = hire(store)
        self.publication = add_publication(
            store, box, content_id="1000", page_id="1000", state=PublicationState.PUBLISHED
        )
        self.entry = add_entry(store, self.publication, box, mail(1), ordinal=1, kind="comment", key="marker1")
        self.kind = Comment(
            publication_id=self.publication.id or 0,
            entry_id=self.entry.id or 0,
            container_kind="page",
            container_id="1000",
            parent_id="",
            marker="marker1",
            storage=marked("marker1"),
        )

    def perform(self) -> None:
        performer(self.store, self.clock, self.server, self.publication).perform(self.kind, entry_id=self.entry.id)

    def write(self) -> Write:
        [row] = rows(self.store, Write)
        return row


def test_a_write_that_goes_well_is_intended_sent_and_done(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.perform()
        row = stage.write()
        assert (row.state, row.remote_id, row.tries, row.sent_at) == (WriteState.DONE, "5000", 1, NOW)
        assert (row.entry_id, row.account_id, row.target) == (stage.entry.id, 1, f"entry {stage.entry.id}")
        [entry] = rows(store, Entry)
        assert (entry.state, entry.remote_id, entry.account_id) == (EntryState.DONE, "5000", 1)
        [event] = rows(store, Event)
        assert (event.what, event.outcome, event.remote_id, event.thread_id) == ("comment", "done", "5000", "t1")


def test_what_is_done_is_not_sent_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.perform()
        stage.perform()
        assert stage.server.calls == ["comment_on"]


def test_the_intent_is_committed_before_the_request_leaves(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = [Crash()]
        with pytest.raises(Crash):
            stage.perform()
        row = stage.write()
        assert (row.state, row.sent_at, row.look_after) == (WriteState.SENT, NOW, NOW + timedelta(seconds=SETTLE))


@pytest.mark.parametrize(
    ("step", "error", "took_effect"),
    [(Crash(), Crash, False), ("crash after", Crash, True), ("dropped", Exception, False), ("lost", Exception, True)],
)
def test_what_may_have_taken_effect_is_looked_for_once_it_settled(
    tmp_path: Path, step: Any, error: type[BaseException], took_effect: bool
) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = [step]
        with pytest.raises(error):
            stage.perform()
        assert stage.write().state is WriteState.SENT
        stage.clock.advance(SETTLE - 1)
        with pytest.raises(NotYet) as early:
            stage.perform()
        assert early.value.until == NOW + timedelta(seconds=SETTLE)
        assert stage.server.calls == ["comment_on"]
        stage.clock.advance(1)
        for _ in range(0 if took_effect else 2):
            with pytest.raises(NotYet) as unsure:
                stage.perform()
            assert unsure.value.until == stage.clock.now() + timedelta(minutes=1), "a list may lag: absent is no proof"
            stage.clock.advance(60)
        stage.perform()
        assert len(stage.server.all_comments) == 1
        again = [] if took_effect else ["comments", "comments", "comment_on"]
        assert stage.server.calls == ["comment_on", "comments", *again]
        assert stage.write().state is WriteState.DONE
        assert stage.write().tries == (1 if took_effect else 2)
        assert rows(store, Event)[-1].outcome == ("found again" if took_effect else "done")


@pytest.mark.parametrize("lag", [1, 2])
def test_a_list_that_lags_makes_no_second_comment(tmp_path: Path, lag: int) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = ["lost"]
        with pytest.raises(Temporary):
            stage.perform()
        listed, late = stage.server.comments, iter(range(lag))
        stage.server.comments = lambda kind, content_id: (  # type: ignore[method-assign]
            [] if next(late, None) is not None else listed(kind, content_id)
        )
        for _ in range(lag):
            stage.clock.advance(SETTLE)
            with pytest.raises(NotYet):
                stage.perform()
        stage.clock.advance(60)
        stage.perform()
        assert (stage.server.writes(), stage.write().state) == (["comment_on"], WriteState.DONE)


def test_a_lost_write_is_finished_without_being_sent_again(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        desk = performer(store, stage.clock, stage.server, stage.publication)
        assert not desk.found_again(stage.kind), "nothing was sent"
        stage.server.script = ["lost"]
        with pytest.raises(Temporary):
            stage.perform()
        with pytest.raises(NotYet):
            desk.found_again(stage.kind)
        stage.clock.advance(SETTLE)
        assert desk.found_again(stage.kind)
        assert (stage.server.writes(), stage.write().state) == (["comment_on"], WriteState.DONE)


def test_a_connection_that_was_refused_is_sent_again_at_once(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = [lost(sent=False), RateLimited("slow", provider="atlassian", retry_after=1)]
        for _ in range(2):
            with pytest.raises(Exception, match=r"no answer|slow"):
                stage.perform()
            assert stage.write().state is WriteState.PLANNED
        stage.perform()
        assert stage.server.calls == ["comment_on"] * 3


@pytest.mark.parametrize("error", [Refused, PersonMustAct])
def test_a_refusal_is_kept_and_may_be_sent_again(tmp_path: Path, error: type[Refused] | type[PersonMustAct]) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = [error("no", provider="atlassian", answer=Answer(400, "bad", "text"))]
        with pytest.raises(error):
            stage.perform()
        row = stage.write()
        assert (row.state, row.status, row.answer) == (WriteState.FAILED, 400, "bad")
        stage.perform()
        assert (stage.write().state, stage.write().answer) == (WriteState.DONE, "")


def test_a_look_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = ["lost"]
        with pytest.raises(Exception, match="no answer"):
            stage.perform()
        stage.clock.advance(SETTLE)
        stage.server.refuse["comments"] = lost(sent=False)
        with pytest.raises(Exception, match="no answer"):
            stage.perform()
        assert (stage.write().state, stage.server.writes()) == (WriteState.SENT, ["comment_on"])
        stage.server.refuse.clear()
        stage.perform()
        assert len(stage.server.all_comments) == 1


def test_a_write_that_was_given_up_is_left_alone(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = [Refused("no", provider="atlassian")]
        with pytest.raises(Refused):
            stage.perform()
        with store.write() as session:
            session.get_one(Write, stage.write().id).state = WriteState.GIVEN_UP
        stage.perform()
        assert stage.server.calls == ["comment_on"]


def test_whoever_takes_over_finds_what_the_first_one_posted(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        stage.server.script = ["lost"]
        with pytest.raises(Exception, match="no answer"):
            stage.perform()
        stage.clock.advance(SETTLE)
        ben = hire(store, "ben@example.com")
        other = replace(performer(store, stage.clock, stage.server, stage.publication), account_id=ben.account_id)
        other.perform(stage.kind, entry_id=stage.entry.id)
        assert len(stage.server.all_comments) == 1
        assert rows(store, Entry)[0].account_id == 1


STEPS = ["ok", "lost", "dropped", "crash", "crash after", "unsent", "pause"]


def script(steps: list[str]) -> list[Any]:
    made: dict[str, Callable[[], Any]] = {
        "crash": Crash,
        "unsent": lambda: lost(sent=False),
        "pause": lambda: RateLimited("slow", provider="atlassian", retry_after=3),
    }
    return [made[step]() if step in made else step for step in steps]


def kinds(store: Store, server: FakeConfluence, folder: Path) -> dict[str, tuple[Kind, Callable[[], int]]]:
    """Every kind of write, with what counts its effects at the model server."""
    box = hire(store)
    publication = add_publication(store, box, content_id="1000", page_id="1000", state=PublicationState.DRAFTED)
    body = add_entry(store, publication, box, mail(1), key="markerb")
    reply = add_entry(store, publication, box, mail(2), ordinal=1, kind="comment", key="markerr")
    nested = add_entry(store, publication, box, mail(3), ordinal=2, kind="comment", key="markern")
    row = add_attachment(store, publication, body, b"bytes")
    number = publication.id or 0
    server.create_draft("page", space_id="100", title="T")
    server.calls.clear()
    with spooled(folder, b"bytes") as data:
        copy = folder / "copy"
        with data.opened() as stream:
            copy.write_bytes(stream.read())
    return {
        "draft": (Draft(number, "page", "100", "", "T2", False), lambda: server.calls.count("create_draft")),
        "publish": (
            Publish(number, body.id or 0, "page", "1000", "T", marked("markerb"), "From Ada's mail"),
            lambda: len(server.pages),
        ),
        "comment": (
            Comment(number, reply.id or 0, "page", "1000", "", "markerr", marked("markerr")),
            lambda: len([one for one in server.all_comments if not one.parent_id]),
        ),
        "reply": (
            Comment(number, nested.id or 0, "page", "1000", "77", "markern", marked("markern")),
            lambda: len(server.replies("77")),
        ),
        "upload": (
            Upload(
                row.id or 0, "page", "1000", "report.pdf", "application/pdf", 5, digest(b"bytes"),
                f"note [{digest(b'bytes')}]", False, lambda: copy.open("rb"),
            ),
            lambda: len(server.all_files.get("1000", [])),
        ),
        "page label": (PageLabel("page", "1000", ("mail", "eng")), lambda: len(server.page_labels["1000"]) // 2),
        "origin property": (OriginProperty("page", "1000", "uid1", "markerb"), lambda: len(server.properties)),
        "restrict": (Restrict("1000", server.subject), lambda: len([one for one in server.allowed.values() if one])),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["draft", "publish", "comment", "reply", "upload", "page label", "origin property", "restrict"]
)
@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=6))
def test_no_mishap_makes_a_write_happen_twice_or_not_at_all(name: str, steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, new_store(Path(folder)) as store:
        clock = VirtualClock(NOW)
        server = FakeConfluence(clock)
        kind, effects = kinds(store, server, Path(folder))[name]
        server.script = script(steps)
        [publication] = rows(store, Publication)
        for _ in range(5 * len(steps) + 5):
            try:
                performer(store, clock, server, publication).perform(kind)
            except NotYet as wait:
                clock.advance(max((wait.until - clock.now()).total_seconds(), 1))
            except (Exception, Crash):
                clock.advance(2)
        [row] = rows(store, Write)
        assert row.state is WriteState.DONE
        if name == "draft":
            taken = steps[: server.calls.count("create_draft")]
            unknown = sum(step in ("lost", "dropped", "crash", "crash after") for step in taken)
            assert len(server.drafts) <= 2 + unknown
        else:
            assert effects() == 1
        before = list(server.writes())
        performer(store, clock, server, publication).perform(kind)
        assert server.writes() == before


def taken_over(stage: Stage) -> None:
    """Let another worker find the intent, wait for it, look in vain and post the comment."""
    other = replace(performer(stage.store, stage.clock, stage.server, stage.publication), owner="other")
    fence, stage.server.fence = stage.server.fence, lambda: None
    for _ in range(3):
        stage.clock.advance(SETTLE + 400)
        with suppress(NotYet):
            other.perform(stage.kind, entry_id=stage.entry.id)
    stage.server.fence = fence


@dataclass(frozen=True)
class Stopped:
    """A comment whose worker is stopped at a moment and woken after another one has done its work."""

    stage: Stage
    before_look: bool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stage.kind, name)

    def request(self, client: Any, write: Write) -> Any:
        if not self.before_look:
            taken_over(self.stage)
        return self.stage.kind.request(client, write)

    def look(self, client: Any, write: Write, since: Any) -> Any:
        found = self.stage.kind.look(client, write, since)
        taken_over(self.stage)
        return found


@pytest.mark.parametrize("before_look", [False, True])
def test_a_worker_that_was_stopped_does_not_send_after_the_one_that_took_over(
    tmp_path: Path, before_look: bool
) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)
        if before_look:
            stage.server.script = ["dropped"]
            with pytest.raises(Temporary):
                stage.perform()
            stage.clock.advance(SETTLE + 1)
        mine = replace(performer(store, stage.clock, stage.server, stage.publication), owner="mine")
        with pytest.raises(NotYet):
            mine.perform(cast("Kind", Stopped(stage, before_look)), entry_id=stage.entry.id)
        assert len(stage.server.all_comments) == 1
        assert stage.write().state is WriteState.DONE


def test_an_intent_that_waited_long_is_committed_anew_before_its_request_leaves(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        stage = Stage(store)

        class Slow(Stopped):
            def request(self, client: Any, write: Write) -> Any:
                stage.clock.advance(30)
                return stage.kind.request(client, write)

        stage.server.script = ["dropped"]
        with pytest.raises(Temporary):
            performer(store, stage.clock, stage.server, stage.publication).perform(
                cast("Kind", Slow(stage, False)), entry_id=stage.entry.id
            )
        sent = NOW + timedelta(seconds=30)
        assert (stage.write().sent_at, stage.write().look_after) == (sent, sent + timedelta(seconds=SETTLE))
