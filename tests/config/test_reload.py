from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bridge.config import Change, ConfigFaults, ConfigFile, Places, changed_keys, check

GOOD = """\
[google]
client_id = "g"
domains = ["example.com"]
[atlassian]
client_id = "a"
sites = ["https://example.atlassian.net"]
[gmail]
poll_every = "15s"
[[routes]]
name = "eng"
label = "Confluence/ENG"
space = "ENG"
"""
FASTER = GOOD.replace("15s", "5s")
HR = '[[routes]]\nname = "hr"\nlabel = "Confluence/HR"\nspace = "HR"\n'
FAULTY = GOOD.replace("poll_every", "poll_evry")


@pytest.fixture
def own(tmp_path: Path) -> Places:
    (tmp_path / "state").mkdir()
    found = Places(tmp_path / "config.toml", tmp_path / "state", tmp_path / "key")
    found.config.write_text(GOOD)
    return found


def renamed_over(path: Path, text: str) -> None:
    """Write as most editors do: another file, moved into the place of the old one."""
    beside = path.with_name("swap")
    beside.write_text(text)
    beside.replace(path)


def keys(before: str, after: str) -> tuple[str, ...]:
    old, new = check(before, {}).settings, check(after, {}).settings
    assert old is not None
    assert new is not None
    return changed_keys(old, new)


def test_nothing_happens_while_the_file_stays(own: Places) -> None:
    file = ConfigFile(own, {})
    assert [file.poll() for _ in range(3)] == [None, None, None]
    assert (file.stale, file.faults, file.problem, file.log_line, file.keep_problem) == (False, (), "", "", "")


@pytest.mark.parametrize("by_rename", [False, True])
def test_an_edit_is_applied_whole_at_the_second_look_that_finds_it(own: Places, by_rename: bool) -> None:
    file = ConfigFile(own, {})
    before = file.settings
    if by_rename:
        renamed_over(own.config, FASTER)
    else:
        own.config.write_text(FASTER)
    assert file.poll() is None
    assert file.settings is before
    change = file.poll()
    assert change == Change(file.settings, ("gmail.poll_every",))
    assert file.settings.gmail.poll_every == 5.0
    assert file.poll() is None


