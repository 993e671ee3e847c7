from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bridge.cli.log import instant
from bridge.errors import BridgeError
from bridge.store import events

from support.installation import NOON, Installation

Run = Callable[..., tuple[int, str, str]]

AT = datetime(2026, 3, 3, 12, 0, 41, tzinfo=UTC)


@pytest.fixture
def told(here: Installation) -> Installation:
    ada, ben = here.person("Ada Lovelace"), here.person("Ben Hart")
    with here.store.write() as session:
        detail = '{"history":7,"mails":["m1"],"files":0}'
        events.tell(session, AT, "mail read", account_id=ada.account_id, thread_id="t1", detail=detail)
        events.tell(
            session,
            AT + timedelta(seconds=1),
            "publish",
            route="eng",
            account_id=ada.account_id,
            thread_id="t1",
            remote_id="1001",
            version=1,
            cause="mail m1",
            outcome="done",
        )
        events.tell(session, AT + timedelta(days=1), "paused", account_id=ben.account_id, cause="by root")
        events.tell(session, here.now, "a later version's word", thread_id="t2")
    return here


def test_who_read_and_wrote_what_and_when(told: Installation, run: Run) -> None:
    code, out, err = run("log")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:6] == [
        "4 events, the newest last.",
        "3 March 2026 (UTC)",
        "  12:00:41  ada@example.com  t1  1 mail read, 0 files (history 7)",
        "  12:00:42  ada@example.com  t1  Published: 1001, version 1 (mail m1) [eng]",
        "4 March 2026 (UTC)",
        "  12:00:41  ben@example.com      Paused (by root)",
    ]
    assert lines[-2].endswith("t2  A later version's word")
    assert lines[-1] == "More about a thread: mailbridge explain THREAD       All fields: --json"


@pytest.mark.parametrize(
    ("options", "whats"),
    [
        (("--account", "ben@example.com"), ["paused"]),
        (("--thread", "t1"), ["mail read", "publish"]),
        (("--route", "eng"), ["publish"]),
        (("--what", "mail"), ["mail read"]),
        (("--since", "2026-03-04"), ["paused", "a later version's word"]),
        (("--since", "2h"), ["a later version's word"]),
        (("--until", "2026-03-04 00:00"), ["mail read", "publish"]),
        (("--limit", "1"), ["a later version's word"]),
        (("--what", "%"), []),
    ],
)
def test_filters(told: Installation, run: Run, options: tuple[str, ...], whats: list[str]) -> None:
    assert [event["what"] for event in json.loads(run("log", "--json", *options)[1])] == whats


@pytest.mark.scenario("P17")
def test_json_has_every_field(told: Installation, run: Run) -> None:
    event = json.loads(run("log", "--what", "publish", "--json")[1])[0]
    assert event == {
        "id": 2,
        "at": "2026-03-03T12:00:42+00:00",
        "what": "publish",
        "said": "Published: 1001, version 1 (mail m1)",
        "who": "ada@example.com",
        "as": "ada@example.com",
        "thread": "t1",
        "route": "eng",
        "remote_id": "1001",
        "version": 1,
        "cause": "mail m1",
        "outcome": "done",
        "detail": {},
    }
    assert json.loads(run("log", "--what", "paused", "--json")[1])[0]["who"] == "root"


def test_nothing_fits(told: Installation, run: Run) -> None:
    assert run("log", "--thread", "t9") == (
        0,
        "Nothing was written down that fits.\nEvents are kept for 400 days. All of them: mailbridge log\n",
        "",
    )
    assert run("log", "--thread", "t9", "--json") == (0, "[]\n", "")


def test_more_than_fits_is_said(told: Installation, run: Run) -> None:
    assert run("log", "--limit", "2")[1].startswith("2 events, the newest last (--limit has more).\n")


def test_what_is_no_time_and_who_is_not_there_is_said(told: Installation, run: Run) -> None:
    said = '"soon" is no time. Write "2h", "7d", "2026-03-03" or "2026-03-03 12:00".\n'
    assert run("log", "--since", "soon") == (1, "", said)
    assert run("log", "--account", "eve@example.com")[0] == 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", None),
        ("90s", NOON - timedelta(seconds=90)),
        ("5 min", NOON - timedelta(minutes=5)),
        ("7d", NOON - timedelta(days=7)),
        ("2026-03-03", datetime(2026, 3, 3, tzinfo=UTC)),
        ("2026-03-03T12:00+01:00", datetime(2026, 3, 3, 11, tzinfo=UTC)),
    ],
)
def test_times(written: str, meant: datetime | None) -> None:
    assert instant(written, NOON) == meant


@pytest.mark.parametrize("written", ["yesterday", "7 weeks", "-2h", "99999999d", "999999d"])
def test_no_times(written: str) -> None:
    with pytest.raises(BridgeError):
        instant(written, NOON)
