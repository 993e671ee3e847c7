from __future__ import annotations

from sqlmodel import Session, select

from bridge.store import spaces
from bridge.store.tables import Space

from support.rows import NOW, after


def test_a_space_is_found_by_its_key_in_any_case(session: Session) -> None:
    spaces.save(session, "cloud-1", "Docs", "42", "Documents", NOW)
    found = spaces.find(session, "cloud-1", "dOCS")
    assert found is not None
    assert (found.key, found.shown_key, found.space_id, found.name) == ("docs", "Docs", "42", "Documents")
    assert found.looked_at == NOW


def test_another_site_or_key_is_another_space(session: Session) -> None:
    spaces.save(session, "cloud-1", "DOCS", "42", "Documents", NOW)
    spaces.save(session, "cloud-2", "DOCS", "7", "Other documents", NOW)
    assert spaces.find(session, "cloud-1", "TEAM") is None
    other = spaces.find(session, "cloud-2", "DOCS")
    assert other is not None
    assert other.space_id == "7"


def test_a_later_look_replaces_what_was_known(session: Session) -> None:
    spaces.save(session, "cloud-1", "docs", "42", "Documents", NOW)
    first = spaces.find(session, "cloud-1", "docs")
    spaces.save(session, "cloud-1", "DOCS", "43", "Papers", after(hours=1))
    found = spaces.find(session, "cloud-1", "docs")
    assert found is first
    assert found is not None
    assert (found.shown_key, found.space_id, found.name, found.looked_at) == ("DOCS", "43", "Papers", after(hours=1))
    assert len(session.exec(select(Space)).all()) == 1
