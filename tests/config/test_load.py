from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import ConfigFaults, Fault, Places, load

GOOD = """\
[google]
client_id = "g"
domains = ["example.com"]
[atlassian]
client_id = "a"
sites = ["https://example.atlassian.net"]
"""


def test_loads_a_file_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("\ufeff" + GOOD.replace("\n", "\r\n"), encoding="utf-8", newline="")
    own = Places(path, tmp_path / "state", tmp_path / "key")
    assert load(path, {"MAILBRIDGE_GMAIL__POLL_EVERY": "3s"}, own).gmail.poll_every == 3.0
    assert load(path, {}, own).store.url == f"sqlite:///{tmp_path}/state/mailbridge.db"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b'[google]\nclient_id = "\xe4"\n', Fault(2, 14, "", "not UTF-8 text. Save the file as UTF-8.")),
        (
            b"#" * (1024 * 1024 + 1),
            Fault(0, 0, "", "is larger than 1 MiB, which no configuration is. Was another file meant?"),
        ),
    ],
)
def test_a_file_that_is_no_text_is_one_fault(tmp_path: Path, content: bytes, fault: Fault) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigFaults) as caught:
        load(path, {})
    assert caught.value.faults == (fault,)


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigFaults) as caught:
        load(path, {})
    assert str(caught.value).splitlines() == [
        f"{path} has 1 fault; nothing was changed.",
        "  the file  is not there. Copy config.example.toml there, or name another file with --config.",
        "Mend it and run this again.",
    ]


def test_a_directory_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults) as caught:
        load(tmp_path, {})
    assert caught.value.faults[0].what == "cannot be read: Is a directory. Let the service's own user read it."
