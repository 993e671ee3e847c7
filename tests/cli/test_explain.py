from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bridge.store import events
from bridge.store.tables import EntryState, FollowState, KeptInput

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]

THREAD = "18c0ffee0000002a"


@pytest.fixture
def waiting(here: Installation) -> Installation:
    ben = here.person("Ben Hart")
    here.follow(
        ben,
        THREAD,
        state=FollowState.NEEDS_SOMEBODY,
        reason="person",
        detail="You may not add pages in space HR. Ask its admin.",
        since=here.now.replace(hour=12, minute=1, second=0),
        messages=3,
        tries=1,
    )
    at = here.now.replace(hour=12, minute=0, second=41, microsecond=0)
    with here.store.write() as session:
        facts = {"account_id": ben.account_id, "thread_id": THREAD}
        events.tell(session, at, "label seen", route="eng", cause="history 20481", **facts)
        detail = '{"history":20481,"mails":["m1","m2","m3"],"files":1}'
        events.tell(session, at, "mail read", cause="history 20481", detail=detail, **facts)
        events.tell(session, at, "write failed", route="eng", cause="atlassian 404", outcome="person", **facts)
    return here


def test_the_state_first_and_the_next_step_last(waiting: Installation, run: Run) -> None:
    code, out, err = run("explain", THREAD)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == (
        f"Thread {THREAD} of ben@example.com, 3 mails, label Confluence/ENG. "
        "Subject hidden (admin_sees_subjects = false)."
    )
    assert lines[1] == ("Waits since 12:01, for Ben: may not add pages in space HR. Ask its admin. Tried 1 time.")
    assert lines[2] == '  Route     "eng" (line 12) chosen: its label Confluence/ENG was seen on the thread'
    assert lines[4:] == [
        '  12:00:41  label seen (history 20481), route "eng"',
        "  12:00:41  3 mails read, 1 file (history 20481)",
        "  12:00:41  not written (atlassian 404; person)",
        f"Then: once that is done, mailbridge retry {THREAD}       All fields: --json",
    ]


def test_subjects_are_shown_where_the_operator_may_see_them(waiting: Installation, run: Run) -> None:
    text = waiting.config.read_text()
    waiting.config.write_text(text.replace("admin_sees_subjects = false", "admin_sees_subjects = true"))
    assert " Subject: Release plan" in run("explain", THREAD)[1]
    assert json.loads(run("explain", THREAD, "--json")[1])[0]["subject"] == "Release plan"


def test_json_has_every_field(waiting: Installation, run: Run) -> None:
    (one,) = json.loads(run("explain", THREAD.upper(), "--json")[1])
    assert (one["thread"], one["address"], one["subject"], one["page"]) == (THREAD, "ben@example.com", "", None)
    assert one["steps"][1]["evidence"] == {"history": 20481, "mails": ["m1", "m2", "m3"], "files": 1}
    assert one["routes"] == [
        {
            "name": "eng",
            "line": 12,
            "label": "Confluence/ENG",
            "chosen": True,
            "why": "its label Confluence/ENG was seen on the thread",
        }
    ]
    assert one["waits"][0]["what"] == "Ben: may not add pages in space HR. Ask its admin"


def test_a_refused_text_that_is_kept_is_named(here: Installation, run: Run) -> None:
    ada = here.person("Ada Lovelace")
    page = here.publication(ada)
    here.follow(ada, "t1", publication_id=page.id)
    entry = here.entry(page, ada, "t1", key="k", state=EntryState.DONE, fallback=True)
    with here.store.write() as session:
        session.add(KeptInput(entry_id=entry.id or 0, at=here.now, expires_at=here.ago(days=-14), sealed="-"))
    said = run("explain", "t1")[1]
    assert "its text was refused, so plain words stand instead; the refused text is kept, sealed, until " in said


def test_a_route_that_is_gone_is_said(waiting: Installation, run: Run) -> None:
    waiting.config.write_text(waiting.config.read_text().replace('name = "eng"', 'name = "other"'))
    assert '  Route     "eng" chosen: the configuration has it no more' in run("explain", THREAD)[1]


def test_nothing_is_known_of_it(here: Installation, run: Run) -> None:
    assert run("explain", "18c0ffee00000000") == (
        1,
        "",
        'Nothing is followed under "18c0ffee00000000". Name a thread by its id, as mailbridge status shows it, or a '
        "page by its address.\n",
    )
