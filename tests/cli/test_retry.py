from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from bridge.store import events, threads
from bridge.store.tables import Entry, EntryState, FollowState, Publication, PublicationState

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def by_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")


@pytest.fixture
def failing(here: Installation) -> Installation:
    """Ada's page fails for now, Ben lacks a permission, Cy has a reply that is held."""
    here.daemon(started=here.ago(hours=3), looked=here.now)
    ada, ben, cy = here.person("Ada Lovelace"), here.person("Ben Hart"), here.person("Cy Gray")
    page = here.publication(ada, state=PublicationState.DRAFTED, tries=4, next_try_at=here.now + timedelta(hours=1))
    here.entry(page, ada, "a1", key="k1", state=EntryState.PLANNED, fallback=True)
    here.follow(ada, "a1", publication_id=page.id)
    here.touched(ada, "a1", due_at=here.now + timedelta(hours=1))
    here.follow(ben, "b1", state=FollowState.NEEDS_SOMEBODY, reason="person", detail="You may not.")
    stands = here.publication(cy, number=2)
    here.entry(stands, cy, "c1", key="k2", state=EntryState.HELD, reason="narrow reply", question="?")
    here.follow(cy, "c1", publication_id=stands.id)
    return here


def due(here: Installation) -> list[str]:
    with here.store.read() as session:
        now = here.now + timedelta(minutes=30)
        return sorted(row.thread_id for box in (1, 2, 3) for row in threads.due(session, box, now, 10))


def test_one_thread(failing: Installation, run: Run) -> None:
    assert run("retry", "a1") == (0, "1 thread is due now.\nWhat came of it: mailbridge explain a1\n", "")
    assert due(failing) == ["a1"]
    with failing.store.read() as session:
        page = session.get_one(Publication, 1)
        entry = session.exec(select(Entry).where(Entry.key == "k1")).one()
        (event,) = events.of_thread(session, "a1")
    assert (page.tries, page.next_try_at, entry.fallback) == (0, None, False)
    assert (event.what, event.cause) == ("retried", "by root")


def test_all_that_waits_and_all_of_one_person(failing: Installation, run: Run) -> None:
    code, out, _ = run("retry", "--account", "ben@example.com")
    assert (code, out.splitlines()[0], due(failing)) == (0, "1 thread is due now.", ["b1"])
    code, out, _ = run("retry", "--all")
    assert (code, out.splitlines()[0], due(failing)) == (0, "2 threads are due now.", ["a1", "b1"])


def test_what_waits_for_an_answer_is_said(failing: Installation, run: Run) -> None:
    code, out, _ = run("retry", "c1")
    assert (code, out.splitlines()[1]) == (0, "1 thread waits for an answer: mailbridge held")


def test_nothing_waits(here: Installation, run: Run) -> None:
    assert run("retry", "--all") == (0, "Nothing waits that could be tried again.\n", "")


def test_a_pause_and_the_mode_are_said(failing: Installation, run: Run) -> None:
    run("pause", "--all")
    failing.config.write_text(failing.config.read_text().replace("[web]", '[safety]\nmode = "observe"\n[web]'))
    lines = run("retry", "a1")[1].splitlines()
    assert lines[1:3] == [
        "Paused: all writing. Go on with: mailbridge resume --all",
        'Nothing is written while [safety] mode is "observe".',
    ]
    assert run("status")[1].startswith(
        "Running for 3 hours, version 1.2.0. It observes, and writes nothing. Paused: all"
    )


def test_json(failing: Installation, run: Run) -> None:
    assert json.loads(run("retry", "a1", "--json")[1]) == {"threads": ["a1"], "asked": []}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say what to try again: THREAD, --account ADDRESS or --all."),
        (("a1", "--all"), "Say what to try again: THREAD, --account ADDRESS or --all."),
        (("--account", "eve@example.com"), "eve@example.com is not connected here. See: mailbridge accounts list"),
        (
            ("zz",),
            'Nothing is followed under "zz". Name a thread by its id, as mailbridge status shows it, or a page by its '
            "address.",
        ),
    ],
)
def test_what_is_not_there_is_said(failing: Installation, run: Run, options: tuple[str, ...], said: str) -> None:
    assert run("retry", *options) == (1, "", said + "\n")
