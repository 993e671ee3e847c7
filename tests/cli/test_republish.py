from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli import republish as command
from bridge.store import publications
from bridge.store.tables import EntryState, PublicationState
from bridge.sync.named import named
from bridge.sync.republish import republish

from support.installation import Installation
from support.stories import ADA, BEN, story

Run = Callable[..., tuple[int, str, str]]

PAGE = "https://example.atlassian.net/wiki/spaces/ENG/pages/1001"


@pytest.fixture
def removed(here: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Give a page that was found in the trash; the look itself is shown over the sandbox, below."""
    monkeypatch.setattr(command, "_look", lambda opened, follow: None)
    ada = here.person("Ada Lovelace")
    here.daemon(started=here.ago(hours=3), looked=here.now)
    page = here.publication(ada, url=f"{PAGE}/Secret+plan", space_key="ENG", remote="trashed")
    here.follow(ada, "t1", publication_id=page.id)
    here.entry(page, ada, "t1", key="k", ordinal=0, kind="body", state=EntryState.DONE, remote_id="1001")
    return here


def test_a_removed_page_is_published_anew(removed: Installation, run: Run) -> None:
    code, out, _ = run("republish", "t1")
    assert code == 0
    assert out == (
        "To be published anew: thread t1 of ada@example.com, in ENG.\n"
        f"  What was removed is not touched: {PAGE}\n"
        "What came of it: mailbridge explain t1\n"
    )
    with removed.store.read() as session:
        old, new = publications.everyone(session)
    assert (old.state, old.successor_uid, new.state) == (PublicationState.REMOVED, new.uid, PublicationState.PLANNED)


def test_json(removed: Installation, run: Run) -> None:
    told = json.loads(run("republish", "1001", "--json")[1])
    with removed.store.read() as session:
        old, new = publications.everyone(session)
    assert told == {
        "thread": "t1",
        "address": "ada@example.com",
        "publication": new.uid,
        "instead_of": old.uid,
    }


def test_what_was_never_published_or_is_not_known(here: Installation, run: Run) -> None:
    here.follow(here.person("Ada Lovelace"), "t1")
    code, out, err = run("republish", "t1")
    assert (code, out) == (1, "")
    assert err.endswith("Nothing of this thread was published yet.\n")
    assert run("republish", "t2")[0] == 1


def test_of_several_pages_one_must_be_named(removed: Installation, run: Run) -> None:
    box = removed.person("Ben Hart")
    other = removed.publication(box, number=2)
    removed.follow(box, "t1", route="other", publication_id=other.id)
    code, out, err = run("republish", "t1")
    assert (code, out) == (1, "")
    assert err.endswith("This thread became several pages. Name the one that was removed by its address.\n")


def test_a_page_that_people_trashed_gets_a_new_one_and_a_standing_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with story(tmp_path) as s:
        s.connect(ADA, BEN)
        sent = s.send(BEN, ADA, "Plan")
        s.label(ADA, sent[ADA][1])
        s.passes()
        (old,) = s.wiki.pages
        with s.company.oauth.store.read() as session:
            (follow,) = named(session, sent[ADA][1])
        opened = _Opened(s)
        command._look(opened, follow)  # type: ignore[arg-type]
        with pytest.raises(Exception, match="The page of this thread stands: "):
            republish(s.company.oauth.store, follow.id or 0, s.clock.now())
        s.wiki.trash_page(old.id)
        command._look(opened, follow)  # type: ignore[arg-type]
        s.wiki.restore_page(old.id)  # back, though the last look has seen it in the trash
        command._look(opened, follow)  # type: ignore[arg-type]
        with pytest.raises(Exception, match="The page of this thread stands: "):
            republish(s.company.oauth.store, follow.id or 0, s.clock.now())
        s.wiki.trash_page(old.id)
        command._look(opened, follow)  # type: ignore[arg-type]
        republish(s.company.oauth.store, follow.id or 0, s.clock.now())
        s.passes(3)
        assert [(page.title, page.status) for page in s.wiki.pages if page.id != old.id] == [("Plan", "current")]
        assert s.again_from_scratch() == []


class _Opened:
    """What the command needs of an installation that was opened."""

    def __init__(self, s: object) -> None:
        self.store = s.company.oauth.store  # type: ignore[attr-defined]
        self.oauth = s.company.oauth  # type: ignore[attr-defined]
        self.tokens = s.company.tokens  # type: ignore[attr-defined]
