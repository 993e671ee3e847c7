"""How each kind of write is requested, found again, and what its success changes in the tables."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import VirtualClock
from bridge.confluence import Comment as RemoteComment
from bridge.confluence import Content, RemoteFile, Version
from bridge.errors import Conflict, NameTaken, PersonMustAct
from bridge.store.engine import Store
from bridge.store.tables import (
    Attachment,
    AttachmentState,
    Entry,
    EntryState,
    Event,
    Publication,
    PublicationState,
    Write,
)
from bridge.sync.writes.base import Result
from bridge.sync.writes.comment import Comment
from bridge.sync.writes.draft import Draft
from bridge.sync.writes.origin_property import OriginProperty
from bridge.sync.writes.page_label import PageLabel
from bridge.sync.writes.publish import Publish
from bridge.sync.writes.restrict import Restrict
from bridge.sync.writes.upload import HalfUpload, Upload, UploadBytes

from support.sync import NOW, digest, mail, marked
from support.sync_clients import FakeConfluence, as_client, gone, lost
from support.sync_rows import add_attachment, add_entry, add_publication, hire, new_store, rows
from support.sync_scene import performer

EARLY = NOW - timedelta(minutes=15)


def row(**fields: object) -> Write:
    return Write(publication_id=1, kind="k", target="t", account_id=1, key="abcd1234", **fields)  # type: ignore[arg-type]


def server() -> FakeConfluence:
    return FakeConfluence(VirtualClock(NOW))


def publication_with_entry(store: Store, **fields: object) -> tuple[Publication, Entry]:
    box = hire(store)
    publication = add_publication(store, box, **fields)
    return publication, add_entry(store, publication, box, mail(1), key="marker1")


# ---- comment


def comment(parent: str = "", *, is_body: bool = False) -> Comment:
    return Comment(1, 1, "page", "1000", parent, "marker1", marked("marker1"), is_body=is_body)


def remote(number: str, key: str, at: object = NOW, parent: str = "") -> RemoteComment:
    version = Version(1, "", "somebody", at)  # type: ignore[arg-type]
    return RemoteComment(number, "current", parent, "somebody", version, marked(key), f"url{number}")


def test_a_comment_is_found_by_its_marker_whoever_wrote_it() -> None:
    fake = server()
    fake.all_comments = [remote("1", "other"), remote("2", "marker1"), remote("3", "third")]
    assert comment().look(as_client(fake), row(), EARLY) == Result("2", "url2", 1)


def test_a_comment_older_than_the_request_cannot_be_it_and_ends_the_search() -> None:
    fake = server()
    fake.all_comments = [remote("1", "marker1"), remote("2", "x", EARLY - timedelta(seconds=1)), remote("3", "y")]
    assert comment().look(as_client(fake), row(), EARLY) is None
    fake.all_comments[1] = remote("2", "x", None)
    assert comment().look(as_client(fake), row(), EARLY) == Result("1", "url1", 1)


def test_replies_are_looked_for_among_the_replies() -> None:
    fake = server()
    fake.all_comments = [remote("1", "marker1"), remote("2", "marker1", parent="77")]
    assert comment("77").look(as_client(fake), row(), EARLY) == Result("2", "url2", 1)
    assert fake.calls == ["replies"]


def test_a_word_that_looks_like_a_marker_is_none() -> None:
    fake = server()
    spoken = remote("1", "x")
    fake.all_comments = [RemoteComment("1", "current", "", "a", spoken.version, "<p>?mailbridge=marker1</p>", "u")]
    assert comment().look(as_client(fake), row(), EARLY) is None


@pytest.mark.scenario("A4")
def test_the_first_comment_of_a_comment_publication_makes_it_stand(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication_with_entry(store, kind="comment", page_id="1000")
        with store.write() as session:
            comment(is_body=True).done(session, row(), Result("5000", "url"), NOW)
        [publication] = rows(store, Publication)
        assert (publication.state, publication.content_id, publication.url) == (
            PublicationState.PUBLISHED,
            "5000",
            "url",
        )
        assert rows(store, Entry)[0].state is EntryState.DONE


# ---- draft


def test_a_draft_holds_no_word_and_is_never_looked_for(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication, _ = publication_with_entry(store)
        fake = server()
        draft = Draft(publication.id or 0, "page", "100", "9", "Plan", True)
        assert draft.look(as_client(fake), row(), EARLY) is None
        performer(store, fake.clock, fake, publication).perform(draft)
        [made] = fake.drafts.values()
        assert (made.title, made.storage, made.parent_id, made.space_id) == ("Plan", "", "9", "100")
        assert fake.allowed[made.id] == frozenset({fake.subject})
        [kept] = rows(store, Publication)
        assert (kept.state, kept.content_id, kept.page_id, kept.title) == (
            PublicationState.DRAFTED,
            made.id,
            made.id,
            "Plan",
        )


def test_a_draft_that_may_be_left_behind_is_told_once_the_next_one_stands(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication, _ = publication_with_entry(store)
        fake = server()
        fake.script = ["lost"]
        draft = Draft(publication.id or 0, "page", "100", "", "Plan", False)
        with pytest.raises(Exception, match="no answer"):
            performer(store, fake.clock, fake, publication).perform(draft)
        fake.clock.advance(30)
        performer(store, fake.clock, fake, publication).perform(draft)
        assert len(fake.drafts) == 2
        assert [one.what for one in rows(store, Event)] == ["orphan draft possible", "draft"]


def test_whoever_takes_a_publication_over_becomes_its_writer(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication_with_entry(store)
        ben = hire(store, "ben@example.com")
        with store.write() as session:
            write = row()
            write.account_id, write.tries = ben.account_id, 1
            Draft(1, "page", "100", "", "Plan", False).done(session, write, Result("1000"), NOW)
        assert rows(store, Publication)[0].account_id == ben.account_id


# ---- publish


def publish() -> Publish:
    return Publish(1, 1, "page", "1000", "Plan", marked("marker1"), "From Ada's mail, 19 Apr 2026")


def page(status: str, number: int, message: str) -> Content:
    version = Version(number, message, "a", NOW)
    return Content("page", "1000", status, "Plan", "100", "", "a", version, "", "url")


@pytest.mark.parametrize(
    ("standing", "found"),
    [
        (None, False),
        (page("draft", 1, "x [abcd1234]"), False),
        (page("current", 1, "From Ada's mail [abcd1234]"), True),
        (page("current", 1, "From Ada's mail [ffff0000]"), False),
        (page("current", 1, ""), False),
    ],
)
def test_a_page_is_found_by_the_note_of_its_first_version(standing: Content | None, found: bool) -> None:
    fake = server()
    if standing is not None:
        fake.pages["1000"] = standing
    assert publish().look(as_client(fake), row(), EARLY) == (Result("1000", "url", 1) if found else None)


def test_a_page_that_people_edited_since_is_found_by_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = server()
    fake.pages["1000"] = page("current", 3, "typo")
    first = [Version(3, "typo", "b", NOW), Version(2, "x [abcd1234]", "b", NOW), Version(1, "y [abcd1234]", "a", NOW)]
    monkeypatch.setattr(fake, "versions", lambda kind, content_id: first)
    assert publish().look(as_client(fake), row(), EARLY) == Result("1000", "url", 3)
    first.pop()
    assert publish().look(as_client(fake), row(), EARLY) is None


def test_publishing_takes_the_key_along_and_makes_the_publication_stand(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication, _ = publication_with_entry(store, state=PublicationState.DRAFTED, content_id="1000")
        fake = server()
        fake.drafts["1000"] = page("draft", 1, "")
        performer(store, fake.clock, fake, publication).perform(publish(), entry_id=1)
        [write] = rows(store, Write)
        assert fake.pages["1000"].version.message == f"From Ada's mail, 19 Apr 2026 [{write.key}]"
        [kept] = rows(store, Publication)
        assert (kept.state, kept.title, kept.version, kept.published_at) == (
            PublicationState.PUBLISHED,
            "Plan",
            1,
            NOW,
        )
        assert (rows(store, Entry)[0].state, rows(store, Entry)[0].remote_id) == (EntryState.DONE, "1000")


# ---- restrict


def test_only_a_restriction_that_is_read_back_counts() -> None:
    fake = server()
    restrict = Restrict("1000", "ada-at-atlassian")
    assert restrict.request(as_client(fake), row()) == Result("1000")
    assert fake.calls == ["readers", "restrict", "readers"]
    assert restrict.look(as_client(fake), row(), EARLY) == Result("1000")
    fake.calls.clear()
    restrict.request(as_client(fake), row())
    assert fake.calls == ["readers"]


def test_a_site_that_takes_a_restriction_and_does_not_restrict_stops_the_publication() -> None:
    fake = server()
    fake.restricts = False
    with pytest.raises(PersonMustAct, match="nothing was published"):
        Restrict("1000", "ada").request(as_client(fake), row())


def test_a_page_that_others_may_read_too_is_not_restricted() -> None:
    fake = server()
    fake.allowed["1000"] = frozenset({"ada", "group:staff"})
    assert Restrict("1000", "ada").look(as_client(fake), row(), EARLY) is None


# ---- page label and property


def test_labels_stand_if_all_of_them_do() -> None:
    fake = server()
    label = PageLabel("page", "1000", ("Mail", "eng"))
    fake.page_labels["1000"] = ["mail"]
    assert label.look(as_client(fake), row(), EARLY) is None
    label.request(as_client(fake), row())
    assert label.look(as_client(fake), row(), EARLY) == Result("1000")


def test_a_property_that_stands_already_is_ours() -> None:
    fake = server()
    wanted = OriginProperty("page", "1000", "uid1", "marker1")
    assert wanted.look(as_client(fake), row(), EARLY) is None
    assert wanted.request(as_client(fake), row()) == Result("1000")
    assert fake.properties == {"1000": {"publication": "uid1", "entry": "marker1"}}
    fake.script = [Conflict("exists", provider="atlassian")]
    assert wanted.request(as_client(fake), row()) == Result("1000")
    assert wanted.look(as_client(fake), row(), EARLY) == Result("1000")


# ---- upload


def upload(name: str = "report.pdf") -> Upload:
    note = f"From Ada's mail [{digest(b'bytes')}]"
    return Upload(
        1, "page", "1000", name, "application/pdf", 5, digest(b"bytes"), note, False, lambda: io.BytesIO(b"bytes")
    )


def standing(size: int, note: str, name: str = "report.pdf") -> RemoteFile:
    return RemoteFile("att1", name, size, "application/pdf", note, 1, "current")


def test_a_file_is_ours_by_name_and_digest() -> None:
    fake = server()
    assert upload().look(as_client(fake), row(), EARLY) is None
    fake.all_files["1000"] = [standing(5, "somebody's own")]
    assert upload().look(as_client(fake), row(), EARLY) is None
    fake.all_files["1000"] = [standing(5, f"x [{digest(b'bytes')}]")]
    assert upload().look(as_client(fake), row(), EARLY) == Result("att1", version=1)
    assert fake.writes() == []


def test_half_a_file_of_ours_gets_its_bytes_by_a_write_of_their_own() -> None:
    fake = server()
    fake.all_files["1000"] = [standing(2, f"x [{digest(b'bytes')}]")]
    with pytest.raises(HalfUpload) as half:
        upload().look(as_client(fake), row(), EARLY)
    assert half.value.file_id == "att1"
    mend = UploadBytes(upload(), "att1")
    assert mend.look(as_client(fake), row(), EARLY) is None
    assert fake.bytes_of == {}, "a look changes nothing"
    assert mend.request(as_client(fake), row()).remote_id == "att1"
    assert fake.bytes_of == {"report.pdf": b"bytes"}
    fake.all_files["1000"] = [standing(5, f"x [{digest(b'bytes')}]")]
    assert mend.look(as_client(fake), row(), EARLY) == Result("att1", version=1)
    assert upload().look(as_client(fake), row(), EARLY) == Result("att1", version=1)
    assert mend.settle == 120.0, "each time makes a version, so that none may be late"


def test_a_page_whose_files_cannot_be_listed_says_nothing_of_them() -> None:
    fake = server()
    fake.refuse["files"] = PersonMustAct("no", provider="atlassian")
    with pytest.raises(PersonMustAct):
        upload().look(as_client(fake), row(), EARLY)


def test_a_name_that_stands_is_never_replaced(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication, entry = publication_with_entry(store, page_id="1000")
        add_attachment(store, publication, entry, b"bytes")
        fake = server()
        fake.all_files["1000"] = [standing(3, "somebody's own")]
        with pytest.raises(NameTaken):
            performer(store, fake.clock, fake, publication).perform(upload(), attachment_id=1)
        performer(store, fake.clock, fake, publication).perform(upload("report-2.pdf"), attachment_id=1)
        [file] = rows(store, Attachment)
        assert (file.state, file.remote_id) == (AttachmentState.DONE, "att1")
        assert [one.target for one in rows(store, Write)] == ["1 report.pdf", "1 report-2.pdf"]
        assert [one.size for one in fake.all_files["1000"]] == [3, 5]


def test_the_bytes_can_be_read_again_for_a_second_attempt(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        publication, entry = publication_with_entry(store, page_id="1000")
        add_attachment(store, publication, entry, b"bytes")
        fake = server()
        fake.script = [lost(sent=False), "ok"]
        with pytest.raises(Exception, match="no answer"):
            performer(store, fake.clock, fake, publication).perform(upload(), attachment_id=1)
        performer(store, fake.clock, fake, publication).perform(upload(), attachment_id=1)
        assert fake.bytes_of == {"report.pdf": b"bytes"}


def test_a_name_that_an_unanswered_request_took_on_a_draft_is_ours_though_nobody_lists_it() -> None:
    fake, draft = server(), replace(upload(), draft=True)
    fake.all_files["1000"] = [standing(5, f"x [{digest(b'bytes')}]")]
    fake.refuse["files"] = gone()
    with pytest.raises(NameTaken):
        draft.request(as_client(fake), row(tries=1))
    assert draft.request(as_client(fake), row(tries=2)) == Result("")
    with pytest.raises(NameTaken):
        draft.request(as_client(fake), row(tries=2, status=503))


def test_a_name_that_is_taken_and_not_listed_yet_is_asked_about_again_a_few_times() -> None:
    fake, wanted = server(), upload()
    fake.all_files["1000"] = [standing(5, f"x [{digest(b'bytes')}]")]
    fake.files = lambda kind, content_id, name="": []  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        wanted.request(as_client(fake), row(tries=2))
    with pytest.raises(NameTaken):
        wanted.request(as_client(fake), row(tries=6))


def test_a_name_that_our_own_bytes_have_is_found_where_the_upload_is_refused() -> None:
    fake = server()
    fake.all_files["1000"] = [standing(5, f"x [{digest(b'bytes')}]")]
    assert upload().request(as_client(fake), row(tries=1)) == Result("att1", version=1)
