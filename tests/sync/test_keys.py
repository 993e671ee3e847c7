from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bridge.sync.keys import entry_key, publication_uid, write_key


def test_keys_are_what_they_always_were() -> None:
    """They stand in pages: a change of the derivation would orphan every marker."""
    assert publication_uid("inst", "cloud/1/page/-", "", "m1") == "ctogfmevj5"
    assert entry_key("inst", "uid", "m1") == "xjsub6vx73"
    assert write_key("inst", "uid", "publish", "content") == "6f7dfa46"


@given(st.text(), st.text(), st.text())
def test_keys_fit_into_links_and_notes(installation: str, uid: str, message_key: str) -> None:
    assert re.fullmatch(r"[a-z2-7]{10}", entry_key(installation, uid, message_key))
    assert re.fullmatch(r"[0-9a-f]{8}", write_key(installation, uid, "comment", message_key))


def test_each_part_makes_another_key() -> None:
    keys = {
        entry_key("a", "u", "m"),
        entry_key("b", "u", "m"),
        entry_key("a", "v", "m"),
        entry_key("a", "u", "n"),
        publication_uid("a", "u", "", "m"),
        publication_uid("a", "u", "1", "m"),
    }
    assert len(keys) == 6
    assert len({write_key("a", "u", "comment", "entry 1", round) for round in range(5)}) == 5
