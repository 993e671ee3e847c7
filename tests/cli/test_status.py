from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from bridge.store.tables import FollowState

from support.installation import Installation

Run = Callable[..., tuple[int, str, str]]


def test_status(here: Installation, run: Run) -> None:
    here.daemon(started=here.ago(hours=3), looked=here.now)
    here.follow(here.person("Ada Lovelace"), "t1", state=FollowState.HELD, reason="blind copy")
    code, out, err = run("status")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("Running for 3 hours, version 1.2.0. All services answer. Last look at the mailboxes: ")
    assert lines[1:] == [
        "People      1 connected, 0 paused, 0 must reconnect",
        "Threads     0 published, 0 publishing now, 1 waits",
        "Needs somebody            since     whose move",
        "  t1  ada@example.com     2 hours   Ada: publish or leave out a mail that came as a blind copy",
        "Nothing for you to do. What may be answered, and how: mailbridge held",
    ]


def test_status_as_json_is_json_alone(here: Installation, run: Run) -> None:
    here.daemon(started=here.ago(hours=3), looked=here.now)
    here.follow(here.person("Ada Lovelace"), "t1", state=FollowState.HELD, reason="blind copy")
    code, out, err = run("status", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["running"] is True
    assert found["started"] == here.ago(hours=3).isoformat()
    assert found["people"] == {"connected": 1, "paused": 0, "reconnect": 0, "halfway": 0}
    assert found["threads"] == {
        "somebody": 1,
        "put_off": 0,
        "publishing": 0,
        "published": 0,
        "observed": 0,
    }
    assert found["rows"] == [
        {
            "id": "t1",
            "address": "ada@example.com",
            "since": here.ago(hours=2).isoformat(),
            "move": "Ada: publish or leave out a mail that came as a blind copy",
            "subject": "",
        }
    ]


def test_a_faulty_file_does_not_hide_the_state(here: Installation, run: Run) -> None:
    (here.config.parent / "last-good.toml").write_text(here.config.read_text())
    here.config.write_text("nonsense = 1\n")
    code, out, err = run("status")
    assert code == 0
    assert out.startswith("Not running. It has not looked at any mailbox yet.\n")
    assert err == (f"{here.config} is faulty, so the last good configuration is used. See: mailbridge config check\n")


def test_a_faulty_file_without_a_good_copy_ends_with_2(here: Installation, run: Run) -> None:
    here.config.write_text("nonsense = 1\n")
    code, out, err = run("status")
    assert (code, out) == (2, "")
    assert err.startswith(f"{here.config} has ")


def test_without_a_database_it_is_said_how_one_is_made(here: Installation, run: Run) -> None:
    here.store.close()
    database = here.config.parent / "mailbridge.db"
    database.unlink()
    assert run("status") == (
        1,
        "",
        f"There is no database at {database} yet. Start the service once: mailbridge run\n",
    )
    assert not database.exists()
    sqlite3.connect(database).close()
    assert run("status") == (1, "", "The database is empty. Start the service once: mailbridge run\n")


def test_a_newer_database_ends_with_78(here: Installation, run: Run) -> None:
    with here.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    code, out, err = run("status")
    assert (code, out) == (78, "")
    assert err.startswith("The database was written by a newer version of mailbridge.")