def test_an_edit_of_the_same_size_and_time_by_rename_is_seen(own: Places) -> None:
    file = ConfigFile(own, {})
    seen = own.config.stat()
    renamed_over(own.config, GOOD.replace("15s", "16s"))
    os.utime(own.config, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.poll() is None
    change = file.poll()
    assert change is not None
    assert change.settings.gmail.poll_every == 16.0


def test_a_file_in_the_middle_of_being_written_is_left_alone(own: Places) -> None:
    file = ConfigFile(own, {})
    own.config.write_text(GOOD[: GOOD.index("[[routes]]")])
    assert file.poll() is None
    own.config.write_text(FASTER)
    assert file.poll() is None
    change = file.poll()
    assert change is not None
    assert change.changed_keys == ("gmail.poll_every",)


def test_reload_reads_at_once_and_tells_an_edit_of_comments_as_no_change(own: Places) -> None:
    file = ConfigFile(own, {})
    assert file.reload() == Change(file.settings, ())
    own.config.write_text("# a word\n" + GOOD)
    assert file.reload() == Change(file.settings, ())
    assert file.poll() is None


def test_a_faulty_edit_keeps_the_old_one_and_says_what_is_wrong(own: Places) -> None:
    file = ConfigFile(own, {})
    before = file.settings
    renamed_over(own.config, "[google\n")
    assert file.reload() is None
    assert file.log_line == f"{own.config}:1:8: not valid TOML: expected ']' at the end of a table declaration."
    renamed_over(own.config, FAULTY)
    assert file.reload() is None
    assert file.settings is before
    assert file.stale
    assert file.log_line == f'{own.config}:8:1: gmail.poll_evry: unknown key. Did you mean "poll_every"?'
    assert file.problem.startswith(
        f"{own.config} has 1 fault; nothing was changed and the service runs on with the last good one.\n"
    )
    assert file.poll() is None
    own.config.write_text(GOOD)
    assert file.reload() == Change(file.settings, ())
    assert not file.stale


def test_a_file_that_was_removed_keeps_the_old_one(own: Places) -> None:
    file = ConfigFile(own, {})
    own.config.unlink()
    assert (file.poll(), file.poll()) == (None, None)
    assert file.stale
    assert file.settings.routes[0].name == "eng"
    own.config.write_text(FASTER)
    assert file.poll() is None
    assert file.poll() == Change(file.settings, ("gmail.poll_every",))


def test_a_good_file_is_kept_for_a_bad_day(own: Places) -> None:
    ConfigFile(own, {})
    assert own.last_good.read_text() == GOOD
    assert stat.S_IMODE(own.last_good.stat().st_mode) == 0o600
    own.config.write_text(FAULTY)
    file = ConfigFile(own, {})
    assert file.settings.gmail.poll_every == 15.0
    assert file.stale
    assert "the service runs on with the last good one" in file.problem
    assert own.last_good.read_text() == GOOD
    assert sorted(os.listdir(own.state)) == ["last-good.toml"]
    own.config.write_text(FASTER)
    assert file.reload() == Change(file.settings, ("gmail.poll_every",))
    assert own.last_good.read_text() == FASTER


def test_strict_refuses_a_faulty_file_at_start(own: Places) -> None:
    ConfigFile(own, {})
    own.config.write_text(FAULTY)
    with pytest.raises(ConfigFaults) as caught:
        ConfigFile(own, {}, strict=True)
    assert [fault.key for fault in caught.value.faults] == ["gmail.poll_evry"]


def test_without_a_good_copy_a_faulty_file_is_refused(own: Places) -> None:
    own.config.write_text(FAULTY)
    with pytest.raises(ConfigFaults) as caught:
        ConfigFile(own, {})
    assert "nothing was changed.\n" in str(caught.value)
    own.last_good.write_text("[google]\n")
    with pytest.raises(ConfigFaults) as caught:
        ConfigFile(own, {})
    assert [fault.key for fault in caught.value.faults] == ["gmail.poll_evry"]


def test_a_copy_that_cannot_be_written_does_not_keep_the_service_from_running(own: Places) -> None:
    own.state.rmdir()
    file = ConfigFile(own, {})
    assert file.settings.gmail.poll_every == 15.0
    assert file.keep_problem == f"{own.last_good} cannot be written: No such file or directory."


def test_a_copy_that_fails_at_the_end_leaves_no_half_file(own: Places) -> None:
    own.last_good.mkdir()
    file = ConfigFile(own, {})
    assert file.keep_problem == f"{own.last_good} cannot be written: Is a directory."
    assert sorted(os.listdir(own.state)) == ["last-good.toml"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (GOOD, GOOD, ()),
        (GOOD, FASTER.replace('"g"', '"h"'), ("gmail.poll_every", "google.client_id")),
        (GOOD, GOOD.replace('space = "ENG"', 'space = "HR"'), ("routes[eng].space",)),
        (GOOD, GOOD + HR, ("routes[hr]",)),
        (GOOD + HR, GOOD[: GOOD.index("[[routes]]")] + HR, ("routes[eng]",)),
        (GOOD, GOOD.replace('name = "eng"', 'name = "dev"'), ("routes[dev]", "routes[eng]")),
        (GOOD + HR, GOOD.replace("[[routes]]", HR + "[[routes]]"), ("routes",)),
        (GOOD, GOOD + 'signatures = "drop"\n', ("routes[eng].signatures",)),
        (
            GOOD,
            GOOD.replace("[[routes]]", '[pages]\nsignatures = "drop"\n[[routes]]'),
            ("pages.signatures", "routes[eng].signatures"),
        ),
    ],
)
def test_changed_keys_are_named(before: str, after: str, expected: tuple[str, ...]) -> None:
    assert keys(before, after) == expected
