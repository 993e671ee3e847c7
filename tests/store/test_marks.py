from __future__ import annotations

from sqlmodel import Session

from bridge.store import marks
from bridge.store.tables import Mark, Search

from support.rows import NOW


def mark(content_id: str, **more: str) -> Mark:
    facts = {"cloud_id": "c", "space_id": "s", "kind": "page", "page_id": content_id, "key": f"k{content_id}", **more}
    return Mark(content_id=content_id, **facts)


def test_a_mark_is_kept_once_and_follows_what_becomes_of_it(session: Session) -> None:
    assert marks.save(session, [mark("1", title="Plan"), mark("2")]) == 2
    assert marks.save(session, [mark("1", title="Other", status="trashed"), mark("3")]) == 1
    known = marks.of_content(session, "c", "1")
    assert known is not None
    assert (known.title, known.status) == ("Other", "trashed")
    assert marks.of_content(session, "another site", "1") is None


def test_the_oldest_comes_first_of_what_matches_a_mail_or_a_marker(session: Session) -> None:
    mail = marks.mail_digest("m@example.com")
    marks.save(session, [mark("10", mail=mail), mark("9", mail=mail), mark("8", key="wanted"), mark("7")])
    found = marks.matching(session, "c", [mail, ""], ["wanted", *(f"none {n}" for n in range(900))])
    assert [one.content_id for one in found] == ["8", "9", "10"]
    assert marks.matching(session, "c", [], []) == []


def test_what_stands_on_a_page(session: Session) -> None:
    marks.save(session, [mark("1"), mark("5", page_id="1", kind="comment"), mark("4", page_id="2", kind="comment")])
    assert [one.content_id for one in marks.on_page(session, "c", "1")] == ["1", "5"]


def test_a_mail_without_a_message_id_has_no_digest() -> None:
    assert marks.mail_digest("") == ""
    assert len(marks.mail_digest("a\ud800b@example.com")) == 64


def test_a_search_is_remembered_for_its_epoch_and_person(session: Session) -> None:
    search = Search(epoch="e", cloud_id="c", space_id="s", kind="page", account_id=1, done_at=NOW)
    assert not marks.searched(session, search)
    marks.save_search(session, search, NOW)
    marks.save_search(session, search, NOW)
    assert marks.searched(session, search)
    assert not marks.searched(session, search.model_copy(update={"account_id": 2}))
    assert not marks.searched(session, search.model_copy(update={"epoch": "f"}))
