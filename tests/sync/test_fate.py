"""What became of a page, by what Confluence shows; and the words for it, which the documents have too."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import VirtualClock
from bridge.confluence import Content, Version
from bridge.errors import Answer, CredentialRefused, NeedsConsent, PersonMustAct
from bridge.store.tables import Publication, PublicationState
from bridge.sync import fate, republish, takeover
from bridge.sync.fate import Fate, fate_of, has_waited, look, sentence

from support.sync import NOW
from support.sync_clients import FakeConfluence, as_client, gone

DOCUMENT = Path(__file__).parents[2] / "docs" / "pages-and-people.md"
PAGE = Content("page", "77", "current", "Plan", "100", "", "a", Version(1, "", "a", NOW), "", "https://example.com/77")


def publication(**fields: object) -> Publication:
    given = {"kind": "page", "content_id": "77", "page_id": "77", "state": PublicationState.PUBLISHED, "remote": ""}
    return Publication(**given | {"space_key": "ENG"} | fields)


@pytest.mark.parametrize(
    ("status", "before", "expected"),
    [
        ("current", "", ""),
        ("current", "trashed", ""),
        ("trashed", "", "trashed"),
        ("archived", "", "archived"),
        ("deleted", "", "purged"),
        ("", "", "hidden"),
        ("", "hidden", "hidden"),
        ("", "archived", "hidden"),
        ("", "trashed", "purged"),
        ("", "purged", "purged"),
    ],
)
def test_what_an_answer_says(status: str, before: str, expected: str) -> None:
    shown = replace(PAGE, status=status) if status else None
    assert fate_of(shown, before) == Fate(expected, seen=bool(status), content=shown)


def test_one_look_tells_a_page_that_is_shown_from_one_that_is_not() -> None:
    fake = FakeConfluence(VirtualClock(NOW))
    assert look(as_client(fake), publication()).remote == "hidden"
    fake.pages["77"] = PAGE
    assert look(as_client(fake), publication(remote="hidden")) == Fate("", content=PAGE)
    assert fake.calls == ["content", "content"]


def test_a_refused_credential_is_probed_before_anything_is_concluded() -> None:
    fake = FakeConfluence(VirtualClock(NOW))
    fake.refuse["content"] = CredentialRefused("bare", provider="atlassian", answer=Answer(404))
    assert look(as_client(fake), publication()) == Fate("hidden", seen=False)
    fake.refuse["current_user"] = NeedsConsent("ended", provider="atlassian")
    with pytest.raises(NeedsConsent):
        look(as_client(fake), publication())


def test_a_comment_that_is_not_there_on_a_page_that_is_was_deleted() -> None:
    fake = FakeConfluence(VirtualClock(NOW))
    ours = publication(kind="comment", content_id="5000", page_id="77")
    assert look(as_client(fake), ours) == Fate("hidden", seen=False), "its page is not shown: nothing is known"
    fake.pages["77"] = PAGE
    assert look(as_client(fake), ours) == Fate("purged", content=PAGE)
    fake.refuse["comment"] = PersonMustAct("no", provider="atlassian")
    assert look(as_client(fake), ours).remote == "hidden"
    fake.refuse["comment"] = gone()
    assert look(as_client(fake), ours).remote == "purged"


def test_a_draft_is_looked_at_as_one() -> None:
    fake = FakeConfluence(VirtualClock(NOW))
    fake.drafts["77"] = replace(PAGE, status="draft")
    assert look(as_client(fake), publication(state=PublicationState.DRAFTED)).remote == ""
    fake.drafts.clear()
    found = look(as_client(fake), publication(state=PublicationState.DRAFTED))
    told = sentence(publication(state=PublicationState.DRAFTED), found.remote, "t1", waited=False)
    assert told.startswith("The draft of the page is not in Confluence any more.")


def test_after_thirty_days_it_is_said_that_nobody_looks_by_itself() -> None:
    assert not has_waited(NOW - timedelta(days=29), NOW)
    assert has_waited(NOW - timedelta(days=30), NOW)
    assert sentence(publication(kind="blogpost"), "archived", "t1", waited=True) == (
        "Page archived. After 30 days the blog post is not looked at by itself any more; nothing is lost. "
        "When it can go on: mailbridge retry t1"
    )


@pytest.mark.parametrize(
    "words",
    [
        fate.TRASHED,
        fate.PURGED,
        fate.ARCHIVED,
        fate.HIDDEN,
        fate.DRAFT_GONE,
        fate.WAITED,
        fate.MAY_NOT_WRITE,
        takeover.NOBODY_SEES,
        takeover.ENTRY_WAITS,
        takeover.ENTRY_PASSED,
        republish.REMOVED,
    ],
)
def test_the_document_has_every_sentence_to_the_letter(words: str) -> None:
    document = re.sub(r"\n(?:> |  )?", " ", DOCUMENT.read_text())
    assert words in document
